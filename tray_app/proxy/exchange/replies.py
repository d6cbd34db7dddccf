"""The reply to the client: a stream of frames, or one message."""

from __future__ import annotations

import secrets
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol

from aiohttp import web

from tray_app.errors import ProxyError
from tray_app.proxy.exchange.aside import work_aside
from tray_app.proxy.exchange.client_stream import ClientStream
from tray_app.proxy.exchange.exchange_log import ExchangeLog
from tray_app.proxy.exchange.gateway import REQUEST_ID
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.translate import json_text
from tray_app.translate.answer.answer import Answer
from tray_app.translate.answer.message import MessageBuilder
from tray_app.translate.answer.stream import StreamTranslator, head_frame
from tray_app.translate.request.chat import ChatRequest


class Reply(Protocol):
    """The reply to one request. Each attempt begins an answer, and the newest one counts."""

    @property
    def has_content(self) -> bool:
        """Tells whether the client has seen a part of the answer, so that no other answer can replace it."""

    @property
    def is_complete(self) -> bool:
        """Tells whether the client has the whole answer, so that nothing may follow it."""

    @property
    def is_open(self) -> bool:
        """Tells whether the client has an HTTP status already, so that an error can only be a frame."""

    @property
    def is_ready(self) -> bool:
        """Tells whether `flush_now` may be called."""

    def flush_now(self) -> None:
        """Sends what the answer has gained since the last call, in this turn of the event loop."""

    def kept_alive(self) -> AbstractAsyncContextManager[None]:
        """Keeps a client that waits for a stream from giving up, until the end of the `with`."""

    def answer_for(self, chat: ChatRequest) -> Answer:
        """Begins a new answer and returns it, for the caller to feed."""

    async def flush(self) -> None:
        """Sends what the answer has gained since the last call, if the client wants a stream."""

    async def finish(self) -> dict[str, int]:
        """Closes the answer, sends the rest of it in a stream, and returns Anthropic's usage object."""

    async def end(self) -> web.StreamResponse:
        """Returns the response, after `finish`."""

    async def fail(self, error: ProxyError) -> web.StreamResponse:
        """Sends the error as the last frame, or raises it if no part of a response has been sent."""

    def give_up(self) -> web.StreamResponse:
        """Returns a response for aiohttp, which needs one even if the client has left."""


def make_reply(request: web.Request, chat: ChatRequest, timeouts: Timeouts, exchange_log: ExchangeLog) -> Reply:
    """Returns the form of reply that the client asks for."""
    message_id = f"msg_{secrets.token_hex(16)}"
    if chat.is_stream:
        return StreamReply(request, chat, message_id, timeouts)
    return MessageReply(message_id, exchange_log)


class StreamReply:
    """A stream of frames, written as the answer arrives."""

    def __init__(self, request: web.Request, chat: ChatRequest, message_id: str, timeouts: Timeouts) -> None:
        self._message_id = message_id
        self._client = ClientStream(request, request[REQUEST_ID], head_frame(chat, message_id), timeouts)
        self._translator: StreamTranslator
        self.is_complete = False

    @property
    def has_content(self) -> bool:
        return self._client.has_content

    @property
    def is_open(self) -> bool:
        return self._client.response is not None

    @property
    def is_ready(self) -> bool:
        return self._client.is_ready

    def flush_now(self) -> None:
        if frames := self._translator.take():
            self._client.write_now(frames)

    def kept_alive(self) -> AbstractAsyncContextManager[None]:
        return self._client.kept_alive()

    def answer_for(self, chat: ChatRequest) -> Answer:
        self._translator = StreamTranslator(chat, self._message_id)
        self._client.head = head_frame(chat, self._message_id)
        return self._translator.answer

    async def flush(self) -> None:
        if frames := self._translator.take():
            await self._client.write(frames)

    async def finish(self) -> dict[str, int]:
        usage = await work_aside(self._translator.answer.size_bytes, self._translator.finish)
        await self._client.write(self._translator.take())
        return usage

    async def end(self) -> web.StreamResponse:
        response = await self._client.end()
        self.is_complete = True
        return response

    async def fail(self, error: ProxyError) -> web.StreamResponse:
        response = await self._client.fail(error)
        if response is None:
            raise error
        return response

    def give_up(self) -> web.StreamResponse:
        return self._client.response or web.Response()


class MessageReply:
    """One message, sent when the answer has ended."""

    has_content = False
    is_complete = False
    is_open = False
    is_ready = True

    def __init__(self, message_id: str, exchange_log: ExchangeLog) -> None:
        self._message_id = message_id
        self._log = exchange_log
        self._builder: MessageBuilder
        self._response: web.Response

    def kept_alive(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def answer_for(self, chat: ChatRequest) -> Answer:
        self._builder = MessageBuilder(chat, self._message_id)
        return self._builder.answer

    def flush_now(self) -> None:
        """Sends nothing."""

    async def flush(self) -> None:
        """Sends nothing."""

    async def finish(self) -> dict[str, int]:
        message = await work_aside(self._builder.answer.size_bytes, self._builder.finish)
        self._log.body("answer", message)
        self._response = web.json_response(body=json_text.encode(message))
        usage: dict[str, int] = message["usage"]
        return usage

    async def end(self) -> web.StreamResponse:
        return self._response

    async def fail(self, error: ProxyError) -> web.StreamResponse:
        raise error

    def give_up(self) -> web.StreamResponse:
        return web.Response()
