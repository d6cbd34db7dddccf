"""What the page shows of a request that has ended: who answered and why, how it ended, and the way out of a failure."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import msgspec

from tray_app.history.record import CANCELLED, Outcome, Reason, RequestRecord
from tray_app.page.views.ways_out import WayOut

_WHY = {
    Reason.NONE: "The client named this model itself.",
    Reason.TRAY: "You chose this model in the tray or on this page.",
    Reason.ALIAS: "The client named an alias of this model.",
    Reason.RETIRED: "NVIDIA does not serve the model that was meant, so this one answers in its place.",
    Reason.FALLBACK: "The model that was meant failed, and this is one of your fallback models.",
    Reason.CHOSEN: "You had this model asked instead while the request was running.",
    Reason.BACKGROUND: "Nobody waits for the answer, and you have set this model for such requests.",
}
"""Why a model was asked, in a sentence."""

_KINDS = {
    "turn": "Turn",
    "sub-agent": "Sub-agent",
    "title": "Title",
    "compaction": "Compaction",
    "check": "Check",
}
"""What a request is for, by its kind. The others have no name."""


def show_ended(number: int, record: RequestRecord, label: str, way_out: WayOut | None) -> dict[str, Any]:
    """Returns one row of the latest requests as plain values. `label` is that of the model that was asked last."""
    word, tone = find_result(record)
    return {
        "number": number,
        "what": show_what(record.kind, record.turn, record.project, is_background=record.is_background),
        "asked": show_asked(record.asked, record.reason),
        "used": label,
        "why": _WHY.get(record.reason, "") if record.model_id else "",
        "result": {"word": word, "tone": tone},
        "way_out": way_out.show() if way_out else None,
        "record": msgspec.to_builtins(record),
    }


def find_result(record: RequestRecord) -> tuple[str, str]:
    """Returns how a request ended in a few words, and the tone in which the page says it: "ok", "bad" or ""."""
    if record.outcome is Outcome.LEFT:
        return "the client left", ""
    if record.error == CANCELLED:
        return "cancelled by you", ""
    if record.outcome is not Outcome.ANSWERED:
        return record.cause or record.outcome.value, "bad"
    if record.tool_calls:
        return ("1 tool call" if record.tool_calls == 1 else f"{record.tool_calls:,} tool calls"), "ok"
    return "answered", "ok"


def show_what(kind: str, turn: int | None, project: str, *, is_background: bool) -> dict[str, str]:
    """Returns what a request is for: a title, and the folder of the client with its name; empty if it is unknown."""
    title = _KINDS.get(kind) or ("Background request" if is_background else "Request")
    return {
        "title": title if turn is None else f"{title} {turn:,}",
        "project": _name_folder(project),
        "folder": project,
    }


def show_asked(asked: str, reason: Reason | str) -> str:
    """Returns the name to the left of the arrow: whom the client asked. "tray" stands for the user's choice."""
    return "tray" if reason == Reason.TRAY else asked


def _name_folder(folder: str) -> str:
    path = PureWindowsPath(folder) if "\\" in folder else PurePosixPath(folder)
    return path.name or folder
