"""The HTTP proxy that the system's settings name for the way to upstream."""

from __future__ import annotations

import asyncio
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from tray_app.errors import UpstreamUnusable
from tray_app.settings.settings import Address

_ASKS_VARIABLES_ONLY = getproxies is getproxies_environment
"""Elsewhere than on Windows and macOS only variables decide, so that the answer is there at once."""

_HOST = re.compile(r"[\w.:%-]+")


@dataclass(frozen=True, slots=True)
class SystemProxy:
    """A proxy. Its URL contains no user name and no password, so it may be logged and shown."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    """The headers for the proxy, which carry the user name and the password if there are any."""


async def find_proxy(url: str) -> SystemProxy | None:
    """Returns the proxy on the way to `url`, or None. Raises UpstreamUnusable if the proxy's address cannot be used.

    HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide or, if they are not set, the settings of Windows or macOS. An address
    on this machine is never behind a proxy.
    """
    target = urlsplit(url)
    if Address(target.hostname or "", 0).is_loopback:
        return None
    return _ask_system(target) if _ASKS_VARIABLES_ONLY else await asyncio.to_thread(_ask_system, target)


def _ask_system(target: SplitResult) -> SystemProxy | None:
    """Looks the proxy up. This may block: Windows and macOS may ask the name server if the target is an exception."""
    address = getproxies().get(target.scheme)
    if not address or proxy_bypass(target.netloc):
        return None
    try:
        return _parse(address)
    except ValueError:  # which is dropped, because its text may contain the password
        raise UpstreamUnusable(
            f"NVIDIA cannot be reached: {_name_source(target.scheme)} is no usable address of an HTTP proxy. "
            "It must be one such as http://proxy.example:8080."
        ) from None


def _parse(address: str) -> SystemProxy:
    """Reads the address of an HTTP proxy. Raises ValueError if it is not one."""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise ValueError
    bracketed = f"[{host}]" if ":" in host else host
    port = "" if parts.port is None else f":{parts.port}"
    return SystemProxy(f"{parts.scheme}://{bracketed}{port}", _authorize(parts))


def _authorize(parts: SplitResult) -> dict[str, str]:
    """Returns the header with the user name and password of the proxy's address, or nothing if it has no user name."""
    if not parts.username:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"}


def _name_source(scheme: str) -> str:
    """Returns words for the place where the proxy for URLs of this scheme is set."""
    names = [name for name, value in os.environ.items() if name.lower() == f"{scheme}_proxy" and value]
    # If both cases of a name are set, the one in lower case counts.
    return f"the environment variable {max(names)}" if names else "the proxy in the system's settings"
