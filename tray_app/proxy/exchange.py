"""One request and its answer: asked upstream, more than once if need be, and handed to the client as it comes."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import aiohttp
from aiohttp import web

from tray_app.errors import OWN_FAULT, ProxyError, ShuttingDown, UpstreamFault
from tray_app.proxy.client_stream import ClientStream
from tray_app.proxy.gateway import REQUEST_ID, Gateway, GatewayConfig
from tray_app.proxy.upstream import read_answer
from tray_app.redaction import hide_secrets, show_body
from tray_app.translate import json_text
from tray_app.translate.answer import Answer
from tray_app.translate.chunk import Chunk, decode_chunk
from tray_app.translate.message import MessageBuilder
from tray_app.translate.request import ChatRequest
from tray_app.translate.sse import EventTooLong, SseReader
from tray_app.translate.stream import StreamTranslator, head_frame

log = logging.getLogger(__name__)

_DONE = b"[DONE]"
_NAME_CHARS = 80
_KEY_CHARS = 200
"""No key is longer: read that far past the preview's end, it can be told and hidden."""

Translator = StreamTranslator | MessageBuilder


class Exchange:
    """Serves one chat request; `answer` is called once."""

    def __init__(
        self, request: web.Request, gateway: Gateway, config: GatewayConfig, chat: ChatRequest, asked: str
    ) -> None:
        self._gateway = gateway
        self._config = config
        self._chat = chat
        self._message_id = f"msg_{uuid.uuid4().hex}"
        head = head_frame(chat, self._message_id)
        self._client = ClientStream(request, request[REQUEST_ID], head, gateway.patience)
        self._is_answered = False  # set once a streamed answer is at its end
        self._prompt_tokens: int | None = None  # as upstream reports them
        self._started_s = time.monotonic()
        self._name = f"{asked[:_NAME_CHARS]!r} -> {chat.model.id}{', streamed' if chat.is_stream else ''}"
        settings = config.settings
        self._preview = ""
        self._preview_chars = settings.log_stream_text_preview_chars if settings.log_bodies else 0
        self._secrets = [key for key in (config.keys.nvidia, config.keys.server) if key]

    async def answer(self) -> web.StreamResponse:
        """The finished answer. A failure is raised as long as it can be an HTTP status; then it is the last frame."""
        self._log_body("request", self._chat.body)
        try:
            if not self._chat.is_stream:
                return await self._try_for_answer()
            async with self._client.kept_alive():
                return await self._try_for_answer()
        except ProxyError as error:
            return await self._fail(error)
        except asyncio.CancelledError:
            if self._is_answered:
                raise
            if self._gateway.is_quitting:
                return await self._fail(_stay_to_say_goodbye())
            log.info("%s: the client left after %.1f s", self._name, self._elapsed_s())
            raise
        except Exception:
            if self._client.response is None:
                raise
            log.exception("a fault of this program in the middle of an answer")
            return await self._fail(ProxyError(OWN_FAULT, retryable=False))

    async def _try_for_answer(self) -> web.StreamResponse:
        """Attempts after passing faults, for as long as the client knows of none of the answer."""
        backoff = self._gateway.patience.backoff()
        while True:
            try:
                return await self._attempt()
            except ProxyError as error:
                pause_s = backoff.next_pause_s() if error.is_passing and not self._client.has_content else None
                if pause_s is None:
                    raise
                log.info("%s: %s, trying again in %.1f s", self._name, type(error).__name__, pause_s)
            await asyncio.sleep(pause_s)

    async def _attempt(self) -> web.StreamResponse:
        translator: Translator
        if self._chat.is_stream:
            translator = StreamTranslator(self._chat, self._message_id)
        else:
            translator = MessageBuilder(self._chat, self._message_id)
        await self._receive(translator)
        if translator.answer.lacks_something:
            await self._ask_once_more(translator.answer)
        if isinstance(translator, MessageBuilder):
            return self._hand_over(translator.finish())
        return await self._end_stream(translator)

    async def _receive(self, translator: Translator) -> None:
        """Takes all that upstream says; what is streamed goes on to the client at once."""
        async with self._open(self._chat) as reply:
            if "json" in reply.content_type or not self._chat.is_stream:
                # some gateways answer a stream request with a whole completion
                translator.answer.feed_whole(self._read(await read_answer(reply)))
            elif not await self._relay_events(reply, translator):
                raise UpstreamFault("NVIDIA broke off the answer in the middle. Please try again.")

    def _open(self, chat: ChatRequest) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        url, key = self._gateway.target(self._config)
        return self._gateway.upstream.open_chat(chat, url, key, self._config.settings.upstream_timeout_seconds)

    async def _relay_events(self, reply: aiohttp.ClientResponse, translator: Translator) -> bool:
        """Reads and writes in one task: one write for all frames of a read. True if upstream finished its answer."""
        reader = SseReader()
        is_done = False
        async for data in reply.content.iter_any():
            try:
                payloads = reader.feed(data)
            except EventTooLong:
                raise UpstreamFault(
                    "NVIDIA's answer holds an event larger than any answer. Please try again."
                ) from None
            is_done = self._feed(translator, payloads) or translator.answer.is_over
            if isinstance(translator, StreamTranslator) and (frames := translator.take()):
                await self._client.write(frames)
            if translator.answer.is_over:
                reply.close()  # the rest would be generated for nobody
            if is_done:
                break
        return is_done or self._feed(translator, reader.finish()) or translator.answer.has_finish

    def _feed(self, translator: Translator, payloads: list[bytes]) -> bool:
        """True at the mark that ends the stream; nothing after it counts."""
        for payload in payloads:
            if payload == _DONE:
                return True
            chunk = self._read(payload)
            translator.answer.feed(chunk)
            if self._preview_chars and len(self._preview) < self._preview_chars + _KEY_CHARS:
                self._preview += _text_of(chunk)
        return False

    async def _ask_once_more(self, answer: Answer) -> None:
        """Puts what an answer lacks into it, where the same question, not streamed, brings it.

        Streaming parsers lose calls without arguments, and models at times say nothing. What the second answer lacks
        as well is the truth.
        """
        log.info("%s: the answer lacks what it announces, asking once more", self._name)
        unstreamed = {key: value for key, value in self._chat.body.items() if key not in ("stream", "stream_options")}
        try:
            async with self._open(replace(self._chat, body=unstreamed)) as reply:
                answer.supplement(self._read(await read_answer(reply)))
        except ProxyError as error:
            log.info("%s: nor does a second one come: %s", self._name, type(error).__name__)

    def _hand_over(self, message: dict[str, Any]) -> web.Response:
        self._log_body("answer", message)
        self._end(message["usage"])
        return web.json_response(body=json_text.encode(message))

    async def _end_stream(self, translator: StreamTranslator) -> web.StreamResponse:
        usage = translator.finish()
        await self._client.write(translator.take())
        if self._preview:
            preview = hide_secrets(self._preview, self._secrets)[: self._preview_chars]
            log.info("%s: text begins %r", self._name, preview)
        self._end(usage)
        response = await self._client.end()
        self._is_answered = True
        return response

    async def _fail(self, error: ProxyError) -> web.StreamResponse:
        # the sentence may quote upstream, and upstream the prompt
        sentence = f": {error}" if self._config.settings.log_bodies else ""
        log.warning("%s: %s after %.1f s%s", self._name, type(error).__name__, self._elapsed_s(), sentence)
        response = await self._client.fail(error)
        if response is None:
            raise error
        return response

    def _read(self, payload: bytes) -> Chunk:
        try:
            chunk = decode_chunk(payload)
        except ValueError:
            raise UpstreamFault(
                "NVIDIA's answer is malformed: a part of it is no chat completion. Please try again."
            ) from None
        if chunk.usage is not None:
            self._prompt_tokens = chunk.usage.prompt_tokens
        return chunk

    def _log_body(self, what: str, body: dict[str, Any]) -> None:
        settings = self._config.settings
        if settings.log_bodies and settings.log_body_max_chars:
            log.info("%s: %s %s", self._name, what, show_body(body, settings.log_body_max_chars, self._secrets))

    def _end(self, usage: dict[str, int]) -> None:
        """Logs a complete answer, and learns from it."""
        if not self._config.is_demo:  # which counts no tokens
            self._gateway.calibrations.learn(self._chat.model.id, self._chat.estimate, self._prompt_tokens)
        tokens = f"{usage['input_tokens']} + {usage['cache_read_input_tokens']} cached in, {usage['output_tokens']} out"
        log.info("%s: answered in %.1f s, %s", self._name, self._elapsed_s(), tokens)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started_s


def _text_of(chunk: Chunk) -> str:
    message = chunk.choices[0].delta if chunk.choices else None
    return message.text if message else ""


def _stay_to_say_goodbye() -> ShuttingDown:
    """The error for a request that the quitting app cancels; undoes the cancellation, so that it can be sent."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
    return ShuttingDown("Claude NVIDIA Tray was quit while it answered.", retryable=False)
