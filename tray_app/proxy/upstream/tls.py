"""The TLS context of the connections to upstream. It is made when it is first needed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from tray_app.errors import Unreachable

MakeTlsContext = Callable[[], ssl.SSLContext]


class TlsContext:
    """Makes the context at its first use, because it reads all certificates of the system: 20 ms and 2 MB.

    The gateway listens before that, and needs none for an upstream without TLS. Belongs to one event loop.
    """

    def __init__(self, make: MakeTlsContext | None) -> None:
        """`make` decides which certificates are trusted; None: those that OpenSSL finds."""
        self._make = make or ssl.create_default_context
        self._context: ssl.SSLContext | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> ssl.SSLContext:
        """Returns the context, the same one each time. Unreachable says why the certificates cannot be read."""
        async with self._lock:
            if self._context is None:
                try:
                    self._context = await asyncio.to_thread(self._make)
                except OSError as error:  # ssl.SSLError is one, too
                    reason = error.strerror or str(error)
                    raise Unreachable(
                        f"NVIDIA cannot be reached: the certificates of this system cannot be read ({reason})."
                    ) from error
            return self._context
