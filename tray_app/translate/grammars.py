"""The ways in which models write calls as text, one row for each, as in the vendors' chat templates.

A block is everything from its opener to its closer; it holds one call or several. Blank characters may stand between
any two tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Schemas = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A complete call, its arguments typed by the tool's schema."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Elements:
    """Arguments as elements, one for each: a key, and a value that may hold any text, even the tags around it."""

    key_openers: tuple[str, ...]
    """What stands before a key, in one of these spellings; the longer one first. So in all that follows."""
    key: re.Pattern[str]
    """The characters of a key."""
    key_closers: tuple[str, ...]
    value_closer: str
    value_opener: str = ""
    """What stands between a key and its value; empty if nothing does."""
    margin: str = ""
    """What the template puts on either side of a value."""


@dataclass(frozen=True, slots=True)
class NamedCall:
    """A call that begins with the name of its tool."""

    elements: Elements | None = None
    """How the arguments are written; None if they are one JSON object."""
    opener: str = ""
    """Empty if the call begins with the block."""
    name_openers: tuple[str, ...] = ()
    name_rest: re.Pattern[str] | None = None
    """Characters that may stand behind the name; None if none may."""
    name_closers: tuple[str, ...] = ()
    closer: str = ""
    """Empty if the call ends with the block."""


@dataclass(frozen=True, slots=True)
class JsonCalls:
    """One call or a list of calls in JSON, each an object with the name of its tool and the arguments."""

    beginning: str
    """Its first characters that are not blank."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one family of models writes a block of calls."""

    family: str
    opener: str
    closer: str
    calls: NamedCall | JsonCalls

    @property
    def beginning(self) -> str:
        """What follows the opener; empty if a name does."""
        return self.calls.beginning[0] if isinstance(self.calls, JsonCalls) else self.calls.opener


_BARE_KEY = re.compile(r"[^<]*")
_ATTRIBUTE = re.compile(r"[^<>\"']*")
_ATTRIBUTE_OPENERS = ('"', "'", "")
_ATTRIBUTE_CLOSERS = ('">', "'>", ">")

_GLM = NamedCall(Elements(("<arg_key>",), _BARE_KEY, ("</arg_key>",), "</arg_value>", value_opener="<arg_value>"))
_INVOKE = NamedCall(
    Elements(
        ('<parameter name="', "<parameter name='", "<parameter name="),
        _ATTRIBUTE,
        _ATTRIBUTE_CLOSERS,
        "</parameter>",
        margin="\n",
    ),
    opener="<invoke name=",
    name_openers=_ATTRIBUTE_OPENERS,
    name_closers=_ATTRIBUTE_CLOSERS,
    closer="</invoke>",
)
_FUNCTION = NamedCall(
    Elements(("<parameter=",), _ATTRIBUTE, (">",), "</parameter>", margin="\n"),
    opener="<function=",
    name_closers=(">",),
    closer="</function>",
)
_DSML = NamedCall(
    Elements(
        ('<｜DSML｜parameter name="',),
        _ATTRIBUTE,
        ('" string="true">', '" string="false">', '">'),
        "</｜DSML｜parameter>",
    ),
    opener='<｜DSML｜invoke name="',
    name_closers=('">',),
    closer="</｜DSML｜invoke>",
)
_DEEPSEEK = NamedCall(
    opener="<｜tool▁call▁begin｜>",
    name_closers=("<｜tool▁sep｜>",),
    closer="<｜tool▁call▁end｜>",
)
_KIMI = NamedCall(
    opener="<|tool_call_begin|>",
    name_openers=("functions.", ""),
    name_rest=re.compile(r"[:\d]*"),
    name_closers=("<|tool_call_argument_begin|>",),
    closer="<|tool_call_end|>",
)
_HARMONY = NamedCall(
    name_rest=re.compile(r"\s*"),
    name_closers=("<|constrain|>json<|message|>", "json<|message|>", "<|message|>"),
)


_ALONE = (_INVOKE, _FUNCTION)
"""Calls that are also written without a block around them."""

GRAMMARS = (  # of several with the same opener, the one with a name behind it comes last
    Grammar("Hermes and Qwen", "<tool_call>", "</tool_call>", JsonCalls('{"')),
    Grammar("Qwen3-Coder and Nemotron 3.5", "<tool_call>", "</tool_call>", _FUNCTION),
    Grammar("GLM 4.5 to 4.7", "<tool_call>", "</tool_call>", _GLM),
    Grammar("MiniMax M2", "<minimax:tool_call>", "</minimax:tool_call>", _INVOKE),
    Grammar("Claude's XML", "<function_calls>", "</function_calls>", _INVOKE),
    Grammar("Nemotron 3", "<TOOLCALL>", "</TOOLCALL>", JsonCalls('[{"')),
    Grammar("gpt-oss", "<|channel|>commentary to=functions.", "<|call|>", _HARMONY),
    Grammar("Kimi", "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", _KIMI),
    Grammar("DeepSeek V3.1", "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", _DEEPSEEK),
    Grammar("DeepSeek V3.2", "<｜DSML｜function_calls>", "</｜DSML｜function_calls>", _DSML),
    *(Grammar(call.opener, call.opener, call.closer, replace(call, opener="", closer="")) for call in _ALONE),
)


def _list_by_opener() -> dict[str, dict[str, Grammar]]:
    by_opener: dict[str, dict[str, Grammar]] = {grammar.opener: {} for grammar in GRAMMARS}
    for grammar in GRAMMARS:
        by_opener[grammar.opener][grammar.beginning] = grammar
    return by_opener


BY_OPENER = _list_by_opener()
"""Opener -> what follows it -> grammar."""

BLOCKS_AROUND = {
    call.opener: {grammar.opener: grammar.closer for grammar in GRAMMARS if grammar.calls is call} for call in _ALONE
}
"""Opener of a call that may stand alone -> opener of a block that may stand around it -> closer of that block."""
