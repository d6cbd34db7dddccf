"""Protection against web pages: checks of the headers Host, Origin and Sec-Fetch-Site, and the headers of CORS.

Clients other than browsers send no Origin and no Sec-Fetch-Site, and a Host that names this machine.
"""

from __future__ import annotations

import re

from aiohttp import hdrs, web

from tray_app.errors import Forbidden
from tray_app.proxy.exchange.gateway import GATEWAY
from tray_app.settings.settings import Address

_HOST = re.compile(r"(\[[0-9a-f:.]*\]|[a-z0-9._-]*)(?::[0-9]*)?", re.ASCII)
"""Form of a Host header in lower case: a name or an address, and a port. An IPv6 address has no zone in it."""

_HARMLESS_SITES = {"none", "same-origin"}
"""Values of Sec-Fetch-Site for an address that the user typed, and for a page of the gateway itself."""

PAGE_PATH = "/page/"
"""What begins like this belongs to the gateway's own page. Pages of other origins may not use it, even if listed."""

_LISTED_ORIGIN = web.RequestKey("listed_origin", str)
"""The request's Origin. It is set only if the settings list it."""

_PREFLIGHT_AGE_S = 600
"""For this time a browser does not ask again whether it may send a request. Each request is checked nevertheless."""


def check_host(request: web.Request) -> None:
    """Refuses a Host that is not on loopback, since a web page may let its own name point to 127.0.0.1 (DNS rebinding).

    A gateway that listens beyond loopback has many names, so the server key protects it instead.
    """
    header = request.headers.get(hdrs.HOST, "")
    host = _host_of(header)
    if request.app[GATEWAY].config.settings.addr.is_loopback and not Address(host.strip("[]"), 0).is_loopback:
        raise Forbidden(
            f"The Host header names {host or header!r}: this gateway answers to 127.0.0.1 and localhost only."
        )


def check_origin(request: web.Request) -> web.Response | None:
    """Refuses requests of web pages, except for the gateway's own pages and those of origins that the settings list.

    Returns the answer to a browser that asks whether it may send a request; None for every other request.
    """
    origins = request.headers.getall(hdrs.ORIGIN, [])
    listed = request.app[GATEWAY].config.settings.allowed_origins
    if len(origins) == 1 and origins[0] in listed and not is_of_page(request):
        request[_LISTED_ORIGIN] = origins[0]
        if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
            return _answer_preflight(request)
        return None
    for origin in origins:
        if origin != own_origin(request):
            if origin in listed:
                raise Forbidden(
                    "The pages that the settings list may ask models. They may not use the gateway's own page."
                )
            raise _refusal("Origin", origin)
    for site in request.headers.getall("Sec-Fetch-Site", []):
        if site not in _HARMLESS_SITES and not _opens_page(request):
            raise _refusal("Sec-Fetch-Site", site)
    return None


def _opens_page(request: web.Request) -> bool:
    """Tells whether somebody follows a link to the page, which is the same for everybody, and holds nothing.

    The page itself does so when the gateway moves to another port, because that is another origin.
    """
    kinds = [request.headers.get(name) for name in ("Sec-Fetch-Mode", "Sec-Fetch-Dest")]
    return request.path == "/" and request.method == hdrs.METH_GET and kinds == ["navigate", "document"]


def is_of_page(request: web.Request) -> bool:
    """Tells whether the address belongs to the gateway's own page, however it is written."""
    return request.path.lstrip("/").startswith(PAGE_PATH.lstrip("/"))


async def let_page_read(request: web.Request, response: web.StreamResponse) -> None:
    """Lets a page of a listed origin read the answer. As a signal of aiohttp it covers errors and streams."""
    if origin := request.get(_LISTED_ORIGIN):
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "*"  # request-id, retry-after, x-should-retry
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)


def _host_of(header: str) -> str:
    """Returns the host of a Host header in lower case, without the port, or "" if the header is malformed."""
    match = _HOST.fullmatch(header.lower())
    return match[1] if match else ""


def own_origin(request: web.Request) -> str | None:
    """Returns the origin of the gateway's own pages as the client names it, or None if the client has left."""
    socket_address = request.get_extra_info("sockname")
    if socket_address is None:
        return None
    port = socket_address[1]
    host = _host_of(request.headers.get(hdrs.HOST, ""))
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"


def _answer_preflight(request: web.Request) -> web.Response:
    """Answers the question of a browser whether a page may send a request with a JSON body or a key."""
    return web.Response(
        status=204,
        headers={
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST",
            # "*" would not include Authorization
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, ""),
            hdrs.ACCESS_CONTROL_MAX_AGE: str(_PREFLIGHT_AGE_S),
        },
    )


def _refusal(header: str, value: str) -> Forbidden:
    return Forbidden(
        f"Web pages may not use this gateway ({header}: {value}). "
        'Pages that may are listed by their origin under "allowed_origins" in its settings file.'
    )
