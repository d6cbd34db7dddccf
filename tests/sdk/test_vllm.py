"""The real SDKs in their tool loop, on the running app, in front of a real vLLM with GLM's parsers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sdk.sdks import ALL, Sdk
from tests.support.recorder import Recorder
from tests.support.running_app import run_app
from tests.support.validators import check_chat_request

pytestmark = pytest.mark.kit

TURNS: list[dict[str, Any]] = [
    {
        "think": "Two cities, two calls.",
        "text": "Looking.",
        "tools": [{"name": "get_weather", "args": {"city": city}} for city in ("Oslo", "Zürich")],
    },
    {"think": "Both are known.", "text": "It has 3 degrees in both.", "tools": []},
]


@pytest.fixture(scope="module")
def vllm(vllms: dict[str, str]) -> Iterator[Recorder]:
    """Stands between the app and the vLLM."""
    with Recorder(lambda body: vllms[body["model"]]) as recorder:
        yield recorder


@pytest.fixture(scope="module")
def url(vllm: Recorder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_app(tmp_path_factory.mktemp("app"), f"{vllm.url}/v1/chat/completions") as address:
        yield address


@pytest.mark.parametrize("sdk", ALL, indirect=True, ids=lambda sdk: sdk.name)
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "plain"])
def test_the_tool_loop_runs_to_the_final_answer(sdk: Sdk, stream: bool, url: str, vllm: Recorder) -> None:
    before = len(vllm.passages)
    prompt = f"The weather, please. @@{json.dumps(TURNS)}@@"
    lines = list(sdk.play("loop", url, stream=stream, prompt=prompt, fields={"thread": False}))
    assert [line["ran"]["city"] for line in lines if "ran" in line] == ["Oslo", "Zürich"]
    first, second = (line["message"] for line in lines if "message" in line)
    assert [block["type"] for block in first["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert [block["type"] for block in second["content"]] == ["thinking", "text"]
    assert second["content"][1]["text"].strip() == TURNS[1]["text"]
    assert (first["stop_reason"], second["stop_reason"]) == ("tool_use", "end_turn")
    assert count_prompt(first) < count_prompt(second)

    passages = vllm.passages[before:]
    for passage in passages:
        check_chat_request(passage.request, family="glm")
    _, answer, *results = passages[1].request["messages"]
    assert answer["reasoning_content"] == first["content"][0]["thinking"]
    assert answer["reasoning_content"].strip() == TURNS[0]["think"]
    assert [result["content"] for result in results] == ["Oslo: 3 degrees", "Zürich: 3 degrees"]


def count_prompt(message: dict[str, Any]) -> int:
    """Tokens, those that vLLM still had from before included."""
    usage: dict[str, int] = message["usage"]
    return usage["input_tokens"] + usage["cache_read_input_tokens"]
