"""The bytes of upstream's answer, decoded and fed to an Answer."""

from __future__ import annotations

from tray_app.errors import UpstreamFault
from tray_app.proxy.exchange.aside import LARGE_BYTES, work_aside
from tray_app.proxy.exchange.exchange_log import ExchangeLog
from tray_app.status.progress import RequestPhase
from tray_app.translate.answer.answer import Answer
from tray_app.translate.answer.chunk import Chunk, Message, decode_chunk
from tray_app.translate.answer.fragments import Fragments
from tray_app.translate.answer.plain_deltas import PlainDeltas
from tray_app.translate.answer.sse import EventTooLong, SseReader
from tray_app.translate.refusal.refusal import explain_malformed
from tray_app.translate.request.chat import ChatRequest

_DONE = b"[DONE]"
_EVENT_END = b"\n\n"


class Intake:
    """Feeds one answer, from an event stream or from a whole completion. Malformed input raises a ProxyError."""

    def __init__(self, answer: Answer, chat: ChatRequest, exchange_log: ExchangeLog) -> None:
        self._answer = answer
        self._chat = chat
        self._log = exchange_log
        self._reader = SseReader()
        self._deltas = PlainDeltas()
        self.prompt_tokens: int | None = None
        """The newest count of prompt tokens that upstream reported. None if it reported none."""
        self.phase = RequestPhase.THINKING
        """What the newest part of the answer was."""

    async def feed(self, data: bytes) -> bool:
        """Takes the next part of an event stream. Returns True at its end, even if more bytes follow."""
        begin = 0
        if not self._reader.is_between_events:
            begin = data.find(_EVENT_END) + len(_EVENT_END)
            if begin < len(_EVENT_END):
                return await self._feed(data)
            if await self._feed(data[:begin]):
                return True
        end = max(begin, data.rfind(_EVENT_END) + len(_EVENT_END))
        if self.feed_plain(data[begin:end]):
            begin = end
        return await self._feed(data[begin:])

    def feed_plain(self, data: bytes) -> bool:
        """Takes the next part of an event stream if it is whole events with nothing but text or thinking in them.

        Returns False, and takes nothing, if it is not. This is the fast twin of `feed`.
        """
        if self._chat.stop_sequences or not self._reader.is_between_events:
            return False
        fragments = self._deltas.read(data)
        if fragments is None:
            return False
        self._take_fragments(fragments)
        return True

    async def finish(self) -> bool:
        """Takes the rest when the connection has ended. Returns whether upstream had finished its answer."""
        return await self._take_payloads(self._reader.finish()) or self._answer.has_finish

    def take_whole(self, body: bytes) -> None:
        """Takes an answer that is not streamed."""
        chunk = self._read(body)
        self._log.note(chunk)
        self._answer.feed_whole(chunk)

    def supplement(self, body: bytes) -> None:
        """Takes what the answer lacks from a second one, which is not streamed."""
        chunk = self._read(body)
        self._log.note(chunk)
        self._answer.supplement(chunk)

    async def _feed(self, data: bytes) -> bool:
        try:
            payloads = self._reader.feed(data)
        except EventTooLong:
            raise UpstreamFault("NVIDIA's answer holds an event larger than any answer. Please try again.") from None
        return await self._take_payloads(payloads) or self._answer.is_over

    async def _take_payloads(self, payloads: list[bytes]) -> bool:
        """Takes the events up to the end mark. Returns whether the mark was among them."""
        for payload in payloads:
            if fragments := self._deltas.read(b"data: %b\n\n" % payload):
                self._take_fragments(fragments)
            elif payload.strip() == _DONE:
                return True
            elif len(payload) <= LARGE_BYTES:
                self._take(payload)
            else:
                await work_aside(len(payload), self._take, payload)
        return False

    def _take_fragments(self, fragments: Fragments) -> None:
        self._answer.feed_fragments(fragments)
        self.phase = RequestPhase.THINKING if fragments.is_thinking else RequestPhase.TEXT

    def _take(self, payload: bytes) -> None:
        chunk = self._read(payload)
        self._answer.feed(chunk)
        if chunk.choices and (delta := chunk.choices[0].delta) is not None:
            self.phase = _find_phase(delta)
            if not self._log.wants_chunks:
                self._deltas.learn(payload, chunk)
        self._log.note(chunk)

    def _read(self, payload: bytes) -> Chunk:
        try:
            chunk = decode_chunk(payload)
        except ValueError:
            raise explain_malformed(payload, self._chat.model, self._chat) from None
        if chunk.usage is not None:
            self.prompt_tokens = chunk.usage.prompt or self.prompt_tokens
        return chunk


def _find_phase(delta: Message) -> RequestPhase:
    if delta.calls:
        return RequestPhase.TOOL
    return RequestPhase.TEXT if delta.content else RequestPhase.THINKING
