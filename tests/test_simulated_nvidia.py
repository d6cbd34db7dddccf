"""The simulated NVIDIA: its first day is like the public surveys, and its errors are in NVIDIA's own words."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.nvidia_catalogue import DAYS, Catalogue, Offer, read_catalogue, read_day
from tests.support.simulated_nvidia import NvidiaThread, Refusal, SimulatedNvidia, refuse

KEY = "nvapi-any"
ORDER = 'Call the tool look with {"at": "sky"}'
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


def ask(nvidia: SimulatedNvidia, model: str, key: str = KEY, **fields: Any) -> tuple[int, Any]:
    """Returns the status and the body of an answer that is not streamed."""
    body = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": ORDER}], **fields}
    request = urllib.request.Request(nvidia.url, json.dumps(body).encode(), {"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_first_day_is_like_the_surveys() -> None:
    listed = [offer for offer in read_day("first_day").models if offer.is_listed]
    answers = [offer for offer in listed if offer.conduct == "answers" and not offer.only_keys]
    refusals = Counter(refusal.status for offer in listed if (refusal := refuse(offer, KEY)))
    assert len(listed) == 84
    assert refusals[404] == 55
    assert refusals[410] == 3
    assert sum(offer.conduct == "hangs" for offer in listed) == 4
    assert len(answers) == 22
    assert sum(offer.calls_tools for offer in answers) == 16


@pytest.mark.parametrize("path", sorted(DAYS.glob("*.json")), ids=lambda path: path.stem)
def test_each_day_can_be_played_and_names_no_model_twice(path: Path) -> None:
    catalogue = read_catalogue(path)
    assert len({offer.id for offer in catalogue.models}) == len(catalogue.models)
    assert all(offer.retired_on for offer in catalogue.models if offer.conduct == "retired")


def test_models_answer_and_refuse_as_nvidias_do() -> None:
    with NvidiaThread(read_day("first_day")) as nvidia:
        status, answer = ask(nvidia, "z-ai/glm-5.3-flash", tools=TOOLS)
        call = answer["choices"][0]["message"]["tool_calls"][0]["function"]
        assert (status, call) == (200, {"name": "look", "arguments": '{"at": "sky"}'})
        status, answer = ask(nvidia, "google/gemma-4-27b-it", tools=TOOLS)
        assert answer["choices"][0]["message"]["content"] == "google/gemma-4-27b-it answers."
        status, answer = ask(nvidia, "z-ai/glm4.7")
        assert (status, "end of life on 2026-05-14" in answer["detail"]) == (410, True)
        status, answer = ask(nvidia, "z-ai/glm-5.3")
        assert (status, "Not found for account" in answer["detail"]) == (404, True)
        gated = "opengpt-x/teuken-7b-instruct-commercial-v0.4"
        assert [ask(nvidia, gated)[0], ask(nvidia, gated, "nvapi-gated")[0]] == [404, 200]
        assert ask(nvidia, "z-ai/glm-5.3-flash", "nvapi-no-permission")[0] == 403
        assert ask(nvidia, "z-ai/glm-5.3-flash", "nvapi-refused")[0] == 401


def test_a_busy_model_tells_its_queue() -> None:
    with NvidiaThread(Catalogue((Offer("m", "busy"),))) as nvidia:
        status, answer = ask(nvidia, "m")
        reason = "ResourceExhausted: Worker local total request limit reached (77/32)"
        assert (status, answer["detail"]) == (503, reason)


def test_each_model_has_its_limits_by_minute_and_by_day() -> None:
    now_s = 0.0
    nvidia = SimulatedNvidia(Catalogue((Offer("a", "answers"), Offer("b", "answers"))), lambda: now_s)

    def count_taken(model_id: str, requests: int) -> int:
        return sum(not isinstance(nvidia.judge(KEY, model_id), Refusal) for _ in range(requests))

    assert [count_taken("a", 50), count_taken("b", 50)] == [40, 40]
    taken = 40
    for minute in range(1, 400):
        now_s = minute * 60.0
        taken += count_taken("a", 50)
    assert taken == 10_000
    now_s += 86_400
    assert count_taken("a", 50) == 40
