"""Finds the fields that one model refuses in the text of its error, and changes requests so that it accepts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tray_app.catalog import EFFORTS
from tray_app.translate.refusal.error_text import (
    Rejection,
    find_allowed,
    find_marked,
    find_places,
    find_rejection,
    is_about_content,
    make_plain,
)
from tray_app.translate.refusal.quotes import cut_quotes
from tray_app.translate.request.encoded import EncodedMessages, encode_body
from tray_app.translate.request.output import ask_for_json
from tray_app.translate.request.tools import ask_for_call

_ESSENTIAL = frozenset({"model", "messages", "max_tokens", "stream", "tools"})
"""Fields that are never left out, because the request would become another one."""
_NO_HELP = ("messages", "tools", "max_tokens")
"""Fields that cannot be the quirk. If the error is about one of them, no change of another field helps."""

_CLIENTS_WORDS = ("messages", "tools", "response_format", "stop")
"""Fields with text of the client."""

_TEMPLATE = "chat_template_kwargs"


@dataclass(frozen=True, slots=True)
class Quirk:
    """A field that a model refuses, and its replacement."""

    field: str
    """The name of the field, or `chat_template_kwargs.NAME` for a field within that one."""
    refused: str | float | None = None
    """The refused value, or its `type` if it is an object; None if every value is refused."""
    instead: str | None = None
    """The value that is sent instead; None if the field is left out."""


def find_quirks(error_text: str, body: Mapping[str, Any]) -> tuple[Quirk, ...]:
    """Returns the quirks in upstream's error for `body` (HTTP 400 or 422). Each of them changes the request.

    There are none if the reason is another one, such as a prompt that is too long. Quotes of the request are ignored,
    because a page that a client read may say that some parameter is not supported.
    """
    quirks = _read_quirks(error_text, body)
    if quirks:  # quotes are searched only now, because that may take megabytes
        own = cut_quotes(error_text, _encode_clients_words(body))
        quirks = quirks if own == error_text else _read_quirks(own, body)
    return quirks


def _read_quirks(error_text: str, body: Mapping[str, Any]) -> tuple[Quirk, ...]:
    plain, places, marked = make_plain(error_text), find_places(error_text), find_marked(error_text)
    if is_about_content(error_text) or any(name in places or find_rejection(plain, name) for name in _NO_HELP):
        return ()
    quirks: list[Quirk] = []
    for field, value in body.items():
        if marked and marked != field and (field != _TEMPLATE or marked not in value):
            continue
        rejection = find_rejection(plain, field)
        if field == _TEMPLATE and rejection is None:
            rejection = find_rejection(plain, "chat_template")  # vLLM calls both fields by this name
        if rejection is not None:
            quirks.extend(_settle(field, value, rejection, plain))
        elif field == _TEMPLATE and isinstance(value, dict):
            quirks.extend(Quirk(f"{field}.{key}") for key in value if find_rejection(plain, key))
    return tuple(quirk for quirk in quirks if adapt(body, [quirk]) != body)


def _encode_clients_words(body: Mapping[str, Any]) -> Iterable[bytes]:
    return encode_body({name: body[name] for name in _CLIENTS_WORDS if name in body})


def adapt(body: Mapping[str, Any], quirks: Iterable[Quirk]) -> dict[str, Any]:
    """Returns the request without what the model refuses. An instruction replaces a field that the client needs."""
    adapted = dict(body)
    for quirk in quirks:
        adapted = _apply(quirk, adapted)
    return adapted


def _apply(quirk: Quirk, body: dict[str, Any]) -> dict[str, Any]:
    """Returns the request after one change; the same one if the quirk does not concern it."""
    field, _, key = quirk.field.partition(".")
    if field not in body or field in _ESSENTIAL:
        return body
    value = body[field]
    if key:
        if not isinstance(value, dict) or key not in value:
            return body
        return _replace(body, field, {name: item for name, item in value.items() if name != key} or None)
    if quirk.refused is not None and quirk.refused != _kind(value):
        return body
    changed = _replace(body, field, quirk.instead)
    if instruction := _instruct(field, value):
        return {**changed, "messages": _add_instruction(body["messages"], instruction)}
    return changed


def _replace(body: dict[str, Any], field: str, value: object) -> dict[str, Any]:
    """Returns the request with another value of a field; without the field if the value is None."""
    if value is None:
        return {name: item for name, item in body.items() if name != field}
    return {**body, field: value}


def _settle(field: str, value: Any, rejection: Rejection, error_text: str) -> Iterable[Quirk]:
    if rejection is Rejection.FIELD:
        return [Quirk(field)]
    allowed = find_allowed(error_text)
    kind = _kind(value)
    if field == "tool_choice":
        if kind in ("auto", "none", *allowed):  # the error is about another value
            return []
        return [Quirk(field, kind, "required" if "required" in allowed else "auto")]
    if field == "reasoning_effort":
        return [Quirk(field, kind, _next_effort(kind, allowed))]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [Quirk(field, value)]
    return [Quirk(field)]


def _kind(value: Any) -> Any:
    return value.get("type") if isinstance(value, dict) else value


def _next_effort(effort: str, allowed: frozenset[str]) -> str | None:
    """Returns the next accepted effort from `effort` upwards, or else the highest; None if no effort is accepted."""
    taken = [known for known in EFFORTS if known in allowed]
    above = EFFORTS[EFFORTS.index(effort) :] if effort in EFFORTS else EFFORTS
    return next((known for known in taken if known in above), taken[-1] if taken else None)


def _instruct(field: str, value: Any) -> str:
    """Returns the instruction that replaces a field; empty if the field needs none."""
    if field == "tool_choice" and isinstance(value, dict):
        return ask_for_call(value.get("function", {}).get("name", ""))
    if field == "tool_choice" and value == "required":
        return ask_for_call()
    if field == "response_format" and isinstance(value, dict) and "json_schema" in value:
        return ask_for_json(value["json_schema"].get("schema"))
    return ""


def _add_instruction(
    messages: list[dict[str, Any]] | EncodedMessages, instruction: str
) -> list[dict[str, Any]] | EncodedMessages:
    """Returns the messages with `instruction` at the end of the system message, which is the first one."""
    if isinstance(messages, EncodedMessages):
        return messages.with_instruction(instruction)
    if messages and messages[0].get("role") == "system":
        return [{**messages[0], "content": f"{messages[0]['content']}\n\n{instruction}"}, *messages[1:]]
    return [{"role": "system", "content": instruction}, *messages]
