"""The journal of what was changed in the user's own settings of Claude Code, so that it can be undone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tray_app.claude_code.merge import KeyPath, Record
from tray_app.errors import ClaudeSettingsError
from tray_app.files.atomic import MAX_BYTES, read_whole, write_whole

_MAX_ORIGINAL_BYTES = 100_000
"""Largest settings file that is kept as a whole. It leaves room for the rest of the journal, which is limited, too."""


@dataclass(frozen=True, slots=True)
class Journal:
    """What was changed in which file."""

    file: str
    """The path of the user's settings file."""
    had_file: bool
    """Tells whether there was such a file before the first change."""
    original: str | None = None
    """The text before the first change; None: there was none, it is too long, or the user edited the file since."""
    record: Record = field(default_factory=Record)
    written: tuple[str, ...] = ()
    """Hashes of the contents that this program wrote. A file with one of them was not edited by anybody else since."""
    is_pending: bool = True
    """Tells that the settings file may still be as it was, because the journal is written first."""
    yielded: tuple[KeyPath, ...] = ()
    """The paths of our values that the user has changed since. They are the user's now, and are not set again."""

    def is_unedited(self, content: bytes | None) -> bool:
        """Tells whether only this program has changed the file since the first change. `content`: what it holds."""
        if content is None:
            return not self.had_file and not self.written
        return hash_content(content) in self.written or (
            self.original is not None and content == self.original.encode()
        )


def start_journal(file: Path, content: bytes | None) -> Journal:
    """Returns a journal without changes for a file with this content; None: there is no file."""
    is_kept = content is not None and len(content) <= _MAX_ORIGINAL_BYTES
    return Journal(str(file), content is not None, content.decode() if content is not None and is_kept else None)


def read_journal(path: Path) -> Journal | None:
    """Returns the journal; None if there is none. ClaudeSettingsError if it cannot be read."""
    try:
        return msgspec.convert(json.loads(read_whole(path)), Journal)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        raise ClaudeSettingsError(
            f"{path}, which says what to undo in Claude Code's settings, cannot be read. Remove what leads to the "
            "gateway from these settings by hand, and then remove this file."
        ) from None


def write_journal(path: Path, journal: Journal) -> None:
    """Replaces the journal in one step. Only its owner can read it. ClaudeSettingsError if it cannot be written."""
    data = json.dumps(msgspec.to_builtins(journal), indent=2).encode() + b"\n"
    if len(data) > MAX_BYTES:
        raise ClaudeSettingsError(f"{journal.file} is left as it is, because its values are too large to be kept.")
    try:
        write_whole(path, data)
    except OSError as error:
        raise ClaudeSettingsError(f"{path} cannot be written ({error.strerror or error}).") from None


def hash_content(content: bytes) -> str:
    """Returns a hash that tells two contents of a file apart."""
    return hashlib.sha256(content).hexdigest()
