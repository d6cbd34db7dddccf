"""The record of one request, as the history keeps it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tray_app.errors import CancelledByUser


class Outcome(StrEnum):
    """How a request ended."""

    ANSWERED = "answered"
    FAILED = "failed"
    """It was sent to NVIDIA, and the client got an error."""
    LEFT = "left"
    """The client closed its connection before the answer was complete. Claude Code does so after Esc."""
    REFUSED = "refused here"
    """The gateway answered with an error, and NVIDIA was not asked."""


class Reason(StrEnum):
    """Why another model was asked than the one that the client named."""

    NONE = ""
    """The model was asked that the client named."""
    TRAY = "tray"
    """The client named a model that stands for the one that is chosen in the tray."""
    ALIAS = "alias"
    """The client named an alias of the model."""
    RETIRED = "retired"
    """NVIDIA does not serve the model that was meant, so that another one answers in its place."""
    FALLBACK = "fallback"
    """The model that was meant failed, and one of the user's fallback models was asked."""
    BACKGROUND = "background"
    """No user waits for the answer, and the user has chosen a model for such requests."""
    CHOSEN = "chosen"
    """The user had another model asked while the request was running."""


class RequestRecord(msgspec.Struct, frozen=True, gc=False):
    """One request of a client, from its first byte to the end of its answer. A number that nobody knows is None.

    The fields are columns of the table `requests` of the same names.
    """

    began_at: float
    """When it began: Unix time in seconds."""
    asked: str = ""
    """The name of a model that the client sent; empty if the request was refused before it was read."""
    model_id: str = ""
    """The id of the model that was asked last; empty if no model was asked."""
    reason: Reason = Reason.NONE
    session_id: str = ""
    """The id of the session of Claude Code; empty if the client named none."""
    project: str = ""
    """The folder in which the client works; empty if the client named none."""
    is_background: bool = False
    """Tells whether no user waits for the answer."""
    is_stream: bool = False
    queue_wait_s: float | None = None
    """Seconds for which it waited for its turn, in all tries; None if it never waited."""
    first_token_s: float | None = None
    """Seconds from its last sending to the first part of the answer; None if no part came."""
    total_s: float = 0.0
    tries: int = 0
    """How often it was sent to NVIDIA."""
    tokens_in: int | None = None
    """All tokens of the prompt, as NVIDIA counted them."""
    tokens_out: int | None = None
    tokens_cached: int | None = None
    """Those tokens of the prompt that came from NVIDIA's cache."""
    tool_calls: int | None = None
    """How many tools the answer calls; None if there is no answer."""
    outcome: Outcome = Outcome.ANSWERED
    error: str = ""
    """The name of the error's class, such as "RateLimited"; empty if there is no error."""
    cause: str = ""
    """What went wrong, in a few words that quote nobody; empty if there is no error."""
    kind: str = ""
    """What the request was for, such as "turn" or "compaction"; empty if that is not known."""
    turn: int | None = None
    """The number of the user's turn in the conversation; None if the request was no turn, or nobody knows."""


CANCELLED = CancelledByUser.__name__
"""The error of a request that the user has cancelled."""

COLUMNS = RequestRecord.__struct_fields__
"""The names of the columns of `requests`, without its key, in the order of the fields."""


def to_row(record: RequestRecord) -> tuple[object, ...]:
    """Returns the values of the columns."""
    return tuple(to_storable(value) if isinstance(value, str) else value for value in msgspec.structs.astuple(record))


def to_storable(text: str) -> str:
    """Returns the text with a "?" for each half of a character. JSON may hold such halves, but SQLite takes none."""
    return text.encode("utf-8", "replace").decode()


def from_row(row: tuple[object, ...]) -> RequestRecord:
    """Returns the record whose columns have these values. msgspec.ValidationError if that is no record."""
    return msgspec.convert(dict(zip(COLUMNS, row, strict=True)), RequestRecord, strict=False)
