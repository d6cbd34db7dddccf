"""One request and its answer: asked upstream, translated, handed to the client as it comes."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import web

from tray_app.errors import OWN_FAULT, ProxyError, ShuttingDown, UpstreamFault
from tray_app.proxy.gateway import REQUEST_ID, Gateway, GatewayConfig
from tray_app.proxy.upstream import read_answer, read_rest
from tray_app.redaction import hide_secrets, show_body
from tray_app.translate import json_text
from tray_app.translate.chunk import Chunk, decode_chunk
from tray_app.translate.message import to_message
from tray_app.translate.request import ChatRequest
from tray_app.translate.sse import EventTooLong, SseReader
from tray_app.translate.stream import StreamTranslator, error_frame

log = logging.getLogger(__name__)

_DONE = b"[DONE]"
_NAME_CHARS = 80
_KEY_CHARS = 200
"""No key is longer: read that far past the preview's end, it can be told and hidden."""


class Exchange:
    """Serves one chat request; `answer` is called once."""

    def __init__(
        self, request: web.Request, gateway: Gateway, config: GatewayConfig, chat: ChatRequest, asked: str
    ) -> None:
        self._request = request
        self._gateway = gateway
        self._config = config
        self._chat = chat
        self._message_id = f"msg_{uuid.uuid4().hex}"
        self._response: web.StreamResponse | None = None  # set once the client has our 200
        self._is_answered = False  # set once a streamed answer is at its end
        self._prompt_tokens: int | None = None  # as upstream reports them
        self._started_s = time.monotonic()
        self._name = f"{asked[:_NAME_CHARS]!r} -> {chat.model.id}{', streamed' if chat.is_stream else ''}"
        settings = config.settings
        self._preview = ""
        self._preview_chars = settings.log_stream_text_preview_chars if settings.log_bodies else 0
        self._secrets = [key for key in (config.keys.nvidia, config.keys.server) if key]

    async def answer(self) -> web.StreamResponse:
        """The finished answer. A failure before the first frame is raised; after it, it is the last frame."""
        self._log_body("request", self._chat.body)
        try:
            return await self._forward()
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
            if self._response is None:
                raise
            log.exception("a fault of this program in the middle of an answer")
            return await self._fail(ProxyError(OWN_FAULT, retryable=False))

    async def _forward(self) -> web.StreamResponse:
        url, key = self._gateway.target(self._config)
        timeout_s = self._config.settings.upstream_timeout_seconds
        async with self._gateway.upstream.open_chat(self._chat, url, key, timeout_s) as reply:
            if self._chat.is_stream:
                return await self._relay(reply)
            completion = self._read(await read_answer(reply))
        message = to_message(completion, self._chat, self._message_id)
        self._log_body("answer", message)
        self._end(message["usage"])
        return web.json_response(body=json_text.encode(message))

    async def _relay(self, reply: aiohttp.ClientResponse) -> web.StreamResponse:
        translator = StreamTranslator(self._chat, self._message_id)
        if "json" in reply.content_type:  # some gateways answer a stream request with a whole completion
            completion = self._read(await read_answer(reply))
            translator.feed(completion)
            is_complete = bool(completion.choices)
        else:
            is_complete = await self._relay_events(reply, translator)
        if not is_complete:
            raise UpstreamFault("NVIDIA broke off the answer in the middle. Please try again.")
        usage = translator.finish()
        response = await self._send(translator.take())
        if self._preview:
            preview = hide_secrets(self._preview, self._secrets)[: self._preview_chars]
            log.info("%s: text begins %r", self._name, preview)
        self._end(usage)
        await response.write_eof()
        self._is_answered = True
        await read_rest(reply)
        return response

    async def _relay_events(self, reply: aiohttp.ClientResponse, translator: StreamTranslator) -> bool:
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
            if frames := translator.take():
                await self._send(frames)
            if is_done:
                break
        return is_done or self._feed(translator, reader.finish()) or translator.answer.has_finish

    def _feed(self, translator: StreamTranslator, payloads: list[bytes]) -> bool:
        """True at the mark that ends the stream; nothing after it counts."""
        for payload in payloads:
            if payload == _DONE:
                return True
            chunk = self._read(payload)
            translator.feed(chunk)
            if self._preview_chars and len(self._preview) < self._preview_chars + _KEY_CHARS:
                self._preview += _text_of(chunk)
        return False

    def _read(self, payload: bytes) -> Chunk:
        chunk = _decode(payload)
        if chunk.usage is not None:
            self._prompt_tokens = chunk.usage.prompt_tokens
        return chunk

    async def _send(self, frames: bytes) -> web.StreamResponse:
        if self._response is None:
            response = web.StreamResponse(
                headers={
                    "Content-Type": "text/event-stream; charset=utf-8",
                    "Cache-Control": "no-cache",
                    "request-id": self._request[REQUEST_ID],
                }
            )
            await response.prepare(self._request)
            self._response = response
        await self._response.write(frames)
        return self._response

    async def _fail(self, error: ProxyError) -> web.StreamResponse:
        # the sentence may quote upstream, and upstream the prompt
        sentence = f": {error}" if self._config.settings.log_bodies else ""
        log.warning("%s: %s after %.1f s%s", self._name, type(error).__name__, self._elapsed_s(), sentence)
        if self._response is None:
            raise error
        with suppress(ConnectionError):  # the client may be gone as well
            await self._response.write(error_frame(error, self._request[REQUEST_ID]))
            await self._response.write_eof()
        return self._response

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


def _decode(payload: bytes) -> Chunk:
    try:
        return decode_chunk(payload)
    except ValueError:
        raise UpstreamFault(
            "NVIDIA's answer is malformed: a part of it is no chat completion. Please try again."
        ) from None


def _text_of(chunk: Chunk) -> str:
    message = chunk.choices[0].delta if chunk.choices else None
    return message.text if message else ""


def _stay_to_say_goodbye() -> ShuttingDown:
    """The error for a request that the quitting app cancels; undoes the cancellation, so that it can be sent."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
    return ShuttingDown("Claude NVIDIA Tray was quit while it answered.", retryable=False)
