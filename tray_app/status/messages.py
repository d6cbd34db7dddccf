"""Chooses which trouble the menu shows, and which ones are worth a notification."""

from __future__ import annotations

from tray_app.catalog import Model, family_of
from tray_app.settings.settings import Settings
from tray_app.status import choices, troubles
from tray_app.status.board import Failing, Phase, Status, Topic, Trouble
from tray_app.status.delays import explain_delay, find_longest, model_failing
from tray_app.status.findings import Unavailability
from tray_app.status.following import find_absence, find_answering, find_beliefs, find_catalog

_NEWS = frozenset({Topic.REFUSED_KEY, Topic.FALLBACK})
"""Topics that raise a desktop notification when they first appear."""

_LONG_DELAY_S = 60
"""A request that is delayed for so many seconds raises a notification."""


def list_news(status: Status, settings: Settings) -> dict[str, Trouble]:
    """Returns the troubles that raise a notification, each under a name that stays the same until it is over."""
    news = {topic.name: trouble for topic, trouble in status.troubles if topic in _NEWS}
    selected = settings.selected_model
    is_followed = find_answering(selected, status, settings).id != selected.id
    for model in settings.catalog.offered(selected):  # of the others, many are not served, and nobody asked for them
        if model != selected or not is_followed:
            if trouble := explain_unavailability(model.id, status, settings):
                news[model.id] = trouble
        elif stand_in := explain_stand_in(status, settings):
            news[stand_in.title] = stand_in
    longest = find_longest(status)
    if longest is not None and longest.delayed_s >= _LONG_DELAY_S:
        news["delay"] = explain_delay(longest, status.waits)
    elif failing := _explain_failing(status, settings):  # the client may come again, which is no other news
        news["delay"] = failing
    return news


def find_trouble(status: Status, settings: Settings) -> Trouble | None:
    """Returns the most urgent trouble, that of the selected model among them; None: there is none.

    If another model answers for the selected one, that is no trouble.
    """
    by_topic, selected = dict(status.troubles), settings.selected_model
    is_followed = find_answering(selected, status, settings).id != selected.id
    if not is_followed and (withdrawal := explain_unavailability(selected.id, status, settings)):
        by_topic[Topic.MODEL] = withdrawal
    return by_topic[min(by_topic)] if by_topic else None


def find_notice(status: Status, settings: Settings) -> Trouble | None:
    """Returns what the first line of the menu says; None: there is nothing to say.

    That is the pause that the user has made, else the most urgent trouble, else the longest delay of a request, else
    that the selected model keeps failing.
    """
    if status.is_paused and status.phase is Phase.RUNNING:
        return troubles.PAUSED
    if trouble := find_trouble(status, settings):
        return trouble
    if longest := find_longest(status):
        return explain_delay(longest, status.waits)
    return _explain_failing(status, settings)


def explain_unavailability(model_id: str, status: Status, settings: Settings) -> Trouble | None:
    """Returns the trouble of a model that is retired or not served; None for any other model."""
    trouble, model = dict(status.model_troubles).get(model_id), settings.catalog.find(model_id)
    if trouble is None or model is None or model.id != model_id:  # an alias may lead to another model
        return None
    if model != settings.selected_model:
        return troubles.model_withdrawn(model.label, trouble)
    successor = find_successor(status, settings)
    return troubles.selected_model_withdrawn(model.label, trouble, successor.label if successor else "")


def explain_stand_in(status: Status, settings: Settings) -> Trouble | None:
    """Returns the news that another model answers for the selected one; None: it does not, or has not answered yet."""
    selected = settings.selected_model
    answering, absence = find_answering(selected, status, settings), find_absence(selected, status)
    if absence is None or answering.id == selected.id or not find_beliefs(status).find(answering.id).answers:
        return None
    return troubles.stand_in_answers(selected.label, absence, answering.label)


def find_successor(status: Status, settings: Settings) -> Model | None:
    """Returns the model to switch to if the selected one is withdrawn or keeps failing; None: no need, or no model.

    There is no need either if another model answers for the selected one by itself.
    """
    model, trouble = settings.selected_model, status.model_trouble(settings.selected_model.id)
    if trouble is None and _find_failing(status, settings) is None:
        return None
    if find_answering(model, status, settings).id != model.id:
        return None
    catalog = find_catalog(status, settings)
    successor = choices.find_successor(model, catalog, find_beliefs(status), status.listed_models)
    is_related = successor and (model.successor or family_of(successor.id) == family_of(model.id))
    # A model that is only not listed may answer all the same, so that no unrelated one is offered for it.
    return successor if is_related or trouble is None or trouble.kind is not Unavailability.NOT_LISTED else None


def _explain_failing(status: Status, settings: Settings) -> Trouble | None:
    """Returns the trouble that the selected model keeps failing; None: it does not."""
    failing = _find_failing(status, settings)
    if failing is None:
        return None
    successor = find_successor(status, settings)
    return model_failing(settings.selected_model.label, failing, successor.label if successor else "")


def _find_failing(status: Status, settings: Settings) -> Failing | None:
    """Returns why the selected model keeps failing; None: it does not."""
    return next((failing for failing in status.failing if failing.model_id == settings.selected_model.id), None)
