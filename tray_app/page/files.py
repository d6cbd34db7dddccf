"""The files of the page. Each is read once, when a browser first asks for it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from aiohttp import hdrs, web

from tray_app.errors import NotFound

_FOLDER = Path(__file__).parent / "static"
_INDEX = "index.html"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every answer that a browser may show."""


def answer_index() -> web.Response:
    """Returns the page itself, which is the same for everybody."""
    return answer_file(_INDEX)


def answer_file(name: str) -> web.Response:
    """Returns one file. NotFound if the page has no file of this name. A name is looked up, and never made a path."""
    path = _list_files().get(name)
    if path is None:
        raise NotFound(f"The page has no file {name}.")
    headers = {**SECURITY_HEADERS, hdrs.CACHE_CONTROL: "no-cache"}
    return web.Response(body=_read(path), content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)


@cache
def _list_files() -> dict[str, Path]:
    """Returns each file by its path below the folder, with slashes."""
    return {path.relative_to(_FOLDER).as_posix(): path for path in sorted(_FOLDER.rglob("*")) if path.suffix in _TYPES}


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()
