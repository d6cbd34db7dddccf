"""The ranking: which of the models that answer is better, and the figures that say so."""

from __future__ import annotations

import pytest

from tray_app.catalog import GLM_5_3_FLASH, LAGUNA_XS_2_1, NEMOTRON_3_5_LIGHTNING, NEMOTRON_3_ULTRA, Catalog
from tray_app.status.findings import Finding, Findings
from tray_app.status.ranking import describe_figures, rank_models

WORSE = Finding(answers=True, calls_tools=True, first_token_s=2.0, asked=100, succeeded=78)
BETTER: list[tuple[str, Finding]] = [
    ("it succeeds more often", Finding(answers=True, calls_tools=True, first_token_s=9.0, asked=100, succeeded=97)),
    (
        "it is as reliable and faster",
        Finding(answers=True, calls_tools=True, first_token_s=1.0, asked=90, succeeded=72),
    ),
    ("it is new, and faster", Finding(answers=True, calls_tools=True, first_token_s=1.0)),
    (
        "it succeeded once, and is faster",
        Finding(answers=True, calls_tools=True, first_token_s=1.0, asked=1, succeeded=1),
    ),
]


@pytest.mark.parametrize("better", [finding for _, finding in BETTER], ids=[reason for reason, _ in BETTER])
def test_a_model_is_better_because(better: Finding) -> None:
    findings = Findings({GLM_5_3_FLASH.id: WORSE, NEMOTRON_3_ULTRA.id: better})
    assert rank_models(Catalog(), findings) == (NEMOTRON_3_ULTRA, GLM_5_3_FLASH)


@pytest.mark.parametrize("calls_tools", [None, False])
def test_a_model_that_calls_tools_is_better_than_any_that_may_not(calls_tools: bool | None) -> None:
    perfect = Finding(answers=True, calls_tools=calls_tools, first_token_s=0.1, asked=100, succeeded=100)
    findings = Findings({GLM_5_3_FLASH.id: perfect, NEMOTRON_3_ULTRA.id: WORSE})
    assert rank_models(Catalog(), findings) == (NEMOTRON_3_ULTRA, GLM_5_3_FLASH)


def test_models_of_which_nothing_is_known_or_that_do_not_answer_have_no_place() -> None:
    findings = Findings(
        {LAGUNA_XS_2_1.id: Finding(answers=False), NEMOTRON_3_5_LIGHTNING.id: Finding(asked=3, succeeded=3)}
    )
    assert rank_models(Catalog(), findings) == ()


def test_equal_models_come_in_the_order_of_the_catalog_and_an_unknown_time_comes_last() -> None:
    same = Finding(answers=True, calls_tools=True)
    findings = Findings({LAGUNA_XS_2_1.id: Finding(answers=True, calls_tools=True, first_token_s=50.0)})
    for model in (NEMOTRON_3_ULTRA, GLM_5_3_FLASH):
        findings = findings.with_finding(model.id, same)
    assert rank_models(Catalog(), findings) == (LAGUNA_XS_2_1, GLM_5_3_FLASH, NEMOTRON_3_ULTRA)


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (Finding(asked=120, succeeded=116, first_token_s=1.4), "97 % of 120, 1.4 s"),
        (Finding(asked=1), "0 % of 1"),
        (Finding(first_token_s=0.04), "0.0 s"),
        (Finding(first_token_s=9.96), "10 s"),
        (Finding(first_token_s=21.6), "22 s"),
        (Finding(), ""),
    ],
)
def test_the_figures_are_shown_as_far_as_they_are_known(finding: Finding, text: str) -> None:
    assert describe_figures(finding) == text
