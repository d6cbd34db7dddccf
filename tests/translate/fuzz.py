"""Invariants that hold for any bytes. The property tests and a coverage-guided fuzzer share them.

The fuzzer, in an environment with atheris beside the program's own packages: `python -m tests.translate.fuzz
[libFuzzer options]`, for example `-max_total_time=300`.
"""

from __future__ import annotations

import json

from tests.support.fuzzing import fuzz
from tray_app.translate.answer.sse import SseReader
from tray_app.translate.arguments.reader import ArgumentsReader
from tray_app.translate.markup.pieces import Piece, Text, Thought, WrittenCalls
from tray_app.translate.markup.reader import MarkupReader
from tray_app.translate.schema.schema import Parameters

SCHEMA = {
    "type": "object",
    "properties": {
        "command": {"type": "string"},
        "n": {"type": ["integer", "null"]},
        "type": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["n"],
}
SCHEMAS = {"Bash": Parameters(SCHEMA).sent, "Read": {"type": "object"}}


def check_all(data: bytes) -> None:
    """Raises AssertionError if an invariant does not hold. The first byte says where the rest is cut."""
    cut, data = (data[0] if data else 0), data[1:]
    check_events(data, cut)
    text = data.decode("utf-8", "replace")
    check_markup(text, cut)
    check_arguments(text, cut)


def check_events(data: bytes, cut: int) -> None:
    """A stream has the same payloads however its bytes are cut, and no payload is made up."""
    payloads = _read_events(data)
    assert _read_events(data[:cut], data[cut:]) == payloads
    assert _read_events(*(data[place : place + 1] for place in range(len(data)))) == payloads
    assert sum(map(len, payloads)) <= len(data)


def check_markup(text: str, cut: int) -> None:
    """The same is found in a text however it is cut. All text that is no markup is there, in its order."""
    for is_reasoning in (False, True):
        # before the first character a closing think tag makes thinking of what is not given out yet
        found = _find("." + text, is_reasoning, 1)
        assert _find("." + text, is_reasoning, 1, 1 + cut) == found
        assert _find("." + text, is_reasoning, *range(1, len(text) + 1)) == found
        assert _is_within("".join(part for part in found if isinstance(part, str)), "." + text)


def check_arguments(text: str, cut: int) -> None:
    """Any arguments become one object, the same however they are cut. Valid JSON is not changed."""
    meant = _read_arguments(text)
    assert isinstance(meant, dict)
    if not text[cut:].startswith(text[:cut]):  # which is how some servers repeat all that they have sent so far
        assert _read_arguments(text[:cut], text[cut:]) == meant
    try:
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=_refuse_repeated)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        assert _read_arguments(text, schema={}) == value


def _read_events(*parts: bytes) -> list[bytes]:
    reader = SseReader()
    payloads = [payload for part in parts for payload in reader.feed(part)]
    return payloads + reader.finish()


def _find(text: str, is_reasoning: bool, *cuts: int) -> list[str | WrittenCalls]:
    reader = MarkupReader(SCHEMAS, is_reasoning=is_reasoning)
    pieces: list[Piece] = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        part = text[start:end]
        if part and reader.passes(part):
            pieces.append(Thought(part) if is_reasoning else Text(part))
        else:
            pieces += reader.feed(part)
    found: list[str | WrittenCalls] = []
    kind: type[Piece] | None = None
    for piece in [*pieces, *reader.flush()]:
        if isinstance(piece, WrittenCalls):
            found.append(piece)
        elif kind is type(piece):
            found[-1] = str(found[-1]) + piece.text
        else:
            found.append(piece.text)
        kind = type(piece)
    return found


def _is_within(part: str, whole: str) -> bool:
    """Tells whether `part` is `whole` without some of its characters."""
    rest = iter(whole)
    return all(character in rest for character in part)


def _read_arguments(*fragments: str, schema: dict[str, object] | None = None) -> object:
    reader = ArgumentsReader(Parameters(SCHEMA if schema is None else schema))
    text = "".join([reader.feed(fragment) for fragment in fragments] + [reader.finish()])
    return json.loads(text)


def _refuse(name: str) -> object:
    raise ValueError(name)


def _refuse_repeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


if __name__ == "__main__":
    fuzz(check_all)
