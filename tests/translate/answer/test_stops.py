"""Tests the watch for stop sequences in an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.translate.answer.stops import StopWatcher


def watch(stops: list[str], *parts: str) -> tuple[str, str | None]:
    watcher = StopWatcher(stops)
    said = "".join([watcher.feed(part) for part in parts] + [watcher.flush()])
    return said, watcher.matched


@pytest.mark.parametrize(
    ("stops", "text", "said", "matched"),
    [
        ([], "hello", "hello", None),
        (["</block>"], "yes</block> and", "yes", "</block>"),
        (["</block>"], "yes</bloc and", "yes</bloc and", None),
        (["bc", "ab"], "xabc", "x", "ab"),
        (["b", "ab"], "xab", "x", "ab"),
        (["abc", "b"], "xabc", "xa", "b"),
        ([""], "hello", "hello", None),
        (["STOP"], "STOP", "", "STOP"),
        (["\n\n"], "a\nb\n\nc", "a\nb", "\n\n"),
    ],
)
def test_text_ends_before_the_first_sequence_that_is_complete(
    stops: list[str], text: str, said: str, matched: str | None
) -> None:
    assert watch(stops, text) == (said, matched)
    assert watch(stops, *text) == (said, matched)


def test_only_what_may_begin_a_sequence_is_held_back() -> None:
    watcher = StopWatcher(["</block>", "END"])
    assert [watcher.feed(part) for part in ("yes <b> E", "N", "D-", "</")] == ["yes <b> ", "", "", ""]
    assert watcher.matched == "END"


def test_the_sequence_that_is_complete_first_is_found_among_many() -> None:
    stops = [f"stop {number}." for number in range(5_000)]
    assert watch(stops, *"words and stop 4711, stop 4", "711. and more") == ("words and stop 4711, ", "stop 4711.")


def test_a_sequence_is_found_behind_a_beginning_of_another() -> None:
    watcher = StopWatcher(["aaab", "aac"])
    assert [watcher.feed(part) for part in ("aaa", "a", "c")] == ["", "a", "a"]
    assert watcher.matched == "aac"


@bounded
@given(st.lists(st.text("ab<", min_size=1, max_size=3), max_size=4), st.text("ab<", max_size=20), st.data())
def test_any_slicing_says_the_same(stops: list[str], text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    said, matched = watch(stops, text[:cut], text[cut:])
    assert (said, matched) == watch(stops, *text)
    assert matched is not None or said == text
