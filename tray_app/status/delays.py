"""The words about requests that take long: what they wait for, for how long, and what the user can do."""

from __future__ import annotations

from collections.abc import Iterable

from tray_app.status.board import Failing, Status, Trouble, Wait
from tray_app.status.progress import Delay, RequestProgress

_HOW_TO_WAIT_LESS = (
    "Fewer agents at once wait less, and so do agents that have another model (background_model in the settings)."
)
"""NVIDIA's limit is one for each model, so a second model is a second allowance."""


def find_longest(status: Status) -> RequestProgress | None:
    """Returns the running request that has been delayed for the longest time; None if there is none."""
    delayed = [request for request in status.requests if request.delay is not None]
    return max(delayed, key=lambda request: request.delayed_s, default=None)


def describe_delay(request: RequestProgress) -> str:
    """Returns why a request takes long, in words that the number of seconds completes; empty if it does not."""
    match request.delay:
        case Delay.RATE_LIMIT:
            return "waiting for NVIDIA's rate limit,"
        case Delay.RETRIES:
            return f"{request.failure}, try {request.tries},"
        case Delay.SILENCE:
            return f"no word from {request.model} for"
    return ""


def explain_delay(request: RequestProgress, waits: Iterable[Wait] = ()) -> Trouble:
    """Returns the trouble that a request takes long. `waits` are those of the status, for what it waits for."""
    words = describe_delay(request)
    title = f"{words[:1].upper()}{words[1:]} {request.delayed_s} s"
    wait = next((wait for wait in waits if wait.model == request.model), None)
    match request.delay:
        case Delay.RATE_LIMIT if wait is not None:
            return Trouble(title, explain_wait(wait))
        case Delay.RATE_LIMIT:
            return Trouble(
                title,
                f"NVIDIA refuses requests to {request.model}, because there are too many for its limit. "
                "Nothing is lost: the request is tried again by itself.",
            )
        case Delay.RETRIES:
            return Trouble(
                title,
                f"{request.failure}: the request to {request.model} is at its {_ordinal(request.tries)} try. "
                "Nothing is lost: it is tried again by itself. Another model may answer sooner.",
            )
    return Trouble(
        title,
        f"The request was sent to {request.model}, and NVIDIA says nothing. Long prompts take time at busy hours. "
        "Another model may answer sooner.",
    )


def explain_wait(wait: Wait) -> str:
    """Returns the sentence that says what the requests of one model wait for, and until when."""
    next_one = f"and the next one is sent in {wait.next_s} s" if wait.next_s else "and the next one is sent now"
    if wait.is_pause:
        are_waiting = "1 request waits" if wait.waiting == 1 else f"{wait.waiting} requests wait"
        cause = f"NVIDIA refused a request to {wait.model}, so there is a pause: {are_waiting}, {next_one}."
    else:
        word = "waits" if wait.waiting == 1 else "wait"
        cause = (
            f"{wait.used} of {wait.limit} requests this minute went to {wait.model}; {wait.waiting} {word}, {next_one}."
        )
    return f"{cause} Nothing is lost: they go on by themselves. {_HOW_TO_WAIT_LESS}"


def model_failing(label: str, failing: Failing, replacement: str) -> Trouble:
    """Returns the trouble that the selected model keeps failing. `replacement` is a label; empty: there is none."""
    choice = f'Choose "Switch to {replacement}", or another model, in the menu.' if replacement else ""
    return Trouble(
        f"{label} keeps failing – choose a model…" if choice else f"{label} keeps failing",
        f"{failing.reason}, and so {label} has not answered for a while. "
        + (choice or "It is asked again with each request."),
        view="models",
    )


def _ordinal(number: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    is_teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if is_teen else endings.get(number % 10, 'th')}"
