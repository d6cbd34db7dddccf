"""Errors in every place: in a status, in the body of a 200, in a stream before or after its first word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import delta, finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, Reply, hello, refusal, stream, whole
from tests.support.gateway import QUICK, RunningGateway, both_ways, question
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.settings.keys import Keys
from tray_app.status.board import Topic
from tray_app.status.findings import ModelTrouble, Unavailability

GLM, MINIMAX = "z-ai/glm4.7", "minimaxai/minimax-m2.1"


FULL: dict[str, Any] = {
    "message": "You passed 140000 input tokens and requested 8192 output tokens. However, the model's context length "
    "is only 131072 tokens, resulting in a maximum input length of 122880 tokens. Please reduce the length of the "
    "input prompt. (parameter=input_tokens, value=140000)",
    "type": "BadRequestError",
    "param": "input_tokens",
    "code": 400,
}
PROMPT_TOO_LONG = "prompt is too long: 140000 tokens > 131072 maximum"
ROLE = delta(role="assistant", content="")


def put_everywhere(error: dict[str, Any]) -> dict[str, Reply]:
    """Returns a reply for every place in which an error may stand before the first word of an answer."""
    nested, bare = {"error": error}, {"object": "error", **error}
    named = b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n"
    return {
        "body of a 200": whole(nested),
        "bare body of a 200": whole(bare),
        "body of a 200 that is called a stream": Reply(
            (json.dumps(nested).encode(),), content_type="text/event-stream"
        ),
        "first event": stream(nested),
        "only event": stream(nested, ends=False),
        "bare event": stream(bare),
        "event that is called error": stream(named),
        "event that is called JSON": Reply(stream(nested).steps),
        "after the role": stream(ROLE, nested),
        "in a choice": stream(ROLE, {"choices": [{"index": 0, "delta": {}, "error": error, "finish_reason": "error"}]}),
        "beside empty choices": stream({"choices": [], **nested}),
    }


STATUSES = {
    f"HTTP {status}, {name}": refusal(status, body)
    for status in (400, 413, 422, 500)
    for name, body in (
        ("OpenAI", {"error": FULL}),
        ("vLLM", {"object": "error", **FULL}),
        ("problem+json", {"status": status, "title": "No", "detail": FULL["message"]}),
        ("text", FULL["message"]),
    )
}
PLACES = {
    **STATUSES,
    **put_everywhere(FULL),
    **{f"{name}, code 500": reply for name, reply in put_everywhere({**FULL, "code": 500, "type": "x"}).items()},
    **{
        f"{name}, no code": reply
        for name, reply in put_everywhere({"message": FULL["message"]}).items()
        if name != "event that is called error"
    },
    "an error that is text": stream({"error": FULL["message"]}),
    "detail": stream({"detail": FULL["message"]}),
    "problem+json in a 200": whole({"status": 400, "title": "Bad Request", "detail": FULL["message"]}),
    "an event that is text": stream(f"event: error\ndata: {FULL['message']}\n\n".encode()),
}


@both_ways
@pytest.mark.parametrize("place", PLACES)
def test_a_full_context_is_the_400_that_makes_the_client_compact(
    start_gateway: StartGateway, upstream: FakeUpstream, place: str, is_stream: bool
) -> None:
    gateway = start_gateway(timeouts=QUICK, fallback_models=(MINIMAX,))
    upstream.script(PLACES[place])
    answer = gateway.ask(question(stream=is_stream))
    assert (answer.outcome, answer.sentence) == ((400, "invalid_request_error"), PROMPT_TOO_LONG)
    assert answer.headers["x-should-retry"] == "false"
    assert len(upstream.received) == 1, "neither asked again, nor another model"
    assert not gateway.board.status.model_troubles
    assert not gateway.board.status.troubles


@both_ways
def test_the_code_alone_tells_that_the_context_is_full(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    replies = put_everywhere({"code": "context_length_exceeded", "message": "Look at our website."})
    upstream.script(*replies.values())
    for place in replies:
        answer = gateway.ask(question(stream=is_stream))
        assert answer.status == 400, place
        assert answer.sentence == "prompt is too long: 131073 tokens > 131072 maximum", place


@pytest.mark.parametrize("error", [{"error": FULL}, {"object": "error", **FULL}], ids=["nested", "bare"])
def test_a_full_context_after_a_ping_is_an_error_event(
    start_gateway: StartGateway, upstream: FakeUpstream, error: dict[str, Any]
) -> None:
    """The client then asks once more without a stream, and that request gets a 400."""
    gateway = start_gateway(timeouts=Timeouts(first_ping_s=0.01, ping_s=600))
    upstream.script(stream(ROLE, gate := Gate(), error), refusal(400, {"error": FULL}))
    with gateway.stream() as reading:
        reading.read_until("ping")
        gate.open()
        answer = reading.read_rest()
    assert answer.story == ["ping", "error invalid_request_error"]
    assert answer.sentence == PROMPT_TOO_LONG
    assert gateway.ask().status == 400


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (FULL, "invalid_request_error", PROMPT_TOO_LONG),
        ({"message": "Context size has been exceeded.", "code": 500}, "invalid_request_error", "prompt is too long: "),
        ({"message": "no", "code": 400}, "invalid_request_error", "NVIDIA refused the request: no"),
        ({"message": "no", "code": 401}, "billing_error", "NVIDIA refused your API key."),
        ({"message": "no", "code": 404}, "billing_error", "NVIDIA does not serve GLM 4.7"),
        ({"message": "no", "code": 429}, "overloaded_error", "NVIDIA's rate limit for GLM 4.7 is reached."),
        ({"message": "no", "code": 500}, "overloaded_error", "NVIDIA broke off the answer: no"),
        ({"message": "no"}, "overloaded_error", "NVIDIA broke off the answer: no"),
    ],
    ids=lambda value: json.dumps(value)[-30:],
)
def test_an_error_after_the_first_word_is_not_retried(
    start_gateway: StartGateway, upstream: FakeUpstream, error: dict[str, Any], kind: str, sentence: str
) -> None:
    gateway = start_gateway(timeouts=QUICK, fallback_models=(MINIMAX,))
    upstream.script(stream(text("Hel"), gate := Gate(), {"error": error}))
    with gateway.stream() as reading:
        reading.read_until("content_block_delta")
        gate.open()
        answer = reading.read_rest()
    assert answer.story == ["start text#0", "+Hel", f"error {kind}"]
    assert answer.sentence.startswith(sentence)
    assert len(upstream.received) == 1


# ---- permanent refusals


@both_ways
@pytest.mark.parametrize(
    ("error", "outcome", "sentence"),
    [
        ({"message": "no", "code": 400}, (400, "invalid_request_error"), "NVIDIA refused the request: no"),
        ({"message": "no", "code": "422"}, (400, "invalid_request_error"), "NVIDIA refused the request: no"),
        ({"message": "no", "code": 401}, (400, "billing_error"), "NVIDIA refused your API key."),
        ({"message": "no", "code": 402}, (400, "billing_error"), "NVIDIA wants to be paid for GLM 4.7"),
        ({"message": "no", "code": 403}, (400, "billing_error"), "NVIDIA refused your API key for GLM 4.7."),
        ({"message": "no", "code": 404}, (400, "billing_error"), "NVIDIA does not serve GLM 4.7"),
        ({"message": "no", "code": 410}, (400, "billing_error"), "NVIDIA retired GLM 4.7."),
        ({"message": "no", "code": 451}, (400, "billing_error"), "NVIDIA does not offer GLM 4.7 where you are"),
    ],
    ids=lambda value: json.dumps(value)[-10:],
)
def test_a_permanent_refusal_is_not_retried_wherever_it_stands(
    start_gateway: StartGateway,
    upstream: FakeUpstream,
    error: dict[str, Any],
    outcome: tuple[int, str],
    sentence: str,
    is_stream: bool,
) -> None:
    gateway = start_gateway(timeouts=QUICK, follow_successors=False)
    replies = put_everywhere(error) | {"HTTP": refusal(int(error["code"]), {"error": error})}
    for place, reply in replies.items():
        upstream.script(reply)
        answer = gateway.ask(question(stream=is_stream))
        assert answer.outcome == outcome, place
        assert answer.sentence.startswith(sentence), place
        assert answer.headers["x-should-retry"] == "false"
    assert len(upstream.received) == len(replies)


@both_ways
@pytest.mark.parametrize(
    "error",
    [{"message": "no", "code": 500}, {"message": "no", "code": 503}, {"message": "no"}, {"message": "no", "code": 429}],
    ids=["500", "503", "unknown", "429"],
)
def test_a_transient_error_is_retried_wherever_it_stands(
    start_gateway: StartGateway, upstream: FakeUpstream, error: dict[str, Any], is_stream: bool
) -> None:
    upstream.script(*put_everywhere(error).values(), hello(is_stream=is_stream))
    answer = start_gateway(timeouts=QUICK).ask(question(stream=is_stream))
    assert (answer.status, answer.text) == (200, "Hello!")


@both_ways
def test_a_stream_teaches_what_a_model_refuses(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path, is_stream: bool
) -> None:
    gateway = start_gateway(state_folder=tmp_path)
    refused = {"error": {"message": "Validation: Unsupported parameter(s): `top_p`", "code": 400}}
    upstream.script(stream(refused), *[hello(is_stream=is_stream)] * 2)
    asked = question(stream=is_stream, top_p=0.9)
    assert [gateway.ask(asked).text for _ in range(2)] == ["Hello!", "Hello!"]
    assert ["top_p" in received.body for received in upstream.received] == [True, False, False]


@both_ways
def test_a_model_that_a_stream_says_is_gone_is_marked_and_replaced(
    start_gateway: StartGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    gateway = start_gateway(fallback_models=(MINIMAX,), follow_successors=False)
    upstream.script(stream({"error": {"message": "no such model", "code": 404}}), hello(is_stream=is_stream))
    assert gateway.ask(question(stream=is_stream)).text == "Hello!"
    assert [received.body["model"] for received in upstream.received] == [GLM, MINIMAX]
    assert gateway.board.status.model_troubles == ((GLM, ModelTrouble(Unavailability.NOT_SERVED)),)


def test_a_200_alone_does_not_mean_that_the_key_is_accepted(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    refused = {"error": {"message": "no", "code": 401}}
    shown: list[list[Topic]] = []
    upstream.script(refusal(401), stream(refused), whole(refused), stream(text("Hello!"), finish()))
    gateway.ask()
    gateway.board.subscribe(lambda status: shown.append([topic for topic, _ in status.troubles]))
    for _ in range(2):
        gateway.ask(question(stream=True))
    assert all(topics == [Topic.REFUSED_KEY] for topics in shown), "it never goes and comes back"
    gateway.ask(question(stream=True))
    assert shown[-1] == []


@both_ways
@pytest.mark.parametrize("status", [402, 451])
def test_an_error_that_is_not_transient_is_not_retried(
    start_gateway: StartGateway, upstream: FakeUpstream, status: int, is_stream: bool
) -> None:
    upstream.script(refusal(status, {"detail": "no"}))
    answer = start_gateway(timeouts=QUICK, follow_successors=False).ask(question(stream=is_stream))
    assert answer.outcome == (400, "billing_error")
    assert "in the tray menu" in answer.sentence
    assert answer.headers["x-should-retry"] == "false"
    assert len(upstream.received) == 1


def test_a_prompt_that_upstream_quotes_is_no_full_context(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    prompt = f"What does this mean: {FULL['message']}"
    for detail in (
        f"messages.0.content: cannot be read: {FULL['message']}",
        f"1 validation error for Request [type=string_type, input_value='{prompt}', input_type=str]",
        f'messages.0.content: "{prompt}" is not allowed',
    ):
        upstream.script(refusal(422, {"detail": detail}), stream({"error": {"message": detail, "code": 400}}))
        for is_stream in (False, True):
            answer = gateway.ask(question(prompt, stream=is_stream))
            assert answer.sentence.startswith("NVIDIA refused the request: "), detail


def test_a_secret_in_an_error_of_a_stream_is_hidden(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    said = "key nvapi-key-of-the-tests and \x1b[2J nvapi-0123456789abcdefghij"
    upstream.script(*[stream({"error": {"message": said, "code": code}}) for code in (400, 500)])
    for _ in range(2):
        sentence = gateway.ask(question(stream=True)).sentence
        assert "tests" not in sentence
        assert "0123456789" not in sentence
        assert "\x1b" not in sentence


def test_the_estimate_is_used_if_nothing_tells_the_length_of_the_prompt(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(refusal(400, {"error": "context length exceeded"}))
    sentence = gateway.ask(question("word " * 200_000)).sentence
    asked = int(sentence.split()[4])
    assert sentence == f"prompt is too long: {asked} tokens > 131072 maximum"
    assert asked > 140_000


def test_an_event_of_an_unknown_kind_is_ignored(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    upstream.script(stream(ping, text("Hel"), ping, text("lo!"), finish()))
    assert gateway.ask(question(stream=True)).text == "Hello!"


def test_a_request_that_fails_before_a_due_ping_is_sent_has_its_own_error(start_gateway: StartGateway) -> None:
    gateway = start_gateway(Keys(), timeouts=Timeouts(first_ping_s=0))
    answer = gateway.ask(question(stream=True))
    assert answer.outcome == (400, "billing_error")
