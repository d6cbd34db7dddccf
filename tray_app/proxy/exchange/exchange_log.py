"""The log lines of one exchange: one at its end, and its bodies if the user has them logged, for the page as well."""

from __future__ import annotations

import logging
import time
from typing import Any

from tray_app.errors import ProxyError
from tray_app.proxy.exchange.kept_bodies import OpenBodies
from tray_app.redaction import find_margin_chars, show_json, show_start
from tray_app.settings.config import GatewayConfig
from tray_app.translate.answer.chunk import Chunk
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.encoded import encode_for_reading

log = logging.getLogger(__name__)

_NAME_CHARS = 80
"""So much of the model name that the client sent is logged. No real name is longer."""


class ExchangeLog:
    """Writes the log lines of one exchange, without the user's keys."""

    def __init__(
        self, requested_model: str, chat: ChatRequest, config: GatewayConfig, bodies: OpenBodies | None = None
    ) -> None:
        """`requested_model` is the name of a model that the client sent. `bodies` keeps the bodies, if not None."""
        self._bodies = bodies
        self._asked = f"{requested_model[:_NAME_CHARS]!r}"
        self._settings = config.settings
        self._secrets = config.secrets
        self._started_s = time.monotonic()
        self._preview = ""
        self._preview_chars = self._settings.log_stream_text_preview_chars if self._settings.log_bodies else 0
        self._margin_chars = find_margin_chars(self._secrets)
        self.begin(chat)

    def begin(self, chat: ChatRequest) -> None:
        """Logs the chat request. The lines that follow name its model."""
        self._name = f"{self._asked} -> {chat.model.id}{', streamed' if chat.is_stream else ''}"
        self.body("request", chat.body)
        if self._bodies is not None:
            self._bodies.ask(chat)

    def begin_answer(self) -> None:
        """Forgets what was noted of an answer that failed, because the model is asked again."""
        if self._bodies is not None:
            self._bodies.begin_answer()

    def body(self, what: str, body: dict[str, Any]) -> None:
        """Logs a request or an answer if the user has bodies logged."""
        max_chars = self._settings.log_body_max_chars
        if not self._settings.log_bodies or not max_chars:
            return
        shown = show_json(encode_for_reading(body), max_chars, self._secrets)
        log.info("%s: %s %s", self._name, what, shown)

    @property
    def wants_chunks(self) -> bool:
        """Tells whether `note` must get each chunk."""
        return bool(self._preview_chars) or self._bodies is not None

    def note(self, chunk: Chunk) -> None:
        """Keeps the beginning of a streamed answer's text for the log, and all of it for the page, if wanted."""
        if self._bodies is not None:
            self._bodies.hear(chunk)
        if len(self._preview) < self._preview_chars + self._margin_chars and self._preview_chars:
            message = chunk.choices[0].delta if chunk.choices else None
            self._preview += message.text if message else ""

    def say(self, what: str) -> None:
        """Logs a step of the exchange."""
        log.info("%s: %s", self._name, what)

    def answered(self, usage: dict[str, int]) -> None:
        """Logs that the answer is complete, with Anthropic's usage object."""
        if self._preview:
            preview = show_start(self._preview, self._preview_chars, self._secrets)
            log.info("%s: text begins %r", self._name, preview)
        tokens = f"{usage['input_tokens']} + {usage['cache_read_input_tokens']} cached in, {usage['output_tokens']} out"
        log.info("%s: answered in %.1f s, %s", self._name, self._elapsed_s(), tokens)

    def left(self) -> None:
        """Logs that the client closed its connection before the answer was complete."""
        log.info("%s: the client left after %.1f s", self._name, self._elapsed_s())

    def failed(self, error: ProxyError) -> None:
        """Logs the error that the client gets."""
        # The sentence may quote upstream, and upstream may quote the prompt.
        sentence = f": {error}" if self._settings.log_bodies else ""
        log.warning("%s: %s after %.1f s%s", self._name, type(error).__name__, self._elapsed_s(), sentence)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started_s
