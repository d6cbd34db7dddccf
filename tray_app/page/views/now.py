"""What the page shows of this moment: the running requests, the pace of each model, and NVIDIA's own queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from tray_app.catalog import Model
from tray_app.page.views.ended import show_asked, show_what
from tray_app.status.findings import REQUESTS_PER_DAY
from tray_app.status.live import Gauge, LiveRequest
from tray_app.status.progress import Delay, RequestPhase

FindOther = Callable[[str], Model | None]
"""Returns the best other model that answers, by the id of the one that is asked; None: there is none."""

_WORDS = {
    RequestPhase.PREPARING: ("being prepared", ""),
    RequestPhase.WAITING: ("waiting for its turn", ""),
    RequestPhase.ASKED: ("asked", ""),
    RequestPhase.THINKING: ("thinking", "ok"),
    RequestPhase.TEXT: ("writing", "ok"),
    RequestPhase.TOOL: ("calling a tool", "ok"),
}
"""The words for a phase, and the tone in which the page says them: "ok", "warn" or ""."""


def show_now(
    requests: Iterable[LiveRequest], gauges: Iterable[Gauge], idle: Gauge, find_other: FindOther
) -> dict[str, Any]:
    """Returns what runs now as plain values. Times are Unix times in seconds, so that only the browser counts them.

    `idle` is the gauge of the model that answers for the user's choice, for when that has none among `gauges`.
    """
    shown = list(gauges)
    own = next((gauge for gauge in shown if gauge.model_id == idle.model_id), None)
    if own is None:
        shown.insert(0, own := idle)
    return {
        "requests": [_show_request(request, find_other) for request in requests],
        "gauges": msgspec.to_builtins(shown),
        "queue": _find_newest_queue(shown),
        "day": {"model_id": own.model_id, "model": own.model, "requests": own.today, "limit": REQUESTS_PER_DAY},
    }


def _show_request(request: LiveRequest, find_other: FindOther) -> dict[str, Any]:
    may_ask_other = request.can_change_model and bool(request.failure or request.delay)
    other = find_other(request.model_id) if may_ask_other else None
    return {
        "number": request.number,
        "began_at": request.began_at,
        "what": show_what(request.kind, request.turn, request.project, is_background=request.is_background),
        "asked": show_asked(request.asked, request.reason),
        "model_id": request.model_id,
        "model": request.model,
        "state": _show_state(request),
        "tokens": request.tokens,
        "other": {"id": other.id, "label": other.label} if other else None,
    }


def _show_state(request: LiveRequest) -> dict[str, Any]:
    """Returns the state in words, with the tone, what is to be added, and what comes when; empty: nothing."""
    state = {"details": "", "note": "", "next": "next in", "next_at": request.next_try_at}
    if request.phase is RequestPhase.PAUSING:
        word = request.failure or "the last try failed"
        tries = "1 try" if request.tries == 1 else f"{request.tries:,} tries"
        return state | {"word": word[0].upper() + word[1:], "tone": "warn", "details": tries}
    word, tone = _WORDS[request.phase]
    if request.phase is RequestPhase.WAITING:
        state["next"] = "in"
        if request.waiting_before is not None:
            state["details"] = f"{request.waiting_before} before it" if request.waiting_before else "it is the next one"
    if request.delay is Delay.SILENCE:
        state["details"] = "NVIDIA says nothing at the moment"
    if request.failure:
        state["note"] = f"before that: {request.failure}"
    is_bad = request.failure or request.delay is Delay.SILENCE
    return state | {"word": word, "tone": "warn" if is_bad else tone}


def _find_newest_queue(gauges: Iterable[Gauge]) -> dict[str, Any] | None:
    """Returns what NVIDIA told last of its own queue, with the model; None: it has told nothing of late."""
    told = [(gauge.queue, gauge.model) for gauge in gauges if gauge.queue]
    if not told:
        return None
    queue, model = max(told, key=lambda each: each[0].told_at)
    return {"waiting": queue.waiting, "places": queue.places, "told_at": queue.told_at, "model": model}
