"""Reads and replaces the user's own settings file of Claude Code, and keeps its form."""

from __future__ import annotations

import codecs
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tray_app.errors import ClaudeSettingsError
from tray_app.files.atomic import read_whole, write_whole

_DEFAULT_INDENT = 2  # as Claude Code writes it


@dataclass(frozen=True, slots=True)
class SettingsText:
    """The content of a settings file at one moment."""

    raw: bytes | None
    """What is in the file; None: there is no file."""
    value: dict[str, Any]

    def render(self, value: Mapping[str, Any]) -> bytes:
        """Returns the value as the content of the file, in the form that the file has: indentation, line ends, BOM."""
        text = (self.raw or b"").decode("utf-8-sig")
        first_key = re.match(r'\s*\{\s*\n([ \t]+)"', text)
        is_one_line = bool(self.value) and "\n" not in text.strip()
        body = json.dumps(
            value,
            indent=None if is_one_line else first_key.group(1) if first_key else _DEFAULT_INDENT,
            separators=(",", ":") if is_one_line and '": ' not in text else None,
            # Half of a surrogate pair can only be written as an escape.
            ensure_ascii=text.isascii() or not _is_encodable(value),
        )
        ending = text[len(text.rstrip()) :] if text.strip() else "\n"
        if "\r\n" in text:
            body = body.replace("\n", "\r\n")
        has_bom = (self.raw or b"").startswith(codecs.BOM_UTF8)
        return (codecs.BOM_UTF8 if has_bom else b"") + (body + ending).encode()


def read_settings(path: Path) -> SettingsText:
    """Reads the file. ClaudeSettingsError if it cannot be read, or is not a JSON object that can be written again."""
    try:
        raw = read_whole(path, follows_links=True)
    except FileNotFoundError:
        return SettingsText(None, {})
    except OSError as error:
        raise ClaudeSettingsError(f"{path} cannot be read ({error.strerror or error}).") from None
    try:
        text = raw.decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=_make_object, parse_constant=_refuse) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, _Unusual) else "it is not valid JSON"
        raise ClaudeSettingsError(f"{path} cannot be used, because {reason}. Correct it, then try again.") from None
    if not isinstance(value, dict):
        raise ClaudeSettingsError(
            f"{path} cannot be used, because it does not hold a JSON object. Correct it, then try again."
        )
    return SettingsText(raw, value)


def write_settings(path: Path, data: bytes) -> None:
    """Replaces the content of the file in one step, and keeps its mode. If it is a link, the file that it leads to.

    Only the owner can read a new file. ClaudeSettingsError if it cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        write_whole(target, data, mode)
    except OSError as error:
        raise ClaudeSettingsError(f"{path} cannot be written ({error.strerror or error}).") from None


def _is_encodable(value: Mapping[str, Any]) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


class _Unusual(ValueError):
    """The file is JSON, but would lose something by being written again."""


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unusual(f'it names "{twice}" twice')
    return found


def _refuse(constant: str) -> NoReturn:
    raise _Unusual(f"{constant} is no JSON")
