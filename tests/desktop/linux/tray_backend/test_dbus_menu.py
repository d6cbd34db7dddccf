"""The menu table, without D-Bus."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("D-Bus is for Linux", allow_module_level=True)
os.environ.setdefault("PYSTRAY_BACKEND", "dummy")  # as status_notifier.py does
from pystray import Menu, MenuItem

from tray_app.desktop.linux.tray_backend.dbus_menu import Change, MenuTable


class Choices:
    """The values that a sample menu shows."""

    model = "GLM"
    requests = 0
    is_ready = True


@pytest.fixture
def choices() -> Choices:
    return Choices()


@pytest.fixture
def menu(choices: Choices) -> Any:
    def radio(label: str) -> Any:
        return MenuItem(label, None, checked=lambda _: choices.model == label, radio=True)

    return Menu(
        MenuItem(lambda _: f"{choices.requests} requests", None, enabled=lambda _: choices.is_ready),
        MenuItem("Today", None, visible=lambda _: choices.requests > 0),
        Menu.SEPARATOR,
        radio("GLM"),
        radio("MiniMax"),
        MenuItem("log_bodies", None, checked=lambda _: False),
        MenuItem("More", Menu(MenuItem("About", None))),
    )


def ids_by_label(table: MenuTable) -> dict[str, int]:
    return {properties["label"][1]: id_ for id_, properties in table.group_properties([]) if "label" in properties}


def test_a_layout_has_labels_marks_states_separators_and_submenus(menu: Any, choices: Choices) -> None:
    choices.is_ready = False
    table = MenuTable()
    assert table.update(menu) == Change(layout=True)
    _, root, children = table.layout(0)
    assert root == {"children-display": ("s", "submenu")}
    assert {types for types, _ in children} == {"(ia{sv}av)"}
    assert [properties for _, (_, properties, _) in children] == [
        {"label": ("s", "0 requests"), "enabled": ("b", False)},
        {"type": ("s", "separator")},
        {"label": ("s", "GLM"), "toggle-type": ("s", "radio"), "toggle-state": ("i", 1)},
        {"label": ("s", "MiniMax"), "toggle-type": ("s", "radio"), "toggle-state": ("i", 0)},
        {"label": ("s", "log__bodies"), "toggle-type": ("s", "checkmark"), "toggle-state": ("i", 0)},
        {"label": ("s", "More"), "children-display": ("s", "submenu")},
    ]
    *_, (_, (_, _, [(_, (_, about, _))])) = children
    assert about == {"label": ("s", "About")}


def test_a_layout_can_be_cut_by_depth_and_by_property_names(menu: Any) -> None:
    table = MenuTable()
    table.update(menu)
    assert table.layout(0, 0) == (0, {"children-display": ("s", "submenu")}, [])
    _, root, children = table.layout(0, 1, ["label"])
    assert root == {}
    assert [(list(properties), below) for _, (_, properties, below) in children][1] == ([], [])
    assert [below for _, (_, _, below) in children] == [[]] * 6


def test_a_new_text_or_check_mark_is_no_new_layout(menu: Any, choices: Choices) -> None:
    table = MenuTable()
    table.update(menu)
    revision, ids = table.revision, ids_by_label(table)
    choices.model, choices.is_ready = "MiniMax", False
    assert table.update(menu) == Change(
        updated=(
            (ids["0 requests"], {"enabled": ("b", False)}),
            (ids["GLM"], {"toggle-state": ("i", 0)}),
            (ids["MiniMax"], {"toggle-state": ("i", 1)}),
        )
    )
    assert table.revision == revision


def test_a_property_that_falls_back_to_its_default_is_removed(menu: Any, choices: Choices) -> None:
    choices.is_ready = False
    table = MenuTable()
    table.update(menu)
    choices.is_ready = True
    assert table.update(menu) == Change(removed=((ids_by_label(table)["0 requests"], ["enabled"]),))


def test_nothing_new_is_no_change(menu: Any) -> None:
    table = MenuTable()
    table.update(menu)
    assert not table.update(menu)


def test_an_item_that_appears_is_a_new_layout_and_renumbers_no_other(menu: Any, choices: Choices) -> None:
    table = MenuTable()
    table.update(menu)
    revision, before = table.revision, ids_by_label(table)
    choices.requests = 1
    assert table.update(menu) == Change(layout=True)
    after = ids_by_label(table)
    assert table.revision == revision + 1
    assert after["1 requests"] == before["0 requests"]
    assert {(label, id_) for label, id_ in before.items() if label != "0 requests"} <= after.items()
    assert after["Today"] not in before.values()


def test_ids_stay_the_same_if_the_menu_is_built_again() -> None:
    def items() -> Iterator[Any]:
        yield MenuItem("Open", None)
        yield Menu.SEPARATOR
        yield MenuItem("Quit", None)

    table = MenuTable()
    table.update(Menu(items))
    before = ids_by_label(table)
    assert not table.update(Menu(items))
    assert ids_by_label(table) == before


def test_stranded_separators_are_left_out() -> None:
    hidden = MenuItem("hidden", None, visible=False)
    table = MenuTable()
    table.update(Menu(hidden, Menu.SEPARATOR, MenuItem("a", None), Menu.SEPARATOR, hidden, Menu.SEPARATOR))
    assert [properties for _, (_, properties, _) in table.layout(0)[2]] == [{"label": ("s", "a")}]


def test_an_entry_that_turns_into_a_separator_is_a_new_layout() -> None:
    first, last = MenuItem("a", None), MenuItem("z", None)
    table = MenuTable()
    table.update(Menu(first, MenuItem("b", None), last))
    assert table.update(Menu(first, Menu.SEPARATOR, last)) == Change(layout=True)


def test_an_item_of_another_kind_at_the_same_place_has_another_id() -> None:
    def make(*items: Any) -> Any:
        return Menu(MenuItem("first", None), *items, MenuItem("last", None))

    def read_ids(*items: Any) -> list[int]:
        table.update(make(*items))
        return list(ids_by_label(table).values())

    plain = MenuItem("a", None)
    radio = MenuItem("a", None, checked=lambda _: True, radio=True)
    box = MenuItem("a", None, checked=lambda _: True)
    submenu = MenuItem("a", Menu(MenuItem("b", None)))
    table = MenuTable()
    kinds = [read_ids(item) for item in (plain, radio, box)]
    assert {ids[0] for ids in kinds} == {kinds[0][0]}, "the others keep theirs"
    assert {ids[2] for ids in kinds} == {kinds[0][2]}
    assert len({ids[1] for ids in kinds}) == 3
    assert table.update(make(submenu)) == Change(layout=True)
    assert table.update(make(radio)) == Change(layout=True)
    assert list(ids_by_label(table).values()) == kinds[1], "as the item is of the former kind again"


def test_when_the_list_of_models_shrinks_no_plain_item_takes_over_a_check_box() -> None:
    models = ["GLM", "MiniMax", "Kimi"]

    def items() -> Iterator[Any]:
        yield from (MenuItem(model, None, checked=lambda _: False, radio=True) for model in models)
        yield MenuItem("Let Clients Choose", None, checked=lambda _: False)
        yield Menu.SEPARATOR
        yield MenuItem("Quit", None)

    table = MenuTable()
    seen: dict[int, tuple[object, ...]] = {}
    while models:
        table.update(Menu(items))
        for id_, properties in table.group_properties([]):
            kind = tuple(properties.get(name) for name in ("type", "toggle-type", "children-display"))
            assert seen.setdefault(id_, kind) == kind
        models.pop()


def test_properties_that_an_item_no_longer_has_are_reported_with_a_new_layout(menu: Any, choices: Choices) -> None:
    choices.is_ready = False
    table = MenuTable()
    table.update(menu)
    choices.is_ready, choices.requests = True, 1
    change = table.update(menu)
    assert change == Change(layout=True, removed=((ids_by_label(table)["1 requests"], ["enabled"]),))


def test_no_menu_is_an_empty_layout(menu: Any) -> None:
    table = MenuTable()
    assert not table.update(None)
    table.update(menu)
    assert table.update(None) == Change(layout=True)
    assert table.layout(0) == (0, {"children-display": ("s", "submenu")}, [])


def test_an_id_finds_its_item_and_other_ids_find_none(menu: Any) -> None:
    table = MenuTable()
    table.update(menu)
    for label, id_ in ids_by_label(table).items():
        item = table.item(id_)
        assert item is not None
        assert item.text.replace("_", "__") == label
    assert table.item(0) is None
    assert table.item(999) is None
    assert table.unknown([0, 1, 999]) == [999]


def test_answers_have_the_form_of_the_protocol(menu: Any) -> None:
    table = MenuTable()
    table.update(menu)
    glm = ids_by_label(table)["GLM"]
    assert table.answer("GetLayout", (0, -1, [])) == (table.revision, table.layout(0))
    assert table.answer("GetGroupProperties", ([glm, 999], ["label"])) == ([(glm, {"label": ("s", "GLM")})],)
    assert table.answer("GetProperty", (glm, "label")) == (("s", "GLM"),)
    assert table.answer("Event", (glm, "clicked", ("i", 0), 0)) == ()
    assert table.answer("EventGroup", ([(glm, "hovered", ("i", 0), 0), (999, "clicked", ("i", 0), 0)],)) == ([999],)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("GetLayout", (999, -1, [])),
        ("GetProperty", (0, "label")),
        ("Event", (999, "clicked", ("i", 0), 0)),
        ("Nonsense", ()),
    ],
)
def test_unknown_ids_names_and_methods_are_refused(method: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(LookupError):
        MenuTable().answer(method, arguments)
