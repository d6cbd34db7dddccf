"""Tests the fuzzer's invariants with a limited number of inputs, made of words that the parsers look for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tests.translate.fuzz import check_all

WORDS = st.sampled_from(
    [
        *("<tool_call>", "</tool_call>", "Bash", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "command"),
        *("<minimax:tool_call>", "</minimax:tool_call>", '<invoke name="Bash">', "</invoke>", "</parameter>"),
        *('<parameter name="command">', "<think>", "</think>", "<|user|>", "`", "```", "\n", " ", "<"),
        *(
            '{"name": "Bash", "arguments": ',
            "{",
            "}",
            '"',
            '"command": ',
            '"type_": ',
            '"n": ',
            ",",
            "[",
            "]",
            "1",
            "\\",
        ),
        *("data: ", "data:", ": ping", "\r\n", "\n\n", "event: x", "\u2028", "ü", "😀"),
    ]
)


@bounded
@given(st.integers(0, 255), st.lists(WORDS | st.text(max_size=3), max_size=25))
def test_the_invariants_hold_for_words_that_the_parsers_know(cut: int, words: list[str]) -> None:
    check_all(bytes([cut]) + "".join(words).encode("utf-8", "surrogatepass"))


@bounded
@given(st.binary(max_size=60))
def test_the_invariants_hold_for_any_bytes(data: bytes) -> None:
    check_all(data)


def test_what_the_fuzzer_found_holds() -> None:
    for found in (
        b'\x0a{"command":\x1e"echo"," \x1e": "\\" \x1e,"}',  # Python's white space is more than JSON's
        b"\x04`<think>` ``````\n<think>`` `````` <|user|>",  # backticks, more than a fence has, in any slices
        b'\x03{"\\q": 1}',  # an escape that JSON does not know, in a key
    ):
        check_all(found)
