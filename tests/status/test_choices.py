"""Choices: which model answers for one, and what its label says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tray_app.catalog import (
    GLM_4_7,
    GLM_5_2,
    GLM_5_3_FLASH,
    LAGUNA_XS_2_1,
    MINIMAX_M2_1,
    MINIMAX_M3_1_FLASH,
    MODELS,
    NEMOTRON_3_ULTRA,
    STEP_5_PREVIEW,
    UNKNOWN,
    Catalog,
    Model,
    join_rows,
)
from tray_app.status.choices import find_absence, find_answering, find_successor, label_choice
from tray_app.status.findings import NO_FINDINGS, Finding, Findings, ModelTrouble, Unavailability

RETIRED = Finding(answers=False, refusal=ModelTrouble(Unavailability.RETIRED, "2026-05-14"))
NOT_SERVED = Finding(answers=False, refusal=ModelTrouble(Unavailability.NOT_SERVED))
GOOD = Finding(answers=True, calls_tools=True, first_token_s=2.0)
FAST = replace(GOOD, first_token_s=0.5)
NO_TOOLS = Finding(answers=True, calls_tools=False)
SILENT = Finding(answers=False)
CATALOG = Catalog().with_listed(["z-ai/glm-6", "z-ai/glm-5.5"])
GLM_6, GLM_5_5 = CATALOG.rows[-1], CATALOG.rows[-2]
ALL_LISTED = frozenset(model.id for model in CATALOG.rows)


@pytest.mark.parametrize(
    ("findings", "listed", "answering", "label"),
    [
        pytest.param({}, (), GLM_4_7, "GLM 4.7", id="nothing is known"),
        pytest.param({GLM_4_7.id: GOOD}, (), GLM_4_7, "GLM 4.7", id="it answers"),
        pytest.param({GLM_4_7.id: GOOD}, {GLM_6.id}, GLM_4_7, "GLM 4.7", id="it answers, though it is not listed"),
        pytest.param({GLM_4_7.id: SILENT}, ALL_LISTED, GLM_4_7, "GLM 4.7", id="it is silent, which passes"),
        pytest.param({}, {GLM_6.id}, GLM_4_7, "GLM 4.7 (retired)", id="row and list say that it is gone"),
        pytest.param(
            {GLM_5_3_FLASH.id: GOOD},
            {GLM_5_3_FLASH.id},
            GLM_5_3_FLASH,
            "GLM 4.7 (retired): GLM 5.3 Flash",
            id="row and list say that it is gone, and a relative answers",
        ),
        pytest.param({GLM_5_3_FLASH.id: GOOD}, ALL_LISTED, GLM_4_7, "GLM 4.7", id="only the row says that it is gone"),
        pytest.param(
            {GLM_4_7.id: RETIRED, GLM_5_3_FLASH.id: GOOD, NEMOTRON_3_ULTRA.id: FAST},
            ALL_LISTED,
            GLM_5_3_FLASH,
            "GLM 4.7 (retired): GLM 5.3 Flash",
            id="a relative answers, and another one is faster",
        ),
        pytest.param(
            {GLM_4_7.id: NOT_SERVED, GLM_5_3_FLASH.id: FAST, GLM_6.id: GOOD},
            ALL_LISTED,
            GLM_6,
            "GLM 4.7 (not served): GLM 6",
            id="the newest relative that answers",
        ),
        pytest.param(
            {GLM_4_7.id: RETIRED, NEMOTRON_3_ULTRA.id: GOOD},
            {GLM_5_5.id, NEMOTRON_3_ULTRA.id},
            GLM_5_5,
            "GLM 4.7 (retired): GLM 5.5",
            id="a relative is listed, and was not asked yet",
        ),
        pytest.param(
            {
                GLM_4_7.id: RETIRED,
                GLM_6.id: NO_TOOLS,
                GLM_5_5.id: SILENT,
                GLM_5_3_FLASH.id: NOT_SERVED,
                GLM_5_2.id: RETIRED,
            }
            | {"z-ai/glm-5.3": RETIRED, NEMOTRON_3_ULTRA.id: GOOD, LAGUNA_XS_2_1.id: FAST},
            ALL_LISTED,
            LAGUNA_XS_2_1,
            "GLM 4.7 (retired): Laguna XS 2.1",
            id="no relative works, so the best of all does",
        ),
        pytest.param(
            {GLM_4_7.id: RETIRED},
            {STEP_5_PREVIEW.id},
            STEP_5_PREVIEW,
            "GLM 4.7 (retired): Step 5 Preview",
            id="only another family is listed",
        ),
        pytest.param({GLM_4_7.id: RETIRED}, {"x/y"}, GLM_4_7, "GLM 4.7 (retired)", id="nobody is left"),
    ],
)
def test_a_choice_is_answered_by_itself_or_by_a_model_that_its_label_names(
    findings: dict[str, Finding], listed: Collection[str], answering: Model, label: str
) -> None:
    assert find_answering(GLM_4_7, CATALOG, Findings(findings), listed) is answering
    assert label_choice(GLM_4_7, CATALOG, Findings(findings), listed) == label


def test_a_model_that_is_only_not_listed_is_asked_all_the_same() -> None:
    findings, listed = Findings({GLM_6.id: GOOD}), {GLM_6.id}
    assert find_answering(STEP_5_PREVIEW, CATALOG, findings, listed) is STEP_5_PREVIEW
    assert label_choice(STEP_5_PREVIEW, CATALOG, findings, listed) == "Step 5 Preview (not listed)"


def test_while_no_list_is_known_a_relative_that_the_catalog_does_not_call_retired_is_tried() -> None:
    assert find_answering(GLM_4_7, Catalog(), Findings({GLM_4_7.id: RETIRED}), ()) is GLM_5_3_FLASH
    refused = Findings({GLM_4_7.id: RETIRED, GLM_5_3_FLASH.id: NOT_SERVED})
    assert find_answering(GLM_4_7, Catalog(), refused, ()) is MINIMAX_M3_1_FLASH


def test_each_choice_stands_for_its_own_family() -> None:
    findings = Findings(
        {GLM_4_7.id: RETIRED, MINIMAX_M2_1.id: RETIRED, GLM_5_3_FLASH.id: FAST, MINIMAX_M3_1_FLASH.id: GOOD}
    )
    assert find_answering(GLM_4_7, CATALOG, findings, ALL_LISTED) is GLM_5_3_FLASH
    assert find_answering(MINIMAX_M2_1, CATALOG, findings, ALL_LISTED) is MINIMAX_M3_1_FLASH


def test_of_relatives_with_one_version_the_better_one_answers() -> None:
    catalog = Catalog().with_listed(["z-ai/glm-6-air", "z-ai/glm-6-flash"])
    findings = Findings({GLM_4_7.id: RETIRED, "z-ai/glm-6-air": GOOD, "z-ai/glm-6-flash": FAST})
    assert find_answering(GLM_4_7, catalog, findings, ()).id == "z-ai/glm-6-flash"


def test_the_successor_that_the_user_has_set_comes_first_unless_it_is_refused() -> None:
    own = replace(UNKNOWN, id="lab/own", label="Own", letter="O")
    choice = replace(GLM_4_7, successor="LAB/own")
    catalog, findings = Catalog(join_rows([own, choice])), Findings({GLM_4_7.id: RETIRED, GLM_5_3_FLASH.id: GOOD})
    assert find_answering(choice, catalog, findings, ALL_LISTED) is own
    refused = findings.with_finding(own.id, NOT_SERVED)
    assert find_answering(choice, catalog, refused, ALL_LISTED) is GLM_5_3_FLASH
    itself = replace(choice, successor=choice.id)
    assert find_successor(itself, Catalog(join_rows([itself])), findings, ()) is GLM_5_3_FLASH


def test_a_choice_that_is_absent_says_why_and_since_when() -> None:
    assert find_absence(GLM_4_7, Findings({GLM_4_7.id: RETIRED}), ()) == RETIRED.refusal
    assert find_absence(GLM_4_7, NO_FINDINGS, ["a/b"]) == ModelTrouble(Unavailability.RETIRED, "2026-05-14")
    assert find_absence(GLM_6, NO_FINDINGS, ["a/b"]) == ModelTrouble(Unavailability.NOT_LISTED)
    assert find_absence(GLM_6, NO_FINDINGS, [GLM_6.id]) is None


CHOICES = st.sampled_from(CATALOG.rows)
FOUND = st.builds(
    Findings,
    st.dictionaries(
        st.sampled_from([model.id for model in CATALOG.rows]),
        st.sampled_from([GOOD, FAST, NO_TOOLS, SILENT, RETIRED, NOT_SERVED, Finding()]),
    ),
)
LISTED = st.frozensets(st.sampled_from([model.id for model in MODELS]))


@given(choice=CHOICES, listed=LISTED)
def test_without_findings_each_choice_answers_for_itself(choice: Model, listed: frozenset[str]) -> None:
    assert find_answering(choice, CATALOG, NO_FINDINGS, listed) is choice


@given(choice=CHOICES, findings=FOUND, listed=LISTED)
def test_a_refused_model_never_answers_while_another_one_can(
    choice: Model, findings: Findings, listed: frozenset[str]
) -> None:
    answering = find_answering(choice, CATALOG, findings, listed)
    found = [findings.find(model.id) for model in CATALOG.rows]
    if any(finding.answers and finding.calls_tools for finding in found):
        assert findings.find(answering.id).refusal is None
    assert label_choice(choice, CATALOG, findings, listed).startswith(choice.label)


@given(choice=CHOICES, findings=FOUND, listed=LISTED)
def test_following_comes_to_an_end_if_each_model_refuses(
    choice: Model, findings: Findings, listed: frozenset[str]
) -> None:
    """The gateway marks a model that refuses, and asks the next one."""
    asked: list[Model] = []
    while (model := find_answering(choice, CATALOG, findings, listed)) not in asked:
        asked.append(model)
        findings = findings.with_finding(model.id, NOT_SERVED)
    assert model == choice
    assert len(asked) <= len(CATALOG.rows)
