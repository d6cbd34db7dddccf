"""The ways in which models write calls as text, one row for each, as in the vendors' chat templates.

A block is everything from its opener to its closer; it holds one call or several. Blank characters may stand between
any two tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Schemas = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A complete call, its arguments typed by the tool's schema."""

    name: str
    arguments: dict[str, Any]


_BARE_KEY = re.compile(r"[^<]*")
_ATTRIBUTE_KEY = re.compile(r"[^<>\"']*")


@dataclass(frozen=True, slots=True)
class Elements:
    """Arguments as elements, one for each: a key, and a value that may hold any text, even the tags around it."""

    key_openers: tuple[str, ...]
    """What stands before a key, in one of these spellings; the longer one first."""
    key: re.Pattern[str]
    """The characters of a key."""
    key_closers: tuple[str, ...]
    value_opener: str
    """What stands between a key and its value; empty if nothing does."""
    value_closer: str
    margin: str = ""
    """What the template puts on either side of a value."""


@dataclass(frozen=True, slots=True)
class JsonCall:
    """A call as one JSON object, which holds the name of the tool and its arguments."""

    beginning: str
    """Its first characters that are not blank."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one family of models writes a block of calls."""

    family: str
    opener: str
    closer: str
    arguments: Elements | JsonCall
    call_openers: tuple[str, ...] = ()
    """What stands before the name of each call; empty if the block is one call, which begins with its name."""
    name_closers: tuple[str, ...] = ()
    """What stands behind the name; empty if nothing does."""
    call_closer: str = ""
    """What ends each call; empty if the block is one call, which ends with it."""

    @property
    def beginnings(self) -> tuple[str, ...]:
        """What may follow the opener of the block; an empty string if a name does."""
        return (self.arguments.beginning[0],) if isinstance(self.arguments, JsonCall) else self.call_openers or ("",)


_ATTRIBUTE_END = ('">', "'>", ">")

GRAMMARS = (  # if several have the same opener, the one with a name behind it comes last
    Grammar(
        "Hermes and Qwen",
        opener="<tool_call>",
        closer="</tool_call>",
        arguments=JsonCall('{"'),
    ),
    Grammar(
        "GLM 4.5 to 4.7",
        opener="<tool_call>",
        closer="</tool_call>",
        arguments=Elements(("<arg_key>",), _BARE_KEY, ("</arg_key>",), "<arg_value>", "</arg_value>"),
    ),
    Grammar(
        "MiniMax M2",
        opener="<minimax:tool_call>",
        call_openers=('<invoke name="', "<invoke name='", "<invoke name="),
        name_closers=_ATTRIBUTE_END,
        arguments=Elements(
            ('<parameter name="', "<parameter name='", "<parameter name="),
            _ATTRIBUTE_KEY,
            _ATTRIBUTE_END,
            "",
            "</parameter>",
            margin="\n",
        ),
        call_closer="</invoke>",
        closer="</minimax:tool_call>",
    ),
)


def _list_by_opener() -> dict[str, dict[str, Grammar]]:
    by_opener: dict[str, dict[str, Grammar]] = {grammar.opener: {} for grammar in GRAMMARS}
    for grammar in GRAMMARS:
        by_opener[grammar.opener] |= dict.fromkeys(grammar.beginnings, grammar)
    return by_opener


BY_OPENER = _list_by_opener()
"""Opener -> what follows it -> grammar."""
