"""The check of the server key, which requests under /v1/ must show if the user has set one."""

from __future__ import annotations

import asyncio
import hmac
import logging

from aiohttp import hdrs, web

from tray_app.errors import RateLimited, UserActionNeeded, WrongServerKey
from tray_app.proxy.exchange.gateway import GATEWAY
from tray_app.proxy.server.rare_log import RareLog
from tray_app.settings.keys import explain_exposure

log = logging.getLogger(__name__)

_TURN_S = 0.25
"""One wrong key is answered in this time, so trying a million keys takes three days."""

_MOST_WAITING = 16
"""The most wrong keys that wait for their turn. A client with an old key sends two or three requests at a time."""

_MOST_KNOWN = 1000
"""The most addresses that are remembered for having shown the right key."""
_THIS_MACHINE = ("127.0.0.1", "::1")


class Guesses:
    """Slows down wrong keys, so that nobody can try many of them. A right key does not wait."""

    def __init__(self) -> None:
        self._next_turn_s = 0.0
        self._waiting = 0
        self._known = set(_THIS_MACHINE)
        """Addresses that have shown the right key, and those of this machine."""
        self._log = RareLog(log)

    async def admit(self, peer: str, *, is_right: bool) -> bool:
        """Returns True at once for the right key, and False for a wrong key when its turn comes.

        Raises RateLimited while too many wrong keys wait, for the right key as well if its address is new. Otherwise a
        guesser could send thousands of keys at once and see which one is right.
        """
        is_full = self._waiting >= _MOST_WAITING
        if is_right and (not is_full or peer in self._known):
            if len(self._known) < _MOST_KNOWN:
                self._known.add(peer)
            return True
        if not is_right:
            self._log.warn(f"a wrong server key came from {peer}")
        if is_full:
            raise RateLimited(
                "This gateway gets too many wrong server keys at the moment. Please try again in a few seconds.",
                retry_after_s=round(_MOST_WAITING * _TURN_S),
            )
        await self._wait_turn()
        return False

    async def _wait_turn(self) -> None:
        now_s = asyncio.get_running_loop().time()
        turn_s = max(now_s, self._next_turn_s)
        self._next_turn_s = turn_s + _TURN_S
        self._waiting += 1
        try:
            await asyncio.sleep(turn_s - now_s)
        finally:
            self._waiting -= 1


GUESSES = web.AppKey("guesses", Guesses)


async def check_key(request: web.Request) -> None:
    """Refuses a request under /v1/ without the server key, if one is set. Other routes tell nothing that is secret."""
    config = request.app[GATEWAY].config
    wanted = config.keys.server
    if not request.path.startswith("/v1/"):
        return
    if config.keys.is_server_unknown:
        raise UserActionNeeded(
            "This gateway cannot read its server key, and refuses every request until it can. Unlock the system "
            "keyring where it runs; the menu of its tray icon, and its log, say what is in the way."
        )
    if reason := explain_exposure(config.settings.addr, wanted):  # the key has been removed since the start
        raise WrongServerKey(reason, client_may_retry=False)
    if wanted:
        shown = _read_keys(request)
        if not shown:
            raise _refusal("is missing")
        is_right = any(hmac.compare_digest(key, wanted.encode()) for key in shown)
        if not await request.app[GUESSES].admit(request.remote or "", is_right=is_right):
            raise _refusal("does not match")


def _read_keys(request: web.Request) -> list[bytes]:
    """Returns the keys that the client shows. It may send its Anthropic key in one header and ours in the other."""
    headers = (request.headers.get("x-api-key", ""), _token_of(request.headers.get(hdrs.AUTHORIZATION, "")))
    return [key.encode("utf-8", "replace") for key in headers if key]


def _token_of(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else authorization


def _refusal(what: str) -> WrongServerKey:
    return WrongServerKey(
        f"The key {what}: send this gateway's server key (SERVER_API_KEY) as ANTHROPIC_AUTH_TOKEN, "
        "`Authorization: Bearer ...` or `x-api-key`.",
        client_may_retry=False,
    )
