"""Decides who may use the page: a browser that has shown a one-time token, until this program ends.

A cookie alone would not do, because cookies do not know ports: any other server on 127.0.0.1 that the user visits,
perhaps one of another user, would get it. So each request of the page also shows a proof in a header. The page keeps it
where only pages of the same address and port can read it.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from aiohttp import hdrs, web

from tray_app.errors import Forbidden, NotFound, WrongServerKey
from tray_app.page.tokens import redeem_token
from tray_app.proxy.server.guards import own_origin
from tray_app.settings.config import GatewayConfig
from tray_app.shells import name_command

PROOF_HEADER = "X-Page-Proof"
_SECRET_BYTES = 32
_LOCKED = (
    "This browser has not been let in since the program started. Open the page from the menu of the tray icon, or run "
    f"`{name_command('page')}`."
)


class PageLocked(WrongServerKey):
    """The browser has not shown a token since this program started."""

    brief = "the page is locked for this browser"


class Access:
    """The secrets of one run of the program, which let a browser in."""

    def __init__(self, state: Path) -> None:
        """`state` is the folder in which tokens are noted."""
        self._state = state
        self._cookie = secrets.token_urlsafe(_SECRET_BYTES)
        self._proof = secrets.token_urlsafe(_SECRET_BYTES)

    def let_in(self, request: web.Request, token: str) -> web.Response:
        """Returns the cookie and the proof for a good token. PageLocked for any other."""
        _check_origin(request)
        if not redeem_token(self._state, token):
            raise PageLocked(_LOCKED, client_may_retry=False)
        response = web.json_response({"proof": self._proof})
        response.set_cookie(_name_cookie(request), self._cookie, httponly=True, samesite="Strict", path="/page/")
        return response

    def check(self, request: web.Request) -> None:
        """Raises PageLocked if the browser has not been let in, and Forbidden if another page sends the request."""
        _check_origin(request)
        cookie, proof = request.cookies.get(_name_cookie(request), ""), request.headers.get(PROOF_HEADER, "")
        # Both are compared in any case, so that the time does not tell which one is wrong.
        is_cookie = hmac.compare_digest(cookie.encode("utf-8", "replace"), self._cookie.encode())
        is_proof = hmac.compare_digest(proof.encode("utf-8", "replace"), self._proof.encode())
        if not (is_cookie and is_proof):
            raise PageLocked(_LOCKED, client_may_retry=False)


def check_is_on(config: GatewayConfig) -> None:
    """Raises NotFound if there is no page: other people may reach the gateway, and the user has not switched it on."""
    if not is_on(config):
        raise NotFound("The page of this gateway is switched off.")


def is_on(config: GatewayConfig) -> bool:
    """Tells whether there is a page: always if only this user's programs can be expected at the gateway."""
    return config.settings.addr.is_loopback and not config.keys.is_guarded


def _check_origin(request: web.Request) -> None:
    """Raises Forbidden unless the page itself sends the request. Each request that changes something needs an Origin.

    The settings may list origins of other pages, which may ask models. They may not use this page.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if (origin is None and request.method != hdrs.METH_GET) or (origin is not None and origin != own_origin(request)):
        raise Forbidden("Only the page of this gateway may do this.")


def _name_cookie(request: web.Request) -> str:
    """Returns the name of the cookie. It has the port in it, so that two gateways on one machine keep apart."""
    socket_address = request.get_extra_info("sockname")
    return f"page-{socket_address[1]}" if socket_address else "page"
