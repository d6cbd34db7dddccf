"""Chooses which trouble the menu shows, and which ones are worth a notification."""

from __future__ import annotations

from tray_app.catalog import Model, family_of
from tray_app.settings.settings import Settings
from tray_app.status import choices, troubles
from tray_app.status.board import Status, Topic, Trouble
from tray_app.status.findings import Finding, Unavailability

_NEWS = frozenset({Topic.REFUSED_KEY, Topic.FALLBACK})
"""Topics that raise a desktop notification when they first appear."""

_LONG_WAIT_S = 60
"""A request that waits this long for the rate limit raises a notification."""


def list_news(status: Status, settings: Settings) -> dict[str, Trouble]:
    """Returns the troubles that raise a notification, each under a name that stays the same until it is over."""
    news = {topic.name: trouble for topic, trouble in status.troubles if topic in _NEWS}
    for model_id in status.unavailable_models:
        if trouble := explain_unavailability(model_id, status, settings):
            news[model_id] = trouble
    if status.waits and status.waits[0].longest_s >= _LONG_WAIT_S:
        news["wait"] = troubles.waiting(status.waits[0])
    return news


def find_trouble(status: Status, settings: Settings) -> Trouble | None:
    """Returns the most urgent trouble, that of the selected model among them; None: there is none."""
    by_topic = dict(status.troubles)
    if withdrawal := explain_unavailability(settings.selected_model.id, status, settings):
        by_topic[Topic.MODEL] = withdrawal
    return by_topic[min(by_topic)] if by_topic else None


def find_notice(status: Status, settings: Settings) -> Trouble | None:
    """Returns what the first line of the menu says: the most urgent trouble, else the longest wait, else None."""
    return find_trouble(status, settings) or (troubles.waiting(status.waits[0]) if status.waits else None)


def explain_unavailability(model_id: str, status: Status, settings: Settings) -> Trouble | None:
    """Returns the trouble of a model that is retired or not served; None for any other model."""
    trouble, model = dict(status.model_troubles).get(model_id), settings.catalog.find(model_id)
    if trouble is None or model is None or model.id != model_id:  # an alias may lead to another model
        return None
    if model != settings.selected_model:
        return troubles.model_withdrawn(model.label, trouble)
    successor = find_successor(status, settings)
    return troubles.selected_model_withdrawn(model.label, trouble, successor.label if successor else "")


def find_successor(status: Status, settings: Settings) -> Model | None:
    """Returns the model to switch to if there is trouble with the selected one; None: no trouble, or no such model."""
    model = settings.selected_model
    trouble = status.model_trouble(model.id)
    if trouble is None:
        return None
    findings = status.findings
    for model_id, refusal in status.model_troubles:
        findings = findings.with_finding(model_id, Finding(answers=False, refusal=refusal))
    catalog = settings.catalog.with_listed(status.listed_models)
    successor = choices.find_successor(model, catalog, findings, status.listed_models)
    is_related = successor and (model.successor or family_of(successor.id) == family_of(model.id))
    # A model that is only not listed may answer all the same, so that no unrelated one is offered for it.
    return successor if is_related or trouble.kind is not Unavailability.NOT_LISTED else None
