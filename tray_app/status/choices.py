"""Decides which model answers for a choice of the user, so that menu, gateway and commands all say the same.

The functions are pure. They take the catalog with the rows of the listed models (`Catalog.with_listed`), the findings
that are believed now, and the ids that NVIDIA lists, which are none while its list is not known.
"""

from __future__ import annotations

from collections.abc import Collection

from tray_app.catalog import Catalog, Model, family_of, version_of
from tray_app.status.findings import Findings, ModelTrouble, Unavailability
from tray_app.status.ranking import rank_models


def find_absence(model: Model, findings: Findings, listed: Collection[str]) -> ModelTrouble | None:
    """Returns why a model is not expected to answer; None if it answers or nothing speaks against it.

    What NVIDIA answered to requests decides. Without that, a model counts as retired if both the catalog and NVIDIA's
    list say that it is gone, because each of them alone is often wrong.
    """
    finding = findings.find(model.id)
    if finding.answers or finding.refusal:
        return None if finding.answers else finding.refusal
    if not listed or model.id in listed:
        return None
    return ModelTrouble(Unavailability.RETIRED if model.retired_on else Unavailability.NOT_LISTED, model.retired_on)


def find_answering(choice: Model, catalog: Catalog, findings: Findings, listed: Collection[str]) -> Model:
    """Returns the model that answers for a choice: the choice itself, unless it is known to be retired or not served.

    A choice that is only not listed may answer all the same. While nothing was found out about any model, each choice
    answers for itself.
    """
    absence = find_absence(choice, findings, listed)
    if not findings.by_model or absence is None or absence.kind is Unavailability.NOT_LISTED:
        return choice
    return find_successor(choice, catalog, findings, listed) or choice


def find_successor(model: Model, catalog: Catalog, findings: Findings, listed: Collection[str]) -> Model | None:
    """Returns the model that answers best in the place of another one; None if there is none.

    That is the successor which the user has set; else the newest relative that answers and calls tools, else the newest
    one that is likely to; else the best of all that do, else the first of the catalog that is likely to.
    """
    successor = catalog.find(model.successor)
    if successor and successor.id != model.id and findings.find(successor.id).answers is not False:
        return successor
    others = [other for other in rank_models(catalog, findings) if other.id != model.id]
    proven = [other for other in others if findings.find(other.id).calls_tools]
    likely = [other for other in catalog.models if other.id != model.id and _is_likely(other, findings, listed)]
    family = family_of(model.id)
    for group in (proven, likely):
        if relatives := [other for other in group if family_of(other.id) == family]:
            return max(relatives, key=lambda other: version_of(other.id))
    return next(iter((*proven, *likely)), None)


def label_choice(choice: Model, catalog: Catalog, findings: Findings, listed: Collection[str]) -> str:
    """Returns the label of a choice: its name, then in brackets why it does not answer, then the model that does."""
    absence = find_absence(choice, findings, listed)
    if absence is None:
        return choice.label
    answering = find_answering(choice, catalog, findings, listed)
    who = "" if answering.id == choice.id else f": {answering.label}"
    return f"{choice.label} ({absence.kind.value}){who}"


def _is_likely(model: Model, findings: Findings, listed: Collection[str]) -> bool:
    """Tells whether a model may answer and call tools. NVIDIA's list says so here, else the catalog does."""
    finding = findings.find(model.id)
    if finding.answers is False or finding.calls_tools is False or finding.refusal:
        return False
    return finding.answers or (model.id in listed if listed else not model.retired_on)
