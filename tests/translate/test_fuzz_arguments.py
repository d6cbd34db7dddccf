"""Tests the invariants of arguments with a limited number of inputs, made of words that the reader looks for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tests.translate.fuzz_arguments import check_all

WORDS = st.sampled_from(
    [
        *("{", "}", "[", "]", ",", ":", '"', "'", "\\", "\n", " ", "/"),
        *('{"command": "', '"n": ', '"type_": ', '", "', '": "', '"}', '"}]', '{"a": ', "```json\n"),
        *(
            "1",
            "-2.5e3",
            "true",
            "null",
            '"null"',
            "None",
            "NaN",
            "x",
            "ü",
            "😀",
            "\\n",
            "\\u00",
            "fc",
            "\\ud83d",
            "\\q",
            "\xa0",
        ),
    ]
)


@bounded
@given(st.integers(0, 255), st.booleans(), st.lists(WORDS | st.text(max_size=3), max_size=25))
def test_the_invariants_hold_for_words_that_the_reader_knows(cut: int, is_open: bool, words: list[str]) -> None:
    text = '{"command": "' * is_open + "".join(words)
    check_all(bytes([cut]) + text.encode("utf-8", "surrogatepass"))


def test_what_the_fuzzer_found_holds() -> None:
    for found in (
        b'\x23{"command": "{null", "": ""}',  # a key without a character
    ):
        check_all(found)
