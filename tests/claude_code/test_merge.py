"""Merging our settings into the user's, as values, with random settings and random later edits."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.claude_code.merge import NotMergeable, find_yielded, is_same, join, merge, undo

OURS: dict[str, Any] = {
    "env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:3001", "NO_PROXY": "127.0.0.1"},
    "model": "nvidia",
    "modelPicker": {"replaceBuiltInOptions": True, "options": [{"model": "nvidia"}]},
    "permissions": {"deny": ["WebSearch"]},
    "statusLine": {"type": "command", "command": "ours"},
}
NOTHING: frozenset[tuple[str, ...]] = frozenset()

names = st.sampled_from(["a", "b", "ANTHROPIC_BASE_URL", "NO_PROXY", "options", "deny", "allow"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(names, values, max_size=4)
users_settings = st.fixed_dictionaries(
    {},
    optional={
        "env": objects,
        "model": values,
        "modelPicker": objects,
        "permissions": st.fixed_dictionaries(
            {}, optional={"deny": st.lists(st.text(max_size=3), max_size=3), "allow": values}
        ),
        "statusLine": values,
        "hooks": values,
    },
)


@bounded
@given(users_settings)
def test_undoing_a_merge_gives_back_what_was_there_in_its_order(users: dict[str, Any]) -> None:
    merged, record = merge(users, OURS, NOTHING)
    assert str(undo(merged, record)) == str(users)


@bounded
@given(users_settings)
def test_undoing_what_was_never_written_changes_nothing(users: dict[str, Any]) -> None:
    _, record = merge(users, OURS, NOTHING)
    assert str(undo(users, record)) == str(users)


@bounded
@given(users_settings, users_settings)
def test_every_later_edit_of_the_user_stays(users: dict[str, Any], edits: dict[str, Any]) -> None:
    """An edit puts a value in the place of another one, in an object or at the top."""
    merged, record = merge(users, OURS, NOTHING)
    edited, wanted = copy.deepcopy(merged), copy.deepcopy(users)
    for name, value in edits.items():
        if name in ("env", "modelPicker", "permissions"):
            for inner, inner_value in value.items():
                edited[name][inner] = inner_value
                wanted.setdefault(name, {})[inner] = inner_value
        else:
            edited[name] = wanted[name] = value
    assert is_same(undo(edited, record), wanted)


@bounded
@given(users_settings, st.sampled_from(list(OURS)))
def test_what_the_user_removes_stays_removed(users: dict[str, Any], name: str) -> None:
    merged, record = merge(users, OURS, NOTHING)
    del merged[name]
    left = undo(merged, record)
    assert is_same(left, {key: value for key, value in users.items() if key != name})


def test_a_status_line_of_the_user_is_never_replaced() -> None:
    merged, record = merge({"statusLine": None}, OURS, NOTHING)
    assert merged["statusLine"] is None
    assert ("statusLine",) not in record.paths


def test_a_value_of_the_user_that_is_already_right_is_not_ours() -> None:
    merged, record = merge(OURS, OURS, NOTHING)
    assert (merged, undo(merged, record)) == (OURS, OURS)
    assert not record.paths


def test_true_is_not_the_number_1() -> None:
    merged, record = merge({"modelPicker": {"replaceBuiltInOptions": 1}}, OURS, NOTHING)
    assert merged["modelPicker"]["replaceBuiltInOptions"] is True
    assert undo(merged, record) == {"modelPicker": {"replaceBuiltInOptions": 1}}
    assert type(undo(merged, record)["modelPicker"]["replaceBuiltInOptions"]) is int


def test_values_that_the_user_changed_are_found_and_can_be_left_alone() -> None:
    merged, record = merge({}, OURS, NOTHING)
    assert find_yielded(merged, record) == NOTHING
    merged["model"] = "opus"
    merged["permissions"]["deny"] = []
    del merged["env"]["NO_PROXY"]
    yielded = find_yielded(merged, record)
    assert yielded == {("model",), ("permissions", "deny"), ("env", "NO_PROXY")}
    again, _ = merge(undo(merged, record), OURS, yielded)
    assert (again["model"], again["permissions"]["deny"], "NO_PROXY" in again["env"]) == ("opus", [], False)


def test_two_merges_can_be_undone_at_once() -> None:
    users = {"model": "opus", "env": {"mine": "1"}}
    first, record = merge(users, OURS, NOTHING)
    second, newer = merge(undo(first, record), {"model": "other", "env": {"B": "2"}}, NOTHING)
    for held in (users, first, second):
        assert undo(held, join(newer, record)) == users


@pytest.mark.parametrize(
    ("users", "clause"),
    [
        ({"env": "text"}, '"env" is not an object'),
        ({"modelPicker": None}, '"modelPicker" is not an object'),
        ({"permissions": {"deny": "WebSearch"}}, '"permissions.deny" is not a list'),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_name(users: dict[str, Any], clause: str) -> None:
    with pytest.raises(NotMergeable, match=clause):
        merge(users, OURS, NOTHING)
