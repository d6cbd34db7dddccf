"""What the user can do after a request has failed: a sentence, and one button that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from tray_app.catalog import Model
from tray_app.history.record import CANCELLED, Outcome, RequestRecord
from tray_app.page.actions import Action, ChooseModel, LookAgain, Pause
from tray_app.settings.settings import Settings
from tray_app.status.board import Status
from tray_app.status.following import find_absence, find_beliefs, find_catalog
from tray_app.status.ranking import rank_models


@dataclass(frozen=True, slots=True)
class WayOut:
    """A sentence with the cause and what to do. One button does it: it has an action, or opens a view of the page."""

    sentence: str
    verb: str = ""
    """The text of the button; empty: there is none, because only the user can do what the sentence says."""
    action: Action | None = None
    view: str = ""
    """The name of the view that the button opens; empty: it opens none."""

    def show(self) -> dict[str, Any]:
        """Returns the way out as plain values."""
        action = msgspec.to_builtins(self.action) if self.action else None
        return {"sentence": self.sentence, "verb": self.verb, "action": action, "view": self.view}


_ANOTHER = {
    "ModelUnavailable": "NVIDIA has retired {model}, or does not serve it to your key. Asking again will not help.",
    "RateLimited": "NVIDIA takes no more requests for {model} at the moment. Each model has a limit of its own.",
    "QueueFull": "Too many requests wait for {model}. Run fewer agents at once, or use a model with room.",
    "Overloaded": "NVIDIA has more requests for {model} than it can answer. Another model may have room.",
    "UpstreamTimeout": "{model} said nothing for too long. Another model may be quicker.",
    "UpstreamFault": "NVIDIA's answer broke off or cannot be read. Send the prompt again, or change the model.",
}
"""Errors after which another model may answer, by the name of their class."""

_OTHERS = {
    "Unreachable": WayOut(
        "There is no connection to NVIDIA. Check the network of this machine, then look again.",
        "Look again",
        LookAgain(),
    ),
    "UpstreamUnusable": WayOut(
        "NVIDIA cannot be asked with the present settings. Check NVIDIA's address and the proxy there.",
        "Open the settings",
        view="settings",
    ),
    "Paused": WayOut(
        "You have paused this program. It takes requests again when you resume it.", "Resume", Pause(is_on=False)
    ),
    "KeyRefused": WayOut("NVIDIA refuses your API key. Enter a new one.", "Enter a new key", view="welcome"),
    "UserActionNeeded": WayOut(
        "Your NVIDIA API key is missing or cannot be read, or its account has no credits left.",
        "Look at the key",
        view="welcome",
    ),
    "WrongServerKey": WayOut(
        "The client sent no server key, or a wrong one. Set the client up anew.", "Connect the client", view="connect"
    ),
    "InvalidRequest": WayOut(
        "The request was refused because of its content. If the conversation is long, type /compact in Claude Code, "
        "which shortens it."
    ),
    "ThreadUnsupported": WayOut("The client sends the whole conversation by itself now. There is nothing to do."),
    "RequestTooLarge": WayOut("The request is too large. Type /compact in Claude Code, which shortens it."),
    "RequestTooSlow": WayOut("The request did not arrive in time. Send the prompt again."),
    "ShuttingDown": WayOut("This program was quit while it answered. Send the prompt again."),
}
"""The ways out of other errors, by the name of their class."""

_OWN_FAULT = WayOut("This program failed on the request. Its log says where.", "Open the log", view="logs")


def find_way_out(record: RequestRecord, label: str, other: Model | None) -> WayOut | None:
    """Returns the way out of a failure; None if the request did not fail, or the user cancelled it.

    `label` is that of the model that was asked. `other` is the best other model that answers; None: none is known.
    """
    if record.outcome not in (Outcome.FAILED, Outcome.REFUSED) or record.error == CANCELLED:
        return None
    if (sentence := _ANOTHER.get(record.error)) is None:
        return _OTHERS.get(record.error, _OWN_FAULT)
    sentence = sentence.format(model=label or "the model")
    sentence = sentence[0].upper() + sentence[1:]
    if other is None:
        return WayOut(sentence, "Look for models that answer", LookAgain())
    return WayOut(sentence, f"Use {other.label}", ChooseModel(other.id))


def list_usable(status: Status, settings: Settings) -> tuple[Model, ...]:
    """Returns the models that can be asked instead of another one, the best first.

    These are those that answer, and then those of the menu of which nothing is known.
    """
    beliefs = find_beliefs(status)
    answering = rank_models(find_catalog(status, settings), beliefs)
    untried = (
        model
        for model in settings.catalog.offered(settings.selected_model)
        if beliefs.find(model.id).answers is None and find_absence(model, status) is None
    )
    return (*answering, *untried)


def find_other(model_id: str, usable: tuple[Model, ...]) -> Model | None:
    """Returns the best usable model that is not the one with this id; None if there is none."""
    return next((model for model in usable if model.id != model_id), None)
