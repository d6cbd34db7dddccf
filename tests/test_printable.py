"""Text from outside is made harmless."""

from __future__ import annotations

import unicodedata

import pytest

from tray_app.errors import AppError, InvalidRequest, NotFound, SettingsError
from tray_app.printable import MAX_SENTENCE_CHARS, escape, make_sentence

HARMFUL = {
    "ESC": "\x1b",
    "NUL": "\0",
    "BEL": "\a",
    "DEL": "\x7f",
    "CSI": "\x9b",
    "carriage return": "\r",
    "line end": "\n",
    "next line": "\x85",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "right-to-left override": "\u202e",
    "left-to-right isolate": "\u2066",
    "right-to-left mark": "\u200f",
    "Arabic letter mark": "\u061c",
    "zero-width space": "\u200b",
    "zero-width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\xad",
    "Hangul filler": "\u3164",
    "a tag": "\U000e0041",
    "a variation selector": "\U000e0101",
    "half a surrogate pair": "\ud83d",
}
each_harmful = pytest.mark.parametrize("character", HARMFUL.values(), ids=HARMFUL.keys())


@each_harmful
def test_a_harmful_character_is_a_space_in_a_sentence(character: str) -> None:
    assert make_sentence(f" a{character}b{character}{character} c ") == "a b c"


@each_harmful
def test_a_harmful_character_is_an_escape_in_the_log(character: str) -> None:
    escaped = escape(f"a{character}b")
    assert escaped.isprintable()
    assert escaped.encode().decode("unicode_escape") == f"a{character}b"


def test_no_control_or_format_character_that_moves_or_hides_is_forgotten() -> None:
    """Only visible format characters stay: signs in front of numbers, joiners of hieroglyphs, and musical beams."""
    every = map(chr, range(0x110000))
    kept = {c for c in every if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and escape(c) == c}
    assert all("\u0600" <= c <= "\u0605" or c in "\u06dd\u070f\u0890\u0891\u08e2" or c >= "\U000110bd" for c in kept)
    assert not any(c >= "\U0001bca0" for c in kept)


def test_other_text_is_as_it_was() -> None:
    text = "Größe: 5 µs, 漢字, ❤\ufe0f 🙂, שלום"
    assert make_sentence(text) == text
    assert escape(f"  {text}") == f"  {text}"


def test_a_sentence_has_a_longest_length() -> None:
    assert make_sentence("x" * 1_000_000) == "x" * MAX_SENTENCE_CHARS + "…"
    assert make_sentence(" " * 1_000_000 + "x") == "x"


@pytest.mark.parametrize("kind", [AppError, SettingsError, InvalidRequest, NotFound])
def test_whatever_an_error_quotes_its_sentence_is_harmless(kind: type[AppError]) -> None:
    error = kind("There is nothing at /\x1b[2J\u202e\r\n2026-01-01 INFO forged.")
    assert str(error) == "There is nothing at / [2J 2026-01-01 INFO forged."


def test_an_error_tells_clients_what_it_tells_the_log() -> None:
    error = InvalidRequest("NVIDIA refused the request: \x9b1mno\x1b]0;title\a")
    assert error.body("req_1")["error"]["message"] == str(error) == "NVIDIA refused the request: 1mno ]0;title"
    assert error.event_body("req_1")["error"]["message"] == str(error)


def test_an_error_forgets_keys_everywhere() -> None:
    error = InvalidRequest("Wrong key: top-secret-password.")
    error.hide(["top-secret-password"])
    assert error.body("req_1")["error"]["message"] == str(error) == "Wrong key: [hidden]."
