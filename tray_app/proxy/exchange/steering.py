"""What the user wants of a running request, as he says it on the page: to cancel it, or to ask another model instead.

The task of the request is cancelled, as it is when its client leaves, and then learns from its `Steering` why.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from tray_app.catalog import Model
from tray_app.errors import CancelledByUser
from tray_app.translate.request.question import Question

REPEATED_WITHIN_S = 30.0
"""Claude Code repeats a request at once if its answer ends with an error. After this time it is another request."""

_SENTENCE = "Cancelled on the page of Claude NVIDIA Tray."


class _Client(Protocol):
    @property
    def has_content(self) -> bool:
        """Tells whether the client has seen a part of the answer."""


class Steering:
    """The user's wish about one request. It is made in the task of that request, and belongs to its event loop."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._client: _Client | None = None
        self._is_pending = False
        self._is_cancelled = False
        self._model: Model | None = None

    @property
    def can_change_model(self) -> bool:
        """Tells whether another model can be asked: the request is ready, and its client has seen nothing yet."""
        return self._client is not None and not self._client.has_content and not self._is_cancelled

    def begin(self, client: _Client) -> None:
        """Notes that another model can be asked until the client has seen a part of the answer."""
        self._client = client

    def cancel(self) -> bool:
        """Cancels the request. Returns False if it is being cancelled already."""
        if self._is_cancelled:
            return False
        self._is_cancelled, self._model = True, None
        self._interrupt()
        return True

    def ask_instead(self, model: Model) -> bool:
        """Has the other model asked. Returns False if it is too late for that, or too early."""
        if not self.can_change_model:
            return False
        self._model = model
        self._interrupt()
        return True

    def take_order(self) -> Model | None:
        """Tells the task of the request, which was just cancelled, which model to ask instead.

        Raises CancelledByUser if the user has cancelled the request. Returns None if something else has cancelled the
        task, even if the user has a wish as well: its client has left, or this program quits.
        """
        if not self._is_pending:
            return None
        self._is_pending = False
        if self._task.uncancel():
            return None
        if self._is_cancelled:
            raise make_cancelled()
        return self._model

    def _interrupt(self) -> None:
        if not self._is_pending:
            self._is_pending = True
            self._task.cancel()


class Repeats:
    """Knows the requests that were cancelled while their answers were streamed, because Claude Code repeats these.

    Claude Code 2.1.332 sends a request again, without streaming, if its stream ends with an error within a block of
    content or before the first one, whatever the error is (measured November 2026). It shows the error if the repeated
    request gets one with HTTP status 400.
    """

    def __init__(self) -> None:
        self._cancelled: dict[str, tuple[float, object]] = {}  # by session: until when, and what was asked

    def expect(self, session_id: str, question: Question) -> None:
        """Notes that the client is about to repeat this request. A client that names no session is not known again."""
        now_s = asyncio.get_running_loop().time()
        self._cancelled = {known: entry for known, entry in self._cancelled.items() if entry[0] > now_s}
        if session_id:
            self._cancelled[session_id] = now_s + REPEATED_WITHIN_S, _identify(question)

    def refuse(self, session_id: str, question: Question) -> None:
        """Raises CancelledByUser if this is the repeated request, and does so once."""
        until_s, known = self._cancelled.get(session_id, (0.0, None))
        if known == _identify(question) and asyncio.get_running_loop().time() < until_s:
            del self._cancelled[session_id]
            raise make_cancelled()


def make_cancelled() -> CancelledByUser:
    """Returns the error that the client of a cancelled request gets."""
    return CancelledByUser(_SENTENCE)


def _identify(question: Question) -> object:
    """Returns what two requests have in common only if they ask the same. A longer conversation has more tokens."""
    return question.requested_model, question.kind, question.turn, question.chat.estimate
