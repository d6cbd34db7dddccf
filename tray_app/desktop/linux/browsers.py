"""Finds the user's browser on Linux."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping

_OPENERS = ("xdg-open", "sensible-browser", "x-www-browser")
"""Programs that open the browser which the user has chosen for the desktop, or for the system."""
_ADDRESS = "%s"
"""Stands for the address in $BROWSER."""


def list_browsers(environ: Mapping[str, str], url: str) -> Iterator[list[str]]:
    """Yields commands that show the address, the user's own choice first.

    $BROWSER may name several, with colons between them. Without it, nothing is yielded if there is no display, because
    a browser for the terminal would be of no use to a program that may have none.
    """
    chosen = environ.get("BROWSER", "")
    for command in filter(None, chosen.split(":")):
        try:
            words = shlex.split(command)
        except ValueError:
            continue
        if words and shutil.which(words[0], path=environ.get("PATH")):
            placed = [word.replace(_ADDRESS, url) for word in words]
            yield placed if placed != words else [*words, url]
    if not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return
    for opener in _OPENERS:
        if path := shutil.which(opener, path=environ.get("PATH")):
            yield [path, url]
