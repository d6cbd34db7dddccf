"""Tests the cursor, which reads text that arrives in pieces."""

from __future__ import annotations

import re
from typing import TypeVar

import pytest

from tray_app.translate.markup.cursor import Cursor, Waiting

_T = TypeVar("_T")


def read(cursor: Cursor, step: Waiting[_T], *pieces: str) -> tuple[_T, int]:
    """Returns the result of a step, and how many pieces it needed."""
    for used, piece in enumerate([*pieces, ""]):
        try:
            next(step)
        except StopIteration as ended:
            return ended.value, used
        cursor.push(piece)
    pytest.fail("it needs still more text")


def test_a_literal_is_found_across_pieces() -> None:
    cursor = Cursor()
    assert read(cursor, cursor.find("</a>"), "x<", "/b></", "a", ">y") == (5, 4)
    assert (cursor.place, cursor.text[cursor.at :]) == (9, "y")


def test_the_longest_of_the_literals_that_stand_here_is_taken() -> None:
    cursor = Cursor()
    assert read(cursor, cursor.take("<a b", "<a", "<c"), "<", "a", " ", "c") == ("<a", 4)
    assert cursor.place == 2
    assert read(cursor, cursor.take("x", " c"), "") == (" c", 0)


def test_no_literal_is_taken_as_soon_as_none_can_stand_here() -> None:
    cursor = Cursor()
    assert read(cursor, cursor.take("<a>", "<b>"), "<", "c") == ("", 2)
    assert cursor.place == 0


def test_characters_are_skipped_up_to_another_one() -> None:
    cursor = Cursor()
    read(cursor, cursor.skip(re.compile(r"\s*")), " ", "\n ", " x ")
    assert (cursor.place, cursor.text[cursor.at :]) == (4, "x ")


def test_the_cursor_goes_back_to_its_mark_across_pieces() -> None:
    cursor = Cursor()
    cursor.push("ab")
    cursor.at = 1
    cursor.set_mark()
    read(cursor, cursor.find("d"), "c", "de")
    assert (cursor.place, cursor.held_chars) == (4, 4)
    cursor.rewind()
    assert (cursor.place, cursor.text[cursor.at :]) == (1, "bcde")


def test_the_text_from_the_mark_is_released_in_one_piece() -> None:
    cursor = Cursor()
    cursor.push("ab")
    cursor.at = 1
    cursor.set_mark()
    read(cursor, cursor.find("d"), "c", "de")
    assert cursor.release() == "bcd"
    assert (cursor.place, cursor.held_chars) == (4, 1)
    cursor.push("f")
    assert cursor.text == "ef"
