"""Everything that the types of Anthropic's SDK let a client send: it is taken, and nothing encrypted goes upstream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin

import pytest
from anthropic.types import ContentBlockParam, ToolUnionParam
from anthropic.types.beta import (
    BetaContentBlockParam,
    BetaSystemMessageParam,
    BetaThinkingConfigParam,
    BetaToolUnionParam,
)
from anthropic.types.beta.message_create_params import MessageCreateParamsBase
from typing_extensions import get_type_hints, is_typeddict

from tests.translate.rows import ROWS, read
from tray_app.translate import json_text
from tray_app.translate.request.chat import to_chat
from tray_app.translate.request.tokens import estimate_request

_MOST_LEVELS = 8
_MOST_SAMPLES = 12
_SECRET = "Q0lQSEVSVEVYVA"
"""The value of each field that is encrypted, or holds a file."""
_SECRETS = ("data", "encrypted_content", "encrypted_index", "encrypted_stdout", "signature")
_PLAIN = {str: "words", int: 3, float: 0.5, bool: True, object: {"any": "thing"}, type(None): None, Any: "any"}


def origin_of(kind: Any) -> Any:
    return get_origin(kind)


def samples(kind: Any, level: int = 0) -> Iterator[Any]:
    """Values of a type: of each alternative some, with all fields and with the required ones alone."""
    origin, arguments = origin_of(kind), get_args(kind)
    if kind in _PLAIN:
        yield _PLAIN[kind]
    elif origin in (Required, NotRequired) or hasattr(kind, "__metadata__"):
        yield from samples(arguments[0], level)
    elif origin is Literal:
        yield from arguments
    elif origin is Union or str(origin) == "<class 'types.UnionType'>":
        for alternative in arguments:
            yield from islice(samples(alternative, level), _MOST_SAMPLES)
    elif is_typeddict(kind):
        yield from objects(kind, level)
    elif origin is dict:
        yield {"key": next(samples(arguments[1], level), "words")}
    elif level < _MOST_LEVELS and arguments:
        yield list(islice(samples(arguments[0], level + 1), _MOST_SAMPLES))
        yield []
    elif isinstance(kind, type) and hasattr(kind, "model_fields"):
        return  # the SDK takes its own answers back; their fields are those of the types for requests
    else:
        yield "words"


def objects(kind: Any, level: int) -> Iterator[dict[str, Any]]:
    if level >= _MOST_LEVELS:
        return
    hints = get_type_hints(kind, include_extras=True)
    values = {name: [*islice(samples(hint, level + 1), 200)] or [None] for name, hint in hints.items()}
    is_text = values.get("media_type") == ["text/plain"]
    values |= {name: [_SECRET] for name in _SECRETS if name in values and not is_text}
    for n in range(max(map(len, values.values()))):
        yield {name: choices[n % len(choices)] for name, choices in values.items()}
    yield {name: choices[0] for name, choices in values.items() if origin_of(hints[name]) is Required}


BLOCKS = [*samples(BetaContentBlockParam), *samples(ContentBlockParam)]
TOOLS = [*samples(BetaToolUnionParam), *samples(ToolUnionParam)]
HI = {"role": "user", "content": "hi"}


def check(**fields: Any) -> str:
    """The request as it is sent."""
    request = read(max_tokens=1000, **{"messages": [HI], **fields})
    assert estimate_request(request).tokens() > 0
    sent = [json_text.encode_valid(to_chat(request, ROWS[row]).body).decode() for row in ("glm", "nemotron", "glm-5.3")]
    assert _SECRET not in "".join(sent)
    return sent[0]


def kinds(values: Iterable[dict[str, Any]]) -> set[str]:
    return {str(value.get("type")) for value in values}


def test_the_samples_are_of_every_kind() -> None:
    assert {"text", "document", "compaction", "mcp_tool_listing", "tool_addition", "fallback"} <= kinds(BLOCKS)
    assert {"bash_20241022", "memory_20250818", "mcp_toolset", "browser_toolset_20260801"} <= kinds(TOOLS)
    assert len(kinds(BLOCKS)) > 20
    assert len(kinds(TOOLS)) > 20


@pytest.mark.parametrize("role", ["user", "assistant", "system"])
@pytest.mark.parametrize("kind", sorted(kinds(BLOCKS)))
def test_a_block_of_every_kind_is_taken_on_every_side(kind: str, role: str) -> None:
    for block in BLOCKS:
        if str(block.get("type")) == kind:
            check(messages=[HI, {"role": role, "content": [block]}, HI])


@pytest.mark.parametrize("kind", sorted(kinds(BLOCKS)))
def test_no_block_is_a_mystery(kind: str) -> None:
    told = "".join(
        check(messages=[HI, {"role": "assistant", "content": [block]}, HI]) for block in BLOCKS if block["type"] == kind
    )
    assert f"content of the type {kind} " not in told


def test_blocks_of_all_kinds_may_stand_in_one_message() -> None:
    for role in ("user", "assistant"):
        check(messages=[HI, {"role": role, "content": BLOCKS}, HI])


@pytest.mark.parametrize("kind", sorted(kinds(TOOLS)))
def test_a_tool_of_every_kind_is_taken(kind: str) -> None:
    for tool in TOOLS:
        if str(tool.get("type")) == kind:
            name = tool.get("name")
            check(tools=[tool], **({"tool_choice": {"type": "tool", "name": name}} if name else {}))
            others = [{"name": "Boat", "input_schema": {"type": "object"}}, tool]
            check(tools=others, **({"tool_choice": {"type": "tool", "name": name}} if name else {}))


def test_system_messages_of_every_kind_are_taken() -> None:
    for message in samples(BetaSystemMessageParam):
        check(messages=[HI, message])
        check(messages=[HI, message, {"role": "assistant", "content": "ho"}, HI])


def test_thinking_of_every_kind_is_taken() -> None:
    for thinking in samples(BetaThinkingConfigParam):
        check(thinking=thinking)


_OWN = ("messages", "model", "max_tokens", "tools", "tool_choice", "stream")
"""Tested above, or of plain types."""
_NOT_KEPT = ("thread",)
"""Refused: a client that relies on a conversation that the server keeps must know that there is none."""
FIELDS = get_type_hints(MessageCreateParamsBase, include_extras=True)


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {*_OWN, *_NOT_KEPT}))
def test_every_field_of_a_request_is_taken(name: str) -> None:
    for value in islice(samples(FIELDS[name]), 100):
        check(**{name: value})
