"""An Anthropic Messages request as an OpenAI Chat Completions request."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tray_app.catalog import EFFORTS, Model
from tray_app.errors import InvalidRequest
from tray_app.translate.call_ids import read_used_ids
from tray_app.translate.request.body import MessagesRequest, Thinking
from tray_app.translate.request.calibration import UNCALIBRATED, Calibration
from tray_app.translate.request.content import read_system
from tray_app.translate.request.history import to_messages
from tray_app.translate.request.output import find_brackets, read_effort, read_format
from tray_app.translate.request.tokens import Estimate, estimate_chat
from tray_app.translate.request.tool_changes import effective_tools
from tray_app.translate.request.tools import Tool, read_choice, read_tools
from tray_app.translate.schema.schema import Schema

MAX_STOPS = 4  # NVIDIA refuses more; the rest is watched for in the answer
_LEAST_ROOM_TOKENS = 1_024
_WITHOUT_TEXT = ("omitted", "updates")
"""Values of `thinking.display`; `updates` shows the notes between calls alone, which models here do not set apart."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What goes upstream (`body`), and what its answer needs to know of the question."""

    body: dict[str, Any]
    model: Model
    tools: Mapping[str, Tool]
    """Name sent upstream -> the client's tool."""
    callable_schemas: Mapping[str, Schema]
    """Name -> schema, both as sent, of the tools that the choice among them allows."""
    shows_thinking: bool
    """Thinking that the client did not ask for is not shown to it, as Anthropic's API never shows it."""
    stop_sequences: Sequence[str]
    estimate: Estimate
    """Of what is sent."""
    input_tokens: int
    """The estimate, calibrated."""
    omits_thinking: bool = False
    """Whether thinking is shown without its text: that there was some, and a signature."""
    used_call_ids: Collection[str] = frozenset()
    """Ids of calls in the conversation so far, in the form in which ids are given out."""
    json_brackets: str = ""
    """The brackets with which the answer may begin, if all of it must be JSON; empty if not."""

    @property
    def is_stream(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def wants_nothing(self) -> bool:
        """Whether the answer may have no tokens, so that nobody need be asked for it."""
        return bool(self.body["max_tokens"] == 0)

    def find_tool(self, sent_name: str) -> Tool:
        """The client's tool; one that was never offered keeps its name, for the client to refuse."""
        return self.tools.get(sent_name) or Tool(sent_name)


def to_chat(request: MessagesRequest, model: Model, calibration: Calibration = UNCALIBRATED) -> ChatRequest:
    """The chat request for `model`. InvalidRequest names the tool, or the choice among the tools, that is wrong."""
    try:
        return _translate(request, model, calibration)
    except RecursionError:
        raise InvalidRequest("The request is nested too deeply.") from None


def _translate(request: MessagesRequest, model: Model, calibration: Calibration) -> ChatRequest:
    tool_set = read_tools(effective_tools(request))
    choice = read_choice(request.tool_choice, tool_set, model)
    answer_format, on_format = read_format(request.answer_schema, model, has_tools=bool(tool_set.functions))
    system = "\n\n".join(text for text in (read_system(request.system), choice.instruction, on_format) if text)
    messages = to_messages(request.messages, model, tool_set.tools)
    if system:
        messages.insert(0, {"role": "system", "content": system})
    thinking = request.thinking or Thinking()
    thinks = thinking.type in ("enabled", "adaptive")
    stops = request.stops
    estimate = estimate_chat(messages, tool_set.functions)
    input_tokens = estimate.tokens(calibration.factor)
    chat: dict[str, Any] = {
        "model": model.id,
        "messages": messages,
        "max_tokens": _max_tokens(request, model, round(input_tokens * calibration.margin)),
        **_sampling(request, model),
        **_thinking(model, thinks, read_effort(request)),
        **answer_format,
    }
    if stops:
        chat["stop"] = stops[:MAX_STOPS]
    if tool_set.functions:
        chat["tools"] = tool_set.functions
        chat.update(choice.fields)
    if request.stream:
        chat["stream"] = True
        chat["stream_options"] = {"include_usage": True}
    return ChatRequest(
        chat,
        model,
        tools=tool_set.tools,
        callable_schemas={
            tool["function"]["name"]: tool["function"]["parameters"]
            for tool in tool_set.functions
            if tool["function"]["name"] in choice.callable
        },
        shows_thinking=thinks,
        stop_sequences=stops,
        estimate=estimate,
        input_tokens=input_tokens,
        omits_thinking=thinks and thinking.display in _WITHOUT_TEXT,
        used_call_ids=frozenset(read_used_ids(request.newest_blocks())),
        json_brackets=find_brackets(request.answer_schema),
    )


def _thinking(model: Model, thinks: bool, effort: str) -> dict[str, Any]:
    """Fields for thinking that is on or off, and for its effort: the one that was asked for, or the next above it."""
    fields = dict(model.thinking_on if thinks else model.thinking_off)
    if thinks and effort and model.efforts:
        enough = (known for known in model.efforts if EFFORTS.index(known) >= EFFORTS.index(effort))
        fields["reasoning_effort"] = next(enough, model.efforts[-1])
    elif not thinks and not fields and model.efforts:  # what cannot be switched off can be kept short
        fields["reasoning_effort"] = model.efforts[0]
    return fields


def _max_tokens(request: MessagesRequest, model: Model, most_input_tokens: int) -> int:
    wanted = model.max_output_tokens if request.max_tokens is None else request.max_tokens
    # upstream refuses a sum past the window; where next to nothing is left, its refusal is the truth and makes the
    # client compact
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
