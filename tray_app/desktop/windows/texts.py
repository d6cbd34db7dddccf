"""Makes texts fit for the tray and the menus of Windows."""

from __future__ import annotations

TOOLTIP_UNITS, TITLE_UNITS, NOTIFICATION_UNITS = 127, 63, 255
"""The longest texts for szTip, szInfoTitle and szInfo of NOTIFYICONDATAW, in UTF-16 units, without the final zero."""

_LABEL = dict.fromkeys(range(32), " ") | {ord("&"): "&&"}


def cut(text: str, limit_units: int) -> str:
    """Returns the text, or its beginning with an ellipsis if it is too long. No character is cut in half."""
    if _count_units(text) <= limit_units:
        return text
    room_units = limit_units - 1
    # A character takes one unit or two, so the cut is at this place or before it.
    kept = text[:room_units]
    while _count_units(kept) > room_units:
        kept = kept[:-1]
    return f"{kept}…"


def escape_label(text: str) -> str:
    """Returns the text for a menu item that shows `text` as it is. `&` would mark a key, a tab would begin a column."""
    return text.translate(_LABEL)


def _count_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
