"""The probes of one look: which models are asked, when, and what their answers mean."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from tray_app.catalog import Model
from tray_app.errors import (
    KeyRefused,
    ModelUnavailable,
    ProxyError,
    RateLimited,
    UpstreamFault,
    UpstreamUnusable,
    UserActionNeeded,
)
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.models.plan import is_due, list_candidates
from tray_app.proxy.models.probe import Answered, NoAnswer, probe
from tray_app.proxy.upstream.outcomes import find_trouble
from tray_app.proxy.upstream.pacing import Urgency
from tray_app.proxy.upstream.records import MOST_TRIES
from tray_app.settings.config import GatewayConfig
from tray_app.status.findings import ModelTrouble, Unavailability

log = logging.getLogger(__name__)

DAILY_PROBES = 250
"""Most probes in a day of UTC, to all models together. The first day needs about 90: one for each of some 70
listed chat models, and two more for each that gives no verdict; later days need 35 to 75. Each is one of the 10,000
requests that NVIDIA takes for its model in a day, so even if all went to one model, 97 % would be left."""
MOST_IN_A_ROW = 3
"""After so many refusals of the key, or failures to reach NVIDIA, one after the other, no more models are asked."""
_NEXT_ROUND_S = 60.0
"""Pause before models that gave no verdict are asked again. A model that is overloaded needs a moment."""


class Look:
    """The probes of one look."""

    def __init__(self, gateway: Gateway, config: GatewayConfig, listed: frozenset[str], *, is_asked: bool) -> None:
        self._gateway = gateway
        self._config = config
        self._listed = listed
        self._is_asked = is_asked
        self._sent = 0
        self._forbidden = 0  # refusals of the key in a row
        self._unreached = 0  # failures to reach NVIDIA in a row

    async def probe_all(self) -> bool:
        """Probes each model of which too little is known. Returns False if NVIDIA cannot be reached."""
        if not self._config.settings.probe_models:
            return True
        models = list_candidates(self._config.settings, self._listed)
        due = [model for model in models if self._is_due(model)]
        for number in range(MOST_TRIES):
            if number and due and not self._must_stop():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_NEXT_ROUND_S):
                        await self._gateway.evidence.look_due.wait()
            for done, model in enumerate(due):
                if self._must_stop():
                    break
                self._gateway.board.publish(look=replace(self._gateway.board.status.look, left=len(due) - done))
                await self._probe(model)
            self._is_asked = False  # what gives no verdict in this look has been asked again by now
            due = [model for model in due if self._is_due(model)]
        self._gateway.evidence.publish()
        if self._sent:
            log.info("%d probes of models were sent, %d today", self._sent, self._gateway.evidence.count_probes())
        return self._unreached < MOST_IN_A_ROW

    def _is_due(self, model: Model) -> bool:
        evidence = self._gateway.evidence
        return is_due(evidence.find(model.id), evidence.now(), is_asked=self._is_asked)

    @property
    def _is_outdated(self) -> bool:
        """Tells whether the user has changed the key or the address since this look began."""
        return self._gateway.config.upstream != self._config.upstream

    def _must_stop(self) -> bool:
        """Tells whether no more models are to be asked. If the next look is due, it goes on with the others."""
        return (
            self._is_outdated
            or self._gateway.config.is_paused
            or self._gateway.evidence.look_due.is_set()
            or not self._gateway.config.settings.probe_models
            or max(self._forbidden, self._unreached) >= MOST_IN_A_ROW
            or self._gateway.evidence.count_probes() >= DAILY_PROBES
        )

    async def _probe(self, model: Model) -> None:
        await self._wait_turn(model)
        if self._must_stop() or not self._is_due(model):  # a request may have shown it meanwhile
            return
        self._sent += 1
        try:
            answered = await probe(self._gateway, self._config, model)
        except (ProxyError, NoAnswer, TimeoutError) as error:
            if not self._is_outdated:
                self.note_failed(model, error)
        except Exception:  # a model that has this program stumble must not keep it from asking the others
            log.exception("a fault of this program in a probe of %s", model.id)
            self._gateway.evidence.note_probe_silent(model.id)
        else:
            if not self._is_outdated:
                self.note_answered(model, answered)

    async def _wait_turn(self, model: Model) -> None:
        """Waits until no request of a client is being answered, and the model takes one more request."""
        settings, is_idle = self._config.settings, self._gateway.is_idle
        while True:
            await is_idle.wait()
            with suppress(RateLimited):
                await self._gateway.pacer.wait_turn(model, limit=settings.requests_per_minute, urgency=Urgency.PROBE)
            if is_idle.is_set():
                return

    def note_answered(self, model: Model, answered: Answered) -> None:
        """Notes what the answer of a model to a probe tells."""
        self._forbidden = self._unreached = 0
        self._gateway.pacer.note_served(model)
        self._gateway.evidence.note_probe_answered(model.id, answered.first_token_s, answered.calls_tools)
        self._gateway.board.clear_model(model.id)

    def note_failed(self, model: Model, error: ProxyError | NoAnswer | TimeoutError) -> None:
        """Notes what it tells of the model, of the key or of the way to NVIDIA that a probe failed."""
        evidence = self._gateway.evidence
        if isinstance(error, UpstreamFault) and not isinstance(error, UpstreamUnusable):
            self._unreached += 1  # which says nothing about the model
            return
        self._unreached = 0
        match error:
            case ModelUnavailable():
                self._forbidden = 0
                evidence.note_probe_refused(model.id, find_trouble(error))
            case KeyRefused() if error.is_about_model:
                self._forbidden += 1
                evidence.note_probe_refused(model.id, ModelTrouble(Unavailability.NOT_ALLOWED))
            case KeyRefused():
                self._forbidden = MOST_IN_A_ROW
                self._gateway.outcomes.note_key_refused(error)
            case UserActionNeeded():  # the account has no credits
                self._forbidden += 1
                evidence.note_probe_silent(model.id)
            case _:
                if isinstance(error, RateLimited):
                    self._gateway.pacer.note_refused(model)
                evidence.note_probe_silent(model.id)
