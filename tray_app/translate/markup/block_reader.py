"""Reads one block of calls that a model wrote as text, while the text arrives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tray_app.translate.markup.cursor import Cursor, Waiting
from tray_app.translate.markup.drafts import Draft, Schemas, Span, to_calls
from tray_app.translate.markup.grammar import Elements, Grammar, JsonCalls, NamedCall
from tray_app.translate.markup.json_calls import read_calls, skip_json
from tray_app.translate.markup.pieces import WrittenCall
from tray_app.translate.tool_names import MOST_NAME_CHARS, ToolNames

_BLANKS = re.compile(r"\s*")
_NAME = re.compile(r"[\w.:()-]*")


class BlockReader:
    """Reads one block from behind its opener."""

    def __init__(
        self,
        cursor: Cursor,
        grammars: Mapping[str, Grammar],
        schemas: Schemas,
        names: ToolNames,
        gave_up_at: Mapping[str, int],
    ) -> None:
        """`grammars`: text that follows the opener -> grammar. `schemas`, `names`: of the tools that may be called.
        `gave_up_at`: family -> the last place from which on its readers fail."""
        self._cursor = cursor
        self._schemas = schemas
        self._names = names
        self._gave_up_at = gave_up_at
        self._grammar: Grammar | None = None  # None until it is known
        self._has_elements = False  # whether the block has arguments that are elements
        self._json_start: int | None = None  # the place of its newest arguments; None if they are elements
        self._drafts: list[Draft] = []  # the calls so far, of which the last one may be half
        self._end_here: Callable[[], list[WrittenCall]] | None = None  # None if the text may not end here
        self._steps = self._read_block(grammars)

    @property
    def family(self) -> str:
        """The family of the block's grammar. Empty until it is known."""
        return self._grammar.family if self._grammar else ""

    def read(self) -> list[WrittenCall] | None:
        """Returns the calls. The list is empty if this is no such block. None if more text is needed."""
        return next(self._steps)

    def end(self) -> list[WrittenCall] | None:
        """Returns the calls if the text may end here, without the end of the block. None if it may not."""
        if self._end_here is None:
            return None
        self._cursor.gather()
        calls = self._end_here()
        if calls:
            self._cursor.at = len(self._cursor.text)
        return calls

    def find_failure(self, *, is_at_end: bool) -> int:
        """Returns the place from which on another reader of this family would fail as well, or 0 if there is none.

        `is_at_end`: this reader failed because the text ended.
        """
        if not self._has_elements:
            return 0
        if self._json_start is not None:
            return self._json_start
        return self._cursor.end if is_at_end else self._cursor.place

    def _read_block(self, grammars: Mapping[str, Grammar]) -> Iterator[list[WrittenCall] | None]:
        """Yields None whenever more text is needed, and then the calls."""
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
        yield from skip_json(cursor, is_in_string=form.beginning.endswith('"'))
        end = cursor.place
        if not (yield from cursor.take(*grammar.ends)):
            return []
        cursor.gather()
        return read_calls(cursor.cut(start, end), self._names)

    def _read_named_calls(self, grammar: Grammar, form: NamedCall) -> Waiting[list[WrittenCall]]:
        follower = ""
        while follower not in grammar.ends:
            name = yield from self._read_name(form)
            if not name:
                return []
            self._drafts.append(draft := Draft(name))
            yield from self._cursor.skip(_BLANKS)
            if not form.elements or (yield from self._cursor.peek()) == "{":
                follower = yield from self._read_json_object(grammar, form, draft)
            else:
                draft.elements = form.elements
                follower = yield from self._read_elements(grammar, form, form.elements, draft)
            if not follower:
                return []
        self._cursor.gather()
        return self._to_calls()

    def _read_name(self, form: NamedCall) -> Waiting[str]:
        """Steps over the name of a tool, and the texts around it. Returns the name as the request has it, or an empty
        string if no tool that may be called has this name."""
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

    def _read_json_object(self, grammar: Grammar, form: NamedCall, draft: Draft) -> Waiting[str]:
        """Steps over the arguments and the tags behind them. Returns the last tag, or an empty string."""
        cursor = self._cursor
        yield from cursor.skip(_BLANKS)
        start = self._json_start = cursor.place
        if not (yield from cursor.take("{")):
            return ""

        def end_here() -> list[WrittenCall]:
            draft.spans = [(start, cursor.end)]
            return self._to_calls()

        self._end_here = end_here
        yield from skip_json(cursor, is_in_string=False)
        draft.spans = [(start, cursor.place)]
        return (yield from self._read_follower(grammar, form))

    def _read_elements(self, grammar: Grammar, form: NamedCall, elements: Elements, draft: Draft) -> Waiting[str]:
        """Steps over the arguments and the tags behind them. Returns the last tag, or an empty string."""
        self._has_elements, self._json_start = True, None
        follower = yield from self._read_follower(grammar, form, *elements.key_openers)
        while follower in elements.key_openers:
            key = yield from self._read_key(elements)
            if key is None or self._cursor.place < self._gave_up_at.get(grammar.family, 0):
                return ""
            start = self._cursor.place
            draft.spans += key, (start, start)
            while True:  # a closer is part of the value if no tag follows
                draft.spans[-1] = start, (yield from self._cursor.find(elements.value_closer))
                if follower := (yield from self._read_follower(grammar, form, *elements.key_openers)):
                    break
        return follower

    def _read_key(self, elements: Elements) -> Waiting[Span | None]:
        """Steps over a key and the tags behind it. Returns the span of the key, or None if the tags are missing."""
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
        """Steps over the tags that may follow a name or an argument: the opener of a key, or the closer of the call and
        then the opener of the next call or the closer of the block. Returns the last tag, or an empty string."""
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
        """Returns the calls, or none if a tag has begun behind them."""
        return self._to_calls() if self._cursor.at == len(self._cursor.text) else []

    def _to_calls(self) -> list[WrittenCall]:
        return to_calls(self._drafts, self._cursor, self._schemas)
