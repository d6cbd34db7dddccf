"""One request and its answer: asked upstream, more than once if need be, and handed to the client as it comes."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web

from tray_app.catalog import Model
from tray_app.errors import (
    OWN_FAULT,
    ModelUnavailable,
    Overloaded,
    ProxyError,
    QueueFull,
    RateLimited,
    ShuttingDown,
    UpstreamFault,
    UpstreamTimeout,
)
from tray_app.proxy.exchange.aside import LARGE_BYTES, work_aside
from tray_app.proxy.exchange.call_repair import mend_calls
from tray_app.proxy.exchange.client_stream import ClientStream
from tray_app.proxy.exchange.exchange_log import ExchangeLog
from tray_app.proxy.exchange.gateway import REQUEST_ID, Gateway
from tray_app.proxy.upstream.chat_response import ChatResponse
from tray_app.proxy.upstream.quirks import Trial
from tray_app.settings.config import GatewayConfig
from tray_app.translate import json_text
from tray_app.translate.answer.answer import Answer
from tray_app.translate.answer.chunk import Chunk, decode_chunk
from tray_app.translate.answer.message import MessageBuilder
from tray_app.translate.answer.sse import EventTooLong, SseReader
from tray_app.translate.answer.stream import StreamTranslator, head_frame
from tray_app.translate.refusal.refusal import RATE_LIMIT_PAUSE_S, explain_malformed
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.question import Question

log = logging.getLogger(__name__)

_DONE = b"[DONE]"
_MOST_LESSONS = 4
"""Of one request: some servers name one refused parameter at a time."""

Translator = StreamTranslator | MessageBuilder


class Exchange:
    """Serves one question; `answer` is called once."""

    def __init__(
        self,
        request: web.Request,
        gateway: Gateway,
        config: GatewayConfig,
        question: Question,
        translate_for: Callable[[Model], Awaitable[ChatRequest]],
    ) -> None:
        """`translate_for` gives the same question for another model."""
        self._gateway = gateway
        self._config = config
        self._question = question
        self._translate_for = translate_for
        self._chat = question.chat
        self._log = ExchangeLog(question.requested_model, self._chat, config)
        self._message_id = f"msg_{uuid.uuid4().hex}"
        self._client = ClientStream(request, request[REQUEST_ID], self._head(), gateway.timeouts)
        self._is_answered = False  # set once a streamed answer is at its end
        self._prompt_tokens: int | None = None  # as upstream reports them
        self._sent = self._chat.body
        self._is_background = question.is_background  # who was refused has given way before

    async def answer(self) -> web.StreamResponse:
        """The finished answer. A failure is raised as long as it can be an HTTP status; then it is the last frame."""
        try:
            if not self._chat.is_stream:
                return await self._try_models()
            async with self._client.kept_alive():
                return await self._try_models()
        except ProxyError as error:
            return await self._fail(error)
        except asyncio.CancelledError:
            if self._is_answered:
                raise
            if self._gateway.is_quitting:
                return await self._fail(_stay_to_say_goodbye())
            self._log.left()
            raise
        except ConnectionError:  # the client's; what upstream's connection raises is a ProxyError
            self._log.left()
            return self._client.response or web.Response()
        except Exception:
            if self._client.response is None:
                raise
            log.exception("a fault of this program in the middle of an answer")
            return await self._fail(ProxyError(OWN_FAULT, client_may_retry=False))

    async def _try_models(self) -> web.StreamResponse:
        """The chosen model, and where it refuses, those that the user named to stand in."""
        chosen = self._question.chat.model
        tried = {chosen.id}
        while True:
            try:
                response = await self._try_for_answer()
            except (ModelUnavailable, RateLimited, Overloaded, UpstreamFault, UpstreamTimeout):
                unavailable = self._gateway.board.status.unavailable_models | tried
                fallbacks = self._config.settings.catalog.fallbacks(chosen, unavailable)
                if not fallbacks or self._client.has_content:
                    raise
            else:
                if self._chat.model is chosen:
                    self._gateway.outcomes.note_own_answer()
                return response
            self._chat = await self._translate_for(fallbacks[0])
            tried.add(fallbacks[0].id)
            self._client.head = self._head()
            self._log.say(f"{fallbacks[0].id} stands in")
            self._log.begin(self._chat)
            self._gateway.outcomes.note_fallback(chosen, fallbacks[0])

    def _head(self) -> bytes:
        return head_frame(self._chat, self._message_id)

    async def _try_for_answer(self) -> web.StreamResponse:
        """Keeps what the model's refusals teach if it answers in the end."""
        with self._gateway.quirks.trial(self._chat.model.id) as trial:
            return await self._attempt_until_answered(trial)

    async def _attempt_until_answered(self, trial: Trial) -> web.StreamResponse:
        """Attempts after passing faults, for as long as the client knows of none of the answer."""
        backoff, lessons = self._gateway.timeouts.backoff(), _MOST_LESSONS
        while True:
            try:
                return await self._attempt()
            except ProxyError as error:
                self._gateway.outcomes.note_failed(self._chat.model, error)
                if self._client.has_content:
                    raise
                if error.error_text and lessons and await self._learn(trial, error.error_text):
                    lessons -= 1
                    continue
                pause_s = backoff.next_pause_s(error.pause_s) if error.is_transient else None
                if pause_s is None:
                    raise
                self._log.say(f"{type(error).__name__}, trying again in {pause_s:.1f} s")
            await asyncio.sleep(pause_s)

    async def _learn(self, trial: Trial, error_text: str) -> bool:
        """Whether the next attempt will leave out what this model refuses."""
        found = await asyncio.to_thread(trial.read, error_text, self._sent)
        return trial.take(found, self._sent)

    async def _attempt(self) -> web.StreamResponse:
        translator: Translator
        if self._chat.is_stream:
            translator = StreamTranslator(self._chat, self._message_id)
        else:
            translator = MessageBuilder(self._chat, self._message_id)
        async with self._open(self._chat) as reply:
            await self._receive(reply, translator)
            if translator.answer.lacks_something():
                await self._ask_once_more(translator.answer)
            size_bytes = translator.answer.size_bytes
            await mend_calls(await work_aside(size_bytes, translator.answer.unmended_calls), self._gateway.workers)
            if isinstance(translator, MessageBuilder):
                return self._hand_over(await work_aside(size_bytes, translator.finish))
            return await self._end_stream(translator, await work_aside(size_bytes, translator.finish))

    async def _receive(self, reply: ChatResponse, translator: Translator) -> None:
        """Takes all that upstream says; what is streamed goes on to the client at once."""
        if not await reply.has_events():  # some gateways stream what should not be streamed, and the other way round
            body = await reply.read_whole()
            await work_aside(len(body), self._take_whole, translator.answer, body)
            self._gateway.outcomes.note_answered(self._chat.model)
        elif not await self._relay_events(reply, translator):
            raise UpstreamFault("NVIDIA broke off the answer in the middle. Please try again.")

    @asynccontextmanager
    async def _open(self, chat: ChatRequest) -> AsyncIterator[ChatResponse]:
        """Upstream's answer to `chat`, in its turn and less what the model is known to refuse."""
        gateway, settings = self._gateway, self._config.settings
        url, key = gateway.target(self._config)
        limit = 0 if self._config.is_demo else settings.requests_per_minute
        try:
            async with asyncio.timeout(gateway.timeouts.queue_s):
                await gateway.pacer.wait_turn(chat.model, limit=limit, is_background=self._is_background)
        except TimeoutError:
            raise QueueFull(
                f"NVIDIA's rate limit for {chat.model.label} is used up by other requests: "
                f"this one waited {gateway.timeouts.queue_s:.0f} s for its turn.",
                retry_after_s=RATE_LIMIT_PAUSE_S,
            ) from None
        self._is_background = False
        self._sent = gateway.quirks.adapt(chat.model.id, chat.body)
        adapted = replace(chat, body=self._sent)
        async with gateway.upstream.open_chat(adapted, url, key, settings.upstream_timeout_seconds) as reply:
            yield reply

    async def _relay_events(self, reply: ChatResponse, translator: Translator) -> bool:
        """Reads and writes in one task: one write for all frames of a read. True if upstream finished its answer."""
        reader = SseReader()
        timeout_s = self._config.settings.upstream_timeout_seconds
        is_done = False
        said_bytes, said_s = 0, time.monotonic()
        while data := await reply.read_part():
            try:
                payloads = reader.feed(data)
            except EventTooLong:
                raise UpstreamFault(
                    "NVIDIA's answer holds an event larger than any answer. Please try again."
                ) from None
            is_done = await self._feed(translator, payloads) or translator.answer.is_over
            if isinstance(translator, StreamTranslator) and (frames := translator.take()):
                await self._client.write(frames)
            if translator.answer.size_bytes > said_bytes:
                if not said_bytes:
                    self._gateway.outcomes.note_answered(self._chat.model)
                said_bytes, said_s = translator.answer.size_bytes, time.monotonic()
            elif not is_done and time.monotonic() - said_s > timeout_s:  # comments or empty events, for ever
                raise UpstreamTimeout(f"NVIDIA sent nothing of an answer for {timeout_s} s. Please try again.")
            if translator.answer.is_over:
                reply.close()  # the rest would be generated for nobody
            if is_done:
                break
        return is_done or await self._feed(translator, reader.finish()) or translator.answer.has_finish

    async def _feed(self, translator: Translator, payloads: list[bytes]) -> bool:
        """True at the mark that ends the stream; nothing after it counts."""
        for payload in payloads:
            if payload.strip() == _DONE:
                return True
            if len(payload) <= LARGE_BYTES:  # as nearly always
                self._take(translator.answer, payload)
            else:
                await work_aside(len(payload), self._take, translator.answer, payload)
        return False

    def _take(self, answer: Answer, payload: bytes) -> None:
        chunk = self._read(payload)
        answer.feed(chunk)
        self._log.note(chunk)

    def _take_whole(self, answer: Answer, body: bytes) -> None:
        answer.feed_whole(self._read(body))

    async def _ask_once_more(self, answer: Answer) -> None:
        """Puts what an answer lacks into it, where the same question, not streamed, brings it.

        Streaming parsers lose calls without arguments, and models at times say nothing. What the second answer lacks
        as well is the truth, unless there is no answer at all.
        """
        self._log.say("the answer lacks what it announces, asking once more")
        unstreamed = {key: value for key, value in self._chat.body.items() if key not in ("stream", "stream_options")}
        try:
            async with self._open(replace(self._chat, body=unstreamed)) as reply:
                answer.supplement(self._read(await reply.read_whole()))
        except ProxyError as error:
            if answer.ends_empty():
                raise
            self._gateway.outcomes.note_failed(self._chat.model, error)
            self._log.say(f"nor does a second one come: {type(error).__name__}")
        if answer.ends_empty():
            raise UpstreamFault("NVIDIA's answer is empty. Please try again.")

    def _hand_over(self, message: dict[str, Any]) -> web.Response:
        self._log.body("answer", message)
        self._end(message["usage"])
        return web.json_response(body=json_text.encode(message))

    async def _end_stream(self, translator: StreamTranslator, usage: dict[str, int]) -> web.StreamResponse:
        await self._client.write(translator.take())
        self._end(usage)
        response = await self._client.end()
        self._is_answered = True
        return response

    def _end(self, usage: dict[str, int]) -> None:
        """Logs a complete answer, and learns from it."""
        if not self._config.is_demo:  # which counts no tokens
            self._gateway.calibrations.learn(self._chat.model.id, self._chat.estimate, self._prompt_tokens)
        self._log.answered(usage)

    async def _fail(self, error: ProxyError) -> web.StreamResponse:
        error.hide(self._config.secrets)
        self._log.failed(error)
        response = await self._client.fail(error)
        if response is None:
            raise error
        return response

    def _read(self, payload: bytes) -> Chunk:
        try:
            chunk = decode_chunk(payload)
        except ValueError:
            raise explain_malformed(payload, self._chat.model, self._chat) from None
        if chunk.usage is not None:
            self._prompt_tokens = chunk.usage.prompt or self._prompt_tokens
        return chunk


def _stay_to_say_goodbye() -> ShuttingDown:
    """The error for a request that the quitting app cancels; undoes the cancellation, so that it can be sent."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
    return ShuttingDown("Claude NVIDIA Tray was quit while it answered.", client_may_retry=False)
