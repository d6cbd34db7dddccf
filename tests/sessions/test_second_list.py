"""What upstream says in an unusual way or place, and what the user of the real Claude Code sees of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.sessions.claude_run import calls, run_claude, runs, says
from tests.support.chunks import completion, delta, finish, text, usage, whole_call
from tests.support.fake_upstream import FakeUpstream, Gate, Reply, refusal, stream, whole
from tests.support.gateway import QUICK
from tray_app.proxy.upstream.timeouts import Timeouts

pytestmark = pytest.mark.kit

FINISHED = "THE TASK IS FINISHED"

# ---- the context is full

VLLM = (
    "You passed 140000 input tokens and requested 8192 output tokens. However, the model's context length is only "
    "131072 tokens, resulting in a maximum input length of 122880 tokens. (parameter=input_tokens, value=140000)"
)
VLLM_CHARACTERS = (
    "You passed 900000 input characters and requested 8192 output tokens. However, the model's context length is only "
    "131072 tokens, resulting in a maximum input length of 122880 tokens (at most 780288 characters)."
)
VLLM_DECODER = "The decoder prompt (length 140000) is longer than the maximum model length of 131072."
TENSORRT_PROMPT = "Prompt length (140000) exceeds maximum input length (131072)."
TENSORRT_INPUT = "Input length 140000 exceeds the maximum allowed input length of 131072 tokens."

ROLE = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}


def tell(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "BadRequestError", **fields}}


AS_A_STATUS = {
    "400, vLLM": refusal(400, tell(VLLM, code=400)),
    "413, TensorRT-LLM": refusal(413, tell(TENSORRT_PROMPT)),
    "422, problem+json": refusal(422, {"status": 422, "title": "No", "detail": TENSORRT_INPUT}),
}
AS_THE_FIRST_EVENT = {
    "vLLM": stream(tell(VLLM, code=400)),
    "without a code": stream(tell(VLLM_DECODER)),
    "bare": stream({"object": "error", "message": TENSORRT_INPUT, "code": 400}),
}
SELDOM = {
    "400, in characters": refusal(400, tell(VLLM_CHARACTERS, code=400)),
    "500, TensorRT-LLM": refusal(500, tell(TENSORRT_PROMPT, code=500)),
    "event after the role": stream(ROLE, tell(TENSORRT_PROMPT, code=500)),
}


@pytest.mark.parametrize(
    "refusals",
    [AS_A_STATUS, AS_THE_FIRST_EVENT, SELDOM],
    ids=["as a status", "as the first event", "in seldom ways"],
)
def test_a_full_context_compacts_the_conversation_and_the_task_goes_on(
    refusals: dict[str, Reply], start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    """A page is read, the context is full, the page is summed up; then comes the next page. Of three at the most: one
    more compaction in so short a time, and Claude Code gives up."""
    for place, full in refusals.items():
        upstream.script(runs(f"echo {place!r} >> pages"), full, says(f"<summary>I have read {place}.</summary>"))
    upstream.script(says(FINISHED))
    run = run_claude(start_gateway(timeouts=QUICK), tmp_path, "Read all pages, then sign.")
    assert (run.status, run.printed) == (0, FINISHED)
    assert (run.work / "pages").read_text().splitlines() == [*refusals]
    assert run.statuses == [200, 400, 200] * len(refusals) + [200]

    last = json.dumps(upstream.received[-1].body["messages"])
    assert f"I have read {[*refusals][-1]}." in last
    assert "Read all pages, then sign." not in last


def test_a_full_context_that_is_told_after_a_ping_compacts_too(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    """The status is out by then. The client asks once more without a stream, and that answer can have another one."""
    full = stream(ROLE, gate := Gate(), tell(VLLM, code=400))
    upstream.script(runs("echo page"), full, refusal(400, tell(VLLM)), says("<summary>READ</summary>"), says(FINISHED))

    def watch(part: bytes) -> None:
        if b"event: ping" in part and len(upstream.received) == 2:  # the first request may get one, too
            gate.open()

    gateway = start_gateway(timeouts=Timeouts(first_ping_s=0.01, ping_s=0.01))
    run = run_claude(gateway, tmp_path, "Read the page, then sign.", watch=watch)
    assert (run.status, run.printed) == (0, FINISHED)
    assert run.statuses == [200, 200, 400, 200, 200]


# ---- a refusal for good

NO_TOOL = "The tool choice is not one of the tools."


@pytest.mark.parametrize(
    ("event", "sentence", "most_requests"),
    [
        # Claude Code itself repeats a 400, each time with fewer of its features
        pytest.param(tell(NO_TOOL, code=400), f"NVIDIA refused the request: {NO_TOOL}", 6, id="400"),
        pytest.param(
            {"object": "error", "message": NO_TOOL, "code": 400}, f"NVIDIA refused the request: {NO_TOOL}", 6, id="bare"
        ),
        pytest.param(tell("no", code=402), "NVIDIA wants to be paid for GLM 4.7: your account has no", 1, id="402"),
        pytest.param(tell("no", code=403), "NVIDIA refused your API key for GLM 4.7. Check the key", 1, id="403"),
        pytest.param(tell("no", code=404), "NVIDIA does not serve GLM 4.7 to your API key. Choose", 1, id="404"),
    ],
)
def test_a_refusal_for_good_inside_a_stream_says_its_reason_after_few_requests(
    event: dict[str, Any],
    sentence: str,
    most_requests: int,
    start_gateway: StartGateway,
    upstream: FakeUpstream,
    tmp_path: Path,
) -> None:
    upstream.default = lambda _: stream(event)
    run = run_claude(start_gateway(timeouts=QUICK), tmp_path, "Say hello.")
    assert run.status != 0
    assert run.printed.startswith(f"API Error: 400 {sentence}")
    assert "overloaded" not in run.printed
    assert len(upstream.received) <= most_requests


# ---- half and empty answers

NOTHING = whole(completion(""))
ONLY_THE_END = stream()
ONLY_USAGE = stream(finish(), usage(10, 0))
GAVE_UP = stream(delta("abort", content="I begin to"))


def test_half_and_empty_answers_are_asked_for_again(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    """Where a stream is empty, the same question goes up once more without a stream; then all starts anew."""
    second = whole_call("Bash", {"command": "echo second >> steps", "description": "A step"})
    second_calls = second["choices"][0]["delta"]["tool_calls"]
    upstream.script(
        *(GAVE_UP, runs("echo first >> steps")),
        *(ONLY_THE_END, whole(completion(None, "tool_calls", tool_calls=second_calls))),
        *(ONLY_USAGE, NOTHING, runs("echo third >> steps")),
        *(ONLY_THE_END, NOTHING, ONLY_USAGE, NOTHING, GAVE_UP, says(FINISHED)),
    )
    run = run_claude(start_gateway(timeouts=QUICK), tmp_path, "Take three steps.")
    assert (run.status, run.printed) == (0, FINISHED)
    assert (run.work / "steps").read_text().split() == ["first", "second", "third"]  # each ran, and once


def test_an_answer_that_is_given_up_after_its_first_words_is_asked_for_again(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.script(stream(text("I begin to"), gate := Gate(), finish("abort")), whole(completion(FINISHED)))

    def watch(part: bytes) -> None:
        if b"I begin to" in part:
            gate.open()

    run = run_claude(start_gateway(timeouts=QUICK), tmp_path, "Say that it is finished.", watch=watch)
    assert (run.status, run.printed) == (0, FINISHED)


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        pytest.param(ONLY_THE_END, "NVIDIA's answer is empty.", id="nothing but the end"),
        pytest.param(ONLY_USAGE, "NVIDIA's answer is empty.", id="usage without content"),
        pytest.param(GAVE_UP, "NVIDIA gave up on the answer before it was complete (abort).", id="abort"),
    ],
)
def test_half_and_empty_answers_for_good_are_an_error(
    reply: Reply, sentence: str, start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.default = lambda body: reply if body.get("stream") else NOTHING
    environment = "export CLAUDE_CODE_MAX_RETRIES=1"
    run = run_claude(start_gateway(), tmp_path, "Say hello.", environment=environment)
    assert run.status != 0
    assert run.printed.startswith(f"API Error: 502 {sentence}")
    assert run.statuses == [502, 502]


# ---- calls that are a little off


def test_calls_under_odd_names_and_ids_and_with_odd_values_run(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    """As of servers that count their calls anew in each answer, and of models that write null and text for values."""
    page = str(tmp_path / "work" / "page")
    steps: dict[tuple[str, Any], dict[str, Any]] = {
        ("Write", "call_0"): {"file_path": page, "content": "ebb flow ebb\n"},
        ("functions.Read", "call_0"): {"file_path": page, "offset": None, "limit": "2", "pages": None},
        ("default_api:Read", 0): {"file_path": page, "limit": "3"},
        ("Read<|channel|>commentary", None): {"file_path": page},
        (" read ", "functions.Read:0"): {"file_path": page},
        ("Edit", 0): {"file_path": page, "old_string": "ebb", "new_string": "tide", "replace_all": "true"},
        ("bash", None): {
            "command": f"cat {page}",
            "timeout": "3000",
            "description": None,
            "run_in_background": "false",
        },
    }
    upstream.script(*(calls(name, call_id, **values) for (name, call_id), values in steps.items()), says(FINISHED))
    run = run_claude(start_gateway(), tmp_path, "Write, read, change and show the page.")
    assert (run.status, run.printed) == (0, FINISHED)
    assert run.calls == [
        ("Write", {"file_path": page, "content": "ebb flow ebb\n"}),
        ("Read", {"file_path": page, "limit": 2}),
        ("Read", {"file_path": page, "limit": 3}),
        ("Read", {"file_path": page}),
        ("Read", {"file_path": page}),
        ("Edit", {"file_path": page, "old_string": "ebb", "new_string": "tide", "replace_all": True}),
        ("Bash", {"command": f"cat {page}", "timeout": 3000, "run_in_background": False}),
    ]

    messages = upstream.received[-1].body["messages"]
    results = {message["tool_call_id"]: message["content"] for message in messages if message["role"] == "tool"}
    assert len(results) == len(steps), "each call has an id of its own"
    assert not [result for result in results.values() if "failed" in result]
    assert [*results.values()][-1] == "tide flow tide"


# ---- what the model says


def test_a_think_tag_in_prose_is_shown(start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path) -> None:
    prose = (
        "A model thinks between <think> and </think>.\n\nSome forget the `</think>`; then all after <think> is lost."
    )
    upstream.script(says(prose))
    assert run_claude(start_gateway(), tmp_path, "What is a think tag?").printed == prose
