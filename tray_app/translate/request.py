"""An Anthropic Messages request as an OpenAI Chat Completions request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tray_app.catalog import Model
from tray_app.errors import InvalidRequest
from tray_app.translate.calibration import UNCALIBRATED, Calibration
from tray_app.translate.content import read_system
from tray_app.translate.history import to_messages
from tray_app.translate.tokens import Estimate, estimate_chat
from tray_app.translate.tools import read_choice, read_tools

MAX_STOPS = 4  # NVIDIA refuses more
_LEAST_ROOM_TOKENS = 1_024


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What goes upstream (`body`), and what its answer needs to know of the question."""

    body: dict[str, Any]
    model: Model
    tool_names: Mapping[str, str]
    """Name sent upstream -> the client's name."""
    shows_thinking: bool
    """Thinking that the client did not ask for is not shown to it, as Anthropic's API never shows it."""
    estimate: Estimate
    """Of what is sent."""
    input_tokens: int
    """The estimate, calibrated."""

    @property
    def is_stream(self) -> bool:
        return bool(self.body.get("stream"))


def to_chat(body: dict[str, Any], model: Model, calibration: Calibration = UNCALIBRATED) -> ChatRequest:
    """The request for `model`; InvalidRequest names the field that is wrong.

    Unknown fields (metadata, betas, context_management, ...) are for Anthropic's own servers: not sent, not refused.
    """
    offer = read_tools(body.get("tools"))
    choice, instruction = read_choice(body.get("tool_choice"), offer, model)
    system = "\n\n".join(text for text in (read_system(body.get("system")), instruction) if text)
    messages = to_messages(body.get("messages"), model)
    if system:
        messages.insert(0, {"role": "system", "content": system})
    thinks = _asks_to_think(body)
    estimate = estimate_chat(messages, offer.functions)
    input_tokens = estimate.tokens(calibration.factor)
    chat: dict[str, Any] = {
        "model": model.id,
        "messages": messages,
        "max_tokens": _max_tokens(body, model, round(input_tokens * calibration.margin)),
        **_sampling(body),
        **(model.thinking_on if thinks else model.thinking_off),
    }
    if offer.functions:
        chat["tools"] = offer.functions
        chat.update(choice)
    if _is_stream(body):
        chat["stream"] = True
        chat["stream_options"] = {"include_usage": True}
    return ChatRequest(chat, model, offer.names, thinks, estimate, input_tokens)


def read_model_name(body: dict[str, Any]) -> str:
    """The model that the client asks for."""
    name = body.get("model")
    if name is None:
        raise InvalidRequest("model: Field required")
    if not isinstance(name, str) or not name:
        raise InvalidRequest("model: Input should be a valid string")
    return name


def _is_stream(body: dict[str, Any]) -> bool:
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise InvalidRequest("stream: Input should be a valid boolean")
    return bool(stream)


def _asks_to_think(body: dict[str, Any]) -> bool:
    thinking = body.get("thinking")
    if thinking is not None and not isinstance(thinking, dict):
        raise InvalidRequest("thinking: Input should be an object")
    return thinking is not None and thinking.get("type") in ("enabled", "adaptive")


def _max_tokens(body: dict[str, Any], model: Model, most_input_tokens: int) -> int:
    wanted = body.get("max_tokens")
    if wanted is None:
        wanted = model.max_output_tokens
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise InvalidRequest("max_tokens: Input should be a valid integer")
    if wanted < 1:
        raise InvalidRequest("max_tokens: Input should be greater than or equal to 1")
    # upstream refuses a sum past the window; where next to nothing is left, its refusal is the truth and makes the
    # client compact
    room = max(_LEAST_ROOM_TOKENS, model.context_tokens - most_input_tokens)
    return min(wanted, model.max_output_tokens, room)


def _sampling(body: dict[str, Any]) -> dict[str, Any]:
    sampling: dict[str, Any] = {}
    temperature = _number(body, "temperature")
    if temperature is not None:
        sampling["temperature"] = min(max(temperature, 0.0), 1.0)
    top_p = _number(body, "top_p")
    if top_p is not None:
        sampling["top_p"] = min(max(top_p, 0.01), 1.0)
    stops = body.get("stop_sequences")
    if stops is not None and not (isinstance(stops, list) and all(isinstance(stop, str) for stop in stops)):
        raise InvalidRequest("stop_sequences: Input should be a list of strings")
    if stops := [stop for stop in stops or () if stop][:MAX_STOPS]:
        sampling["stop"] = stops
    return sampling


def _number(body: dict[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequest(f"{name}: Input should be a valid number")
    return value
