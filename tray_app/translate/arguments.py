"""The arguments of one tool call: fragments of JSON as a model writes it in, a JSON object as a client takes it out.

What has been given out can't be taken back, so only what is settled leaves: the text of strings at once, all else when
what follows shows that it is whole. Broken JSON is held from the place where it breaks, and repaired at the end.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from enum import Enum
from typing import Any

from tray_app.translate import json_text
from tray_app.translate.schema import NO_PARAMETERS, Parameters

MAX_BLANKS = 500
"""White space between values: a model that has written so much of it in a row is in a loop, and writes nothing else."""

RAW_KEY = "arguments"
"""Holds arguments that are no object at all, for the tool's own error to show."""

_MAX_KEY_CHARS = 10_000
_MAX_REPAIR_CHARS = 1_000_000  # repairing more takes seconds

_BLANK = r"[ \t\n\r]*"  # JSON's own; Python's \s is more
_CHARACTERS = r'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*'
_STRING_RUN = re.compile(_CHARACTERS)
_HEAD = re.compile(rf'{_BLANK}("{_CHARACTERS}"){_BLANK}:{_BLANK}(?=[^ \t\n\r])')
# after a value: one more member, another object behind this one's end, the end, or the end of what is known
_AFTER = re.compile(
    rf'{_BLANK}(?:(?P<more>,)(?={_BLANK}")|(?P<another>\}}{_BLANK})(?=\{{)|(?P<end>\}}{_BLANK}\Z)|(?P<open>(?:,{_BLANK})?\Z))'
)
# in text that may be broken
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)
_DANGLING_KEY = re.compile(r',?\s*"(?:[^"\\]|\\.)*"\s*:\s*\Z')


class _Part(Enum):
    """What the held text is the beginning of."""

    OBJECT = "object"
    MEMBER = "member"
    VALUE = "value"
    STRING = "rest of a string that is given out as it comes"
    BROKEN = "what is no JSON"
    NOTHING = "nothing, as the object is closed"


