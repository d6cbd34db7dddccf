"""Twenty running streams go on while the gateway handles one odd request or answer.

The watchdog counts the function calls of the event loop's longest callback. A slow machine needs 0.1 us for a call,
so MOST_CALLS stand for the 10 ms by which a stream may be delayed. tests/growth/test_growth.py counts the work of C
functions instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import KEYS
from tests.support.bystanders import Bystanders, bystanders
from tests.support.chunks import ChunkJson, completion, delta, finish, text
from tests.support.fake_upstream import FakeUpstream, Reply, stream, whole
from tests.support.gateway import AT_ONCE, RunningGateway, question
from tests.support.loop_watch import watch_loop
from tray_app.settings.settings import Address, Settings

MOST_CALLS = 100_000

BASH = {
    "name": "Bash",
    "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
}
EXPRESSION = {"anyOf": [{"type": "number"}, *({"$ref": "#/$defs/e"},) * 3]}
RECURSIVE = {
    "name": "Calculate",
    "input_schema": {"type": "object", "properties": {"e": {"$ref": "#/$defs/e"}}, "$defs": {"e": EXPRESSION}},
}
NULLABLES = {f"p{n}": {"type": ["string", "null"]} for n in range(2_000)}
WIDE = {"name": "Wide", "input_schema": {"type": "object", "properties": NULLABLES, "required": [*NULLABLES]}}

CODE = 'print("hello", name)  # "quoted"\n' * 1_500


def call(name: str, arguments: str) -> ChunkJson:
    function = {"name": name, "arguments": arguments}
    return delta(tool_calls=[{"index": 0, "id": "c1", "type": "function", "function": function}])


def slices(whole_text: str, size: int = 40) -> list[ChunkJson]:
    return [text(whole_text[place : place + size]) for place in range(0, len(whole_text), size)]


def argument_slices(arguments: str, size: int = 40) -> list[ChunkJson]:
    return [call("Bash", ""), *(call("", arguments[i : i + size]) for i in range(0, len(arguments), size))]


ANSWERS: dict[str, list[ChunkJson]] = {
    "a Write whose quotes are not escaped": [
        call("Bash", json.dumps({"command": CODE}).replace('\\"hello\\"', '"hello"'))
    ],
    "the same in small pieces": argument_slices(json.dumps({"command": CODE}).replace('\\"hello\\"', '"hello"')),
    "blanks without end in a list": argument_slices('{"command": ["' + " " * 20_000, 400),
    "an open call with its closer again and again": slices("<tool_call>Bash\n" + "</tool_call>" * 3_000),
    "an open value in small pieces": slices(
        "<tool_call>Bash\n<arg_key>command</arg_key>\n<arg_value>" + "x</tool_call>\n" * 3_000
    ),
    "an event full of tags": [text("<" * 60_000), text("<tool_call>" * 6_000), text("<think>a</think>" * 4_000)],
    "many openers that are none": slices("<tool_call><think><invoke " * 1_500),
    "blanks before a word": [*slices(" \n" * 20_000, 4), text("Done.")],
    "an event of 400 KB": [text("word <b> " * 45_000)],
}

REQUESTS: dict[str, dict[str, Any]] = {
    "a schema that leads to itself": {"tools": [RECURSIVE]},
    "thousands of nullable parameters": {"tools": [WIDE]},
    "hundreds of stop sequences": {"stop_sequences": [f"stop {n}" for n in range(400)]},
    "as many turns as are known": {
        "messages": [{"role": ("user", "assistant")[n % 2], "content": f"{n}"} for n in range(3_999)]
    },
    "thousands of turns": {
        "messages": [{"role": ("user", "assistant")[n % 2], "content": f"{n}"} for n in range(5_001)]
    },
    "megabytes of turns": {
        "messages": [{"role": ("user", "assistant")[n % 2], "content": f"{n} {CODE[:1_500]}"} for n in range(1_999)]
    },
    "half a megabyte of text": {"messages": [{"role": "user", "content": CODE * 10}]},
}


@pytest.fixture(scope="module")
def others() -> Iterator[tuple[RunningGateway, FakeUpstream, Bystanders, dict[str, Callable[[], Reply]]]]:
    """A gateway with twenty running streams, and upstream's reply to the next other request."""
    replies: dict[str, Callable[[], Reply]] = {}
    with FakeUpstream() as upstream:
        settings = Settings(nvidia_url=upstream.url, addr=Address("127.0.0.1", 0), requests_per_minute=0)
        gateway = RunningGateway(settings, KEYS, timeouts=AT_ONCE)
        try:
            with bystanders(gateway, upstream, lambda _: replies["next"]()) as running:
                yield gateway, upstream, running, replies
        finally:
            gateway.stop()


Others = tuple[RunningGateway, FakeUpstream, Bystanders, dict[str, Callable[[], Reply]]]


@pytest.mark.parametrize("name", ANSWERS)
def test_no_stream_waits_for_an_odd_answer(others: Others, name: str) -> None:
    gateway, _, running, replies = others
    replies["next"] = lambda: stream(*ANSWERS[name], finish())
    with watch_loop(gateway) as watch:
        assert gateway.ask(question("odd", tools=[BASH], stream=True)).status == 200
        running.wait_for_progress(1)
    assert watch.most_calls < MOST_CALLS


@pytest.mark.parametrize("name", REQUESTS)
def test_no_stream_waits_for_an_odd_request(others: Others, name: str) -> None:
    gateway, _, running, replies = others
    replies["next"] = lambda: whole(completion("served"))
    with watch_loop(gateway) as watch:
        assert gateway.ask(question("odd", **REQUESTS[name])).text == "served"
        running.wait_for_progress(1)
    assert watch.most_calls < MOST_CALLS
