"""Asks one model because the user wants to know at once whether it answers, and says so in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from tray_app.catalog import Model
from tray_app.errors import NotFound, ProxyError
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.models.look import Look
from tray_app.proxy.models.probe import WHOLE_S, Answered, NoAnswer, probe
from tray_app.proxy.upstream.pacing import Urgency
from tray_app.status.following import find_catalog


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of the question to one model."""

    answers: bool
    sentence: str
    first_token_s: float | None = None
    """Seconds from the question to the first token; None: the model did not answer."""


async def try_model(gateway: Gateway, model_id: str) -> Trial:
    """Asks the model once, as soon as the rate limit lets it. NotFound if there is no model of this id."""
    config = gateway.config
    model = find_catalog(gateway.board.status, config.settings).find(model_id)
    if model is None:
        raise NotFound(f"There is no model {model_id}.")
    look = Look(gateway, config, frozenset(), is_asked=True)
    try:
        limit = config.settings.requests_per_minute
        await gateway.pacer.wait_turn(model, limit=limit, urgency=Urgency.TURN)
        answered = await probe(gateway, config, model)
    except (ProxyError, NoAnswer, TimeoutError) as error:
        look.note_failed(model, error)
        if isinstance(error, ProxyError):
            error.hide(config.secrets)
        return Trial(False, _explain(model, error))
    else:
        look.note_answered(model, answered)
        return Trial(True, _describe(model, answered), answered.first_token_s)
    finally:
        gateway.evidence.publish()


def _describe(model: Model, answered: Answered) -> str:
    time = f"{model.label} answers after {answered.first_token_s:.1f} s"
    if answered.calls_tools is None:
        return f"{time}. Whether it calls tools is not known, because its answer was too long."
    if answered.calls_tools:
        return f"{time}, and calls tools."
    return f"{time}, but did not call the tool that it was asked to call. Claude Code needs a model that calls tools."


def _explain(model: Model, error: ProxyError | NoAnswer | TimeoutError) -> str:
    if isinstance(error, ProxyError):
        return error.message
    if isinstance(error, NoAnswer):
        return f"{model.label} sent no answer that can be used: {error}"
    return f"{model.label} has not answered within {WHOLE_S:.0f} s."
