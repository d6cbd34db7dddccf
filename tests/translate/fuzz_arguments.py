"""Invariants that hold for any arguments. A property test and a coverage-guided fuzzer share them.

The fuzzer, in an environment with atheris beside the program's own packages: `python -m tests.translate.fuzz_arguments
[libFuzzer options]`, for example `-max_total_time=300`.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

from tests.support.fuzzing import fuzz
from tests.translate.fuzz import SCHEMA
from tray_app.translate.arguments.mending import mend
from tray_app.translate.arguments.reader import ArgumentsReader
from tray_app.translate.schema.schema import Parameters

OPTIONAL = {"properties": {"command": {"type": "string"}, "n": {"type": "integer"}, "type": {"type": "array"}}}
SCHEMAS: tuple[dict[str, Any], ...] = ({}, SCHEMA, OPTIONAL)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that a reader says about a call when all is fed, and the text that it returns."""

    is_complete: bool
    is_truncated: bool
    is_runaway: bool
    unmended: str
    extra: str
    text: str


def check_all(data: bytes) -> None:
    """Raises AssertionError if an invariant does not hold. The first byte says where the rest is cut."""
    cut, text = (data[0] if data else 0), data[1:].decode("utf-8", "replace")
    for schema in SCHEMAS:
        for is_cut in (False, True):
            check_cuts(text, cut, schema, is_cut)
        check_object(text, schema)
    check_meaning(text)


def check_cuts(text: str, cut: int, schema: dict[str, Any], is_cut: bool) -> None:
    """The result is the same however the arguments are cut into fragments."""
    outcome = read([text], schema, is_cut)
    for places in ((cut,), (cut, 2 * cut), range(1, len(text))):
        if not any(is_repeated(text, place) for place in places):
            assert read(cut_at(text, places), schema, is_cut) == outcome


def check_object(text: str, schema: dict[str, Any]) -> None:
    """The returned pieces, joined, are one object."""
    reader = ArgumentsReader(Parameters(schema))
    pieces = [reader.feed(character) for character in text]
    meant = json.loads("".join([*pieces, reader.finish()]))
    assert isinstance(meant, dict)
    if schema is OPTIONAL:
        assert None not in (meant.get(name, "") for name in ("command", "n", "type"))
    assert reader.feed("") == reader.finish() == ""


def check_meaning(text: str) -> None:
    """The program's own reader makes an object of a text, or nothing. Valid JSON keeps its meaning."""
    meant = mend(text)
    assert meant is None or isinstance(meant, dict)
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        assert meant == value


def read(fragments: list[str], schema: dict[str, Any], is_cut: bool) -> Outcome:
    reader = ArgumentsReader(Parameters(schema))
    pieces = [reader.feed(fragment) for fragment in fragments]
    text, start = reader.take_extra() or ("", 0)
    said = reader.is_complete, reader.is_truncated, reader.is_runaway, reader.unmended, text[start:]
    return Outcome(*said, "".join([*pieces, reader.finish(is_cut=is_cut)]))


def cut_at(text: str, places: Any) -> list[str]:
    return [text[start:end] for start, end in itertools.pairwise([0, *places, len(text)])]


def is_repeated(text: str, place: int) -> bool:
    """Tells whether a fragment from `place` on repeats all that came before, as some servers do."""
    return text[place:].startswith(text[:place])


def _refuse(name: str) -> object:
    raise ValueError(name)


if __name__ == "__main__":
    fuzz(check_all)
