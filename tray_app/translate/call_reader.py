"""Reads a block of calls that a model wrote as text, while the text arrives.

A reader that gives up goes back behind its opener, so that the openers which it has passed are tried as well. Still the
readers of one grammar read each character a bounded number of times:

- Outside of values and strings no opener can stand: a reader that meets one there gives up at once.
- Elements: an opener can stand in a value. Two readers that are both within a value wait for the same from there on, so
  they end at the same place in the same way. Where one gave up, all others that began a value before will give up, too.
- JSON: an opener can stand in a string, and for the reader that starts there no string has begun. From there on one of
  the two is within a string whenever the other is not, and so one of them gives up at the next opener.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any

from tray_app.translate.cursor import Cursor, Waiting
from tray_app.translate.grammars import (
    BLOCKS_AROUND,
    BY_OPENER,
    Elements,
    Grammar,
    JsonCalls,
    NamedCall,
    Schemas,
    WrittenCall,
)
from tray_app.translate.schema import type_value

_BLANKS = re.compile(r"\s*")
_NAME = re.compile(r"[\w-]*")
_OUTSIDE_STRING = re.compile(r"[^\"<\\]*")
_INSIDE_STRING = re.compile(r"[^\"\\]*")

_Span = tuple[int, int]
"""A part of the text: the places of its first character and of the one behind its last."""

_Draft = tuple[str, list[_Span]]
"""A call whose block is not complete yet: its name, and where the arguments stand, each key and then its value; or all
of them together, if they are one JSON object."""


class CallReader:
    """Reads one block after another, each from behind its opener."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._schemas: Schemas = {}
        self._names: list[str] = []  # of the tools that may be called, sorted
        self._steps: Iterator[list[WrittenCall] | None] | None = None  # of reading the block
        self._grammar: Grammar | None = None  # of the block, as soon as it is known
        self._gave_up_at: dict[str, int] = {}  # family -> the last place where a reader gave up
        self._text_until: set[str] = set()  # closers of blocks that turned out to be text

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

    def may_begin(self, opener: str) -> bool:
        """Whether calls may begin with this opener. A call within a block that is text is text as well."""
        return bool(self._schemas) and self._text_until.isdisjoint(BLOCKS_AROUND.get(opener, {}).values())

    def note_text(self, tag: str) -> None:
        """Takes notice that a tag was given out as text."""
        self._text_until.discard(tag)
        self._text_until.update(blocks[tag] for blocks in BLOCKS_AROUND.values() if tag in blocks)

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
        self._grammar = grammar = grammars.get((yield from self._cursor.take(*grammars)))
        if grammar is None:
            yield []
        elif isinstance(grammar.calls, JsonCalls):
            yield (yield from self._read_json_calls(grammar, grammar.calls, start))
        else:
            yield (yield from self._read_named_calls(grammar, grammar.calls))

    def _read_json_calls(self, grammar: Grammar, form: JsonCalls, start: int) -> Waiting[list[WrittenCall]]:
        for character in form.beginning[1:]:
            yield from self._cursor.skip(_BLANKS)
            if not (yield from self._cursor.take(character)):
                return []
        yield from self._skip_json(is_in_string=form.beginning.endswith('"'))
        end = self._cursor.place
        if not (yield from self._cursor.take(grammar.closer)):
            return []
        self._cursor.gather()
        return self._parse_calls(self._cursor.cut(start, end))

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

    def _read_named_calls(self, grammar: Grammar, form: NamedCall) -> Waiting[list[WrittenCall]]:
        drafts: list[_Draft] = []
        follower = None
        while follower != grammar.closer:
            name = yield from self._read_name(form)
            if not name:
                return []
            if form.elements:
                spans, follower = yield from self._read_elements(grammar, form, form.elements)
            else:
                spans, follower = yield from self._read_json_object(grammar, form)
            if not follower:
                return []
            drafts.append((name, spans))
        self._cursor.gather()
        return self._type_calls(drafts, form.elements)

    def _read_name(self, form: NamedCall) -> Waiting[str]:
        """Steps over the name of a tool that may be called, and what stands around it; returns an empty string if that
        is not there."""
        cursor = self._cursor
        if form.name_openers:
            yield from cursor.take(*form.name_openers)
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
        if form.name_rest:
            yield from cursor.skip(form.name_rest)
        if form.name_closers and not (yield from cursor.take(*form.name_closers)):
            return ""
        return name

    def _read_json_object(self, grammar: Grammar, form: NamedCall) -> Waiting[tuple[list[_Span], str]]:
        """Steps over the arguments and the tags that follow them. Returns where they stand, and the last of the tags;
        an empty string if that is not there."""
        yield from self._cursor.skip(_BLANKS)
        start = self._cursor.place
        if not (yield from self._cursor.take("{")):
            return [], ""
        yield from self._skip_json(is_in_string=False)
        span = start, self._cursor.place
        return [span], (yield from self._read_follower(grammar, form))

    def _read_elements(self, grammar: Grammar, form: NamedCall, elements: Elements) -> Waiting[tuple[list[_Span], str]]:
        """Steps over the arguments and the tags that follow them, likewise."""
        spans: list[_Span] = []
        follower = yield from self._read_follower(grammar, form, *elements.key_openers)
        while follower in elements.key_openers:
            key = yield from self._read_key(elements)
            if key is None or self._cursor.place < self._gave_up_at.get(grammar.family, 0):
                return [], ""
            start = self._cursor.place
            while True:  # a closer that nothing follows is part of the value
                end = yield from self._cursor.find(elements.value_closer)
                if follower := (yield from self._read_follower(grammar, form, *elements.key_openers)):
                    break
            spans += key, (start, end)
        return spans, follower

    def _read_key(self, elements: Elements) -> Waiting[_Span | None]:
        """Steps over the key and whatever stands between it and its value; None if that is not there."""
        start = self._cursor.place
        yield from self._cursor.skip(elements.key)
        end = self._cursor.place
        if not (yield from self._cursor.take(*elements.key_closers)):
            return None
        if elements.value_opener:
            yield from self._cursor.skip(_BLANKS)
            if not (yield from self._cursor.take(elements.value_opener)):
                return None
        return start, end

    def _read_follower(self, grammar: Grammar, form: NamedCall, *key_openers: str) -> Waiting[str]:
        """Steps over what may follow a name or an argument: the opener of a key, or the closer of the call and then the
        opener of the next call or the closer of the block. Returns the last one; an empty string if none is there."""
        yield from self._cursor.skip(_BLANKS)
        follower = yield from self._cursor.take(*key_openers, form.closer or grammar.closer)
        if follower and follower == form.closer:
            yield from self._cursor.skip(_BLANKS)
            follower = yield from self._cursor.take(form.opener, grammar.closer)
        return follower

    def _parse_calls(self, text: str) -> list[WrittenCall]:
        """The calls in JSON; none if they are no JSON, or if one of them may not be called."""
        value = _parse_json(text)
        calls = []
        for call in value if isinstance(value, list) else [value]:
            if not isinstance(call, dict):
                return []
            name, arguments = call.get("name"), call.get("arguments", call.get("parameters"))
            if isinstance(arguments, str):
                arguments = _parse_json(arguments)
            if not isinstance(name, str) or name not in self._schemas or not isinstance(arguments, dict):
                return []
            calls.append(WrittenCall(name, arguments))
        return calls

    def _type_calls(self, drafts: list[_Draft], elements: Elements | None) -> list[WrittenCall]:
        """The calls of a complete block; none if the arguments of one are no JSON object where they should be one."""
        calls = []
        for name, spans in drafts:
            texts = [self._cursor.cut(*span) for span in spans]
            if elements:
                arguments = {
                    key.strip(): type_value(_trim(value, elements.margin), self._schemas[name], key.strip())
                    for key, value in zip(texts[::2], texts[1::2], strict=True)
                }
            else:
                arguments = _parse_json(texts[0])
            if not isinstance(arguments, dict):
                return []
            calls.append(WrittenCall(name, arguments))
        return calls


def _trim(value: str, margin: str) -> str:
    return value.removeprefix(margin).removesuffix(margin)


def _parse_json(text: str) -> Any:
    """The value; None if the text is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
