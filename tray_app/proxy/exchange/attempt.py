"""One attempt to have a chat request answered: it waits for its turn, is sent, and its answer goes on to the client."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial

from aiohttp import web

from tray_app.errors import ProxyError, QueueFull, UpstreamFault, UpstreamTimeout
from tray_app.proxy.exchange.aside import work_aside
from tray_app.proxy.exchange.call_repair import mend_calls
from tray_app.proxy.exchange.exchange_log import ExchangeLog
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.exchange.intake import Intake
from tray_app.proxy.exchange.progress import Progress
from tray_app.proxy.exchange.replies import Reply
from tray_app.proxy.upstream.chat_response import ChatResponse
from tray_app.proxy.upstream.pacing import Urgency
from tray_app.sentences import EMPTY_ANSWER, say_silent
from tray_app.settings.config import GatewayConfig
from tray_app.translate.refusal.refusal import RATE_LIMIT_PAUSE_S
from tray_app.translate.request.chat import ChatRequest


class Attempt:
    """One attempt with an answer of its own. Take its turn, then run it, once each; both raise ProxyErrors."""

    def __init__(
        self,
        gateway: Gateway,
        config: GatewayConfig,
        chat: ChatRequest,
        reply: Reply,
        exchange_log: ExchangeLog,
        progress: Progress,
    ) -> None:
        """Begins a new answer in `reply`. UserActionNeeded if there is no NVIDIA API key."""
        self._gateway = gateway
        self._config = config
        self._chat = chat
        self._reply = reply
        self._log = exchange_log
        self._progress = progress
        self._answer = reply.answer_for(chat)
        exchange_log.begin_answer()
        self._url, self._key = gateway.target(config)
        self._timeout_s = config.settings.upstream_timeout_seconds
        self._sent_s = 0.0

    async def take_turn(self, *, is_background: bool) -> ChatRequest:
        """Waits until the request may be sent, and returns it without the parameters that the model refuses."""
        return await self._take_turn(self._chat, is_background=is_background)

    async def run(self, sent: ChatRequest) -> web.StreamResponse:
        """Sends what `take_turn` returned, and returns the finished answer."""
        intake = Intake(self._answer, self._chat, self._log)
        async with self._open(sent) as response:
            await self._receive(response, intake)
            if not self._answer.lacks_something():
                return await self._finish(intake.prompt_tokens)
        await self._ask_once_more(intake)  # the first connection has been given back
        return await self._finish(intake.prompt_tokens)

    async def _take_turn(self, chat: ChatRequest, *, is_background: bool) -> ChatRequest:
        gateway, urgency = self._gateway, Urgency.BACKGROUND if is_background else Urgency.TURN
        limit = 0 if self._config.is_demo else self._config.settings.requests_per_minute
        self._progress.wait()
        try:
            await gateway.pacer.wait_turn(
                chat.model,
                limit=limit,
                urgency=urgency,
                number=self._progress.notes.number,
                longest_s=gateway.timeouts.queue_s,
            )
        except TimeoutError:
            raise QueueFull(
                f"NVIDIA's rate limit for {chat.model.label} is used up by other requests: "
                f"this one waited {gateway.timeouts.queue_s:.0f} s for its turn.",
                retry_after_s=RATE_LIMIT_PAUSE_S,
            ) from None
        return replace(chat, body=gateway.quirks.adapt(chat.model.id, chat.body))

    def _open(self, sent: ChatRequest) -> AbstractAsyncContextManager[ChatResponse]:
        self._progress.send()
        self._sent_s = time.monotonic()
        self._gateway.evidence.note_sent(sent.model.id)
        return self._gateway.upstream.open_chat(sent, self._url, self._key, self._timeout_s)

    async def _receive(self, response: ChatResponse, intake: Intake) -> None:
        """Reads the whole answer in the form in which it comes. Some servers stream unasked, or do not stream."""
        if not await response.has_events():
            body = await response.read_whole()
            await work_aside(len(body), intake.take_whole, body)
            self._note_answered()
        elif not await self._relay_events(response, intake):
            raise UpstreamFault("NVIDIA broke off the answer in the middle. Please try again.")

    async def _relay_events(self, response: ChatResponse, intake: Intake) -> bool:
        """Writes to the client after each read, in the same task. Returns whether upstream finished its answer.

        Plain events do not even wake the task: they are passed on as they arrive.
        """
        said_bytes, said_s = 0, time.monotonic()
        while data := await response.read_part(partial(self._pass_on, intake)):
            is_done = await intake.feed(data)
            await self._reply.flush()
            if self._answer.size_bytes > said_bytes:
                if not said_bytes:
                    self._note_answered()
                said_bytes, said_s = self._answer.size_bytes, time.monotonic()
                self._progress.hear(intake.phase, said_bytes)
            elif not is_done and time.monotonic() - said_s > self._timeout_s:  # only comments or empty events come
                raise UpstreamTimeout(say_silent(self._timeout_s))
            if self._answer.is_over:
                response.close()  # stops upstream from generating what nobody will read
            if is_done:
                return True
        return await intake.finish()

    def _pass_on(self, intake: Intake, data: bytes) -> bool:
        """Writes plain events to the client, all in this turn of the event loop. Returns False if it leaves them."""
        if not self._reply.is_ready or not intake.feed_plain(data):
            return False
        self._reply.flush_now()
        self._progress.hear(intake.phase, self._answer.size_bytes)
        return True

    def _note_answered(self) -> None:
        first_token_s = time.monotonic() - self._sent_s
        self._progress.notes.hear(first_token_s)
        self._gateway.outcomes.note_answered(self._chat.model, first_token_s)

    async def _ask_once_more(self, intake: Intake) -> None:
        """Sends the same request without streaming, and takes what the first answer lacks from the second.

        Streaming parsers lose calls without arguments, and models at times say nothing. A failure is raised only if
        the client would get an empty answer without a reason. Otherwise the first answer stands as it is.
        """
        self._log.say("the answer lacks what it announces, asking once more")
        unstreamed = {key: value for key, value in self._chat.body.items() if key not in ("stream", "stream_options")}
        try:
            again = await self._take_turn(replace(self._chat, body=unstreamed), is_background=False)
            async with self._open(again) as response:
                intake.supplement(await response.read_whole())
        except ProxyError as error:
            if self._answer.ends_empty():
                raise
            self._gateway.outcomes.note_failed(self._chat.model, error)
            self._log.say(f"the second answer failed: {type(error).__name__}")
        if self._answer.ends_empty():
            raise UpstreamFault(EMPTY_ANSWER)

    async def _finish(self, prompt_tokens: int | None) -> web.StreamResponse:
        """Repairs broken calls, ends the answer, logs it, and learns from the prompt tokens that upstream reported."""
        broken = await work_aside(self._answer.size_bytes, self._answer.unmended_calls)
        await mend_calls(broken, self._gateway.workers)
        usage = await self._reply.finish()
        if self._answer.has_calls:
            self._gateway.evidence.note_called(self._chat.model.id)
        if not self._config.is_demo:  # the demo does not count tokens
            self._gateway.calibrations.learn(self._chat.model.id, self._chat.estimate, prompt_tokens)
        self._log.answered(usage)
        self._progress.notes.answer(self._answer.reported_tokens, self._answer.call_count)
        return await self._reply.end()
