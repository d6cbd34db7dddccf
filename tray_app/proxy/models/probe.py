"""One small request to a model, which finds out whether it answers, how soon, and whether it calls a tool."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from tray_app.catalog import Model
from tray_app.errors import ProxyError, UpstreamFault
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.upstream.chat_response import ChatResponse
from tray_app.sentences import EMPTY_ANSWER
from tray_app.settings.config import GatewayConfig
from tray_app.translate.answer.chunk import decode_chunk
from tray_app.translate.answer.message import MessageBuilder
from tray_app.translate.answer.sse import EventTooLong, SseReader
from tray_app.translate.refusal.refusal import explain_malformed
from tray_app.translate.request.chat import ChatRequest, to_chat
from tray_app.translate.request.validation import read_request

SILENCE_S = 30
"""A probe ends when the model is silent for so long. A model that needs longer for one sentence helps nobody today."""
WHOLE_S = 60.0
"""A probe ends after this time, however much the model still thinks."""
MAX_TOKENS = 512
"""The call takes about 30 tokens. The rest is for models that always think before it, and seldom used, because a probe
ends with the first call."""
_MOST_LESSONS = 4
"""How often a probe is repeated without a parameter that the model refuses."""

_DONE = b"[DONE]"
PROBE_TOOL = "report_ready"
"""The tool that a probe asks the model to call."""
_BODY: dict[str, Any] = {
    "model": "probe",
    "max_tokens": MAX_TOKENS,
    "stream": True,
    "messages": [
        {"role": "user", "content": f'Call the tool {PROBE_TOOL} with {{"is_ready": true}}. Write nothing else.'},
    ],
    "tools": [
        {
            "name": PROBE_TOOL,
            "description": "Reports that you are ready.",
            "input_schema": {
                "type": "object",
                "properties": {"is_ready": {"type": "boolean"}},
                "required": ["is_ready"],
            },
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Answered:
    """The model answered a probe."""

    first_token_s: float
    calls_tools: bool | None
    """None: the answer was cut before it could tell."""


class NoAnswer(Exception):
    """The model sent something that is no answer, or broke off. That says nothing about the way to NVIDIA."""


async def probe(gateway: Gateway, config: GatewayConfig, model: Model) -> Answered:
    """Asks the model once, in the way in which requests of clients are sent. Raises the ProxyError of a failure.

    NoAnswer if the model sent no answer. TimeoutError if it did not finish in time and has said nothing. A parameter
    that it refuses is left out, and remembered if the model then answers.
    """
    chat = to_chat(read_request(_BODY), model)
    with gateway.quirks.trial(model.id) as trial:
        for _ in range(_MOST_LESSONS):
            sent = replace(chat, body=gateway.quirks.adapt(model.id, chat.body))
            try:
                return await _ask(gateway, config, sent)
            except ProxyError as error:
                if not error.error_text or not await trial.learn(error.error_text, sent.body):
                    raise
        return await _ask(gateway, config, replace(chat, body=gateway.quirks.adapt(model.id, chat.body)))


async def _ask(gateway: Gateway, config: GatewayConfig, sent: ChatRequest) -> Answered:
    url, key = gateway.target(config)
    gateway.evidence.note_probe_sent(sent.model.id)
    listener = _Listener(sent)
    try:
        async with (
            asyncio.timeout(WHOLE_S),
            gateway.upstream.open_chat(sent, url, key, SILENCE_S) as response,
        ):
            try:
                await listener.listen(response)
            except UpstreamFault as error:
                raise NoAnswer(error.message) from None
    except TimeoutError:
        if listener.first_token_s is None:
            raise
        return Answered(listener.first_token_s, calls_tools=None)
    return listener.judge()


class _Listener:
    """Listens to the answer of one probe until the model calls a tool or has finished."""

    def __init__(self, sent: ChatRequest) -> None:
        self._sent = sent
        self._builder = MessageBuilder(sent, "msg_probe")
        self._sent_s = _now_s()
        self.first_token_s: float | None = None
        """None until the model has said something."""

    async def listen(self, response: ChatResponse) -> None:
        """Reads the answer. Raises a ProxyError if it is none."""
        answer, reader = self._builder.answer, SseReader()
        if not await response.has_events():
            self._take(await response.read_whole())
            return
        while data := await response.read_part():
            try:
                payloads = reader.feed(data)
            except EventTooLong as error:
                raise NoAnswer(str(error)) from None
            for payload in payloads:
                if payload.strip() == _DONE:
                    return
                self._take(payload)
            if answer.has_calls or answer.is_over:
                response.close()  # the model need not go on
                return

    def _take(self, payload: bytes) -> None:
        try:
            chunk = decode_chunk(payload)
        except ValueError:
            raise explain_malformed(payload, self._sent.model) from None
        self._builder.answer.feed(chunk)
        if self.first_token_s is None and self._builder.answer.size_bytes:
            self.first_token_s = _now_s() - self._sent_s

    def judge(self) -> Answered:
        """Returns the verdict on the answer. NoAnswer if it was empty."""
        if self.first_token_s is None:
            raise NoAnswer(EMPTY_ANSWER)
        is_cut = self._builder.finish()["stop_reason"] == "max_tokens"
        if self._builder.answer.has_calls:
            return Answered(self.first_token_s, calls_tools=True)
        return Answered(self.first_token_s, calls_tools=None if is_cut else False)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
