"""The labels of models, by the ids that records have."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tray_app.settings.settings import Settings
from tray_app.status.board import Status
from tray_app.status.following import find_catalog

Label = Callable[[str], str]
"""Returns the label of the model with an id, or the id itself if no model has it."""


def make_label(status: Status, settings: Settings) -> Label:
    """Returns a function that finds the labels as they are now. It looks for each id once."""
    catalog = find_catalog(status, settings)

    @cache
    def label(model_id: str) -> str:
        found = catalog.find(model_id) if model_id else None
        return found.label if found and found.id == model_id else model_id  # an alias may lead to another model

    return label
