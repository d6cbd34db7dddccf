"""Collects what chunks say about the end of an answer: why it ended, at which stop sequence, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from tray_app.translate.answer.finish import STOP, TOOL_CALLS, WINDOW, Finish
from tray_app.translate.answer.reported_usage import Usage
from tray_app.translate.answer.stops import StopWatcher
from tray_app.translate.answer.tag_stops import closing_tag, opening_tags
from tray_app.translate.answer.usage import ReportedTokens, TokenCount
from tray_app.translate.refusal.refusal import explain_stream_error
from tray_app.translate.request.chat import ChatRequest


@dataclass(frozen=True, slots=True)
class Ending:
    """The content of `message_delta`: why the answer ended, and Anthropic's usage object."""

    stop_reason: str
    stop_sequence: str | None
    """None unless `stop_reason` is "stop_sequence"."""
    usage: dict[str, int]


class EndingTracker:
    """Collects the facts about the end of one answer."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._finish = Finish(request.stop_sequences)
        self._tokens = TokenCount()
        self.opened_tags = StopWatcher(opening_tags(request.stop_sequences))
        """Is fed all text: an answer that opens a tag and then stops was stopped by its closing tag."""

    def __str__(self) -> str:
        return str(self._finish.meaning)

    @property
    def has_reason(self) -> bool:
        """Tells whether upstream said why it stopped. Without a reason the end of the stream is a cut."""
        return self._finish.meaning is not None

    @property
    def is_cut(self) -> bool:
        """Tells whether tokens ran out, so that the newest call may be half."""
        return self._finish.is_cut

    @property
    def announces_call(self) -> bool:
        """Tells whether upstream said that it stopped for a tool call."""
        return self._finish.meaning == TOOL_CALLS

    @property
    def excuses_silence(self) -> bool:
        """Tells whether an answer that ends like this may say nothing, or less than it announces."""
        return self._finish.excuses_silence

    @property
    def reported_tokens(self) -> ReportedTokens:
        """The counts that upstream has reported."""
        return self._tokens.reported

    def take_usage(self, usage: Usage) -> None:
        """Takes the newest counts."""
        self._tokens.take(usage)

    def take_missing_usage(self, usage: Usage) -> None:
        """Takes the counts of a second answer if the first one had none."""
        if not self._tokens.has_output:
            self._tokens.take(usage)

    def take_reason(self, reason: str, size_bytes: int) -> None:
        """Takes upstream's reason. Raises a ProxyError if the prompt alone, without an answer, filled the window."""
        self._finish.take(reason)
        if self._finish.meaning == WINDOW and not size_bytes:
            raise explain_stream_error({"code": reason}, self._request.model, self._request)

    def take_stop_sequence(self, stop_sequence: str) -> None:
        """Takes the stop sequence at which the answer ended."""
        self._finish.stop_sequence = stop_sequence

    def take_refusal(self) -> None:
        """Takes notice that the model refuses to answer."""
        self._finish.is_refused = True

    def to_ending(self, size_bytes: int, *, has_calls: bool, is_runaway: bool) -> Ending:
        """Returns the ending. `is_runaway`: the answer ends in the middle of a call, in white space without end."""
        if self._finish.meaning == STOP and self._finish.stop_sequence is None:
            self._finish.stop_sequence = closing_tag(self.opened_tags.matched)
        reason = "max_tokens" if is_runaway else self._finish.stop_reason(has_calls=has_calls)
        stop_sequence = self._finish.stop_sequence if reason == "stop_sequence" else None
        return Ending(reason, stop_sequence, self._tokens.to_usage(self._request.input_tokens, size_bytes))
