"""Reads why an answer ended. Servers have many words for it."""

from __future__ import annotations

from collections.abc import Sequence

from tray_app.errors import UpstreamFault

STOP, LENGTH, TOOL_CALLS, CONTENT_FILTER = "stop", "length", "tool_calls", "content_filter"
"""Reasons of OpenAI's API."""
STOP_SEQUENCE = "stop_sequence"
"""TGI and Anthropic: a stop sequence of the request matched. They do not say which."""
WINDOW = "window"
"""The model's window was full."""
GAVE_UP = "gave up"
"""The engine aborted the request or failed."""

_REASONS = {
    LENGTH: ("length", "max_tokens", "max_output_tokens", "max_completion_tokens", "max_length", "model_length"),
    TOOL_CALLS: ("tool_calls", "tool_call", "tool_use", "function_call"),
    CONTENT_FILTER: ("content_filter", "content_filtered", "safety", "refusal", "sensitive", "prohibited_content"),
    STOP_SEQUENCE: ("stop_sequence",),
    WINDOW: ("model_context_window_exceeded", "context_length_exceeded", "context_window_exceeded"),
    GAVE_UP: (
        *("abort", "aborted", "cancel", "cancelled", "canceled", "error", "errored", "failed", "failure", "timeout"),
        *("engine_error", "internal_error", "network_error", "server_error", "interrupted", "preempted"),
        "insufficient_system_resource",
    ),
}
_MEANINGS = {reason: meaning for meaning, reasons in _REASONS.items() for reason in reasons}
"""Word of a server -> its meaning, which is one of the constants above."""


def check_reason(reason: str) -> None:
    """Raises UpstreamFault if upstream gave up, because half an answer must not look complete."""
    if _read(reason) == GAVE_UP:
        raise UpstreamFault(f"NVIDIA gave up on the answer before it was complete ({reason}). Please try again.")


class Finish:
    """The end of one answer, as far as upstream has said. The newest reason counts."""

    def __init__(self, stop_sequences: Sequence[str]) -> None:
        """`stop_sequences` are those of the request."""
        self._stop_sequences = stop_sequences
        self.meaning: str | None = None
        """One of the constants above. None if upstream has not said why it stopped."""
        self.stop_sequence: str | None = None
        """The stop sequence at which the answer ended. None if there is none, or it is not known."""
        self.is_refused = False
        """Tells whether the model refused to answer."""

    def take(self, reason: str) -> None:
        """Takes upstream's reason. An unknown reason, such as `eos`, means that the answer is complete."""
        meaning = _read(reason)
        if meaning == STOP_SEQUENCE:
            meaning = STOP
            if len(self._stop_sequences) == 1:
                [self.stop_sequence] = self._stop_sequences
        self.meaning = meaning

    @property
    def is_cut(self) -> bool:
        """Tells whether tokens ran out, so that the newest call may be half."""
        return self.meaning in (LENGTH, WINDOW)

    @property
    def excuses_silence(self) -> bool:
        """Tells whether an answer that ends like this may say nothing, or less than it announces."""
        is_usual = self.meaning in (None, STOP, TOOL_CALLS)
        return not is_usual or self.is_refused or self.stop_sequence is not None

    def stop_reason(self, *, has_calls: bool) -> str:
        """Returns Anthropic's stop reason. Upstream may say "stop" although there are calls."""
        if self.meaning == LENGTH or (self.meaning == WINDOW and has_calls):  # a call may be half in these cases
            return "max_tokens"
        if self.meaning == CONTENT_FILTER or self.is_refused:
            return "refusal"
        if self.meaning == WINDOW:
            return "model_context_window_exceeded"
        if has_calls:
            return "tool_use"
        return "end_turn" if self.stop_sequence is None else "stop_sequence"


def _read(reason: str) -> str:
    return _MEANINGS.get(reason.strip().lower(), STOP)
