"""Makes the picture of the running requests and of each model's pace. It costs nothing while nobody asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from tray_app.proxy.exchange.progress import Progress, find_delay
from tray_app.proxy.exchange.progress_book import ProgressBook
from tray_app.proxy.upstream.evidence import Evidence
from tray_app.proxy.upstream.pacing import Pacer
from tray_app.status.live import Gauge, LiveRequest
from tray_app.status.progress import RequestPhase
from tray_app.translate.request.tokens import estimate_text

_Places = Mapping[int, tuple[int, float]]
"""The number of each waiting request -> how many are sent before it, and when it is sent."""


def list_requests(book: ProgressBook, pacer: Pacer, secrets: tuple[str, ...]) -> tuple[LiveRequest, ...]:
    """Returns each running request, the oldest first. No secret that a client has sent is in it."""
    running = book.list_running()
    waiting = {one.model.id for one in running if one.model and one.phase is RequestPhase.WAITING}
    places: dict[int, tuple[int, float]] = {}
    for model_id in waiting:
        foreseen = enumerate(pacer.foresee(model_id))
        places.update({number: (place, start_s) for place, (number, start_s) in foreseen})
    return tuple(_describe(one, book, places, secrets) for one in running)


def list_gauges(book: ProgressBook, pacer: Pacer, evidence: Evidence) -> tuple[Gauge, ...]:
    """Returns the pace of each model that was asked in the last minute, that requests wait for, or that pauses."""
    gauges = pacer.describe_gauges(book.to_unix_time)
    return tuple(replace(gauge, today=evidence.count_today(gauge.model_id)) for gauge in gauges)


def _describe(progress: Progress, book: ProgressBook, places: _Places, secrets: tuple[str, ...]) -> LiveRequest:
    notes, now_s = progress.notes, asyncio.get_running_loop().time()
    delay, since_s = find_delay(progress, now_s)
    is_waiting = progress.phase is RequestPhase.WAITING
    before, next_try_s = places.get(notes.number, (None, None)) if is_waiting else (None, progress.next_try_s)
    return LiveRequest(
        number=notes.number,
        asked=notes.show_asked(secrets),
        model_id=progress.model.id if progress.model else "",
        model=progress.model.label if progress.model else "",
        reason=notes.reason.value,
        project=notes.show_project(secrets),
        session_id=progress.session_id,
        kind=notes.kind,
        turn=notes.turn,
        is_background=notes.is_background,
        phase=progress.phase,
        began_at=notes.began_at,
        tries=progress.tries,
        failure=progress.failure.brief if progress.failure else "",
        delay=delay,
        delayed_s=int(now_s - since_s) if delay else 0,
        waiting_before=before,
        next_try_at=None if next_try_s is None else book.to_unix_time(next_try_s),
        tokens=estimate_text(progress.said_bytes) if progress.said_bytes else None,
        first_token_s=notes.first_token_s,
        can_change_model=progress.can_change_model,
    )
