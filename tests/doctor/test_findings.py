"""Findings as values."""

from __future__ import annotations

import json
from dataclasses import asdict

from tray_app.doctor.findings import Finding, Level, is_healthy, list_names


def test_only_a_failure_is_not_healthy() -> None:
    ok, note, fail = (Finding(level, "topic", "sentence.") for level in Level)
    assert is_healthy([ok, note])
    assert not is_healthy([ok, fail])


def test_a_finding_can_be_written_as_json() -> None:
    finding = Finding(Level.NOTE, "topic", "sentence.", "fix.")
    assert json.loads(json.dumps(asdict(finding))) == {
        "level": "note",
        "topic": "topic",
        "sentence": "sentence.",
        "fix": "fix.",
        "remedy": "",
    }


def test_many_names_are_counted() -> None:
    assert list_names(["a", "b"]) == "a, b"
    assert list_names(list("abcdefg")) == "a, b, c, d, e and 2 more"
