"""Imports aiohttp without the certificates that it reads at its import.

aiohttp then makes two TLS contexts of its own, and reads all certificates of the system into each of them. That takes
40 ms and 2 MB. The gateway brings its own context, so that it has no use for them.
"""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_READERS = ("load_default_certs", "set_default_verify_paths")
"""The methods of a context that read the certificates of the system."""


def import_aiohttp() -> None:
    """Imports aiohttp, unless it is imported already.

    The contexts that aiohttp has made for itself trust no certificate afterwards. So a request that is sent without a
    context of its own fails, and is not sent to a server that nobody has checked.
    """
    if "aiohttp" in sys.modules:
        return
    with _without_certificates():
        import aiohttp.web  # noqa: F401 (what imports it after this finds it)


@contextmanager
def _without_certificates() -> Iterator[None]:
    """Has this thread read no certificates until the end of the `with`. Other threads read them as ever."""
    own = {name: vars(ssl.SSLContext).get(name) for name in _READERS}
    thread = threading.get_ident()
    for name in _READERS:
        setattr(ssl.SSLContext, name, _skip(getattr(ssl.SSLContext, name), thread))
    try:
        yield
    finally:
        for name, method in own.items():
            if method is None:  # it is that of the class above
                delattr(ssl.SSLContext, name)
            else:
                setattr(ssl.SSLContext, name, method)


def _skip(method: Callable[..., Any], thread: int) -> Callable[..., Any]:
    """Returns the method, which does nothing in the given thread."""

    def call(context: ssl.SSLContext, *arguments: Any) -> Any:
        return None if threading.get_ident() == thread else method(context, *arguments)

    return call
