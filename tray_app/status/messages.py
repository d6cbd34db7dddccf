"""What needs the user, in words, and the way out: the program's own troubles, and models that NVIDIA withdrew."""

from __future__ import annotations

from tray_app.catalog import Model
from tray_app.settings.settings import Settings
from tray_app.status.board import Status, Topic, Trouble, Unavailability

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
        news["wait"] = status.waits[0].notice
    return news


def find_trouble(status: Status, settings: Settings) -> Trouble | None:
    """The most urgent one, of the program's own and that of the selected model."""
    troubles = dict(status.troubles)
    if withdrawal := explain_unavailability(settings.selected_model.id, status, settings):
        troubles[Topic.MODEL] = withdrawal
    return troubles[min(troubles)] if troubles else None


def find_notice(status: Status, settings: Settings) -> Trouble | None:
    """What the menu says before all else: the most urgent trouble, or the longest wait."""
    return find_trouble(status, settings) or (status.waits[0].notice if status.waits else None)


def explain_unavailability(model_id: str, status: Status, settings: Settings) -> Trouble | None:
    """The trouble with a model that is retired or not served; None for any other."""
    trouble, model = dict(status.model_troubles).get(model_id), settings.catalog.find(model_id)
    if trouble is None or model is None or model.id != model_id:  # by an alias it may be another
        return None
    if trouble.kind is Unavailability.RETIRED:
        title = f"{model.label} was retired by NVIDIA"
        sentence = f"NVIDIA retired {model.label}{trouble.date and f' on {trouble.date}'}."
    else:
        title = f"{model.label} is not served by NVIDIA"
        sentence = f"NVIDIA does not serve {model.label} to your API key."
    if model != settings.selected_model:
        return Trouble(title, sentence)
    successor = find_successor(status, settings)
    choice = f'"Switch to {successor.label}", or another model,' if successor else "another model"
    return Trouble(f"{title} – choose a model…", f"{sentence} Choose {choice} in the menu.")


def find_successor(status: Status, settings: Settings) -> Model | None:
    """The model to switch to, where something is the matter with the selected one."""
    model = settings.selected_model
    if status.model_trouble(model.id) is None:
        return None
    return settings.catalog.successor(model, status.unavailable_models, status.listed_models)
