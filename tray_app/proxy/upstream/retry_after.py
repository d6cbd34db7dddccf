"""The header `Retry-After`, by which a server asks for a pause.

https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d{1,9}(?:\.\d{0,9})?")


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Returns the pause in seconds. It is 0 for a time in the past, and None if there is no readable header.

    A date is compared with the answer's own `Date`, because the server's clock may differ from this machine's.
    """
    value = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    date = _read_date(value)
    if date is None:
        return None
    now = _read_date(headers.get("Date", "")) or datetime.now(UTC)
    return max((date - now).total_seconds(), 0.0)


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
