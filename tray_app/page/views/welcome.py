"""What the welcome shows of the models among which the user can choose: which one answers for each, and how well."""

from __future__ import annotations

from typing import Any

from tray_app.catalog import Model
from tray_app.page.views.state import show_absence
from tray_app.settings.settings import Settings
from tray_app.status.board import Status
from tray_app.status.findings import Findings
from tray_app.status.following import find_absence, find_answering, find_beliefs


def show_choices(status: Status, settings: Settings) -> dict[str, Any]:
    """Returns the choices of the menu, each with what was found out about the model that answers for it."""
    selected, beliefs = settings.selected_model, find_beliefs(status)
    return {
        "look": {"finished": status.look.finished, "left": status.look.left},
        "choices": [
            _show_choice(model, status, settings, beliefs) | {"is_chosen": model.id == selected.id}
            for model in settings.catalog.offered(selected)
        ],
    }


def _show_choice(model: Model, status: Status, settings: Settings, beliefs: Findings) -> dict[str, Any]:
    answering = find_answering(model, status, settings)
    absence = None if status.is_demo else find_absence(model, status)
    found = beliefs.find(answering.id)
    return {
        "id": model.id,
        "label": model.label,
        "absence": show_absence(absence),
        "answering": {"id": answering.id, "label": answering.label, "context_tokens": answering.context_tokens},
        "answers": found.answers,
        "calls_tools": found.calls_tools,
        "takes_images": found.sees_images(answering),
        "first_token_s": found.first_token_s,
        "asked": found.asked,
        "succeeded": found.succeeded,
        "found_at": found.found_at or None,
    }
