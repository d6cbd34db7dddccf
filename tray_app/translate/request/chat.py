"""Translates a request of Anthropic's Messages API to one of OpenAI's Chat Completions API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tray_app.catalog import EFFORTS, Model
from tray_app.errors import InvalidRequest
from tray_app.translate.call_ids import read_used_ids
from tray_app.translate.request.body import MessagesRequest, Thinking
from tray_app.translate.request.calibration import UNCALIBRATED, Calibration
from tray_app.translate.request.content import read_system
from tray_app.translate.request.encoded import EncodedMessages
from tray_app.translate.request.history import to_messages
from tray_app.translate.request.output import find_brackets, read_effort, read_format
from tray_app.translate.request.tokens import Estimate, estimate_chat
from tray_app.translate.request.tool_changes import effective_tools
from tray_app.translate.request.tools import Tool, ToolChoice, ToolSet, pick_schemas, read_choice, read_tools
from tray_app.translate.schema.limits import Schema

MAX_STOPS = 4
"""NVIDIA's limit for stop sequences. The gateway itself looks for the others in the answer."""
_LEAST_ROOM_TOKENS = 1_024
"""Least value of `max_tokens` that is sent, even if the prompt seems to fill the window."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The request that is sent upstream (`body`), and the facts of it that the translation of its answer needs."""

    body: dict[str, Any]
    model: Model
    tools: Mapping[str, Tool]
    """Name as sent upstream -> the client's tool."""
    callable_schemas: Mapping[str, Schema]
    """Name -> schema, both as sent upstream, of the tools that `tool_choice` allows."""
    shows_thinking: bool
    """False if the client did not ask for thinking. Then it gets none, as with Anthropic's API."""
    stop_sequences: Sequence[str]
    estimate: Estimate
    """The estimate for the request as it is sent upstream."""
    input_tokens: int
    """The calibrated estimate."""
    omits_thinking: bool = False
    """True if thinking blocks have only their signature, and no text."""
    used_call_ids: Collection[str] = frozenset()
    """Ids of the calls in the conversation so far, cleaned as the ids of new calls are."""
    json_brackets: str = ""
    """The brackets with which the answer may begin if all of it must be JSON; empty if it may be other text."""

    @property
    def is_stream(self) -> bool:
        """Returns whether the answer is streamed."""
        return bool(self.body.get("stream"))

    @property
    def wants_nothing(self) -> bool:
        """Returns whether the answer may have no tokens. Then no model is asked."""
        return bool(self.body["max_tokens"] == 0)


def to_chat(request: MessagesRequest, model: Model, calibration: Calibration = UNCALIBRATED) -> ChatRequest:
    """Returns the chat request for `model`. InvalidRequest names the tool, or the `tool_choice`, that is wrong."""
    try:
        return _translate(request, model, calibration)
    except RecursionError:
        raise InvalidRequest("The request is nested too deeply.") from None


def _translate(request: MessagesRequest, model: Model, calibration: Calibration) -> ChatRequest:
    tool_set = read_tools(effective_tools(request))
    frame = read_frame(request, model, tool_set)
    messages = to_messages(request.messages, model, tool_set.tools)
    if frame.system:
        messages.insert(0, {"role": "system", "content": frame.system})
    parts = Parts(
        messages,
        tool_set.functions,
        estimate_chat(messages, tool_set.functions),
        frozenset(read_used_ids(request.newest_blocks())),
    )
    return assemble(request, model, calibration, tool_set, frame, parts)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the conversation of a chat request."""

    choice: ToolChoice
    answer_format: dict[str, Any]
    """The fields for the format of the answer."""
    system: str
    """The text of the system message; empty if there is none."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The large parts of a chat request, as they are sent, and what was found out about them."""

    messages: list[dict[str, Any]] | EncodedMessages
    tools: list[dict[str, Any]] | msgspec.Raw
    """Function tools. `Raw` is their JSON."""
    estimate: Estimate
    used_call_ids: frozenset[str]


def read_frame(request: MessagesRequest, model: Model, tool_set: ToolSet) -> Frame:
    """Returns what stands around the conversation. InvalidRequest if the `tool_choice` is wrong."""
    choice = read_choice(request.tool_choice, tool_set, model)
    answer_format, on_format = read_format(request.answer_schema, model, has_tools=bool(tool_set.functions))
    texts = (read_system(request.system), choice.instruction, on_format)
    return Frame(choice, answer_format, "\n\n".join(text for text in texts if text))


def assemble(
    request: MessagesRequest, model: Model, calibration: Calibration, tool_set: ToolSet, frame: Frame, parts: Parts
) -> ChatRequest:
    """Returns the chat request that has these parts. The messages of `request` say how much effort is wanted."""
    thinking = request.thinking or Thinking()
    input_tokens = parts.estimate.tokens(calibration.factor)
    chat: dict[str, Any] = {
        "model": model.id,
        "messages": parts.messages,
        "max_tokens": _max_tokens(request, model, round(input_tokens * calibration.margin)),
        **_sampling(request, model),
        **_thinking(model, thinking.is_on, read_effort(request)),
        **frame.answer_format,
    }
    if request.stops:
        chat["stop"] = request.stops[:MAX_STOPS]
    if tool_set.functions:
        chat["tools"] = parts.tools
        chat.update(frame.choice.fields)
    if request.stream:
        chat["stream"] = True
        chat["stream_options"] = {"include_usage": True}
    return ChatRequest(
        chat,
        model,
        tools=tool_set.tools,
        callable_schemas=pick_schemas(tool_set.functions, frame.choice.callable),
        shows_thinking=thinking.is_on,
        stop_sequences=request.stops,
        estimate=parts.estimate,
        input_tokens=input_tokens,
        omits_thinking=thinking.is_on and thinking.is_hidden,
        used_call_ids=parts.used_call_ids,
        json_brackets=find_brackets(request.answer_schema),
    )


def _thinking(model: Model, thinks: bool, effort: str) -> dict[str, Any]:
    """Returns the fields that switch thinking on or off and set its effort.

    A model that lacks the requested effort gets the next higher one, or its highest.
    """
    fields = dict(model.thinking_on if thinks else model.thinking_off)
    if thinks and effort and model.efforts:
        enough = (known for known in model.efforts if EFFORTS.index(known) >= EFFORTS.index(effort))
        fields["reasoning_effort"] = next(enough, model.efforts[-1])
    elif not thinks and not fields and model.efforts:  # thinking that cannot be switched off can be kept short
        fields["reasoning_effort"] = model.efforts[0]
    return fields


def _max_tokens(request: MessagesRequest, model: Model, most_input_tokens: int) -> int:
    wanted = model.max_output_tokens if request.max_tokens is None else request.max_tokens
    # upstream refuses a prompt and answer that exceed the window together. If almost no room is left, let it refuse:
    # then the client compacts the conversation
    room = max(_LEAST_ROOM_TOKENS, model.context_tokens - most_input_tokens)
    return min(wanted, model.max_output_tokens, room)


def _sampling(request: MessagesRequest, model: Model) -> dict[str, Any]:
    sampling: dict[str, Any] = {}
    if request.temperature is not None:
        sampling["temperature"] = min(max(request.temperature, 0.0), 1.0)
    if request.top_p is not None:
        sampling["top_p"] = min(max(request.top_p, 0.01), 1.0)
    if request.top_k and request.top_k > 0 and model.takes_top_k:
        sampling["top_k"] = request.top_k
    return sampling
