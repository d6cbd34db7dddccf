"""Translates a request of which most was translated before. It is the fast twin of `question.read_question`.

It gives the same answer as its twin, or none: all that is unusual, and all that is wrong, is left to the twin. What it
remembers is found by the bytes of the request, and depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import msgspec

from tray_app.catalog import Model
from tray_app.errors import InvalidRequest
from tray_app.translate import json_text
from tray_app.translate.call_ids import MOST_USED_IDS
from tray_app.translate.request.background import is_background
from tray_app.translate.request.body import MessagesRequest
from tray_app.translate.request.chat import Parts, assemble, read_frame
from tray_app.translate.request.encoded import EncodedMessages, encode_system, separate
from tray_app.translate.request.history import (
    Turn,
    find_newest_user,
    interrupt,
    is_cleared,
    translate_turn,
    write_reminder,
)
from tray_app.translate.request.kinds import Kind, find_kind
from tray_app.translate.request.known_messages import (
    KNOWN_MESSAGE_WORK,
    MOST_MESSAGES,
    OVERHEAD_BYTES,
    KnownMessage,
    KnownParts,
    KnownTools,
    Unusual,
    measure_new,
)
from tray_app.translate.request.question import Question, Rules
from tray_app.translate.request.recent import Recent
from tray_app.translate.request.search import read_search
from tray_app.translate.request.splitter import OTHERS, CannotSplit, Splitter, in_small_pieces
from tray_app.translate.request.steps import Steps
from tray_app.translate.request.tokens import Counts, add_counts, count
from tray_app.translate.request.validation import check_fields

MEMORY_BYTES = 32 * 1024 * 1024
"""The memory for what is known. A long session has two to four megabytes of messages, and as much of translations."""
MOST_BODY_BYTES = 8 * 1024 * 1024
"""A larger body is left to the twin, because the memory could not hold its messages."""
_DECODED_BYTES = 512 * 1024
"""A body up to this size is decoded in one step, but for its messages. The messages of a larger one are searched."""
MOST_TURN_BYTES = 512 * 1024
MOST_TURN_MESSAGES = 1_000
"""A turn that is larger, or has more messages, is unusual if it is not known: it would be translated in one step."""
_KNOWN_TURN_WORK = 1_000
"""The work on a turn that is known, in the unit of `Steps`."""
_MOST_CONTEXTS = 16


class _Outline(MessagesRequest, frozen=True):
    """A request whose messages and tools are still JSON."""

    messages: list[msgspec.Raw]  # type: ignore[assignment]
    tools: msgspec.Raw = msgspec.Raw(b"null")  # type: ignore[assignment]
    thread: Any = None


class _Context(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What the translation of a turn depends on, besides the turn itself and the calls before it."""

    model: Model
    tools: KnownTools


class _Translated(msgspec.Struct, frozen=True, gc=False):
    """One turn as it is sent."""

    messages: bytes
    """JSON, separated by commas; empty if the turn says nothing."""
    counts: Counts
    open_calls: tuple[str, ...]
    """The ids of the calls that wait for their results after it."""


