"""Makes all sessions of Claude Code use this gateway, by way of the user's own settings file, and undoes it.

A journal in the state folder says what was changed, with the old values. It is written before the settings file, so
that a crash at any moment can be undone. All sessions use the gateway as long as there is a journal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tray_app.catalog import AS_IN_TRAY
from tray_app.claude_code.claude_settings import Setup, make_settings
from tray_app.claude_code.conflicts import find_conflicts
from tray_app.claude_code.journal import Journal, hash_content, read_journal, start_journal, write_journal
from tray_app.claude_code.journal_file import find_journal, is_on
from tray_app.claude_code.merge import NotMergeable, Record, find_yielded, is_same, join, join_created, merge, undo
from tray_app.claude_code.settings_files import find_user_settings, read_environment
from tray_app.claude_code.shell_syntax import TOKEN
from tray_app.claude_code.user_settings import SettingsText, read_settings, write_settings
from tray_app.errors import ClaudeSettingsError
from tray_app.files.private import make_private_folder

_LOCK_WAIT_S = 5.0
"""Longest wait, in seconds, for another process of this program that changes the same file."""
_MAX_TRIES = 5
"""How often a change is tried again if Claude Code writes its settings at the same moment."""
_MODEL = ("model",)


def switch_on(state: Path, environ: Mapping[str, str], setup: Setup) -> None:
    """Merges the set-up into the user's settings file. If that is done already, brings it up to date.

    ClaudeSettingsError if the file cannot be used or written; it is then as it was.
    """
    with _turn(state):
        path = find_user_settings(environ)
        journal = read_journal(find_journal(state))
        if journal and journal.file != str(path):
            _undo(state, journal)
            journal = None
        _try_again(path, lambda: _try_to_merge(state, path, journal, setup, environ))


def renew(state: Path, environ: Mapping[str, str], setup: Setup) -> None:
    """Brings the user's settings file up to date after the URL or the models changed. Does nothing if that is off.

    What the user changed of our values since stays. ClaudeSettingsError as `switch_on`.
    """
    if not is_on(state):
        return
    with _turn(state):
        journal = read_journal(find_journal(state))
        if journal:
            path = Path(journal.file)  # the environment may name another folder than when it was switched on
            _try_again(path, lambda: _try_to_merge(state, path, journal, setup, environ))


def switch_off(state: Path) -> bool:
    """Takes our values out of the user's settings file. Returns False if there was nothing to undo.

    The user's later edits stay. ClaudeSettingsError if the file or the journal cannot be used; nothing is changed then.
    """
    if not is_on(state):
        return False
    with _turn(state):
        journal = read_journal(find_journal(state))
        if journal:
            _undo(state, journal)
        return journal is not None


@contextmanager
def _turn(state: Path) -> Iterator[None]:
    """Keeps other processes of this program from changing the same file."""
    try:
        make_private_folder(state)
        with FileLock(state / "all-sessions.lock", timeout=_LOCK_WAIT_S, mode=0o600):
            yield
    except Timeout:
        raise ClaudeSettingsError("Another process of this program is changing Claude Code's settings.") from None
    except OSError as error:
        raise ClaudeSettingsError(f"{error.filename or state} cannot be used ({error.strerror or error}).") from None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would make of the user's settings file."""

    file: Path
    before: str
    """The text of the file; empty if there is no file."""
    after: str
    """The text that it would get; empty: the file would be removed."""


def preview_on(state: Path, environ: Mapping[str, str], setup: Setup) -> Preview:
    """Returns what `switch_on` would write, and changes nothing. ClaudeSettingsError if the file cannot be used."""
    path, journal = find_user_settings(environ), read_journal(find_journal(state))
    plan = _plan_merge(path, journal if journal and journal.file == str(path) else None, setup, environ)
    return Preview(path, _to_text(plan.before.raw), _to_text(plan.data))


def preview_off(state: Path) -> Preview | None:
    """Returns what `switch_off` would write, and changes nothing; None: there is nothing to undo.

    ClaudeSettingsError if the file or the journal cannot be used.
    """
    journal = read_journal(find_journal(state))
    if journal is None:
        return None
    path = Path(journal.file)
    before = read_settings(path)
    return Preview(path, _to_text(before.raw), _to_text(_plan_undo(before, journal)))


def _to_text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8-sig")


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the user's settings file is to be changed."""

    before: SettingsText
    data: bytes
    """The new content of the file."""
    new: Journal | None
    """The journal of the change, while that is pending; None: there is nothing to change."""
    pending_record: Record
    """What may be in the file until the change is done."""


