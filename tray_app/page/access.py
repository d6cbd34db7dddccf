"""Decides who may use the page: a browser that has shown a one-time token, until this program ends.

A cookie alone would not do, because cookies do not know ports: any other server on 127.0.0.1 that the user visits,
perhaps one of another user, would get it. So each request of the page also shows a proof in a header. The page keeps it
where only pages of the same address and port can read it.

With the setting `serve_page`, the page may also be reached from other machines. Any name of this machine is then a
right one, and cookie and proof hold all the same: a page with another name gets neither from the browser. The cookie
cannot be marked as Secure, because the gateway speaks HTTP only. So whoever can read the network between can take both.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from pathlib import Path

from aiohttp import hdrs, web

from tray_app.errors import Forbidden, NotFound, WrongServerKey
from tray_app.page.peer import is_of_another_user
from tray_app.page.tokens import redeem_token
from tray_app.proxy.server.guards import own_origin
from tray_app.settings.config import GatewayConfig
from tray_app.shells import name_command

log = logging.getLogger(__name__)

PROOF_HEADER = "X-Page-Proof"
_SECRET_BYTES = 32
_OTHER_USER = (
    "The address of the page was opened by a program of another user of this machine, so it is not valid any more. "
    "Please open the page anew."
)
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
        """Returns the cookie and the proof for a good token. PageLocked for any other, and for another user."""
        if not redeem_token(self._state, token):
            raise PageLocked(_LOCKED, client_may_retry=False)
        if is_of_another_user(request.get_extra_info("peername"), request.get_extra_info("sockname")):
            log.warning("a program of another user of this machine had a token of the page, and was not let in")
            raise PageLocked(_OTHER_USER, client_may_retry=False)
        response = web.json_response({"proof": self._proof})
        response.set_cookie(_name_cookie(request), self._cookie, httponly=True, samesite="Strict", path="/page/")
        return response

    def check(self, request: web.Request) -> None:
        """Raises PageLocked if the browser has not been let in, and Forbidden if another page sends the request."""
        check_sender(request)
        cookie, proof = request.cookies.get(_name_cookie(request), ""), request.headers.get(PROOF_HEADER, "")
        # Both are compared in any case, so that the time does not tell which one is wrong.
        is_cookie = hmac.compare_digest(cookie.encode("utf-8", "replace"), self._cookie.encode())
        is_proof = hmac.compare_digest(proof.encode("utf-8", "replace"), self._proof.encode())
        if not (is_cookie and is_proof):
            raise PageLocked(_LOCKED, client_may_retry=False)


def check_is_on(config: GatewayConfig) -> None:
    """Raises NotFound if there is no page: other people may reach the gateway, and the user has not switched it on."""
    if not config.serves_page:
        raise NotFound("The page of this gateway is switched off.")


def check_sender(request: web.Request) -> None:
    """Raises Forbidden unless the page itself sends the request.

    A request that changes something needs an Origin and a body of JSON. No form of another page can send these two.
    """
    origins = request.headers.getall(hdrs.ORIGIN, [])
    changes = request.method not in (hdrs.METH_GET, hdrs.METH_HEAD)
    is_own = all(origin == own_origin(request) for origin in origins) and (len(origins) == 1 or not changes)
    if not is_own or (changes and request.content_type != "application/json"):
        raise Forbidden("Only the page of this gateway may do this.")


def _name_cookie(request: web.Request) -> str:
    """Returns the name of the cookie. It has the port in it, so that two gateways on one machine keep apart."""
    socket_address = request.get_extra_info("sockname")
    return f"page-{socket_address[1]}" if socket_address else "page"
