"""The view "Models": which models answer to the user's key, what each can do, and what is known of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Any

from tray_app.catalog import Catalog, Model, family_of, plain_name
from tray_app.page.views.state import show_absence
from tray_app.settings.settings import Settings
from tray_app.status.board import Status
from tray_app.status.findings import Findings
from tray_app.status.following import find_absence, find_answering, find_beliefs, find_catalog
from tray_app.status.ranking import rank_models


class Place(StrEnum):
    """Where the page shows a model."""

    BOARD = "board"
    """Among the models that answer, or that the user may choose."""
    ABSENT = "absent"
    """Among those that do not answer."""
    LISTED = "listed"
    """Only in NVIDIA's list: nothing is known of it."""
    HIDDEN = "hidden"
    """Among those that the user has hidden."""


@dataclass(frozen=True, slots=True)
class _Known:
    """All that the cards are made from."""

    status: Status
    settings: Settings
    catalog: Catalog
    """The user's models, and those that NVIDIA lists."""
    own: Catalog
    """The user's models alone."""
    beliefs: Findings
    offered: tuple[str, ...]
    """Ids of the models of the menu."""
    selected_id: str
    background_id: str
    """Empty: the selected model answers in the background, too."""
    stands_for: Mapping[str, list[str]]
    """Id of a model -> the labels of the choices in whose place it answers."""
    corrected: Mapping[str, Mapping[str, object]]
    """Plain name of a model -> the entry of the settings file that corrects it."""


def show_models(status: Status, settings: Settings, entries: object, probes: int) -> dict[str, Any]:
    """Returns all models. `entries` are those of "models" in the settings file; `probes` were sent today."""
    known = _know(status, settings, entries)
    ranked = rank_models(known.catalog, known.beliefs)
    order = {model.id: place for place, model in enumerate((*ranked, *known.catalog.models))}
    cards = [_show_model(model, known) for model in sorted(known.catalog.models, key=lambda model: order[model.id])]
    board = [card for card in cards if card["place"] == Place.BOARD]
    return {
        "is_demo": status.is_demo,
        "listed": len(status.listed_models) or None,
        "answering": sum(known.beliefs.find(model.id).calls_tools is True for model in ranked),
        "look": {"left": status.look.left, "ended_at": status.look.ended_at or None},
        "probes": probes,
        "families": _group(board),
        "menu": known.offered,
        "models": {card["id"]: card for card in cards},
    }


def _know(status: Status, settings: Settings, entries: object) -> _Known:
    own, selected, background = settings.catalog, settings.selected_model, settings.background
    offered = own.offered(selected)
    stands_for: dict[str, list[str]] = {}
    for choice in offered:
        answering = find_answering(choice, status, settings)
        if answering.id != choice.id:
            stands_for.setdefault(answering.id, []).append(choice.label)
    return _Known(
        status,
        settings,
        find_catalog(status, settings),
        own,
        find_beliefs(status),
        tuple(model.id for model in offered),
        selected.id,
        background.id if background else "",
        stands_for,
        dict(_list_entries(entries)),
    )


def _list_entries(entries: object) -> Iterable[tuple[str, dict[str, object]]]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            yield (
                plain_name(entry["id"]),
                {name: value for name, value in entry.items() if name not in ("id", "hidden")},
            )


def _show_model(model: Model, known: _Known) -> dict[str, Any]:
    status, settings = known.status, known.settings
    finding = known.beliefs.find(model.id)
    absence = None if status.is_demo else find_absence(model, status)
    is_own = known.own.find(model.id) is not None  # of the many others, nobody asks who answers for them
    answering = find_answering(model, status, settings) if is_own else model
    return {
        "id": model.id,
        "label": model.label,
        "family": family_of(model.id),
        "place": _find_place(model, known, is_own=is_own, is_absent=absence is not None or finding.answers is False),
        "is_selected": model.id == known.selected_id,
        "is_background": model.id == known.background_id,
        "is_in_menu": model.id in known.offered,
        "is_listed": model.id in status.listed_models,
        "answers": finding.answers,
        "calls_tools": finding.calls_tools,
        "takes_images": finding.sees_images(model),
        "efforts": list(model.efforts),
        "thinks": bool(model.efforts or model.thinking_on),
        "stands_for": known.stands_for.get(model.id, []),
        "answered_by": answering.label if answering.id != model.id else None,
        "absence": show_absence(absence),
        "retired_on": model.retired_on,
        "failing": next((failing.reason for failing in status.failing if failing.model_id == model.id), ""),
        "asked": finding.asked,
        "succeeded": finding.succeeded,
        "today": finding.today,
        "first_token_s": finding.first_token_s,
        "found_at": finding.found_at or None,
        "source": model.source,
        "facts": _list_facts(model),
        "corrected": known.corrected.get(plain_name(model.id), {}),
    }


def _find_place(model: Model, known: _Known, *, is_own: bool, is_absent: bool) -> Place:
    """Returns where the page shows a model. The chosen model is on the board while nothing speaks against it."""
    is_offered = model.id in known.offered
    if known.catalog.is_hidden(model) and not is_offered:
        return Place.HIDDEN
    if is_absent:
        return Place.ABSENT
    finding = known.beliefs.find(model.id)
    return Place.BOARD if finding.answers or is_offered or (is_own and not model.retired_on) else Place.LISTED


def _list_facts(model: Model) -> dict[str, object]:
    """Returns what is known of a model, by the names in the settings file."""
    names = (
        *("label", "letter", "context_tokens", "max_output_tokens", "takes_images"),
        *("takes_json_schema", "takes_required_tool_choice", "takes_top_k", "successor"),
    )
    return {name: getattr(model, name) for name in names}


def _group(board: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the families in the order of their best members, each with the ids of its members in their order."""
    families: dict[str, list[str]] = {}
    for card in board:
        families.setdefault(card["family"], []).append(card["id"])
    labels = {card["id"]: card["label"] for card in board}
    return [{"name": name, "label": _name_family(labels[ids[0]]), "ids": ids} for name, ids in families.items()]


def _name_family(label: str) -> str:
    """Returns the words of a model's label before the first one with a digit, such as "GLM" for "GLM 5.3 Flash"."""
    words = label.split()
    return " ".join(takewhile(lambda word: not any(map(str.isdigit, word)), words)) or label
