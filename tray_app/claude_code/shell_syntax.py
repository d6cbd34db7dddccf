"""Writes one line that sets environment variables, and one that takes them away, in the syntax of each shell.

Each is a single line without a comment and without a line end: a terminal warns of a paste that has several lines, zsh
runs a comment as a command, and the user can read the line before pressing Enter.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

LOOPBACK = "127.0.0.1,localhost"
"""The hosts for NO_PROXY and no_proxy. Programs read one or the other; Claude Code reads no_proxy first."""

TOKEN = "ANTHROPIC_AUTH_TOKEN"  # noqa: S105 (it is the name of a variable)
_KEY_HINT = "Set SERVER_API_KEY to the server key of the gateway first."
_POWERSHELL_LOOPBACK = "'^127\\.0\\.0\\.1,localhost(,|$)'"


def read_no_proxy(environ: Mapping[str, str]) -> str:
    """Returns the user's list of hosts that are reached without a proxy, as Claude Code reads it; empty: none."""
    return environ.get("no_proxy") or environ.get("NO_PROXY", "")


@dataclass(frozen=True, slots=True)
class Syntax:
    """How one shell sets variables."""

    set_line: Callable[[Mapping[str, str], Iterable[str], bool], str]
    """Returns the line that unsets the given names, sets the given values, and adds LOOPBACK to NO_PROXY and no_proxy.

    If the last argument is True, it also sets the token to the value of $SERVER_API_KEY, and does nothing but say so if
    that is not set.
    """
    undo_line: Callable[[Iterable[str]], str]
    """Returns the line that unsets the given names, and takes LOOPBACK away from NO_PROXY and no_proxy."""


def _set_in_posix(values: Mapping[str, str], cleared: Iterable[str], needs_server_key: bool) -> str:
    token = f'{TOKEN}="${{SERVER_API_KEY:?{_KEY_HINT}}}"'
    assignments = (f"{name}={shlex.quote(value)}" for name, value in values.items())
    return "; ".join(
        (
            *([f"export {token}"] if needs_server_key else []),
            f"unset {' '.join(cleared)}",
            f"export {' '.join(assignments)}",
            # If only one of the two is set, the other gets its hosts first.
            'export NO_PROXY="${NO_PROXY:-${no_proxy-}}" no_proxy="${no_proxy:-${NO_PROXY-}}"',
            *(
                f'case "${name}," in {LOOPBACK},*) ;; *) {name}="{LOOPBACK}${{{name}:+,${name}}}" ;; esac'
                for name in ("NO_PROXY", "no_proxy")
            ),
        )
    )


def _undo_in_posix(names: Iterable[str]) -> str:
    lists = (
        f'case "${{{name}-}}" in {LOOPBACK}) unset {name} ;; {LOOPBACK},*) {name}="${{{name}#{LOOPBACK},}}" ;; esac'
        for name in ("NO_PROXY", "no_proxy")
    )
    return "; ".join((f"unset {' '.join(names)}", *lists))


def _set_in_fish(values: Mapping[str, str], cleared: Iterable[str], needs_server_key: bool) -> str:
    def quote(value: str) -> str:
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    line = "; ".join(
        (
            # Erasing could remove what the user keeps for all sessions; an unexported variable only hides it.
            *(f"set -gu {name}" for name in cleared),
            *([f'set -gx {TOKEN} "$SERVER_API_KEY"'] if needs_server_key else []),
            *(f"set -gx {name} {quote(value)}" for name, value in values.items()),
            'test -n "$NO_PROXY"; or set -gx NO_PROXY $no_proxy',
            'test -n "$no_proxy"; or set -gx no_proxy $NO_PROXY',
            *(
                f'string match -q "{LOOPBACK},*" "${name},"; or set -gx {name} (string join , {LOOPBACK} ${name})'
                for name in ("NO_PROXY", "no_proxy")
            ),
        )
    )
    return f'if test -z "$SERVER_API_KEY"; echo "{_KEY_HINT}" >&2; else; {line}; end' if needs_server_key else line


