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

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tray_app.translate.markup.cursor import Cursor, Waiting
from tray_app.translate.markup.grammars import (
    BLOCKS_AROUND,
    BY_OPENER,
    Elements,
    Grammar,
    JsonCalls,
    NamedCall,
    Schemas,
    WrittenCall,
)
from tray_app.translate.markup.json_calls import read_calls, read_values
from tray_app.translate.schema.schema import type_value
from tray_app.translate.tool_names import MOST_NAME_CHARS, ToolNames

_BLANKS = re.compile(r"\s*")
_NAME = re.compile(r"[\w.:()-]*")
_OUTSIDE_STRING = re.compile(r"[^\"<\\]*")
_INSIDE_STRING = re.compile(r"[^\"\\]*")
_Span = tuple[int, int]
"""A part of the text: the places of its first character and of the one behind its last."""


@dataclass(slots=True)
class _Draft:
    """A call whose block is not complete yet."""

    name: str
    spans: list[_Span] = field(default_factory=list)
    """Where the arguments stand: each key and then its value; or all of them together, if they are one JSON object."""
    elements: Elements | None = None
    """How they are written; None if they are one JSON object."""


class CallReader:
    """Reads one block after another, each from behind its opener."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._schemas: Schemas = {}
        self._names = ToolNames(())  # of the tools that may be called
        self._steps: Iterator[list[WrittenCall] | None] | None = None  # of reading the block
        self._grammar: Grammar | None = None  # of the block, as soon as it is known
        self._has_elements = False  # whether the block has arguments that are elements
        self._json_start: int | None = None  # of its newest arguments; None if they are elements
        self._drafts: list[_Draft] = []  # the calls of the block so far, the last one perhaps half
        self._end_here: Callable[[], list[WrittenCall]] | None = None  # the calls, if the text ends here; None: none
        self._gave_up_at: dict[str, int] = {}  # family -> the last place where a reader gave up
        self._text_blocks: set[str] = set()  # openers of blocks that turned out to be text, and are not closed

    def __repr__(self) -> str:
        return f"CallReader({self._grammar.family if self._grammar else 'no block'})"

    @property
    def schemas(self) -> Schemas:
        """Name -> input schema of the tools that may be called; empty if none may."""
        return self._schemas

    @schemas.setter
    def schemas(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._names = ToolNames((name, name) for name in schemas)

    def may_begin(self, opener: str) -> bool:
        """Whether calls may begin with this opener. A call within a block that is text is text as well."""
        return bool(self._schemas) and self._text_blocks.isdisjoint(BLOCKS_AROUND.get(opener, {}))

    def note_text(self, tag: str) -> None:
        """Takes notice that a tag was given out as text."""
        if tag in _BLOCKS_OF:
            self._text_blocks -= _BLOCKS_OF[tag]
        elif tag in BLOCK_TAGS:
            self._text_blocks.add(tag)

    def begin(self, opener: str) -> None:
        """Marks the place of the opener, and begins to read the block behind it."""
        self._cursor.set_mark()
        self._cursor.at += len(opener)
        self._grammar = None
        self._has_elements = False
        self._drafts = []
        self._end_here = None
        self._steps = self._read_block(BY_OPENER[opener])

    def read(self, *, is_last: bool, is_whole: bool) -> list[WrittenCall] | None:
        """The calls of the block, none if it is no such block; None while more text is needed.

        `is_last`: no more text comes. `is_whole`: and the model has said all that it wanted to say; then a block may
        lack its end, which many servers take for the end of the answer, and do not pass on.
        """
        assert self._steps is not None
        calls = next(self._steps)
        if calls is None and not is_last:
            return None
        self._steps = None
        if calls is None and is_whole and self._end_here is not None:
            self._cursor.gather()
            calls = self._end_here()
            if calls:
                self._cursor.at = len(self._cursor.text)
        if not calls and self._grammar and self._has_elements:
            place = self._cursor.end if calls is None else self._cursor.place
            if self._json_start is not None:
                place = self._json_start
            family = self._grammar.family
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
        cursor = self._cursor
        for character in form.beginning[1:]:
            yield from cursor.skip(_BLANKS)
            if not (yield from cursor.take(character)):
                return []
        self._end_here = lambda: read_calls(cursor.cut(start, cursor.end), self._names)
        yield from self._skip_json(is_in_string=form.beginning.endswith('"'))
        end = cursor.place
        if not (yield from cursor.take(*grammar.ends)):
            return []
        cursor.gather()
        return read_calls(cursor.cut(start, end), self._names)

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
        follower = ""
        while follower not in grammar.ends:
            name = yield from self._read_name(form)
            if not name:
                return []
            self._drafts.append(draft := _Draft(name))
            yield from self._cursor.skip(_BLANKS)
            if not form.elements or (yield from self._cursor.peek()) == "{":
                follower = yield from self._read_json_object(grammar, form, draft)
            else:
                draft.elements = form.elements
                follower = yield from self._read_elements(grammar, form, form.elements, draft)
            if not follower:
                return []
        self._cursor.gather()
        return self._type_calls()

    def _read_name(self, form: NamedCall) -> Waiting[str]:
        """Steps over the name of a tool that may be called, and what stands around it; returns the name as it was sent,
        or an empty string if none is there."""
        cursor = self._cursor
        if form.name_openers:
            yield from cursor.take(*form.name_openers)
        while True:
            match = _NAME.match(cursor.text, cursor.at)
            assert match is not None
            if match.end() < len(cursor.text):
                break
            if len(match[0]) > MOST_NAME_CHARS or not self._names.may_begin_with(match[0]):
                return ""
            yield
        name = self._names.find(match[0])
        if not name:
            return ""
        cursor.at = match.end()
        while form.name_rest and (yield from cursor.take(*form.name_rest)):
            pass
        if form.name_closers and not (yield from cursor.take(*form.name_closers)):
            return ""
        return name

    def _read_json_object(self, grammar: Grammar, form: NamedCall, draft: _Draft) -> Waiting[str]:
        """Steps over the arguments and the tags that follow them. Returns the last of the tags; an empty string if that
        is not there."""
        cursor = self._cursor
        yield from cursor.skip(_BLANKS)
        start = self._json_start = cursor.place
        if not (yield from cursor.take("{")):
            return ""

        def end_here() -> list[WrittenCall]:
            draft.spans = [(start, cursor.end)]
            return self._type_calls()

        self._end_here = end_here
        yield from self._skip_json(is_in_string=False)
        draft.spans = [(start, cursor.place)]
        return (yield from self._read_follower(grammar, form))

    def _read_elements(self, grammar: Grammar, form: NamedCall, elements: Elements, draft: _Draft) -> Waiting[str]:
        """Steps over the arguments and the tags that follow them, likewise."""
        self._has_elements, self._json_start = True, None
        follower = yield from self._read_follower(grammar, form, *elements.key_openers)
        while follower in elements.key_openers:
            key = yield from self._read_key(elements)
            if key is None or self._cursor.place < self._gave_up_at.get(grammar.family, 0):
                return ""
            start = self._cursor.place
            draft.spans += key, (start, start)
            while True:  # a closer that nothing follows is part of the value
                draft.spans[-1] = start, (yield from self._cursor.find(elements.value_closer))
                if follower := (yield from self._read_follower(grammar, form, *elements.key_openers)):
                    break
        return follower

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
        cursor = self._cursor
        if self._drafts[-1].spans:
            self._end_here = self._end_between_tags
        yield from cursor.skip(_BLANKS)
        follower = yield from cursor.take(*key_openers, *((form.closer,) if form.closer else grammar.ends))
        if follower and follower == form.closer:
            self._end_here = self._end_between_tags
            yield from cursor.skip(_BLANKS)
            follower = yield from cursor.take(form.opener, *grammar.ends)
        self._end_here = None
        return follower

    def _end_between_tags(self) -> list[WrittenCall]:
        """The calls, unless a tag has begun behind them."""
        return self._type_calls() if self._cursor.at == len(self._cursor.text) else []

    def _type_calls(self) -> list[WrittenCall]:
        """The calls of a complete block; none if the arguments of one are no JSON object where they should be one."""
        calls = []
        for draft in self._drafts:
            texts = [self._cursor.cut(*span) for span in draft.spans]
            if elements := draft.elements:
                arguments = {
                    key.strip(): type_value(_trim(value, elements.margin), self._schemas[draft.name], key.strip())
                    for key, value in zip(texts[::2], texts[1::2], strict=True)
                }
            else:
                values = read_values(texts[0])
                if len(values) != 1 or not isinstance(values[0], dict):
                    return []
                arguments = values[0]
            calls.append(WrittenCall(draft.name, arguments))
        return calls


def _list_blocks() -> dict[str, frozenset[str]]:
    blocks: dict[str, frozenset[str]] = {}
    for around in BLOCKS_AROUND.values():
        for opener, closers in around.items():
            for closer in closers:
                blocks[closer] = blocks.get(closer, frozenset()) | {opener}
    return blocks


_BLOCKS_OF = _list_blocks()
"""Closer -> openers of the blocks that it ends."""

BLOCK_TAGS = frozenset(_BLOCKS_OF) | frozenset(opener for around in BLOCKS_AROUND.values() for opener in around)
"""The tags that `CallReader.note_text` takes notice of."""


def _trim(value: str, margin: str) -> str:
    return value.removeprefix(margin).removesuffix(margin)
