"""Tool calls and think tags that a model wrote as text, found again as the text streams by.

A model's own markup reaches the client as text where the server's parser missed it: a call that is never run, thinking
that is shown. The reader holds text back only while it can still become markup, and gives it back unchanged when it
cannot: prose that quotes a tag is prose. What a backtick, a quote or a code fence introduces counts as quoted.

Grammars: GLM 4.5-4.7, MiniMax M2 and Hermes/Qwen, as in the vendors' chat templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tray_app.translate.schema import type_value

MAX_HELD_CHARS = 1_000_000
"""A call longer than this is given back as text: nothing may be held without end."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    text: str


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A complete call, its arguments typed by the tool's schema."""

    name: str
    arguments: dict[str, Any]


Piece = Text | Thought | WrittenCall
Schemas = Mapping[str, dict[str, Any]]

_CALL_OPENERS = ("<tool_call>", "<minimax:tool_call>")
_THINK_OPENERS = {"<think>": "</think>", "<mm:think>": "</mm:think>"}
_THINK_CLOSERS = tuple(_THINK_OPENERS.values())
_CONTROL_TOKENS = ("<|observation|>", "<|user|>", "<|assistant|>", "<|system|>", "<|endoftext|>")
_TAGS = (*_CALL_OPENERS, *_THINK_OPENERS, *_THINK_CLOSERS, *_CONTROL_TOKENS)
_QUOTES = "`'\""

_CALL_END, _MINIMAX_END = "</tool_call>", "</minimax:tool_call>"
_NAME = re.compile(r"[^\s<]*")
_GLM_ARGUMENT = re.compile(
    r"\s*<arg_key>(?P<key>[^<]*)</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>(?=\s*(?:<arg_key>|$))", re.S
)
_INVOKE = re.compile(
    r"\s*<invoke name=[\"']?(?P<name>[^\"'>]+)[\"']?>(?P<body>.*?)</invoke>(?=\s*(?:<invoke |$))", re.S
)
_PARAMETER = re.compile(
    r"\s*<parameter name=[\"']?(?P<key>[^\"'>]+)[\"']?>(?P<value>.*?)</parameter>(?=\s*(?:<parameter |$))", re.S
)


class MarkupReader:
    """Reads one channel of an answer, content or reasoning. The pieces, joined, are the text less its markup."""

    def __init__(self, schemas: Schemas, *, is_reasoning: bool = False) -> None:
        """`schemas`: name -> input schema of the tools that may be called; empty where none may."""
        self._schemas = schemas
        self._is_reasoning = is_reasoning
        self._held = ""  # not decided yet: the start of a tag, or all of a call so far
        self._think_end = ""  # the closing tag that is waited for; empty outside of think tags
        self._trims = False  # line ends beside a think tag are part of it
        self._last = ""  # the last character given out, to tell what is quoted
        self._backticks = 0  # at the end of what was given out
        self._is_fenced = False

    def __repr__(self) -> str:
        state = f"until {self._think_end}" if self._think_end else "text"
        return f"MarkupReader({state}, held={self._held[:40]!r})"

    def feed(self, text: str) -> list[Piece]:
        """The pieces that `text` settles."""
        if not (self._held or self._think_end or self._trims or "<" in text):  # almost all text
            return [self._give(text)]
        self._held += text
        return self._read(is_last=False)

    def finish(self) -> list[Piece]:
        """What is still held, as text: a call without its end is never shown as complete."""
        return self._read(is_last=True)

    def _read(self, *, is_last: bool) -> list[Piece]:
        pieces: list[Piece] = []
        while self._held:
            if self._trims:
                self._held = self._held.lstrip("\n")
                self._trims = not self._held
                continue
            before = self._held
            pieces += self._read_thinking(is_last) if self._think_end else self._read_text(is_last)
            if self._held == before:
                break
        return pieces

    def _read_thinking(self, is_last: bool) -> list[Piece]:
        inside, end, rest = self._held.partition(self._think_end)
        if end:
            self._held, self._think_end, self._trims = rest, "", True
        else:
            keep = 0 if is_last else _count_overlap(inside, self._think_end)
            self._held = inside[len(inside) - keep :]
            inside = inside[: len(inside) - keep]
        return [Thought(inside)] if inside else []

    def _read_text(self, is_last: bool) -> list[Piece]:
        """Everything up to the next tag, and the tag if it is settled what it is."""
        start = self._held.find("<")
        if start != 0:
            text = self._held if start < 0 else self._held[:start]
            self._held = self._held[len(text) :]
            return [self._give(text)]
        tag = next((tag for tag in _TAGS if self._held.startswith(tag)), "")
        if not tag:
            could_be = not is_last and any(tag.startswith(self._held) for tag in _TAGS)
            return [] if could_be else self._give_up_to_next_tag()
        if self._is_quoted():
            return self._give_up_to_next_tag()
        if tag in _CALL_OPENERS:
            return self._read_call(tag, is_last)
        self._held = self._held[len(tag) :]
        if tag in _THINK_OPENERS and not self._is_reasoning:
            self._think_end = _THINK_OPENERS[tag]
            self._trims = True
        return []  # a closing tag without its opener and control tokens are nothing that anybody said

    def _read_call(self, opener: str, is_last: bool) -> list[Piece]:
        read = _read_minimax if opener == "<minimax:tool_call>" else _read_glm_or_hermes
        found = read(self._held[len(opener) :], self._schemas) if self._schemas else None
        if found is None or (found == _UNDECIDED and (is_last or len(self._held) > MAX_HELD_CHARS)):
            return self._give_up_to_next_tag()
        if found == _UNDECIDED:
            return []
        calls, length = found
        self._held = self._held[len(opener) + length :]
        self._last = ""
        return list(calls)

    def _give_up_to_next_tag(self) -> list[Piece]:
        """The tag in front is text after all, and so is what follows until something else may begin."""
        end = self._held.find("<", 1)
        text = self._held if end < 0 else self._held[:end]
        self._held = self._held[len(text) :]
        return [self._give(text)]

    def _give(self, text: str) -> Piece:
        if text:
            self._follow_fences(text)
            self._last = text[-1]
        return Thought(text) if self._is_reasoning else Text(text)

    def _follow_fences(self, text: str) -> None:
        if "`" not in text and not self._backticks:
            return
        run = "`" * self._backticks + text
        already = 1 if self._backticks >= 3 else 0
        if (run.count("```") - already) % 2:
            self._is_fenced = not self._is_fenced
        self._backticks = min(3, len(run) - len(run.rstrip("`")))

    def _is_quoted(self) -> bool:
        return self._is_fenced or (self._last != "" and self._last in _QUOTES)