def _undo_in_fish(names: Iterable[str]) -> str:
    lists = (
        f'if test "${name}" = {LOOPBACK}; set -eg {name}; '
        f'else if set -q {name}; set -gx {name} (string replace -r "^127\\.0\\.0\\.1,localhost," "" -- "${name}"); end'
        for name in ("NO_PROXY", "no_proxy")
    )
    return "; ".join((f"set -eg {' '.join(names)}", *lists))


def _set_in_powershell(values: Mapping[str, str], cleared: Iterable[str], needs_server_key: bool) -> str:
    def quote(value: str) -> str:
        return "'" + value.replace("'", "''") + "'"

    from_key = f"if (-not $env:SERVER_API_KEY) {{ throw '{_KEY_HINT}' }}; $env:{TOKEN} = $env:SERVER_API_KEY"
    return "; ".join(
        (
            *([from_key] if needs_server_key else []),
            _remove_in_powershell(cleared),
            *(f"$env:{name} = {quote(value)}" for name, value in values.items()),
            "if (-not $env:NO_PROXY) { $env:NO_PROXY = $env:no_proxy }",
            f"$env:NO_PROXY = (@('{LOOPBACK}', ($env:NO_PROXY -replace {_POWERSHELL_LOOPBACK})) "
            "| Where-Object { $_ }) -join ','",
            "$env:no_proxy = $env:NO_PROXY",  # on Windows these are one variable
        )
    )


def _undo_in_powershell(names: Iterable[str]) -> str:
    return "; ".join(
        (
            _remove_in_powershell(names),
            f"$env:NO_PROXY = $env:NO_PROXY -replace {_POWERSHELL_LOOPBACK}",
            "if (-not $env:NO_PROXY) { Remove-Item Env:NO_PROXY -ErrorAction SilentlyContinue }",
            "$env:no_proxy = $env:NO_PROXY",
        )
    )


def _remove_in_powershell(names: Iterable[str]) -> str:
    return f"Remove-Item {','.join(f'Env:{name}' for name in names)} -ErrorAction SilentlyContinue"


def _set_in_cmd(values: Mapping[str, str], cleared: Iterable[str], needs_server_key: bool) -> str:
    def plain(value: str) -> str:
        return value.replace('"', "").replace("%", "")  # cmd has no quoting for these two

    line = " & ".join(
        (
            *(f'set "{name}="' for name in cleared),
            *([f'set "{TOKEN}=%SERVER_API_KEY%"'] if needs_server_key else []),
            *(f'set "{name}={plain(value)}"' for name, value in values.items()),
            # cmd replaces each %NAME% before it runs any part of the line.
            f'if not defined NO_PROXY (set "NO_PROXY={LOOPBACK}") else if not "%NO_PROXY%"=="{LOOPBACK}" '
            f'(set "NO_PROXY={LOOPBACK},%NO_PROXY:{LOOPBACK},=%")',
        )
    )
    return f"if not defined SERVER_API_KEY (echo {_KEY_HINT}) else ({line})" if needs_server_key else line


def _undo_in_cmd(names: Iterable[str]) -> str:
    return " & ".join(
        (
            *(f'set "{name}="' for name in names),
            f'if defined NO_PROXY if "%NO_PROXY%"=="{LOOPBACK}" (set "NO_PROXY=") '
            f'else (set "NO_PROXY=%NO_PROXY:{LOOPBACK},=%")',
        )
    )


_POSIX = Syntax(_set_in_posix, _undo_in_posix)

SYNTAX: Mapping[str, Syntax] = {
    "bash": _POSIX,
    "zsh": _POSIX,
    "fish": Syntax(_set_in_fish, _undo_in_fish),
    "powershell": Syntax(_set_in_powershell, _undo_in_powershell),
    "cmd": Syntax(_set_in_cmd, _undo_in_cmd),
}
"""The syntax of each shell that there are exports for."""
