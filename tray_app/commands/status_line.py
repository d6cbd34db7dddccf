"""The command `status-line`: one line about this session and the tray, for the status line of Claude Code.

Claude Code starts it once a second, so it imports as little as it can: neither dataclasses nor anything else of this
program. It reads a small file that the running app keeps (`app/status_file.py`). It believes the file only while the
app holds its lock, which the system frees even if the app crashes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tray_app import APP_ID

HOME_VARIABLE = "CLAUDE_NVIDIA_TRAY_HOME"
STATUS_FILE = "status-line.json"
LOCK_FILE = "instance.lock"

AS_IN_TRAY = "nvidia"
"""The same as in the catalog, whose import would take too long."""

_MINUTE_S = 60
_MOST_BYTES = 1_000_000
"""Neither the input nor the file is ever larger; the rest is left alone."""
_MOST_CHARS = 60
"""So much of a name that a client sent is shown."""

_RED, _YELLOW, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[0m"

_LINK, _LINK_END = "\x1b]8;;{}\x07", "\x1b]8;;\x07"
"""Between these two, a text is a link: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda"""

_PROGRAMS_WITH_LINKS = ("iTerm.app", "WezTerm", "vscode", "ghostty", "zed", "mintty", "Hyper", "Tabby")
"""Values of TERM_PROGRAM."""
_TYPES_WITH_LINKS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "foot-extra", "wezterm", "contour")
"""Values of TERM."""
_FIRST_VTE_WITH_LINKS = 5001
"""VTE, which draws the terminals of GNOME and Xfce among others, has links since 0.50.1."""

NOT_RUNNING = "Claude NVIDIA Tray is not running"
STARTING = "Claude NVIDIA Tray is starting"


def print_status_line(arguments: Sequence[str]) -> int:
    """Prints the line. The first argument may name the state folder of the app.

    Returns 0, because Claude Code shows nothing if the command fails.
    """
    try:
        folder = arguments[0] if arguments else find_state_folder(os.environ)
        line = make_line(
            _read_input(),
            _read_state(folder),
            is_running=is_running(folder),
            now_s=int(time.time()),
            has_links=shows_links(os.environ),
        )
    except Exception:  # noqa: BLE001 (one sensible line is better than none, whatever is damaged)
        line = "Claude NVIDIA Tray: its state cannot be read"
    if os.environ.get("NO_COLOR"):
        for code in (_RED, _YELLOW, _PLAIN):
            line = line.replace(code, "")
    sys.stdout.buffer.write(f"{line}\n".encode())  # Claude Code reads UTF-8, whatever the system's encoding is
    sys.stdout.flush()
    return 0


def make_line(
    session: Mapping[str, Any],
    state: Mapping[str, Any] | None,
    *,
    is_running: bool,
    now_s: int,
    has_links: bool = False,
) -> str:
    """Returns the line.

    `session` is Claude Code's input, empty if it cannot be read. `state` is the content of the app's file; None if it
    cannot be read. `now_s` is the Unix time. With `has_links`, the name of the model is a link to the page of the app.
    """
    if not is_running:
        return f"{_RED}{NOT_RUNNING}{_PLAIN}"
    if state is None:
        return STARTING
    session_id = str(session.get("session_id") or "")
    answering = _find_answering(session, state["sessions"].get(session_id), state["model"])
    parts = ["DEMO"] if state["is_demo"] else []
    asked, model = _clean(answering["asked"]), _clean(answering["model"])
    answers = f"{asked} → {model}" if asked else model
    page = _clean(state.get("page", ""))
    parts.append(f"{_LINK.format(page)}{answers}{_LINK_END}" if page and has_links else answers)
    parts += _count_requests(state["paces"].get(answering["model"]), now_s)
    if state["note"] and not asked:
        parts.append(_clean(state["note"]))
    if state["trouble"]:
        parts.append(f"{_RED}{_clean(state['trouble'])}{_PLAIN}")
    elif delay := _find_delay(state["delays"], session_id, now_s):
        parts.append(f"{_YELLOW}{delay}{_PLAIN}")
    return " · ".join(parts)


def shows_links(environ: Mapping[str, str]) -> bool:
    """Tells whether the terminal is likely to show links. One that does not know them may print their addresses.

    Claude Code passes links on. FORCE_HYPERLINK is the variable by which other programs are told, too.
    """
    if forced := environ.get("FORCE_HYPERLINK"):
        return forced != "0"
    if environ.get("STY"):  # GNU screen, which drops them
        return False
    vte = environ.get("VTE_VERSION", "")
    return bool(
        environ.get("TERM_PROGRAM") in _PROGRAMS_WITH_LINKS
        or environ.get("TERM") in _TYPES_WITH_LINKS
        or environ.get("WT_SESSION")  # Windows Terminal
        or environ.get("KONSOLE_VERSION")
        or (vte.isdecimal() and int(vte) >= _FIRST_VTE_WITH_LINKS)
    )


def _find_answering(session: Mapping[str, Any], known: Mapping[str, Any] | None, tray_model: str) -> Mapping[str, Any]:
    """Returns which model answers this session, and what it asked for if that is another one.

    `known` is what the app knows of the session: the newest request may be from before another model was picked in
    Claude Code's `/model`. None: the session has not asked anything yet.
    """
    picked = session.get("model")
    picked_id, label = (picked.get("id"), picked.get("display_name")) if isinstance(picked, dict) else (None, None)
    if known is not None and picked_id in (known["picked"], None):
        return known
    follows_tray = picked_id in (AS_IN_TRAY, None) or not isinstance(label, str)
    return {"asked": "", "model": tray_model if follows_tray else label}


def find_state_folder(environ: Mapping[str, str]) -> str:
    """Returns the folder that `paths.find_paths` calls `state`, without importing as much as that does."""
    if home := environ.get(HOME_VARIABLE):
        return os.path.join(os.path.abspath(os.path.expanduser(home)), "state")  # noqa: PTH100, PTH111, PTH118
    import platformdirs

    return platformdirs.user_state_dir(APP_ID, appauthor=False)


def is_running(state_folder: str) -> bool:
    """Tells whether the app holds its lock. The lock is taken for a moment if it does not."""
    try:
        descriptor = os.open(os.path.join(state_folder, LOCK_FILE), os.O_RDWR)  # noqa: PTH118
    except OSError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    """Takes the lock of the file as `filelock` does, until it is closed. Returns False if another process has it."""
    system: Any
    try:
        try:
            import fcntl as system
        except ImportError:  # on Windows
            import msvcrt as system

            system.locking(descriptor, system.LK_NBLCK, 1)
            system.locking(descriptor, system.LK_UNLCK, 1)
        else:
            system.flock(descriptor, system.LOCK_SH | system.LOCK_NB)
    except OSError:
        return False
    return True


def _read_input() -> dict[str, Any]:
    if sys.stdin is None or sys.stdin.isatty():  # a user tries the command
        return {}
    try:
        session = json.loads(sys.stdin.buffer.read(_MOST_BYTES))
    except (ValueError, RecursionError, OSError):
        return {}
    return session if isinstance(session, dict) else {}


def _read_state(state_folder: str) -> dict[str, Any] | None:
    try:
        with open(os.path.join(state_folder, STATUS_FILE), "rb") as file:  # noqa: PTH118, PTH123
            state = json.loads(file.read(_MOST_BYTES))
    except FileNotFoundError:
        return None
    return dict(state)


def _count_requests(pace: Mapping[str, Any] | None, now_s: int) -> list[str]:
    used = sum(start_s > now_s - _MINUTE_S for start_s in pace["starts_at"]) if pace else 0
    if pace is None or not used:
        return []
    return [f"{used} of {pace['limit']} this minute" if pace["limit"] else f"{used} this minute"]


def _find_delay(delays: list[Mapping[str, Any]], session_id: str, now_s: int) -> str:
    """Returns the longest delay of this session, else the longest of others that concerns all; empty: there is none."""
    own = [delay for delay in delays if delay["session"] == session_id]
    found = own or [delay for delay in delays if delay["concerns_all"]]
    if not found:
        return ""
    longest = min(found, key=lambda delay: int(delay["since"]))
    where = "" if own else "another session: "
    return f"{where}{_clean(longest['text'])} {max(now_s - longest['since'], 0)} s"


def _clean(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:_MOST_CHARS]
