"""Says which model answers for a choice at this moment, as the status and the settings have it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tray_app.catalog import Catalog, Model
from tray_app.settings.settings import Settings
from tray_app.status import choices
from tray_app.status.board import Status
from tray_app.status.findings import Finding, Findings, ModelTrouble


@dataclass(slots=True)
class _Newest:
    """The catalog that was made last: the settings and the ids that it was made from, and the result.

    NVIDIA lists over a hundred models, so that making it takes milliseconds, and the same one is asked for often.
    """

    made: tuple[Settings, frozenset[str], Catalog] | None = None


_newest = _Newest()


def find_beliefs(status: Status) -> Findings:
    """Returns the findings, corrected by the newest requests: which models were refused, keep failing, or answer."""
    findings = dict(status.findings.by_model)
    nothing = Finding()
    for model_id in status.answering:
        findings[model_id] = replace(findings.get(model_id, nothing), answers=True)
    for failing in status.failing:
        findings[failing.model_id] = replace(findings.get(failing.model_id, nothing), answers=False)
    for model_id, refusal in status.model_troubles:
        findings[model_id] = replace(findings.get(model_id, nothing), answers=False, refusal=refusal)
    return Findings(findings)


def find_catalog(status: Status, settings: Settings) -> Catalog:
    """Returns the user's catalog with rows for all models that NVIDIA lists, or about which something was found out."""
    ids, made = status.listed_models | status.findings.by_model.keys(), _newest.made
    if made is None or made[0] is not settings or made[1] != ids:
        made = _newest.made = settings, ids, settings.catalog.with_listed(ids)
    return made[2]


def find_answering(choice: Model, status: Status, settings: Settings) -> Model:
    """Returns the model that answers for a choice: itself, or its stand-in if it is retired or not served.

    Without the setting `follow_successors`, and in the demo, each choice answers for itself.
    """
    if not settings.follow_successors or status.is_demo:
        return choice
    catalog = find_catalog(status, settings)
    return choices.find_answering(choice, catalog, find_beliefs(status), status.listed_models)


def find_stand_ins(status: Status, settings: Settings) -> dict[str, Model]:
    """Returns the model that answers in the place of another one, by the id of that one."""
    choices_of_user = {model.id: model for model in (*settings.catalog.models, settings.selected_model)}
    answering = {model_id: find_answering(model, status, settings) for model_id, model in choices_of_user.items()}
    return {model_id: model for model_id, model in answering.items() if model.id != model_id}


def find_absence(model: Model, status: Status) -> ModelTrouble | None:
    """Returns why a model is not expected to answer; None if it answers or nothing speaks against it."""
    return choices.find_absence(model, find_beliefs(status), status.listed_models)


def label_choice(choice: Model, status: Status, settings: Settings) -> str:
    """Returns the label of a choice in the menu, such as "GLM 4.7 (retired): GLM 5.3 Flash"."""
    if status.is_demo:
        return choice.label
    if settings.follow_successors:
        catalog = find_catalog(status, settings)
        return choices.label_choice(choice, catalog, find_beliefs(status), status.listed_models)
    absence = find_absence(choice, status)
    return f"{choice.label} ({absence.kind.value})" if absence else choice.label
