"""The bodies of the newest requests, kept in memory for the page while the user has bodies logged."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tray_app.proxy.exchange.notes import Notes
from tray_app.proxy.exchange.prompt_difference import (
    Difference,
    Prompt,
    compare,
    explain_miss,
    find_before,
    read_prompt,
)
from tray_app.redaction import show_json
from tray_app.settings.config import GatewayConfig
from tray_app.translate.answer.chunk import Chunk, read_arguments
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.encoded import EncodedMessages, encode_for_reading

MOST_KEPT = 50
"""The bodies of so many requests are kept."""
SHOWN_CHARS = 64 * 1024
"""So much of a request or an answer is kept. A third of it is from the beginning, and the rest from the end."""
_MOST_ANSWER_CHARS = 2 * 1024 * 1024
"""What follows in a longer answer is not kept. No model of today says so much."""
_MOST_COMPARED = 12
"""Later requests are compared with so many of the newest ones."""
_MOST_COMPARED_BYTES = 4 * 1024 * 1024
"""A larger request is compared with none. It would take the event loop some 10 ms, and its memory for long."""


@dataclass(frozen=True, slots=True)
class KeptBodies:
    """The bodies of one request, without secrets and image data. A long one lacks its middle, and says so."""

    number: int
    model_id: str
    request: str
    """The chat request as JSON, its messages last."""
    answer: str
    """What the model has said so far: its thinking, its text and its tool calls, each with a heading."""
    difference: Difference | None
    """What differs from the request before, of the same session; None: there is none, or it was not kept."""
    cache_miss: str
    """Why NVIDIA's cache was not used for most of the prompt; empty: it was, or nobody can tell."""


class OpenBodies:
    """The bodies of a request while it runs. Only its own task changes them."""

    def __init__(self, keeper: BodyKeeper, notes: Notes, config: GatewayConfig) -> None:
        self.notes = notes
        self._keeper = keeper
        self._secrets = config.secrets
        self._model_id = ""
        self._request = ""
        self._difference: Difference | None = None
        self._kind = ""
        self._parts: list[str] = []
        self._said_chars = 0
        self.is_forgotten = False
        """Tells whether the user has had the bodies forgotten, so that no more are taken."""

    def ask(self, chat: ChatRequest) -> None:
        """Takes the chat request. What another model has said before counts no more."""
        if self.is_forgotten:
            return
        self._model_id = chat.model.id
        self._request = show_json(encode_for_reading(chat.body), SHOWN_CHARS, self._secrets)
        self._difference = self._keeper.compare(self.notes, chat, self._secrets)
        self.begin_answer()

    def begin_answer(self) -> None:
        """Forgets the answer so far, because the model is asked again."""
        self._kind, self._parts, self._said_chars = "", [], 0

    def hear(self, chunk: Chunk) -> None:
        """Takes a part of the answer, or the whole."""
        if not chunk.choices or self._said_chars > _MOST_ANSWER_CHARS or self.is_forgotten:
            return
        message = chunk.choices[0].delta or chunk.choices[0].message
        if message is None:
            return
        self._say("thinking", message.thinking)
        self._say("text", message.text)
        self._say("refusal", message.refused_with)
        for call in message.calls:
            if (function := call.function) is not None:
                self._say(f"tool call {call.index or 0}", read_arguments(function.arguments), function.name or "")

    def _say(self, kind: str, text: str, name: str = "") -> None:
        """Adds a text, below a heading if it is of another kind than the one before. `name` is that of a tool."""
        if not text and not name:
            return
        if kind != self._kind:
            heading = f"[tool call: {name}]" if name else f"[{kind}]"
            self._parts.append(f"\n\n{heading}\n" if self._parts else f"{heading}\n")
            self._kind = kind
        self._parts.append(text)
        self._said_chars += len(text)

    def show(self) -> KeptBodies:
        """Returns the bodies as they are now."""
        answer = "".join(self._parts).encode("utf-8", "replace")
        return KeptBodies(
            self.notes.number,
            self._model_id,
            self._request,
            show_json((answer,), SHOWN_CHARS, self._secrets),
            self._difference,
            explain_miss(self._difference, self.notes.tokens),
        )


class BodyKeeper:
    """Keeps the bodies of the newest requests. Belongs to one event loop."""

    def __init__(self) -> None:
        self._kept: deque[OpenBodies] = deque(maxlen=MOST_KEPT)
        self._prompts: deque[tuple[str, Prompt]] = deque(maxlen=_MOST_COMPARED)  # each with its session

    def begin(self, notes: Notes, config: GatewayConfig) -> OpenBodies | None:
        """Returns what takes the bodies of a request that begins; None while the user does not have bodies logged."""
        if not config.settings.log_bodies:
            return None
        bodies = OpenBodies(self, notes, config)
        self._kept.append(bodies)
        return bodies

    def find(self, number: int) -> KeptBodies | None:
        """Returns the bodies of a request; None: they are not kept."""
        return next((bodies.show() for bodies in self._kept if bodies.notes.number == number), None)

    def forget(self) -> None:
        """Forgets everything, and what running requests still say."""
        for bodies in self._kept:
            bodies.is_forgotten = True
        self._kept.clear()
        self._prompts.clear()

    def compare(self, notes: Notes, chat: ChatRequest, secrets: tuple[str, ...]) -> Difference | None:
        """Returns what differs from the request before, of the same session; None: there is none.

        The next requests are compared with this one.
        """
        messages = chat.body["messages"]
        is_large = isinstance(messages, EncodedMessages) and sum(map(len, messages.parts())) > _MOST_COMPARED_BYTES
        if not notes.session_id or is_large:
            return None
        prompt = read_prompt(notes.number, notes.kind, chat)
        before = find_before(prompt, [known for session_id, known in self._prompts if session_id == notes.session_id])
        others = (known for known in self._prompts if known[1].number != notes.number)
        self._prompts = deque([*others, (notes.session_id, prompt)], _MOST_COMPARED)
        return compare(before, prompt, secrets) if before else None
