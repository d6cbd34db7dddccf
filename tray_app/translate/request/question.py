"""A client's request, read as a whole: which model is to answer, what goes upstream, and how urgent it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tray_app.catalog import Catalog, Model
from tray_app.errors import InvalidRequest
from tray_app.translate import json_text
from tray_app.translate.request.background import is_background
from tray_app.translate.request.calibration import UNCALIBRATED, Calibration
from tray_app.translate.request.chat import ChatRequest, read_model_name, to_chat
from tray_app.translate.request.search import Search, read_search
from tray_app.translate.request.tokens import estimate_body


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


def decode_body(data: bytes | bytearray) -> dict[str, Any]:
    """The body of a request. InvalidRequest if it is no JSON object."""
    try:
        body = json_text.decode(data)
    except (ValueError, RecursionError):
        raise InvalidRequest("The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise InvalidRequest("The request body must be a JSON object.")
    return body


def read_question(
    body: dict[str, Any], rules: Rules, headers: Mapping[str, str], model: Model | None = None
) -> Question:
    """Translates a request. InvalidRequest names the field that is wrong.

    `headers` are those of the request; the case of their names does not matter to it, or they are in small letters.
    `model` answers instead of the one that the rules choose; None leaves the choice to the rules.
    """
    requested_model = read_model_name(body)
    model = model or rules.choose(requested_model)
    chat = to_chat(body, model, rules.calibration(model))
    return Question(requested_model, chat, read_search(body), is_background(body, headers))


def count_tokens(body: dict[str, Any], rules: Rules) -> int:
    """An estimate of the tokens of a request. InvalidRequest names the field that is wrong."""
    model = rules.choose(read_model_name(body))
    if not isinstance(body.get("messages"), list):
        raise InvalidRequest("messages: Field required")
    return estimate_body(body).tokens(rules.calibration(model).factor)
