"""One request of a client with all its attempts, until its answer has ended."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from tray_app.catalog import Model
from tray_app.errors import (
    OWN_FAULT,
    CancelledByUser,
    ModelUnavailable,
    Overloaded,
    ProxyError,
    RateLimited,
    ShuttingDown,
    UpstreamFault,
    UpstreamTimeout,
)
from tray_app.history.record import Reason as HistoryReason
from tray_app.proxy.exchange.attempt import Attempt
from tray_app.proxy.exchange.exchange_log import ExchangeLog
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.exchange.notes import find_reason
from tray_app.proxy.exchange.progress import Progress
from tray_app.proxy.exchange.replies import make_reply
from tray_app.proxy.exchange.stand_ins import Reason, StandIn, find_next
from tray_app.proxy.exchange.translator import Incoming
from tray_app.settings.config import GatewayConfig
from tray_app.status.following import find_absence
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.question import Question

log = logging.getLogger(__name__)

_MOST_LESSONS = 4
"""How often one request is repeated without a parameter that the model refuses. Some servers name one at a time."""


class Exchange:
    """Chooses the model for one question, repeats attempts that fail, and ends the answer. `answer` is called once."""

    def __init__(
        self,
        request: web.Request,
        gateway: Gateway,
        config: GatewayConfig,
        question: Question,
        incoming: Incoming,
        progress: Progress,
    ) -> None:
        """`question` is the translation of `incoming`, which is translated again for each fallback model.

        `progress` is the record of this request, which shows the user how far it is.
        """
        self._gateway = gateway
        self._config = config
        self._question = question
        self._incoming = incoming
        self._progress = progress
        self._notes = progress.notes
        # The user may have switched the logging off since the request came.
        bodies = gateway.kept_bodies.begin(progress.notes, config) if gateway.config.settings.log_bodies else None
        self._log = ExchangeLog(question.requested_model, question.chat, config, bodies)
        self._reply = make_reply(request, question.chat, gateway.timeouts, self._log)
        if incoming.can_be_translated_again:
            progress.steering.begin(self._reply)

    async def answer(self) -> web.StreamResponse:
        """Returns the finished answer.

        A failure is raised if it can still become an HTTP status. Otherwise it is the last frame of the answer.
        """
        try:
            async with self._reply.kept_alive():
                return await self._try_models()
        except ProxyError as error:
            return await self._fail(error)
        except asyncio.CancelledError:
            if self._reply.is_complete:
                raise
            if self._gateway.is_quitting:
                return await self._fail(_stay_to_say_goodbye())
            self._leave()
            raise
        except ConnectionError:  # to the client; a broken connection to upstream raises a ProxyError
            self._leave()
            return self._reply.give_up()
        except Exception:
            log.exception("a fault of this program in an exchange")
            return await self._fail(ProxyError(OWN_FAULT, client_may_retry=False))

    async def _try_models(self) -> web.StreamResponse:
        """Tries the chosen model, or the one that answers in its place. While a model does not answer, tries the next.

        A model that NVIDIA has withdrawn is followed by its stand-in, and one that fails by the user's fallback models.
        If none of those that are followed is served either, the error is that of the first. The user may have another
        model asked meanwhile.
        """
        rules, asked = self._incoming.rules, self._question.requested_model
        choice, wanted = rules.find_choice(asked, is_background=self._question.is_background), None
        tried, withdrawal, stand_in = {self._question.chat.model.id}, None, None
        while True:
            try:
                response = await self._ask(choice, stand_in)
            except asyncio.CancelledError:
                if (wanted := self._progress.steering.take_order()) is None:
                    raise
                choice, withdrawal, stand_in = wanted, None, StandIn(wanted, Reason.CHOSEN)
            except (ModelUnavailable, RateLimited, Overloaded, UpstreamFault, UpstreamTimeout) as error:
                if isinstance(error, ModelUnavailable):
                    choice, withdrawal = wanted or rules.find_choice(asked), withdrawal or error
                stand_in = find_next(error, choice, tried, self._gateway.board.status, self._config.settings)
                if stand_in is None or self._reply.has_content:
                    raise withdrawal if withdrawal and isinstance(error, ModelUnavailable) else error from None
            else:
                if stand_in is None or stand_in.reason is Reason.WITHDRAWN:
                    self._gateway.outcomes.note_own_answer()
                return response
            tried.add(stand_in.model.id)

    async def _ask(self, choice: Model, stand_in: StandIn | None) -> web.StreamResponse:
        """Has the question answered by its own model, or by a stand-in. `choice` is the model that it is meant for."""
        chat, is_background = self._question.chat, self._question.is_background
        if stand_in is not None:
            chat, is_background = (await self._gateway.translator.translate(self._incoming, stand_in.model)).chat, False
            self._log.begin(chat)
        self._begin(chat, choice, stand_in.reason if stand_in else None)
        return await self._try_model(chat, is_background=is_background)

    def _begin(self, chat: ChatRequest, choice: Model, why: Reason | None) -> None:
        """Notes which model is asked, and why it is another one than the client named.

        If it is not the choice, the log says so, and the menu of a fallback model. `why` is None for no stand-in.
        """
        asked, rules = self._question.requested_model, self._incoming.rules
        is_fallback, is_chosen = why is Reason.FAILED, why is Reason.CHOSEN
        follows_tray = not is_fallback and not is_chosen and not rules.takes_named(asked)
        self._progress.choose(asked, chat.model, follows_tray=follows_tray)
        if is_chosen:
            self._notes.choose(chat.model, HistoryReason.CHOSEN)
            self._log.say(f"the user has {chat.model.id} asked instead")
            return
        is_background = self._question.is_background
        reason = find_reason(rules, asked, choice, chat.model, is_fallback=is_fallback, is_background=is_background)
        self._notes.choose(chat.model, reason)
        if chat.model.id == choice.id:
            return
        absence = find_absence(choice, self._gateway.board.status)
        why_not = f"is {absence.kind.value} {absence.date}".rstrip() if absence else "fails"
        self._log.say(f"{choice.id} {why_not}, {chat.model.id} stands in")
        if is_fallback:
            self._gateway.outcomes.note_fallback(choice, chat.model)

    async def _try_model(self, chat: ChatRequest, *, is_background: bool) -> web.StreamResponse:
        """Repeats the request after transient errors until the budget is spent or the client has seen content.

        A parameter that the model refuses is left out at once, and remembered if the request is answered in the end.
        """
        backoff, lessons = self._gateway.timeouts.backoff(), _MOST_LESSONS
        with self._gateway.quirks.trial(chat.model.id) as trial:
            while True:
                sent = chat
                try:
                    attempt = Attempt(self._gateway, self._config, chat, self._reply, self._log, self._progress)
                    sent = await attempt.take_turn(is_background=is_background)
                    return await attempt.run(sent)
                except asyncio.CancelledError:
                    trial.is_answered = self._reply.is_complete
                    raise
                except ProxyError as error:
                    self._gateway.outcomes.note_failed(chat.model, error)
                    self._progress.fail(error)
                    if self._reply.has_content:
                        raise
                    is_background = False  # it has given way before
                    if error.error_text and lessons and await trial.learn(error.error_text, sent.body):
                        lessons -= 1
                        continue
                    pause_s = backoff.next_pause_s(error.pause_s) if error.is_transient else None
                    if pause_s is None:
                        raise
                    self._log.say(f"{type(error).__name__}, trying again in {pause_s:.1f} s")
                    self._progress.pause(pause_s)
                await asyncio.sleep(pause_s)

    def _leave(self) -> None:
        self._log.left()
        self._notes.leave()

    async def _fail(self, error: ProxyError) -> web.StreamResponse:
        error.hide(self._config.secrets)
        self._log.failed(error)
        self._notes.fail(error)
        if self._progress.model is not None:
            self._gateway.outcomes.note_ended(self._progress.model, error)
        if error.client_may_retry:
            self._progress.give_up()
        if isinstance(error, CancelledByUser) and self._reply.is_open:
            self._gateway.repeats.expect(self._progress.session_id, self._question)
        return await self._reply.fail(error)


def _stay_to_say_goodbye() -> ShuttingDown:
    """Returns the error for a request that the quitting app cancels. Undoes the cancellation so that it can be sent."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
    return ShuttingDown("Claude NVIDIA Tray was quit while it answered.", client_may_retry=False)
