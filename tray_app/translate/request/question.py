"""Reads a client's request: which model answers it, what is sent upstream, and how urgent it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tray_app.catalog import Catalog, Model
from tray_app.errors import InvalidRequest
from tray_app.translate import json_text
from tray_app.translate.request.background import is_background
from tray_app.translate.request.body import MessagesRequest
from tray_app.translate.request.calibration import UNCALIBRATED, Calibration
from tray_app.translate.request.chat import ChatRequest, to_chat
from tray_app.translate.request.kinds import Kind, count_turns, find_kind
from tray_app.translate.request.search import Search, read_search
from tray_app.translate.request.tokens import estimate_request
from tray_app.translate.request.validation import read_request


@dataclass(frozen=True, slots=True)
class Rules:
    """All values besides the request itself that determine its translation."""

    catalog: Catalog
    selected: Model
    """The model that the user chose in the tray menu."""
    clients_choose_model: bool = False
    """True if a client may name another model of the catalog."""
    stand_ins: Mapping[str, Model] = field(default_factory=dict)
    """Model id -> the model that answers in its place, because NVIDIA does not serve it."""
    background: Model | None = None
    """The model for requests that no user waits for; None: they go to the same model as the others."""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """Model id -> what is known of how this model counts tokens."""

    def find_choice(self, requested_model: str, *, is_background: bool = False) -> Model:
        """Returns the model that a request for `requested_model` is meant for, whether it answers or not."""
        if is_background and self.background and not self.takes_named(requested_model):
            return self.background
        return self.catalog.resolve(requested_model, self.selected, client_chooses=self.clients_choose_model)

    def choose(self, requested_model: str, *, is_background: bool = False) -> Model:
        """Returns the model that answers a request for `requested_model`."""
        choice = self.find_choice(requested_model, is_background=is_background)
        return self.stand_ins.get(choice.id, choice)

    def takes_named(self, requested_model: str) -> bool:
        """Tells whether a request for `requested_model` gets the model of that name, whatever the user chose."""
        return self.clients_choose_model and self.catalog.find(requested_model) is not None

    def calibration(self, model: Model) -> Calibration:
        """Returns the calibration of a model, or UNCALIBRATED."""
        return self.calibrations.get(model.id, UNCALIBRATED)


@dataclass(frozen=True, slots=True)
class Question:
    """One translated request."""

    requested_model: str
    """The model that the client named."""
    chat: ChatRequest
    search: Search | None
    """The web search that is all the request asks for; None for other requests."""
    is_background: bool
    """True if no user waits for the answer."""
    kind: Kind
    turn: int | None
    """The number of the user's turn in the conversation; None if the request is no turn."""


def read_body(data: bytes | bytearray) -> MessagesRequest:
    """Returns the request in the bytes of a body. InvalidRequest names the field that is wrong."""
    try:
        body = json_text.decode(data)
    except (ValueError, RecursionError):
        raise InvalidRequest("The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise InvalidRequest("The request body must be a JSON object.")
    return read_request(body)


def read_question(
    request: MessagesRequest, rules: Rules, headers: Mapping[str, str], model: Model | None = None
) -> Question:
    """Translates a request. InvalidRequest names the tool, or the `tool_choice`, that is wrong.

    `headers` ignores the case of names, or has them in lower case. `model` answers the request; if it is None, the
    rules choose the model.
    """
    search = read_search(request)
    kind = find_kind(request, headers, is_search=search is not None)
    gives_way = is_background(request, kind)
    model = model or rules.choose(request.model, is_background=gives_way)
    chat = to_chat(request, model, rules.calibration(model))
    return Question(request.model, chat, search, gives_way, kind, count_turns(request) if kind is Kind.TURN else None)


def count_tokens(request: MessagesRequest, rules: Rules) -> int:
    """Returns an estimate of the tokens of a request. InvalidRequest names the tool that is wrong."""
    model = rules.choose(request.model)
    return estimate_request(request).tokens(rules.calibration(model).factor)
