"""The shape of a grammar: how one family of models writes tool calls as text.

A block is everything from its opener to its closer. It holds one call or several. White space may stand between any two
tags. `grammars.py` has one row for each family.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

END_TOKENS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|observation|>", "<|user|>", "<｜end▁of▁sentence｜>")
"""Tokens that models write at the end of an answer."""


@dataclass(frozen=True, slots=True)
class Elements:
    """Arguments that are written as elements, each with a key and a value. A value may hold any text, even tags."""

    key_openers: tuple[str, ...]
    """The spellings of the tag before a key. Here and below, a spelling stands before those that it begins with."""
    key: re.Pattern[str]
    """Matches the characters of a key."""
    key_closers: tuple[str, ...]
    value_closer: str
    value_opener: str = ""
    """The tag between a key and its value. Empty if there is none."""
    margin: str = ""
    """The text that the chat template puts on both sides of a value."""


@dataclass(frozen=True, slots=True)
class NamedCall:
    """Calls that begin with the name of the tool."""

    elements: Elements | None = None
    """How the arguments are written. None if they are always one JSON object. Any call may have an object instead."""
    opener: str = ""
    """The tag before a call. Empty if the call begins with the block."""
    name_openers: tuple[str, ...] = ()
    name_rest: tuple[str, ...] = ()
    """Texts that may stand behind the name, in any order and number."""
    name_closers: tuple[str, ...] = ()
    closer: str = ""
    """The tag behind a call. Empty if the call ends with the block."""


@dataclass(frozen=True, slots=True)
class JsonCalls:
    """Calls in JSON, each an object with the name of the tool and the arguments: one, several in a row, or a list."""

    beginning: str
    """The first characters of the JSON, without white space."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one family of models writes a block of calls."""

    family: str
    opener: str
    closers: tuple[str, ...]
    calls: NamedCall | JsonCalls

    @property
    def ends(self) -> tuple[str, ...]:
        """The texts that end the block: a closer, or the token at which the model stops, if upstream passes that on."""
        return self.closers + END_TOKENS

    @property
    def beginning(self) -> str:
        """The text that follows the opener. Empty if a name follows."""
        return self.calls.beginning[0] if isinstance(self.calls, JsonCalls) else self.calls.opener
