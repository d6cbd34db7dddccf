"""aiohttp's exceptions as errors with sentences for the user."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from tray_app.errors import ProxyError, Unreachable, UpstreamFault, UpstreamTimeout, UpstreamUnusable

log = logging.getLogger(__name__)


@contextmanager
def faults_explained(timeout_s: float) -> Iterator[None]:
    """Turns every exception into a ProxyError. Only calls of aiohttp's client belong into this `with`.

    `timeout_s` is how long upstream has been silent if the call raises TimeoutError.
    """
    try:
        yield
    except ProxyError:
        raise
    except Exception as error:  # odd bytes and addresses make aiohttp raise ValueError, LookupError and others
        is_known = isinstance(error, aiohttp.ClientError | OSError)
        log.warning("upstream fault: %s: %s", type(error).__name__, error, exc_info=not is_known)
        raise _explain(error, timeout_s) from error


def _explain(error: Exception, timeout_s: float) -> ProxyError:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return Unreachable("NVIDIA cannot be reached: connecting took too long. Check the internet connection.")
        case TimeoutError():
            return UpstreamTimeout(f"NVIDIA sent nothing for {timeout_s} s. Please try again.")
        case aiohttp.ClientProxyConnectionError():
            return Unreachable(
                f"NVIDIA cannot be reached: the proxy {error.host}:{error.port} does not answer. "
                "Check the internet connection and the system's proxy settings."
            )
        case aiohttp.ClientHttpProxyError():
            return Unreachable(
                f"NVIDIA cannot be reached: the proxy answered with HTTP {error.status}. "
                "Check the system's proxy settings."
            )
        case aiohttp.ClientConnectorDNSError():
            return Unreachable(f"NVIDIA cannot be reached: {error.host} was not found. Check the internet connection.")
        case aiohttp.ClientSSLError():
            return Unreachable("NVIDIA cannot be reached: its certificate could not be verified on this machine.")
        case aiohttp.ClientConnectorError():
            return Unreachable(
                f"NVIDIA cannot be reached: {error.host}:{error.port} does not answer. Check the internet connection."
            )
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError() | UnicodeError():  # UnicodeError: a bad host
            return UpstreamUnusable('NVIDIA cannot be reached: "nvidia_url" in the settings is no usable address.')
        case aiohttp.ClientResponseError():
            return UpstreamFault(
                "NVIDIA's answer cannot be read: it is not valid HTTP, or its headers are too large. Please try again."
            )
        case aiohttp.ClientError() | OSError():
            return UpstreamFault("The connection to NVIDIA broke off before the answer was complete. Please try again.")
    return UpstreamFault(
        f"The exchange with NVIDIA failed ({type(error).__name__}); the log (Open Log Folder in the menu) says more."
    )
