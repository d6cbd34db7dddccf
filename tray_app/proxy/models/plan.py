"""Decides which models are probed, and in which order. The functions are pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain, zip_longest

from tray_app.catalog import Model, family_of, is_chat_model, version_of
from tray_app.proxy.upstream.records import RENEW_AFTER_S, Record
from tray_app.settings.settings import Settings
from tray_app.status.findings import Unavailability


def list_candidates(settings: Settings, listed: Collection[str]) -> tuple[Model, ...]:
    """Returns the models that are worth a probe, the most useful first.

    They are the choices of the menu, even if NVIDIA does not list them, since only their own answers tell, and all
    listed chat models: first the families of the choices with the newest members first, then the models of the catalog,
    then the others in the order of their ids.
    """
    catalog = settings.catalog.with_listed(listed)
    choices = catalog.offered(settings.selected_model)
    served = [row for row in catalog.models if row.id in listed and is_chat_model(row.id)]
    families = dict.fromkeys(family_of(choice.id) for choice in choices)
    members = [_newest_first([row for row in served if family_of(row.id) == family]) for family in families]
    by_turns = filter(None, chain.from_iterable(zip_longest(*members)))  # the newest of each, then the second of each
    return tuple({row.id: row for row in (*choices, *by_turns, *served)}.values())


def _newest_first(rows: Sequence[Model]) -> list[Model]:
    return sorted(rows, key=lambda row: version_of(row.id), reverse=True)


def is_due(record: Record, now_s: float, *, is_asked: bool) -> bool:
    """Tells whether a probe would find out something about a model at a Unix time.

    `is_asked`: the user wants to know now, so that also models that gave no verdict or were forbidden are due.
    """
    refusal = record.refusal
    if refusal is not None and now_s < refusal.holds_until:
        return is_asked and refusal.kind is Unavailability.NOT_ALLOWED
    if record.is_silent(now_s):
        return is_asked
    return now_s >= record.answered_at + RENEW_AFTER_S or record.calls_tools is None
