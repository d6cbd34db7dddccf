"""What is noted of one request for the history and for the page. Only the request's own task writes it.

No text of the prompt, of the answer or of an error is noted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache

from aiohttp import web

from tray_app.catalog import Model, plain_name
from tray_app.errors import ProxyError
from tray_app.history.record import Outcome, Reason, RequestRecord
from tray_app.redaction import hide_secrets
from tray_app.translate.answer.usage import ReportedTokens
from tray_app.translate.request.question import Question, Rules

_NAME_CHARS = 80
"""So much of the model name that the client sent is kept. No real name is longer."""


@dataclass(eq=False, slots=True)
class Notes:
    """The notes of one request. Times in seconds are those of `time.monotonic`."""

    session_id: str = ""
    project: str = ""
    number: int = 0
    """The number of the request among those of its gateway. The first one is 1."""
    began_at: float = field(default_factory=time.time)
    """Unix time in seconds."""
    outcome: Outcome | None = None
    """None: the request runs."""
    kind: str = ""
    turn: int | None = None
    is_background: bool = False
    reason: Reason = Reason.NONE
    first_token_s: float | None = None
    tokens: ReportedTokens = field(default_factory=ReportedTokens)
    """What NVIDIA has reported of the tokens of the answer that is complete."""
    _began_s: float = field(default_factory=time.monotonic)
    _asked: str = ""
    _is_stream: bool = False
    _model_id: str = ""
    _queue_wait_s: float | None = None
    _waits_since_s: float | None = None
    _tries: int = 0
    _tool_calls: int | None = None
    _error: ProxyError | None = None

    def read(self, question: Question) -> None:
        """Notes what the client asks."""
        self._asked = make_printable(question.requested_model[:_NAME_CHARS])
        self._is_stream, self.is_background = question.chat.is_stream, question.is_background
        self.kind, self.turn = question.kind.value, question.turn

    def choose(self, model: Model, reason: Reason) -> None:
        """Notes which model is asked, and why it is another one than the client named."""
        self._model_id, self.reason = model.id, reason

    def wait(self) -> None:
        """Notes that the request waits for its turn from now on."""
        self._end_wait()
        self._waits_since_s = time.monotonic()

    def send(self) -> None:
        """Notes that the request is sent to NVIDIA."""
        self._end_wait()
        self._tries += 1
        self.first_token_s = None

    def hear(self, first_token_s: float) -> None:
        """Notes that the first part of the answer came, so many seconds after the sending."""
        self.first_token_s = first_token_s

    def answer(self, tokens: ReportedTokens, tool_calls: int) -> None:
        """Notes that the answer is complete."""
        self.tokens, self._tool_calls = tokens, tool_calls
        self.outcome = Outcome.ANSWERED

    def leave(self) -> None:
        """Notes that the client left before the answer was complete."""
        self.outcome = Outcome.LEFT

    def fail(self, error: ProxyError) -> None:
        """Notes the error that the client gets."""
        self._error = error
        self.outcome = Outcome.FAILED if self._tries else Outcome.REFUSED

    def show_asked(self, secrets: tuple[str, ...]) -> str:
        """Returns the name of a model that the client sent, without secrets."""
        return _hide(self._asked, secrets)

    def show_project(self, secrets: tuple[str, ...]) -> str:
        """Returns the folder in which the client works, without secrets."""
        return _hide(self.project, secrets)

    def to_record(self, secrets: tuple[str, ...]) -> RequestRecord:
        """Returns the record of the request, which has ended. No secret that the client has sent is in it."""
        self._end_wait()
        error = self._error if self.outcome in (Outcome.FAILED, Outcome.REFUSED) else None
        return RequestRecord(
            began_at=self.began_at,
            asked=self.show_asked(secrets),
            model_id=self._model_id,
            reason=self.reason,
            session_id=self.session_id,
            project=self.show_project(secrets),
            is_background=self.is_background,
            is_stream=self._is_stream,
            queue_wait_s=self._queue_wait_s,
            first_token_s=self.first_token_s,
            total_s=time.monotonic() - self._began_s,
            tries=self._tries,
            tokens_in=self.tokens.prompt,
            tokens_out=self.tokens.output,
            tokens_cached=self.tokens.cached,
            tool_calls=self._tool_calls,
            outcome=self.outcome or Outcome.ANSWERED,  # what is answered here, such as a web search, is noted nowhere
            error=type(error).__name__ if error else "",
            cause=error.brief if error else "",
            kind=self.kind,
            turn=self.turn,
        )

    def _end_wait(self) -> None:
        if self._waits_since_s is not None:
            self._queue_wait_s = (self._queue_wait_s or 0.0) + time.monotonic() - self._waits_since_s
            self._waits_since_s = None


@lru_cache(maxsize=64)
def _hide(text: str, secrets: tuple[str, ...]) -> str:
    """Returns the text without the secrets. The same few names come with every request, and the search takes 50 us."""
    return hide_secrets(text, secrets)


NOTES = web.RequestKey("notes", Notes)


def make_printable(text: str) -> str:
    """Returns the text without characters that would control the terminal in which it is shown."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def find_reason(
    rules: Rules, asked: str, choice: Model, model: Model, *, is_fallback: bool, is_background: bool
) -> Reason:
    """Returns why another model is asked than the client named. `choice` is the model that the request is meant for."""
    is_named = rules.takes_named(asked)
    if is_fallback:
        return Reason.FALLBACK
    if model.id != choice.id:
        return Reason.RETIRED
    if plain_name(asked) == plain_name(model.id):
        return Reason.NONE
    if is_background and not is_named and choice == rules.background:
        return Reason.BACKGROUND
    return Reason.ALIAS if is_named else Reason.TRAY