class Memory:
    """What is known of earlier requests. It belongs to one event loop."""

    def __init__(self, most_bytes: int = MEMORY_BYTES) -> None:
        self.parts = KnownParts(most_bytes // 2)
        self.turns = Recent[tuple[object, ...], _Translated](most_bytes // 2)
        self._systems = Recent[str, tuple[bytes, Counts]](most_bytes // 16)
        self._contexts: dict[tuple[str, int], _Context] = {}

    def encode_system(self, text: str) -> tuple[bytes, Counts]:
        """Returns the system message as JSON, and its counts; nothing if the text is empty."""
        if not text:
            return b"", Counts()
        known = self._systems.get(text)
        if known is None:
            known = encode_system(text), count({"role": "system", "content": text})
            self._systems.put(text, known, 3 * len(text) + OVERHEAD_BYTES)
        return known

    def find_context(self, model: Model, tools: KnownTools) -> _Context:
        """Returns the context of a model and tools. It is the same object for as long as both stay the same."""
        key = model.id, id(tools)
        context = self._contexts.get(key)
        if context is None or context.model != model:
            if len(self._contexts) >= _MOST_CONTEXTS:
                self._contexts.clear()
            context = self._contexts[key] = _Context(model, tools)  # it keeps the tools, so that no others get their id
        return context


def translate_known(
    pieces: Sequence[bytes | bytearray],
    rules: Rules,
    headers: Mapping[str, str],
    model: Model | None,
    memory: Memory,
) -> Generator[None, None, Question | None]:
    """Returns what `read_question` would; None if the twin must be asked. It pauses whenever others should get a turn.

    `pieces` are the body of the request. `model` answers it; if it is None, the rules choose the model.
    """
    if sum(map(len, pieces)) > MOST_BODY_BYTES:
        return None
    steps = Steps()
    try:
        outline, messages = yield from _read(pieces, memory, steps)
        if isinstance(outline.thread, dict):
            return None
        return (yield from _translate(outline, messages, rules, headers, model, memory, steps))
    except (Unusual, CannotSplit, InvalidRequest, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None


def _read(
    pieces: Sequence[bytes | bytearray], memory: Memory, steps: Steps
) -> Generator[None, None, tuple[_Outline, list[KnownMessage]]]:
    """Returns the messages of a request, and an outline of all the rest."""
    if sum(map(len, pieces)) <= _DECODED_BYTES:
        outline = msgspec.json.decode(b"".join(pieces), type=_Outline)
        if len(outline.messages) > MOST_MESSAGES:
            raise Unusual
        return outline, (yield from memory.parts.read_messages(map(bytes, outline.messages), steps))
    splitter, messages = Splitter(), list[KnownMessage]()
    for piece in in_small_pieces(pieces):
        messages += yield from memory.parts.read_messages(splitter.feed(piece), steps)
        if len(messages) > MOST_MESSAGES:
            raise Unusual
        if steps.is_over(len(piece)):
            yield
    outline = msgspec.json.decode(splitter.finish(), type=_Outline)
    if len(outline.messages) != 2 or bytes(outline.messages[0]) != OTHERS:
        raise Unusual
    messages += yield from memory.parts.read_messages([bytes(outline.messages[1])], steps)
    return outline, messages


def _translate(
    outline: _Outline,
    messages: list[KnownMessage],
    rules: Rules,
    headers: Mapping[str, str],
    model: Model | None,
    memory: Memory,
    steps: Steps,
) -> Generator[None, None, Question | None]:
    tools = memory.parts.read_tools(outline.tools)
    request = _make_request(outline, tools, messages)
    check_fields(request)
    used_ids = [used_id for message in messages for used_id in message.used_ids]
    if read_search(request) is not None or len(used_ids) > MOST_USED_IDS:
        return None
    kind = find_kind(request, headers)
    gives_way = is_background(request, kind)
    model = model or rules.choose(request.model, is_background=gives_way)
    frame = read_frame(request, model, tools.tool_set)
    found, work = _find_turns(messages), len(messages) * KNOWN_MESSAGE_WORK
    if steps.is_over(work):
        yield
    turns = yield from _translate_turns(found, memory.find_context(model, tools), memory, steps)
    encoded = tuple(turn.messages for turn in turns if turn.messages)
    if not encoded:
        return None
    if steps.is_over(work):
        yield
    system, system_counts = memory.encode_system(frame.system)
    counts = [system_counts, tools.counts, *(turn.counts for turn in turns)]
    parts = Parts(
        EncodedMessages(system, separate(encoded)),
        tools.sent,
        add_counts(counts, has_functions=bool(tools.tool_set.functions)),
        frozenset(used_ids),
    )
    chat = assemble(request, model, rules.calibration(model), tools.tool_set, frame, parts)
    turn = sum(message.has_own_words for message in messages) if kind is Kind.TURN else None
    return Question(request.model, chat, None, gives_way, kind, turn)


def _make_request(outline: _Outline, tools: KnownTools, messages: Sequence[KnownMessage]) -> MessagesRequest:
    """Returns the request with the newest message of the user only, which tells what kind of a request it is."""
    newest = next((message.read() for message in reversed(messages) if message.role == "user"), None)
    others = {name: getattr(outline, name) for name in MessagesRequest.__struct_fields__}
    return MessagesRequest(**{**others, "messages": [newest] if newest else [], "tools": tools.declared})


def _find_turns(messages: Sequence[KnownMessage]) -> list[list[KnownMessage]]:
    """Returns neighbouring messages of the same side. A system message belongs to the user's side, or says nothing."""
    newest_user = find_newest_user(message.role for message in messages)
    turns: list[list[KnownMessage]] = []
    for n, message in enumerate(messages):
        if message.role == "system" and (not message.reminder or is_cleared(message.clear_at, n, newest_user)):
            continue
        if turns and (turns[-1][0].role == "assistant") is (message.role == "assistant"):
            turns[-1].append(message)
        else:
            turns.append([message])
    return turns


def _translate_turns(
    turns: list[list[KnownMessage]], context: _Context, memory: Memory, steps: Steps
) -> Generator[None, None, list[_Translated]]:
    translated: list[_Translated] = []
    open_calls: tuple[str, ...] = ()
    for turn in turns:
        key = (context, open_calls, *turn)
        known, work = memory.turns.get(key), _KNOWN_TURN_WORK
        if known is None:
            size_bytes = sum(len(message.raw) for message in turn)
            if size_bytes > MOST_TURN_BYTES or len(turn) > MOST_TURN_MESSAGES:
                raise Unusual
            known = _translate_turn(turn, open_calls, context)
            memory.turns.put(key, known, len(known.messages) + OVERHEAD_BYTES)
            work = measure_new(size_bytes)
        translated.append(known)
        open_calls = known.open_calls
        if steps.is_over(work):
            yield
    if open_calls:
        translated.append(_encode(interrupt(open_calls), ()))
    return translated


def _translate_turn(messages: list[KnownMessage], open_calls: tuple[str, ...], context: _Context) -> _Translated:
    turn = Turn("assistant" if messages[0].role == "assistant" else "user")
    for message in messages:
        if message.role == "system":
            turn.reminders.append(write_reminder(message.reminder))
        else:
            turn.blocks += message.read().blocks
    said, left = translate_turn(turn, open_calls, context.model, context.tools.tool_set.tools)
    return _encode(said, tuple(left))


def _encode(said: list[dict[str, Any]], open_calls: tuple[str, ...]) -> _Translated:
    return _Translated(b",".join(map(json_text.encode_valid, said)), count(said), open_calls)