def _plan_merge(path: Path, journal: Journal | None, setup: Setup, environ: Mapping[str, str]) -> _Plan:
    """Returns how to merge the set-up into the file. ClaudeSettingsError if the file cannot be used."""
    before = read_settings(path)
    old = journal or start_journal(path, before.raw)
    edited = frozenset() if old.is_pending else find_yielded(before.value, old.record)
    yielded = frozenset(old.yielded) | edited
    users = undo(before.value, old.record)
    try:
        ours = _make_ours(setup, environ, users)
        picked = before.value.get("model")
        if _MODEL in old.record.paths and picked in [model.id for model in setup.offered]:
            ours["model"] = picked  # Claude Code saved the choice of the user in `/model`
        merged, record = merge(users, ours, yielded)
    except NotMergeable as error:
        raise ClaudeSettingsError(f"{path} cannot be used, because {error}.") from None
    record = _complete(record, old.record, setup)
    is_same_content = is_same(merged, before.value)
    data = before.raw if is_same_content and before.raw is not None else before.render(merged)
    if is_same_content and record == old.record and not old.is_pending:
        return _Plan(before, data, None, record)
    new = replace(
        old,
        record=record,
        original=old.original if journal is None or old.is_unedited(before.raw) else None,
        written=(hash_content(data), *old.written[:1]),
        yielded=tuple(sorted(yielded)),
        is_pending=True,
    )
    return _Plan(before, data, new, join(record, old.record))


def _try_to_merge(state: Path, path: Path, journal: Journal | None, setup: Setup, environ: Mapping[str, str]) -> bool:
    """Returns False if another program changed the file at the same moment, so that it was not written."""
    plan = _plan_merge(path, journal, setup, environ)
    if plan.new is None:
        return True
    write_journal(find_journal(state), replace(plan.new, record=plan.pending_record))
    if read_settings(path).raw != plan.before.raw:
        _put_back(state, journal)
        return False
    if plan.data != plan.before.raw:
        write_settings(path, plan.data)
    write_journal(find_journal(state), replace(plan.new, is_pending=False))
    return True


def _put_back(state: Path, journal: Journal | None) -> None:
    if journal:
        write_journal(find_journal(state), journal)
    else:
        find_journal(state).unlink()


def _make_ours(setup: Setup, environ: Mapping[str, str], users: Mapping[str, Any]) -> dict[str, Any]:
    """Returns our settings. They repeat the hosts of the user's NO_PROXY, and empty the variables that conflict.

    Such variables count if they are in the user's settings, or in the environment of this program, since the user's
    shells probably have them, too. Claude Code takes an empty one for none.
    """
    environment = read_environment(users)
    hosts = environment.get("no_proxy") or environment.get("NO_PROXY")
    ours = make_settings(replace(setup, is_manual=False, no_proxy=hosts if isinstance(hosts, str) else setup.no_proxy))
    emptied = {*find_conflicts(environment), *find_conflicts(environ)} - ({TOKEN} if setup.needs_server_key else set())
    ours["env"] = {**dict.fromkeys(sorted(emptied), ""), **ours["env"]}
    return ours


def _complete(record: Record, earlier: Record, setup: Setup) -> Record:
    """Returns the record with each of our models as ours, because Claude Code saves the one that is picked in `/model`.

    What an earlier merge created stays recorded, even if the user has put something into it since.
    """
    known = [value for change in earlier.changes if change.path == _MODEL for value in change.ours]
    names = [AS_IN_TRAY, *(model.id for model in setup.offered), *known]
    changes = tuple(
        replace(change, ours=tuple(dict.fromkeys((*change.ours, *names)))) if change.path == _MODEL else change
        for change in record.changes
    )
    return Record(changes, record.additions, join_created(record, earlier))


def _undo(state: Path, journal: Journal) -> None:
    path = Path(journal.file)
    _try_again(path, lambda: _try_to_undo(path, journal))
    find_journal(state).unlink()


def _try_to_undo(path: Path, journal: Journal) -> bool:
    """Returns False if another program changed the file at the same moment, so that it was not written."""
    before = read_settings(path)
    data = _plan_undo(before, journal)
    if data == before.raw:
        return True
    if read_settings(path).raw != before.raw:
        return False
    if data is None:
        _remove(path)
    else:
        write_settings(path, data)
    return True


def _plan_undo(before: SettingsText, journal: Journal) -> bytes | None:
    """Returns the content of the file without our values; None: there is to be no file."""
    left = undo(before.value, journal.record)
    if before.raw is None or is_same(left, before.value):
        return before.raw
    if journal.original is not None and journal.is_unedited(before.raw):
        return journal.original.encode()
    return None if not journal.had_file and not left else before.render(left)


def _try_again(path: Path, change: Callable[[], bool]) -> None:
    if not any(change() for _ in range(_MAX_TRIES)):
        raise ClaudeSettingsError(f"{path} is being changed by another program. Try again.")


def _remove(path: Path) -> None:
    try:
        Path(os.path.realpath(path)).unlink()
    except OSError as error:
        raise ClaudeSettingsError(f"{path} cannot be removed ({error.strerror or error}).") from None
