"""Carries out what the page asks for about a request that runs. It is called in the gateway's own thread."""

from __future__ import annotations

from typing import assert_never

from tray_app.errors import InvalidRequest
from tray_app.page.actions import AskInstead, CancelRequest, LiveAction
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.status.following import find_catalog


def steer(gateway: Gateway, action: LiveAction) -> dict[str, str]:
    """Carries out an action, and returns nothing. InvalidRequest says why it can no longer be done."""
    match action:
        case CancelRequest(number):
            if not gateway.cancel(number):
                raise InvalidRequest("This request has ended already.")
        case AskInstead(number, model_id):
            model = find_catalog(gateway.board.status, gateway.config.settings).find(model_id)
            if model is None:
                raise InvalidRequest("NVIDIA has no such model.")
            if not gateway.ask_instead(number, model):
                raise InvalidRequest("No other model can be asked any more: the answer has begun, or it has ended.")
        case _ as never:
            assert_never(never)
    return {}
