"""The files of the page. Each is read once, when a browser first asks for it."""

from __future__ import annotations

import gzip
import posixpath
import re
from functools import cache
from pathlib import Path

from aiohttp import hdrs, web

from tray_app.errors import NotFound
from tray_app.proxy.server.guards import is_of_page

_FOLDER = Path(__file__).parent / "static"
_INDEX = "index.html"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

_SHOWN = re.compile(r"/page/static/([\w./-]+\.\w+)")
"""The address of a file in any other file."""
_IMPORTED = re.compile(r"""(?:from|import)\s*["'](\.{1,2}/[\w./-]+)["']""")
"""The path of a module in another one, relative to its folder."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every answer at the addresses of the page, errors too."""


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """Adds the headers to an answer at an address of the page. As a signal of aiohttp it covers errors and streams."""
    if request.path == "/" or is_of_page(request):
        response.headers.update(SECURITY_HEADERS)
        response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    if request.path == "/":
        # browsers get the page there, and other programs do not
        response.headers[hdrs.VARY] = f"{hdrs.ACCEPT}, {hdrs.ACCEPT_ENCODING}"


def wants_page(request: web.Request) -> bool:
    """Tells whether a browser asks for a page to show. Other programs accept other types, or any."""
    accepted = ",".join(request.headers.getall(hdrs.ACCEPT, []))
    types = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    return request.method == hdrs.METH_GET and "text/html" in types


def answer_index(request: web.Request) -> web.Response:
    """Returns the page itself, which is the same for everybody."""
    return answer_file(request, _INDEX)


def answer_file(request: web.Request, name: str) -> web.Response:
    """Returns one file, packed if the browser can unpack it, as all of them can.

    NotFound if the page has no file of this name. A name is looked up, and never made a path.
    """
    path = list_files().get(name)
    if path is None:
        raise NotFound(f"The page has no file {name}.")
    headers, body = {hdrs.CACHE_CONTROL: "no-cache", hdrs.VARY: hdrs.ACCEPT_ENCODING}, _read(path)
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        headers[hdrs.CONTENT_ENCODING], body = "gzip", _pack(path)
    return web.Response(body=body, content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)


def weigh_files() -> tuple[int, int]:
    """Returns the number of the files, and how many bytes a browser gets for all of them. Each is read."""
    sizes = [len(_pack(path)) for path in list_files().values()]
    return len(sizes), sum(sizes)


def find_missing_files() -> list[str]:
    """Returns the paths of files that other files of the page refer to and that are not there."""
    files = list_files()
    wanted = {_INDEX}
    for name, path in files.items():
        text = _read(path).decode()
        wanted.update(_SHOWN.findall(text))
        if path.suffix == ".js":
            wanted.update(
                posixpath.normpath(posixpath.join(posixpath.dirname(name), found)) for found in _IMPORTED.findall(text)
            )
    return sorted(wanted - files.keys())


@cache
def list_files() -> dict[str, Path]:
    """Returns each file by its path below the folder, with slashes."""
    return {path.relative_to(_FOLDER).as_posix(): path for path in sorted(_FOLDER.rglob("*")) if path.suffix in _TYPES}


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _pack(path: Path) -> bytes:
    return gzip.compress(_read(path), mtime=0)
