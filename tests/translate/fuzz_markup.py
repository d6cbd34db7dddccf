"""Invariants that hold for any text in which a model may have written calls and think tags.

The fuzzer, in an environment with atheris beside the program's own packages: `python -m tests.translate.fuzz_markup
[libFuzzer options]`, for example `-max_total_time=300`. Its bytes stand for the words that the reader knows, and for
single characters.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from unittest.mock import patch

from tests.support.fuzzing import fuzz
from tray_app.translate.markup import reader as markup
from tray_app.translate.markup import tags
from tray_app.translate.markup.grammars import BY_OPENER
from tray_app.translate.markup.pieces import Piece, Text, Thought, WrittenCalls
from tray_app.translate.markup.reader import MarkupReader
from tray_app.translate.markup.think_tags import LONE_CLOSERS, THINK_TAGS

SCHEMAS: dict[str, dict[str, Any]] = {
    "Bash": {"type": "object", "properties": {"command": {"type": "string"}, "n": {"type": "integer"}}},
    "Read": {"type": "object"},
}
WORDS = (
    *BY_OPENER,
    *(
        "Bash",
        "Bas",
        "Read",
        "\n",
        " ",
        "word",
        "<",
        ">",
        "`",
        "```",
        "'",
        '"',
        "\\",
        '\\"',
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
    ),
    *("<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "</tool_call>", "command", "n", "1"),
    *("<tool_call>Bash<arg_key>n</arg_key><arg_value>", "</arg_value></tool_call>", "</arg_value>\n<arg_key>"),
    *('{"name": "Bash", "arguments": {', '"command": "', '"}}</tool_call>', '"name": "Read"', '"parameters": {}}'),
    *('<invoke name="Bash">', "<invoke name='Read'>", "<invoke name=x>", "</invoke>", "</minimax:tool_call>"),
    *('<parameter name="command">', "</parameter>", '<minimax:tool_call><invoke name="Bash"><parameter name="n">'),
    *("</parameter></invoke></minimax:tool_call>", "</parameter></invoke>"),
    *(tags.opener for tags in THINK_TAGS),
    *(tags.closer for tags in THINK_TAGS),
    *("functions.Bash", "bash", "to=functions.", "Bash()", '<tool_call>{"name": "Bash"}', "</tool_call>", "\n<think>"),
    *("<tool_call>Bash<arg_key>n</arg_key><arg_value>1</arg_value>", '{"n": 1}', "```json\n", "<|constrain|>json"),
    *("<think>", "</think>", "<mm:think>", "</mm:think>", "<|user|>", "<|im_end|>", "<|channel|>analysis", "<|end|>"),
    *(
        "<function=Bash>",
        "<function=x>",
        "</function>",
        "<parameter=n>",
        "</function_calls>",
        '[{"name": ',
        "</TOOLCALL>",
    ),
    *("functions.", ":0", "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "{}", "<|tool_call_end|>"),
    *("<|tool_calls_section_end|>", "<|message|>", "<|constrain|>json<|message|>", "<|call|>"),
    *("<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"),
    *('<｜DSML｜invoke name="Bash">', "</｜DSML｜invoke>", "</｜DSML｜function_calls>", "</｜DSML｜parameter>"),
    *('<｜DSML｜parameter name="n" string="true">', "<function=Bash><parameter=n>", "</parameter></function>"),
)
_THINK_CLOSERS = [tags.closer for tags in THINK_TAGS]
_TAGS = re.compile("|".join(map(re.escape, (*tags.TAGS, *tags.FIRST_TAGS, *_THINK_CLOSERS))))

Found = list[tuple[type[Piece], str] | WrittenCalls]


def check_bytes(data: bytes) -> None:
    """Raises AssertionError if an invariant does not hold. The first byte says where the rest is cut."""
    cut, data = (data[0] if data else 0), data[1:]
    check_text("".join(WORDS[byte] if byte < len(WORDS) else chr(byte) for byte in data), cut)


def check_text(text: str, cut: int) -> None:
    for is_reasoning in (False, True):
        for is_whole in (False, True):
            found = find(text, is_reasoning, is_whole=is_whole)
            check_nothing_is_lost(text, found)
            assert find(text, is_reasoning, forgets=True, is_whole=is_whole) == found
            if not any(tag in text for tag in LONE_CLOSERS):
                assert find(text, is_reasoning, *range(1, len(text)), is_whole=is_whole) == found
                assert find(text, is_reasoning, min(cut, len(text)), is_whole=is_whole) == found
        # what has been given out before a closing think tag stays text
        found = find("." + text, is_reasoning, 1)
        check_cuts("." + text, is_reasoning, cut, found)
        with patch.multiple(markup, MAX_HELD_CHARS=90, _STEP_CHARS=40):
            found = find("." + text, is_reasoning, 1)
            assert all(len(part.markup) <= 90 for part in found if isinstance(part, WrittenCalls))
            check_nothing_is_lost("." + text, found)
            check_cuts("." + text, is_reasoning, cut, found)


def check_cuts(text: str, is_reasoning: bool, cut: int, found: Found) -> None:
    """The same is found in a text however it is cut."""
    assert find(text, is_reasoning, 1, min(1 + cut, len(text))) == found
    assert find(text, is_reasoning, *range(1, len(text))) == found


def check_nothing_is_lost(text: str, found: Found) -> None:
    """The pieces are the text in its order, without some tags and the line ends beside them."""
    told = "".join(part.markup if isinstance(part, WrittenCalls) else part[1] for part in found)
    rest = iter(text)
    assert all(character in rest for character in told)
    assert _without_tags(told) == _without_tags(text)
    if not any(tags.opener in text or tags.closer in text for tags in THINK_TAGS):
        assert told.count("\n") == text.count("\n")


def find(text: str, is_reasoning: bool, *cuts: int, forgets: bool = False, is_whole: bool = False) -> Found:
    """Returns what a reader finds in the text, which is cut at these places. Neighbors of one kind are joined.

    `forgets`: it does not remember where it gave up, so that it tries even the openers of which it knows better.
    `is_whole`: the model has said all that it wanted to say.
    """
    reader = MarkupReader(SCHEMAS, is_reasoning=is_reasoning)
    if forgets:
        reader._calls._gave_up_at = _Nothing()  # noqa: SLF001 (a twin without its memory is what is compared)
    found: Found = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        part = text[start:end]
        if part and reader.passes(part):
            _append(found, [Thought(part) if is_reasoning else Text(part)])
        else:
            _append(found, reader.feed(part))
    _append(found, reader.flush(is_whole=is_whole))
    return found


class _Nothing(dict[str, int]):
    """Keeps nothing."""

    def __setitem__(self, key: str, value: int) -> None:
        pass


def _append(found: Found, pieces: list[Piece]) -> None:
    kinds = [type(piece) for piece in pieces]
    assert all(one is WrittenCalls or one is not other for one, other in pairwise(kinds))
    for piece in pieces:
        last = found[-1] if found else None
        if isinstance(piece, WrittenCalls):
            found.append(piece)
        elif isinstance(last, tuple) and last[0] is type(piece):
            found[-1] = (last[0], last[1] + piece.text)
        else:
            found.append((type(piece), piece.text))


def _without_tags(text: str) -> str:
    """Removes all line ends and all tags, including tags that arise when others are removed."""
    text, before = text.replace("\n", ""), ""
    while text != before:
        text, before = _TAGS.sub("", text), text
    return text


if __name__ == "__main__":
    fuzz(check_bytes)
