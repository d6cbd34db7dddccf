"""Findings: what was found out about each model, for as long as it is believed."""

from __future__ import annotations

from tray_app.status.findings import NO_FINDINGS, NOTHING_FOUND, Finding


def test_nothing_is_known_about_a_model_without_a_finding() -> None:
    assert NO_FINDINGS.find("z-ai/glm4.7") is NOTHING_FOUND
    assert not NOTHING_FOUND.holds(now=0)


def test_a_finding_takes_the_place_of_the_earlier_one_of_its_model_only() -> None:
    first = NO_FINDINGS.with_finding("a/b", Finding(answers=True)).with_finding("a/c", Finding(answers=False))
    second = first.with_finding("a/b", Finding(calls_tools=True))
    assert second.find("a/b") == Finding(calls_tools=True)
    assert second.find("a/c") == Finding(answers=False)
    assert first.find("a/b") == Finding(answers=True)


def test_a_finding_is_believed_until_its_time_is_over() -> None:
    finding = Finding(answers=True, found_at=100, holds_until=200)
    assert finding.holds(now=199.9)
    assert not finding.holds(now=200)
