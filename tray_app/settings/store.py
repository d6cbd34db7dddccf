"""The settings file: reads it, notices changes on disk, and replaces it in one step."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict, Unpack

from filelock import FileLock, Timeout

from tray_app.errors import SettingsError
from tray_app.files.atomic import read_whole, write_whole
from tray_app.files.private import NotAFile, claim_folder, make_private_folder, tighten_file
from tray_app.settings.file_text import Damaged, decode_settings, encode_settings
from tray_app.settings.models import with_choice
from tray_app.settings.parsing import (
    VERSION,
    check_changes,
    default_file,
    file_value,
    find_variables,
    parse_environment,
    parse_file,
)
from tray_app.settings.settings import SECRETS, Address, Settings

log = logging.getLogger(__name__)

_LOCK_WAIT_S = 5

_Fingerprint = tuple[int, int, int] | None


class Changes(TypedDict, total=False):
    """The settings that this program itself changes. None removes a setting from the file."""

    addr: Address
    model: str
    clients_choose_model: bool
    upstream_timeout_seconds: int
    requests_per_minute: int
    log_bodies: bool
    nvidia_key: str | None
    server_api_key: str | None
    needs_server_key: bool | None
    """Tells whether clients must send a server key. `set-key` saves it, because the key itself may be in a keyring."""
    keys_changed: str
    """The time at which `set-key` last ran. It changes the file, so that a running app reads the keys again."""
    is_new: bool | None
    """See `SettingsStore.is_new`. It is True in a new file, and is removed when an app listens."""
    needs_welcome: bool | None
    """See `SettingsStore.needs_welcome`. It is True in a new file, and is removed when the welcome is left."""


class SettingsStore:
    """Holds the settings in force as `current`, and the newest problem with the file as `problem` (None: none).

    Nothing in the file is lost: unknown keys stay, a damaged file is kept under a new name, and a file of a newer
    version is never written. Only a regular file is read, and a damaged one is replaced only if it is this program's.
    The methods may be called from any thread. Processes take turns by a lock file.
    """

    def __init__(self, path: Path, environ: Mapping[str, str], *, owns_folder: bool = True) -> None:
        """Reads the file, or creates it with the defaults. SettingsError if an environment variable is not usable.

        `owns_folder`: whether the folder of `path` is this program's own, and is therefore closed to other users.
        """
        # A link stays a link: the file that it points to is replaced.
        self.path = Path(os.path.realpath(path))
        self._owns_file = owns_folder and self.path.parent == Path(os.path.realpath(path.parent))
        self.problem: str | None = None
        self.note: str | None = None  # what was corrected about the file, to be said once
        self.is_saved = True  # whether the last update reached the disk
        self._lock = threading.RLock()
        self._overrides = parse_environment(environ)
        self._variables = find_variables(environ)
        self._raw: dict[str, Any] = {}
        self._seen: _Fingerprint = None
        self.current = Settings(**self._overrides)
        self._open()

    @property
    def is_new(self) -> bool:
        """Tells whether no app has listened with this file yet. Any command may have made the file before the app."""
        return self._raw.get("is_new") is True

    @property
    def needs_welcome(self) -> bool:
        """Tells whether the user has neither followed the welcome on the page to its end nor left it."""
        return self._raw.get("needs_welcome") is True

    @property
    def needs_server_key(self) -> bool | None:
        """Tells whether a server key was set, so that every client must send it; None: that is not known.

        It is not known if an earlier version of this program set the keys, or if the file was lost.
        """
        needs = self._raw.get("needs_server_key", None if "keys_changed" in self._raw else False)
        return needs if isinstance(needs, bool) else None

    @property
    def variables(self) -> dict[str, str]:
        """The environment variable that sets each setting, by the name of the setting. Such a variable wins."""
        return {name: variable for name, variable in self._variables.items() if name in self._overrides}

    @property
    def model_entries(self) -> object:
        """The entries of "models" as they are in the file, because `Settings.models` has no way back to them."""
        return self._raw.get("models", [])

    def refresh(self) -> bool:
        """Reads the file again if it changed on disk; returns whether it did. A file with a problem changes nothing."""
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
            except Damaged as error:
                problems = [f"it {error}"]
            except OSError as error:
                problems = [f"it cannot be read ({_reason(error)})"]
            if problems:
                self.problem = f"The changed settings file {self.path} is not used: {' '.join(problems)}"
                log.warning("%s", self.problem)
            else:
                self._take(raw)
            return True

    def update(self, **changes: Unpack[Changes]) -> Settings:
        """Changes settings and saves them; None removes one from the file. The change is in force even if saving fails.

        A change wins over the environment until the next start; otherwise a click in the menu could do nothing.
        TypeError if there is no such setting.
        """
        if unknown := changes.keys() - Changes.__annotations__.keys():
            raise TypeError(f"there is no such setting: {', '.join(sorted(unknown))}")
        return self._save(changes)

    def check(self, changes: Mapping[str, object]) -> dict[str, str]:
        """Returns a sentence for each change that `change` would refuse, by the name of the setting."""
        return self._check(changes)[1]

    def preview(self, changes: Mapping[str, object]) -> Settings:
        """Returns the settings that would be in force after changes that `check` finds right. Saves nothing."""
        written, _ = self._check(changes)
        values, _ = parse_file({name: value for name, value in {**self._raw, **written}.items() if value is not None})
        return Settings(**{**values, **self._overrides})

    def change(self, changes: Mapping[str, object]) -> dict[str, str]:
        """Checks values as the file has them, by the names of their settings, and saves them. None: the default.

        If one of them is wrong, nothing is changed, and a sentence for each wrong one is returned.
        """
        with self._lock:
            written, errors = self._check(changes)
            if not errors:
                self._save(written)
            return errors

    def _check(self, changes: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
        written, errors = check_changes(self._raw, changes)
        for name in changes:
            if name in SECRETS or name not in Settings.__dataclass_fields__:
                errors[name] = f'"{name}" cannot be changed here.'
            elif variable := self.variables.get(name):
                errors[name] = f'The environment variable {variable} sets "{name}", and wins over every change.'
        return written, errors

    def _save(self, changes: Mapping[str, Any]) -> Settings:
        """Puts the changes into force, and into the file."""
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
                    self.problem = (
                        f"The settings file was damaged. It was kept as {kept.name}, and a new file was written."
                    )
            except Timeout:
                self._unsaved(changes, "another program holds it")
            except OSError as error:
                self._unsaved(changes, _reason(error))
            except Damaged as error:
                self._unsaved(changes, f"it {error}, and is left as it is")
            except SettingsError as error:
                self._unsaved(changes, str(error))
            return self.current

    def _open(self) -> None:
        try:
            if self._owns_file:
                claim_folder(self.path.parent, (f".{self.path.name}.lock", f"{self.path.stem}.damaged-*"))
            self._seen = self._fingerprint()
            if self._seen is None:
                self._create({**default_file(), "is_new": True, "needs_welcome": True})
            else:
                self._take(self._read())
        except Damaged as error:
            self._replace(error)
        except OSError as error:
            # A file that cannot be read may hold a key. A pipe or a folder in its place cannot.
            may_need_key = self._seen is not None and not isinstance(error, NotAFile)
            self._take(_defaults_in_place(needs_server_key=may_need_key))
            self.problem = f"The settings file {self.path} cannot be used ({_reason(error)}); the defaults are in use."
        if self.problem:
            log.warning("%s", self.problem)

    def _replace(self, error: Damaged) -> None:
        """Replaces a damaged file of this program by the defaults. A damaged file of another program stays as it is."""
        defaults = _defaults_in_place(needs_server_key=error.names_server_key)
        if not self._may_replace(error):
            self._take(defaults)
            self.problem = (
                f"The settings file {self.path} {error}. It is left as it is, because it may be another program's: "
                "the defaults are in use, and changes are not saved."
            )
            return
        try:
            kept = self._put_aside()
            self._create(defaults)
            self.problem = f"The settings file {error}. It was kept as {kept.name}; the defaults are in use."
        except OSError as cannot:
            self._take(defaults)
            self.problem = f"The settings file {self.path} {error}, and cannot be replaced ({_reason(cannot)})."

    def _may_replace(self, error: Damaged) -> bool:
        return self._owns_file or error.looks_like_ours

    def _create(self, content: dict[str, Any]) -> None:
        self._take(content)
        with self._turn():
            if self._fingerprint() is not None:  # another process has created it meanwhile
                self._seen = self._fingerprint()
                self._take(self._read())
                return
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

    def _mend_mode(self, raw: Mapping[str, Any]) -> None:
        """Closes the file to other users if it holds a key, and notes that. In our own folder, every file is closed."""
        has_key = any(raw.get(name) for name in SECRETS)
        if (has_key or self._owns_file) and tighten_file(self.path) and has_key:
            self.note = (
                f"Other users could read the settings file {self.path}, and a key is in it. Now only you can. "
                "If other people use this computer, replace the key by a new one."
            )
            log.warning("%s", self.note)

    def _changed(self, raw: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        version = raw.get("version", 0)
        if not isinstance(version, int) or version > VERSION:
            raise SettingsError("it was made by a newer version of this program")
        changed = {"version": VERSION, **raw, **{name: file_value(value) for name, value in changes.items()}}
        choice = changes.get("model")  # None: the default, which is a model that the program knows
        if choice is not None and (models := with_choice(changed.get("models", []), choice)):
            changed["models"] = models
        return {name: value for name, value in changed.items() if not (name in changes and value is None)}

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Holds the lock that keeps other processes from writing. Timeout if another one does not release it."""
        make_private_folder(self.path.parent)
        with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=_LOCK_WAIT_S, mode=0o600):
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
        raw = decode_settings(read_whole(self.path, follows_links=True))
        self._mend_mode(raw)
        return raw

    def _read_for_update(self) -> tuple[dict[str, Any], Path | None]:
        """Returns the content on disk, which may be newer than ours; if the file is gone, what was last read.

        The second value is the new path of a damaged file that was renamed; None: it was not damaged. Damaged is raised
        if the file may be another program's.
        """
        try:
            return self._read(), None
        except FileNotFoundError:
            return dict(self._raw), None
        except Damaged as error:
            if not self._may_replace(error):
                raise
            return dict(self._raw), self._put_aside()

    def _put_aside(self) -> Path:
        stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
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
        """Replaces the file in one step. Only its owner may read it, because it may hold a key."""
        write_whole(self.path, encode_settings(raw))
        self._seen = self._fingerprint()

    def _fingerprint(self) -> _Fingerprint:
        try:
            found = self.path.stat()
        except OSError:  # also if a folder above it is gone or closed
            return None
        if not stat.S_ISREG(found.st_mode):  # its content does not count, because it is not read
            return 0, 0, found.st_ino
        return found.st_mtime_ns, found.st_size, found.st_ino


def _defaults_in_place(*, needs_server_key: bool) -> dict[str, Any]:
    """Returns the content that replaces an unreadable file. It notes that keys may have been set before."""
    content = {**default_file(), "keys_changed": datetime.now(UTC).isoformat(timespec="seconds")}
    return {**content, "needs_server_key": True} if needs_server_key else content


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
