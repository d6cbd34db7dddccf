"""The settings file: read, kept in step with the disk, written whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tray_app.errors import SettingsError
from tray_app.settings import VERSION, Settings, default_file, file_value, parse_environment, parse_file
from tray_app.whole_file import read_whole, write_whole

log = logging.getLogger(__name__)

_LOCK_WAIT_S = 5

_Fingerprint = tuple[int, int, int] | None


class _Damaged(Exception):
    """The file's text is no JSON object."""


class SettingsStore:
    """Holds the settings in force as `current` and the newest trouble with the file as `problem` (None: all is well).

    Nothing in the file is lost: unknown keys stay, a damaged file is kept aside under a new name, a file of a newer
    version is never written. Safe to call from several threads; two processes take turns by a lock file.
    """

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        """Reads the file, or makes it with the defaults. SettingsError if the environment holds an unusable value."""
        # a link keeps pointing where the user made it point
        self.path = path.resolve()
        self.problem: str | None = None
        self.is_new = False
        self.is_saved = True  # whether the last update reached the disk
        self._lock = threading.RLock()
        self._overrides = parse_environment(environ)
        self._raw: dict[str, Any] = {}
        self._seen: _Fingerprint = None
        self.current = Settings(**self._overrides)
        self._open()

    def refresh(self) -> bool:
        """Reads the file again if it changed on disk; True if it did. A file in a bad state changes no setting."""
        with self._lock:
            fingerprint = self._fingerprint()
            if fingerprint == self._seen:
                return False
            self._seen = fingerprint
            if fingerprint is None:
                self.problem = f"The settings file {self.path} is gone; the settings in use stay until the next change."
                return True
            try:
                raw = self._read()
                _, problems = parse_file(raw)
            except _Damaged as error:
                problems = [f"it {error}"]
            except OSError as error:
                problems = [f"it cannot be read ({_reason(error)})"]
            if problems:
                self.problem = f"The changed settings file {self.path} is not used: {' '.join(problems)}"
                log.warning("%s", self.problem)
            else:
                self._take(raw)
            return True

    def update(self, **changes: Any) -> Settings:
        """Changes settings and saves them; None removes one from the file. The change is in force even if saving fails.

        A change wins over the environment until the next start, or a click in the menu would do nothing.
        """
        with self._lock:
            for name in changes:
                self._overrides.pop(name, None)
            try:
                with self._turn():
                    raw, kept = self._read_for_update()
                    self._take(self._changed(raw, changes))
                    self._write(self._raw)
                self.is_saved = True
                if kept is not None:
                    self.problem = f"The settings file was damaged. It was kept as {kept.name}, and written anew."
            except Timeout:
                self._unsaved(changes, "another program holds it")
            except OSError as error:
                self._unsaved(changes, _reason(error))
            except SettingsError as error:
                self._unsaved(changes, str(error))
            return self.current

    def _open(self) -> None:
        try:
            self._seen = self._fingerprint()
            if self._seen is None:
                self._create()
            else:
                self._take(self._read())
        except _Damaged as error:
            try:
                kept = self._put_aside()
                self._create()
                self.problem = f"The settings file {error}. It was kept as {kept.name}; the defaults are in use."
            except OSError as cannot:
                self.problem = f"The settings file {self.path} {error}, and cannot be replaced ({_reason(cannot)})."
        except OSError as error:
            self.problem = f"The settings file {self.path} cannot be used ({_reason(error)}); the defaults are in use."
        if self.problem:
            log.warning("%s", self.problem)

    def _create(self) -> None:
        self._take(default_file())
        with self._turn():
            if self._fingerprint() is not None:  # another process was quicker
                self._seen = self._fingerprint()
                self._take(self._read())
                return
            self.is_new = True
            self._write(self._raw)

    def _take(self, raw: dict[str, Any]) -> None:
        values, problems = parse_file(raw)
        version = raw.get("version", 0)
        if not isinstance(version, int) or version > VERSION:
            problems.append(f'"version" is {version!r}: it was made by a newer version, so changes are not saved.')
        self._raw = raw
        self.current = Settings(**{**values, **self._overrides})
        self.problem = f"Settings file {self.path}: {' '.join(problems)}" if problems else None
        if self.problem:
            log.warning("%s", self.problem)

    def _changed(self, raw: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        version = raw.get("version", 0)
        if not isinstance(version, int) or version > VERSION:
            raise SettingsError("it was made by a newer version of this program")
        changed = {"version": VERSION, **raw, **{name: file_value(value) for name, value in changes.items()}}
        return {name: value for name, value in changed.items() if not (name in changes and value is None)}

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Keeps other processes from writing meanwhile. Timeout if one of them does not come to an end."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=_LOCK_WAIT_S):
            yield

    def _unsaved(self, changes: Mapping[str, Any], reason: str) -> None:
        self.is_saved = False
        changed = {**self._raw, **{name: file_value(value) for name, value in changes.items()}}
        self._raw = {name: value for name, value in changed.items() if value is not None}
        values, _ = parse_file(self._raw)
        self.current = Settings(**{**values, **self._overrides})
        self.problem = f"The settings file {self.path} could not be written: {reason}."
        log.warning("%s", self.problem)

    def _read(self) -> dict[str, Any]:
        try:
            raw = json.loads(read_whole(self.path).decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:  # ValueError covers bad UTF-8 and bad JSON
            where = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            raise _Damaged(f"is not valid JSON{where}") from error
        if not isinstance(raw, dict):
            raise _Damaged("holds no JSON object")
        return raw

    def _read_for_update(self) -> tuple[dict[str, Any], Path | None]:
        """What is on disk now, since another process or an editor may have written since; else what was read last.

        With it, where a damaged file was put aside.
        """
        try:
            return self._read(), None
        except FileNotFoundError:
            return dict(self._raw), None
        except _Damaged:
            return dict(self._raw), self._put_aside()

    def _put_aside(self) -> Path:
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        name = f"{self.path.stem}.damaged-{stamp}"
        kept = self.path.with_name(f"{name}{self.path.suffix}")
        for number in itertools.count(2):
            if not kept.exists():
                break
            kept = self.path.with_name(f"{name}-{number}{self.path.suffix}")
        self.path.replace(kept)
        log.warning("damaged settings file kept as %s", kept)
        return kept

    def _write(self, raw: Mapping[str, Any]) -> None:
        """Replaces the file in one step; readable by its owner only, as it may hold a key."""
        write_whole(self.path, _encode(raw))
        self._seen = self._fingerprint()

    def _fingerprint(self) -> _Fingerprint:
        try:
            stat = self.path.stat()
        except OSError:  # also where a folder above it is gone or closed
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _encode(raw: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(raw, indent=2, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair in somebody's unknown key, which only an escape can hold
        text = json.dumps(raw, indent=2).encode()
    return text + b"\n"


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
