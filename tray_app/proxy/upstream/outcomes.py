"""Notes what answers and errors tell about the rate limit, the model and the key."""

from __future__ import annotations

from tray_app.catalog import Model
from tray_app.errors import (
    KeyRefused,
    ModelUnavailable,
    Overloaded,
    ProxyError,
    QueueFull,
    RateLimited,
    UpstreamFault,
    UpstreamTimeout,
    UpstreamUnusable,
)
from tray_app.proxy.upstream.evidence import Evidence
from tray_app.proxy.upstream.pacing import Pacer
from tray_app.proxy.upstream.streaks import Streaks
from tray_app.status.board import StatusBoard, Topic
from tray_app.status.findings import ModelTrouble, Unavailability
from tray_app.status.troubles import fallback_answers, key_refused


class Outcomes:
    """Passes the outcome of each attempt on to the pacer, the evidence and the board."""

    def __init__(self, board: StatusBoard, pacer: Pacer, evidence: Evidence) -> None:
        self._board = board
        self._pacer = pacer
        self._evidence = evidence
        self.streaks = Streaks()
        """Which models answer, and which keep failing. The board gets it with the progress of the requests."""

    def note_answered(self, model: Model, first_token_s: float) -> None:
        """Notes that the model began to answer after so many seconds: it is served, and the key is accepted."""
        self._pacer.note_served(model)
        self.streaks.note_answered(model)
        self._evidence.note_answered(model.id, first_token_s)
        self._board.clear_model(model.id)
        self._clear(Topic.REFUSED_KEY)

    def note_failed(self, model: Model, error: ProxyError) -> None:
        """Notes that an attempt with the model failed."""
        self.streaks.note_failed(model, error)
        if error.pause_s:
            self._pacer.hold(model, error.pause_s)
        match error:
            case QueueFull() | UpstreamUnusable():
                pass  # nothing was sent to upstream, or the settings are at fault
            case RateLimited():
                self._pacer.note_refused(model)
                self._evidence.note_failed(model.id)
            case Overloaded():
                self._pacer.note_queue(model, error.queue)
                self._evidence.note_failed(model.id)
            case UpstreamFault() | UpstreamTimeout():
                self._evidence.note_failed(model.id)
            case ModelUnavailable():
                trouble = find_trouble(error)
                self._board.mark_model(model.id, trouble)
                self._evidence.note_refused(model.id, trouble)
            case KeyRefused():
                self.note_key_refused(error)
                if error.is_about_model:
                    self._evidence.note_refused(model.id, ModelTrouble(Unavailability.NOT_ALLOWED))

    def note_key_refused(self, error: KeyRefused) -> None:
        """Notes that NVIDIA does not accept the key."""
        self._board.report(Topic.REFUSED_KEY, key_refused(error.message))

    def note_ended(self, model: Model, error: ProxyError) -> None:
        """Notes that a request has ended with the error of its last attempt."""
        self.streaks.note_ended(model, error)

    def note_fallback(self, chosen: Model, fallback: Model) -> None:
        """Notes that a fallback model is asked instead of the chosen one."""
        self._board.report(Topic.FALLBACK, fallback_answers(chosen.label, fallback.label))

    def note_own_answer(self) -> None:
        """Notes that the chosen model answered, not a fallback model."""
        self._clear(Topic.FALLBACK)

    def forget_key(self) -> None:
        """Notes that the user changed the NVIDIA API key, so an older refusal says nothing about it."""
        self._clear(Topic.REFUSED_KEY)

    def _clear(self, topic: Topic) -> None:
        if any(known == topic for known, _ in self._board.status.troubles):  # most answers have nothing to clear
            self._board.report(topic, None)


def find_trouble(error: ModelUnavailable) -> ModelTrouble:
    """Returns why the model of the error cannot be used."""
    return ModelTrouble(Unavailability.RETIRED if error.is_retired else Unavailability.NOT_SERVED, error.date)
