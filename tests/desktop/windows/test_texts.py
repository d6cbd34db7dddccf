"""The limits of Windows for texts, in UTF-16 units."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tray_app.desktop.windows.texts import cut, escape_label


def count_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    ("text", "limit_units", "shown"),
    [
        ("GLM 4.7", 7, "GLM 4.7"),
        ("GLM 4.7!", 7, "GLM 4.…"),
        ("a😀😀", 5, "a😀😀"),
        ("a😀😀b", 5, "a😀…"),  # there is no room for both the second emoji and the ellipsis
        ("😀😀", 2, "…"),
        ("", 5, ""),
    ],
)
def test_a_text_is_cut_at_a_whole_character(text: str, limit_units: int, shown: str) -> None:
    assert cut(text, limit_units) == shown


@given(st.text(), st.integers(1, 12))
@example("😀" * 9, 12)
def test_a_cut_text_fits_and_is_as_long_as_can_be(text: str, limit_units: int) -> None:
    shown = cut(text, limit_units)
    assert count_units(shown) <= limit_units
    if shown != text:
        kept = shown.removesuffix("…")
        assert text.startswith(kept)
        assert shown.endswith("…")
        assert count_units(kept) + count_units(text[len(kept)]) + 1 > limit_units
    else:
        assert count_units(text) <= limit_units


def test_half_of_a_surrogate_pair_can_be_cut() -> None:
    assert cut("ab\ud83dcd", 4) == "ab\ud83d…"


def test_a_label_shows_as_it_is() -> None:
    assert escape_label("R&D\tmodel && more\n") == "R&&D model &&&& more "
