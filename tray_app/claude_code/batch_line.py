"""Quotes arguments for a batch file, which cmd.exe reads with rules of its own.

The rules follow the advice on the fault "BatBadBut" (CVE-2024-24576): every argument is quoted, a quotation mark is
doubled, and a percent sign is written so that cmd.exe finds no variable in it. They were tried in Wine 8, whose cmd.exe
does not know the last rule, and not on Windows itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tray_app.errors import AppError

_HARMLESS = re.compile(r"[A-Za-z0-9#$*+\-./:?@\\_]+")
_PERCENT = "%%cd:~,%"
"""Becomes a percent sign: it is followed by the part of the variable `cd` that has no characters."""


def make_batch_line(shell: str, script: str, arguments: Sequence[str]) -> str:
    """Returns the command line with which `shell`, the path of cmd.exe, runs the batch file with these arguments.

    AppError if an argument has a line end or a null character, which cmd.exe cannot pass on.
    """
    if any(character in argument for argument in arguments for character in "\r\n\0"):
        raise AppError(
            "Windows cannot give an argument of several lines to a batch file. "
            "Install Claude Code with its own program (claude.exe), or give the text through a pipe."
        )
    words = " ".join([f'"{script}"', *map(_quote, arguments)])
    # /e:on is needed for the form of the percent sign, /v:off leaves exclamation marks alone, /d skips AutoRun.
    return f'"{shell}" /e:on /v:off /d /c "{words}"'


def _quote(argument: str) -> str:
    if _HARMLESS.fullmatch(argument) and not argument.endswith("\\"):
        return argument
    # The program that the batch file starts takes \" for a quotation mark, so backslashes in front of one are doubled.
    doubled = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + found[2] * 2, argument)
    return '"{}"'.format(doubled.replace("%", _PERCENT))
