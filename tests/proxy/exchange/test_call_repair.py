"""Long broken arguments that only the library can read are repaired in a worker process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.chunks import ChunkJson, delta, finish
from tests.support.fake_upstream import FakeUpstream, Reply, stream, whole
from tests.support.gateway import WEATHER, RunningGateway, both_ways, question
from tray_app.proxy.exchange import call_repair

NOTE = "words of a long note, "
BROKEN = "{city: Paris, days: [1, 2, {note: " + NOTE * 200 + "}]"


def call(arguments: str, call_id: str = "call_1", index: int = 0) -> ChunkJson:
    function = {"name": "get_weather", "arguments": arguments}
    return delta(tool_calls=[{"index": index, "id": call_id, "type": "function", "function": function}])


def answer(*arguments: str, is_stream: bool) -> Reply:
    calls = [call(text, f"call_{n}", n) for n, text in enumerate(arguments)]
    if is_stream:
        return stream(*calls, finish("tool_calls"))
    tool_calls = [part for chunk in calls for part in chunk["choices"][0]["delta"]["tool_calls"]]
    message = {"role": "assistant", "content": None, "tool_calls": tool_calls}
    return whole({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})


def ask(gateway: RunningGateway, *, is_stream: bool) -> list[dict[str, Any]]:
    found = gateway.ask(question(tools=[WEATHER], stream=is_stream)).content
    return [json.loads(block["input"]) if isinstance(block["input"], str) else block["input"] for block in found]


@both_ways
def test_the_library_repairs_what_only_it_can_read(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    upstream.script(answer(BROKEN, '{"city": "Rome"}', is_stream=is_stream))
    first, second = ask(gateway, is_stream=is_stream)
    assert first["city"] == "Paris"
    assert first["days"][:2] == [1, 2]
    assert first["days"][2]["note"].startswith(NOTE)
    assert second == {"city": "Rome"}


def test_a_repair_that_takes_too_long_leaves_the_arguments_as_they_are(
    gateway: RunningGateway, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_repair, "LIMIT_S", 0.001)
    broken = BROKEN * 50 + "}"
    upstream.script(answer(broken, is_stream=False))
    [found] = ask(gateway, is_stream=False)
    assert found == {"arguments": broken}