class ArgumentsReader:
    """Reads the arguments of one call. The pieces of `feed`, joined with that of `finish`, are one JSON object."""

    def __init__(self, parameters: Parameters = NO_PARAMETERS) -> None:
        self._parameters = parameters
        self._fragments: list[str] = []
        self._size_chars = 0
        self._part = _Part.OBJECT
        self._held = ""
        self._key = ""  # of the newest member
        self._key_text = ""  # the same with quotes, colon and white space, as the model wrote it
        self._given: list[str] = []  # keys of the members given out
        self._string: list[str] | None = None  # what of an open string was given out, still escaped
        self._tried_chars = 0  # how much was held when its value was last found unfinished
        self._pieces: list[str] = []  # given out
        self._rest = ""  # of other arguments, which took the place of those that broke off
        self.surplus = ""
        """What follows the closed object: another one, glued to it."""

    def __repr__(self) -> str:
        return f"ArgumentsReader({self._part.name}, held={self._held[:40]!r})"

    @property
    def is_complete(self) -> bool:
        """Whether what was fed is one whole object."""
        return self._part is _Part.NOTHING or _follows(self._find_after()) == "end"

    @property
    def is_half(self) -> bool:
        """Whether what was fed breaks off. What is broken and has its end is another matter."""
        text = "".join(self._fragments).rstrip()
        return bool(text) and not self.is_complete and not text.endswith("}")

    @property
    def is_runaway(self) -> bool:
        """Whether the model is stuck in white space between values."""
        if len(self._held) < MAX_BLANKS or not self._held[-MAX_BLANKS:].isspace():
            return False
        text = self._held[1:] if self._part is _Part.STRING else self._held
        return '"' not in _STRING.sub("", text)  # else a string is open

    def restart(self, text: str) -> bool:
        """Puts other, whole arguments in the place of those that broke off, if they begin as what is given out does."""
        other = ArgumentsReader(self._parameters)
        whole = other.feed(text) + other.finish()
        if not whole.startswith(given := "".join(self._pieces)):
            return False
        self._part, self._held, self._rest = _Part.NOTHING, "", whole[len(given) :]
        return True

    def feed(self, fragment: str) -> str:
        """What `fragment` settles of the object's text; it may be empty."""
        if self._part is _Part.NOTHING:
            self.surplus += fragment
            return ""
        if fragment := self._without_repeated(fragment):
            self._fragments.append(fragment)
            self._size_chars += len(fragment)
            self._held += fragment
        pieces: list[str] = []
        while self._settle(pieces):
            pass
        self._pieces += pieces
        return "".join(pieces)

    def finish(self, *, is_cut: bool = False) -> str:
        """The rest of the object. `is_cut`: the answer ran out of tokens, and half a call must not look like one."""
        self._tried_chars = 0
        rest = self.feed("")
        after = self._find_after()
        if self._part is _Part.NOTHING:
            return rest + self._rest
        if after is not None and _follows(after) == "end":
            rest += self._write_value(self._held[: after.start()]) + self._write_end()
        elif is_cut and self._fragments:
            rest += self._write_half()
        else:
            rest += self._repair()
        self._part, self._held = _Part.NOTHING, ""
        return rest

    def _without_repeated(self, fragment: str) -> str:
        """Some servers send all of the arguments so far in every chunk, or once more in the last one."""
        if self._part is _Part.OBJECT or len(fragment) < self._size_chars or not fragment.lstrip().startswith("{"):
            return fragment
        return fragment.removeprefix("".join(self._fragments))

    def _settle(self, pieces: list[str]) -> bool:
        """Gives out the next piece; False where more must come first."""
        match self._part:
            case _Part.OBJECT:
                return self._settle_brace()
            case _Part.MEMBER:
                return self._settle_head(pieces) or self._settle_value(pieces)
            case _Part.STRING:
                return self._settle_run(pieces) or self._settle_value(pieces)
            case _Part.VALUE:
                # a long list is looked at again only when it has grown well, lest that take the square of its length
                return len(self._held) > self._tried_chars * 1.06 and self._settle_value(pieces)
        return False

    def _settle_brace(self) -> bool:
        text = self._held.lstrip()
        if text.startswith("{"):
            self._held, self._part = text[1:], _Part.MEMBER
        elif text:
            self._part = _Part.BROKEN
        return self._part is _Part.MEMBER

    def _settle_head(self, pieces: list[str]) -> bool:
        head = _HEAD.match(self._held)
        if head is None:
            if len(self._held) > _MAX_KEY_CHARS or self._held.lstrip()[:1] not in ("", '"', "}"):
                self._part = _Part.BROKEN
            return False
        self._begin_member(json.loads(head[1]), head[0])
        self._held, self._part, self._tried_chars = self._held[head.end() :], _Part.VALUE, 0
        if self._held[0] == '"' and self._parameters.takes_string(self._key):
            pieces.append(self._write_head() + '"')
            self._held, self._part, self._string = self._held[1:], _Part.STRING, []
        return True

    def _settle_run(self, pieces: list[str]) -> bool:
        run = _STRING_RUN.match(self._held)
        if run is None or not run[0]:
            return False
        assert self._string is not None
        self._held = self._held[run.end() :]
        self._string.append(run[0])
        pieces.append(run[0])
        return True

    def _settle_value(self, pieces: list[str]) -> bool:
        after = self._find_after()
        follows = _follows(after)
        if after is None or follows in ("end", "open"):
            self._tried_chars = len(self._held)
            return False
        pieces.append(self._write_value(self._held[: after.start()]))
        self._held, self._part, self._string = self._held[after.end() :], _Part.MEMBER, None
        if follows == "another":
            pieces.append(self._write_end())
            self.surplus, self._held, self._part = self._held, "", _Part.NOTHING
        return True

    def _find_after(self) -> re.Match[str] | None:
        """What follows the value that the held text begins with; None where that value is not whole."""
        start = -1
        if self._part is _Part.MEMBER and not self._given:
            start = 0  # of an empty object
        elif self._part is _Part.STRING and self._held.startswith('"'):
            start = 1
        elif self._part is _Part.VALUE:
            try:
                start = _decoder.raw_decode(self._held)[1]
            except (ValueError, RecursionError):
                start = -1
        return _AFTER.match(self._held, start) if start >= 0 else None

    def _begin_member(self, key: str, text: str = "") -> None:
        """`text`: key and colon as the model wrote them."""
        name = self._parameters.client_name(key)
        self._key, self._key_text = key, text if text and name == key else f"{_encode(name)}:"

    def _write_head(self) -> str:
        """Brace or comma, key and colon of the newest member."""
        before = "," if self._given else "{"
        self._given.append(self._key)
        return before + self._key_text

    def _write_value(self, text: str) -> str:
        if self._part is not _Part.VALUE:
            return text  # the quote of a string, or nothing
        value = _decoder.decode(text)
        restored = self._parameters.restore(self._key, value, text)
        return self._write_head() + (text if restored == value else _encode(restored))

    def _write_end(self) -> str:
        """The closing brace, after what the client requires although it may be null."""
        missing = [f"{_encode(name)}:null" for name in self._parameters.missing(self._given)]
        before = "{" if not self._given else "," if missing else ""
        return before + ",".join(missing) + "}"

    def _write_half(self) -> str:
        """What is held of an object that was cut off, as the model wrote it."""
        if not self._given:
            return "".join(self._fragments)
        before = self._write_head() if self._part is _Part.VALUE else "," if self._part is _Part.MEMBER else ""
        return before + self._held

    def _repair(self) -> str:
        """What makes the text given out so far an object that says what the model seems to have meant."""
        rest, meant = "", _mend("".join(self._fragments))
        if self._string is not None:
            rest = _continue_string("".join(self._string), meant.get(self._given[-1])) + '"'
        for key, value in meant.items():
            if key not in self._given:
                self._begin_member(key)
                rest += self._write_head() + _encode(self._parameters.restore(key, value))
        return rest + self._write_end()


def _follows(after: re.Match[str] | None) -> str:
    return (after.lastgroup or "") if after is not None else ""


def _mend(text: str) -> dict[str, Any]:
    """The object that a broken text means; the text itself under RAW_KEY where it means none."""
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            value = value[0]
        if isinstance(value, str):  # encoded twice
            return _mend(value)
        return value if isinstance(value, dict) else {RAW_KEY: value} if value is not None else {}
    text = _DANGLING_KEY.sub("", text)  # no value is better than an invented one
    if not text.strip():
        return {}
    meant: object = None
    if len(text) <= _MAX_REPAIR_CHARS:
        from json_repair import loads  # here, as it is seldom needed

        with suppress(Exception):  # it promises none, but its input is any text at all
            meant = loads(text, skip_json_loads=True)
    if isinstance(meant, dict) and (meant or not text.strip("{} \n\r\t")):
        return meant
    return {RAW_KEY: text}


def _continue_string(given: str, whole: object) -> str:
    """The rest of a string, escaped, of which `given` is out already; nothing where it does not begin so."""
    begun = json.loads(f'"{given}"')
    return _encode(whole[len(begun) :])[1:-1] if isinstance(whole, str) and whole.startswith(begun) else ""


def _encode(value: Any) -> str:
    return json_text.encode(value).decode()


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