_Found = tuple[list[WrittenCall], int]
_UNDECIDED: _Found = ([], -1)


def _count_overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` could begin `tag`."""
    return next((n for n in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:n])), 0)


def _read_glm_or_hermes(text: str, schemas: Schemas) -> _Found | None:
    """The calls at the start of `text` and their length; _UNDECIDED while more may come, None where it is none."""
    body = text.lstrip()
    if not body:
        return _UNDECIDED
    return _read_hermes(text, schemas) if body[0] == "{" else _read_glm(text, schemas)


def _read_glm(text: str, schemas: Schemas) -> _Found | None:
    body = text.lstrip()
    name_match = _NAME.match(body)
    name = name_match[0] if name_match else ""
    rest = body[len(name) :]
    if not rest:
        return _UNDECIDED if any(known.startswith(name) for known in schemas) else None
    if name not in schemas:
        return None
    after = rest.lstrip()
    if not any(after.startswith(tag) or tag.startswith(after) for tag in ("<arg_key>", _CALL_END)):
        return None
    offset = len(text) - len(rest)
    end = text.find(_CALL_END, offset)
    while end >= 0:
        arguments = _read_all(_GLM_ARGUMENT, text[offset:end].rstrip())
        if arguments is not None:
            typed = {key.strip(): type_value(value, schemas[name], key.strip()) for key, value in arguments}
            return [WrittenCall(name, typed)], end + len(_CALL_END)
        end = text.find(_CALL_END, end + 1)  # that one stood inside a value
    return _UNDECIDED


def _read_hermes(text: str, schemas: Schemas) -> _Found | None:
    head = text.lstrip()[1:].lstrip()
    if head and head[0] != '"':
        return None
    end = text.find(_CALL_END)
    while end >= 0:
        try:
            call = json.loads(text[:end])
        except ValueError:
            end = text.find(_CALL_END, end + 1)
            continue
        name, arguments = call.get("name"), call.get("arguments", call.get("parameters"))
        if name not in schemas or not isinstance(arguments, dict):
            return None
        return [WrittenCall(name, arguments)], end + len(_CALL_END)
    return _UNDECIDED


def _read_minimax(text: str, schemas: Schemas) -> _Found | None:
    body = text.lstrip()
    head = "<invoke name="
    if not (body.startswith(head) or head.startswith(body)):
        return None
    after_name = re.match(r"<invoke name=[\"']?([^\"'>]*)(.?)", body)
    if after_name:
        name, closing = after_name[1], after_name[2]
        if name not in schemas if closing else not any(known.startswith(name) for known in schemas):
            return None
    end = text.find(_MINIMAX_END)
    while end >= 0:
        calls = _read_invokes(text[:end].rstrip(), schemas)
        if calls is not None:
            return (calls, end + len(_MINIMAX_END)) if calls else None
        end = text.find(_MINIMAX_END, end + 1)
    return _UNDECIDED


def _read_invokes(text: str, schemas: Schemas) -> list[WrittenCall] | None:
    """The calls of a MiniMax block; None where the text is not invokes alone, empty where one is not offered."""
    invokes = _read_all(_INVOKE, text, "name", "body")
    if not invokes:
        return None
    calls = []
    for name, body in invokes:
        parameters = _read_all(_PARAMETER, body.rstrip())
        if parameters is None:
            return None
        if name not in schemas:
            return []
        typed = {key: type_value(_trim_line_ends(value), schemas[name], key) for key, value in parameters}
        calls.append(WrittenCall(name, typed))
    return calls


def _read_all(
    pattern: re.Pattern[str], text: str, key: str = "key", value: str = "value"
) -> list[tuple[str, str]] | None:
    """All matches one after another; None if they do not make up the whole text."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            return None if text[position:].strip() else found
        found.append((match[key], match[value]))
        position = match.end()
    return found


def _trim_line_ends(value: str) -> str:
    """MiniMax's template sets a value apart by one line end on either side."""
    return value.removeprefix("\n").removesuffix("\n")
