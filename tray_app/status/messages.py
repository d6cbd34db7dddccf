"""What needs the user, in words, and the way out: the program's own troubles, and models that NVIDIA withdrew."""

from __future__ import annotations

from tray_app.catalog import Model
from tray_app.settings.settings import Settings
from tray_app.status import troubles
from tray_app.status.board import Status, Topic, Trouble

_NEWS = frozenset({Topic.REFUSED_KEY, Topic.FALLBACK})
"""Topics that the user is told of as they come up, whether the menu is looked at or not."""

_LONG_WAIT_S = 60


def list_news(status: Status, settings: Settings) -> dict[str, Trouble]:
    """What is worth a notification once, until it is over; by a name for each."""
    news = {topic.name: trouble for topic, trouble in status.troubles if topic in _NEWS}
    for model_id in status.unavailable_models:
        if trouble := explain_unavailability(model_id, status, settings):
            news[model_id] = trouble
    if status.waits and status.waits[0].longest_s >= _LONG_WAIT_S:
        news["wait"] = troubles.waiting(status.waits[0])
    return news


def find_trouble(status: Status, settings: Settings) -> Trouble | None:
    """The most urgent one, of the program's own and that of the selected model."""
    by_topic = dict(status.troubles)
    if withdrawal := explain_unavailability(settings.selected_model.id, status, settings):
        by_topic[Topic.MODEL] = withdrawal
    return by_topic[min(by_topic)] if by_topic else None


def find_notice(status: Status, settings: Settings) -> Trouble | None:
    """What the menu says before all else: the most urgent trouble, or the longest wait."""
    return find_trouble(status, settings) or (troubles.waiting(status.waits[0]) if status.waits else None)


def explain_unavailability(model_id: str, status: Status, settings: Settings) -> Trouble | None:
    """The trouble with a model that is retired or not served; None for any other."""
    trouble, model = dict(status.model_troubles).get(model_id), settings.catalog.find(model_id)
    if trouble is None or model is None or model.id != model_id:  # by an alias it may be another
        return None
    if model != settings.selected_model:
        return troubles.model_withdrawn(model.label, trouble)
    successor = find_successor(status, settings)
    return troubles.selected_model_withdrawn(model.label, trouble, successor.label if successor else "")


def find_successor(status: Status, settings: Settings) -> Model | None:
    """The model to switch to, where something is the matter with the selected one."""
    model = settings.selected_model
    if status.model_trouble(model.id) is None:
        return None
    return settings.catalog.successor(model, status.unavailable_models, status.listed_models)
