"""Reads a block of calls that a model wrote as text, while the text arrives.

A reader that gives up goes back behind its opener, so that the openers which it has passed are tried as well. Still the
readers of one grammar read each character a bounded number of times:

- Outside of values and strings no opener can stand: a reader that meets one there gives up at once.
- Elements: an opener can stand in a value. Two readers that are both within a value wait for the same from there on, so
  they end at the same place in the same way. Where one gave up, all others that began a value before will give up, too.
- JSON: an opener can stand in a string. Where the quote behind it ends that string, it begins one for the reader that
  started at this opener: from there on one of the two is within a string whenever the other is not, and so one of them
  gives up at the next opener.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any

from tray_app.translate.cursor import Cursor, Waiting
from tray_app.translate.grammars import BY_OPENER, Elements, Grammar, JsonCall, Schemas, WrittenCall
from tray_app.translate.schema import type_value

_BLANKS = re.compile(r"\s*")
_NAME = re.compile(r"[\w-]*")
_OUTSIDE_STRING = re.compile(r"[^\"<\\]*")
_INSIDE_STRING = re.compile(r"[^\"\\]*")

_Span = tuple[int, int]
"""A part of the text: the places of its first character and of the one behind its last."""

_Draft = tuple[str, list[tuple[_Span, _Span]]]
"""A call whose block is not complete yet: its name, and where each key and its value stand."""


class CallReader:
    """Reads one block after another, each from behind its opener."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._schemas: Schemas = {}
        self._names: list[str] = []  # of the tools that may be called, sorted
        self._steps: Iterator[list[WrittenCall] | None] | None = None  # of reading the block
        self._grammar: Grammar | None = None  # of the block, as soon as it is known
        self._gave_up_at: dict[str, int] = {}  # family -> the last place where a reader gave up

    def __repr__(self) -> str:
        return f"CallReader({self._grammar.family if self._grammar else 'no block'})"

    @property
    def schemas(self) -> Schemas:
        """Name -> input schema of the tools that may be called; empty if none may."""
        return self._schemas

    @schemas.setter
    def schemas(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._names = sorted(schemas)

    def begin(self, opener: str) -> None:
        """Marks the place of the opener, and begins to read the block behind it."""
        self._cursor.set_mark()
        self._cursor.at += len(opener)
        self._grammar = None
        self._steps = self._read_block(BY_OPENER[opener])

    def read(self, *, is_last: bool) -> list[WrittenCall] | None:
        """The calls of the block, none if it is no such block; None while more text is needed.

        `is_last`: no more text comes.
        """
        assert self._steps is not None
        calls = next(self._steps)
        if calls is None and not is_last:
            return None
        self._steps = None
        if not calls and self._grammar:
            family, place = self._grammar.family, self._cursor.end if calls is None else self._cursor.place
            self._gave_up_at[family] = max(place, self._gave_up_at.get(family, 0))
        return calls or []

    def _read_block(self, grammars: Mapping[str, Grammar]) -> Iterator[list[WrittenCall] | None]:
        """Yields None whenever more text is needed, and at last the calls."""
        yield from self._cursor.skip(_BLANKS)
        start = self._cursor.place
        self._grammar = grammars.get((yield from self._cursor.take(*grammars)))
        match self._grammar:
            case Grammar(arguments=JsonCall(beginning)) as grammar:
                yield (yield from self._read_json_call(grammar, beginning, start))
            case Grammar(arguments=Elements() as form) as grammar:
                yield (yield from self._read_calls(grammar, form))
            case _:
                yield []

    def _read_json_call(self, grammar: Grammar, beginning: str, start: int) -> Waiting[list[WrittenCall]]:
        for character in beginning[1:]:
            yield from self._cursor.skip(_BLANKS)
            if not (yield from self._cursor.take(character)):
                return []
        yield from self._skip_json(is_in_string=beginning.endswith('"'))
        end = self._cursor.place
        if not (yield from self._cursor.take(grammar.closer)):
            return []
        self._cursor.gather()
        return self._parse_call(self._cursor.cut(start, end))

    def _skip_json(self, *, is_in_string: bool) -> Waiting[None]:
        """Steps to the first `<` or backslash outside of strings: the JSON has ended there."""
        cursor = self._cursor
        while True:
            yield from cursor.skip(_INSIDE_STRING if is_in_string else _OUTSIDE_STRING)
            if cursor.text[cursor.at] == '"':
                is_in_string = not is_in_string
            elif is_in_string:
                cursor.at += 1  # a backslash: what follows it does not end the string
                yield from cursor.peek()
            else:
                return
            cursor.at += 1

    def _parse_call(self, text: str) -> list[WrittenCall]:
        try:
            call = json.loads(text)
            name, arguments = call.get("name"), call.get("arguments", call.get("parameters"))
            if isinstance(arguments, str):
                arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return []
        is_offered = isinstance(name, str) and name in self._schemas and isinstance(arguments, dict)
        return [WrittenCall(name, arguments)] if is_offered else []

    def _read_calls(self, grammar: Grammar, form: Elements) -> Waiting[list[WrittenCall]]:
        drafts: list[_Draft] = []
        follower = None
        while follower != grammar.closer:
            name = yield from self._read_name()
            if not name or (grammar.name_closers and not (yield from self._cursor.take(*grammar.name_closers))):
                return []
            arguments: list[tuple[_Span, _Span]] = []
            follower = yield from self._read_follower(grammar, form)
            while follower in form.key_openers:
                key = yield from self._read_key(form)
                if key is None or self._cursor.place < self._gave_up_at.get(grammar.family, 0):
                    return []
                value, follower = yield from self._read_value(grammar, form)
                arguments.append((key, value))
            if not follower:
                return []
            drafts.append((name, arguments))
        return self._type_calls(drafts, form)

    def _read_name(self) -> Waiting[str]:
        """Steps over the name of a tool that may be called; returns an empty string if there is none."""
        cursor = self._cursor
        while True:
            match = _NAME.match(cursor.text, cursor.at)
            assert match is not None
            name = match[0]
            if match.end() < len(cursor.text):
                break
            place = bisect_left(self._names, name)
            if not any(known.startswith(name) for known in self._names[place : place + 1]):
                return ""
            yield
        if name not in self._schemas:
            return ""
        cursor.at = match.end()
        return name

    def _read_follower(self, grammar: Grammar, form: Elements) -> Waiting[str]:
        """Steps over the tags that may follow a name or a value: the opener of a key or of a call, or the closer of the
        block. Returns that one, and an empty string if something else follows."""
        yield from self._cursor.skip(_BLANKS)
        follower = yield from self._cursor.take(*form.key_openers, grammar.call_closer or grammar.closer)
        if follower and follower == grammar.call_closer:
            yield from self._cursor.skip(_BLANKS)
            follower = yield from self._cursor.take(*grammar.call_openers, grammar.closer)
        return follower

    def _read_key(self, form: Elements) -> Waiting[_Span | None]:
        """Steps behind the key and whatever stands between it and its value; None if that is not there."""
        start = self._cursor.place
        yield from self._cursor.skip(form.key)
        end = self._cursor.place
        if not (yield from self._cursor.take(*form.key_closers)):
            return None
        if form.value_opener:
            yield from self._cursor.skip(_BLANKS)
            if not (yield from self._cursor.take(form.value_opener)):
                return None
        return start, end

    def _read_value(self, grammar: Grammar, form: Elements) -> Waiting[tuple[_Span, str]]:
        """Steps over the value and the tags that follow it; a closer that is not followed by any is part of it."""
        start = self._cursor.place
        while True:
            end = yield from self._cursor.find(form.value_closer)
            if follower := (yield from self._read_follower(grammar, form)):
                return (start, end), follower

    def _type_calls(self, drafts: list[_Draft], form: Elements) -> list[WrittenCall]:
        self._cursor.gather()
        calls = []
        for name, spans in drafts:
            arguments: dict[str, Any] = {}
            for key_span, value_span in spans:
                key = self._cursor.cut(*key_span).strip()
                value = self._cursor.cut(*value_span).removeprefix(form.margin).removesuffix(form.margin)
                arguments[key] = type_value(value, self._schemas[name], key)
            calls.append(WrittenCall(name, arguments))
        return calls
