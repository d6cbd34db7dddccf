"""A client's request, read as a whole: which model is to answer, what goes upstream, and how urgent it is."""

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
from tray_app.translate.request.search import Search, read_search
from tray_app.translate.request.tokens import estimate_request
from tray_app.translate.request.validation import read_request


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides how a request is translated, beside the request itself."""

    catalog: Catalog
    selected: Model
    """The model that is chosen in the tray."""
    clients_choose_model: bool = False
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """What is known of how each model counts tokens, by model id."""

    def choose(self, requested_model: str) -> Model:
        """The model that answers a request for `requested_model`."""
        return self.catalog.resolve(requested_model, self.selected, client_chooses=self.clients_choose_model)

    def calibration(self, model: Model) -> Calibration:
        return self.calibrations.get(model.id, UNCALIBRATED)


@dataclass(frozen=True, slots=True)
class Question:
    """One request, translated."""

    requested_model: str
    """The model that the client named."""
    chat: ChatRequest
    search: Search | None
    """What to search the web for, if the request asks for nothing else."""
    is_background: bool
    """Whether nobody waits for the answer at a screen."""


def read_body(data: bytes | bytearray) -> MessagesRequest:
    """The request in the bytes of a body. InvalidRequest names the field that is wrong."""
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
    """Translates a request. InvalidRequest names the tool, or the choice among the tools, that is wrong.

    `headers` are those of the request; the case of their names does not matter to it, or they are in small letters.
    `model` answers instead of the one that the rules choose; None leaves the choice to the rules.
    """
    model = model or rules.choose(request.model)
    chat = to_chat(request, model, rules.calibration(model))
    return Question(request.model, chat, read_search(request), is_background(request, headers))


def count_tokens(request: MessagesRequest, rules: Rules) -> int:
    """An estimate of the tokens of a request. InvalidRequest names the tool that is wrong."""
    model = rules.choose(request.model)
    return estimate_request(request).tokens(rules.calibration(model).factor)
