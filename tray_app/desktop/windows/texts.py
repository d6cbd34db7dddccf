"""How texts must be for Windows' tray and menus."""

from __future__ import annotations

TOOLTIP_UNITS, TITLE_UNITS, NOTIFICATION_UNITS = 127, 63, 255
"""What fits into NOTIFYICONDATAW's szTip, szInfoTitle and szInfo, in UTF-16 units; the last of each is the zero."""

_LABEL = dict.fromkeys(range(32), " ") | {ord("&"): "&&"}


def cut(text: str, limit_units: int) -> str:
    """The text, or as many whole characters of it as leave room for an ellipsis."""
    if _count_units(text) <= limit_units:
        return text
    room_units = limit_units - 1
    # a character takes one unit or two, so the cut is at or before this place
    kept = text[:room_units]
    while _count_units(kept) > room_units:
        kept = kept[:-1]
    return f"{kept}…"


def escape_label(text: str) -> str:
    """A menu item's text that shows as it is: `&` marks a key there, and a tab begins a second column."""
    return text.translate(_LABEL)


def _count_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
