"""Every failure of upstream. Before the first frame it becomes an HTTP status, after it an `event: error`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import completion, finish, text, think, whole_call
from tests.support.fake_upstream import CUT, HANG_UP, FakeUpstream, Gate, Reply, hello, refusal, stream, whole
from tests.support.gateway import QUICK, WEATHER, RunningGateway, both_ways, question
from tests.support.ports import free_port
from tray_app.shells import name_command

RETIRED = {"detail": "The model 'z-ai/glm4.7' has reached its end of life on 2026-05-14 and is no longer available."}
UNSERVED = {"status": 404, "title": "Not Found", "detail": "Function 'abc': Not found for account 'xyz'"}
TOO_LONG = {"message": "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens."}
NO_ROOM = {"message": "max_tokens must be at least 1, got -928."}
DEGRADED = {"detail": "Function id 'abc': DEGRADED function cannot be invoked"}
WEB_PAGE = "<html><body><h1>502 Bad Gateway</h1> nginx</body></html>"

BROKE_OFF = "NVIDIA broke off the answer in the middle. Please try again."
CONNECTION_BROKE_OFF = "The connection to NVIDIA broke off before the answer was complete. Please try again."
MALFORMED = "NVIDIA's answer is malformed: a part of it is no chat completion. Please try again."


@both_ways
@pytest.mark.parametrize(
    ("reply", "outcome", "sentence"),
    [
        (
            refusal(401, {"status": 401, "title": "Unauthorized"}),
            (400, "billing_error"),
            "NVIDIA refused your API key. Check the key on build.nvidia.com, then set it with "
            f"`{name_command('set-key')}`.",
        ),
        (
            refusal(403, {"status": 403, "title": "Forbidden"}),
            (400, "billing_error"),
            "NVIDIA refused your API key for GLM 4.7. Check the key on build.nvidia.com, then set it with "
            f"`{name_command('set-key')}`.",
        ),
        (
            refusal(404, UNSERVED),
            (400, "billing_error"),
            "NVIDIA does not serve GLM 4.7 to your API key. Choose another model in the tray menu, or set "
            '"model" to "z-ai/glm-5.3-flash" (GLM 5.3 Flash) in the settings file, or look on '
            "build.nvidia.com whether it is still offered.",
        ),
        (
            refusal(410, RETIRED),
            (400, "billing_error"),
            "NVIDIA retired GLM 4.7 on 2026-05-14. Choose another model in the tray menu, or set "
            '"model" to "z-ai/glm-5.3-flash" (GLM 5.3 Flash) in the settings file.',
        ),
        (
            refusal(429, {"status": 429, "title": "Too Many Requests"}),
            (429, "rate_limit_error"),
            "NVIDIA's rate limit for GLM 4.7 is reached.",
        ),
        (
            refusal(500, {"error": {"message": "Internal"}}),
            (529, "overloaded_error"),
            "NVIDIA is overloaded: GLM 4.7 answered with HTTP 500.",
        ),
        (
            refusal(502, WEB_PAGE, "text/html"),
            (529, "overloaded_error"),
            "NVIDIA is overloaded: GLM 4.7 answered with HTTP 502.",
        ),
        (
            refusal(400, DEGRADED),
            (529, "overloaded_error"),
            "NVIDIA is overloaded: GLM 4.7 answered with HTTP 400.",
        ),
        (
            refusal(400, {"error": TOO_LONG}),
            (400, "invalid_request_error"),
            "prompt is too long: 140000 tokens > 131072 maximum",
        ),
        (
            refusal(400, NO_ROOM),
            (400, "invalid_request_error"),
            "prompt is too long: 132000 tokens > 131072 maximum",
        ),
        (
            refusal(400, {"detail": "tools.0: too deep"}),
            (400, "invalid_request_error"),
            "NVIDIA refused the request: tools.0: too deep",
        ),
        (
            refusal(400, WEB_PAGE, "text/html"),
            (400, "invalid_request_error"),
            "NVIDIA refused the request: HTTP 400, without a reason",
        ),
        (
            refusal(202),
            (502, "api_error"),
            "NVIDIA took the request, but does not say where its answer will be.",
        ),
        (
            whole({"error": {"message": "out of memory"}}),
            (529, "overloaded_error"),
            "NVIDIA broke off the answer: out of memory",
        ),
    ],
    ids=[
        *("401", "403", "404", "410", "429", "500", "web page", "degraded", "too long", "no room", "refused"),
        *("refused with a web page", "pending", "error under 200"),
    ],
)
def test_a_refusal_becomes_a_status_and_a_sentence(
    gateway: RunningGateway,
    upstream: FakeUpstream,
    is_stream: bool,
    reply: Reply,
    outcome: tuple[int, str],
    sentence: str,
) -> None:
    upstream.script(reply)
    answer = gateway.ask(question(stream=is_stream))
    assert (answer.outcome, answer.sentence) == (outcome, sentence)
    assert len(upstream.received) == 1
    gateway.wait_active(0)


def test_a_rate_limit_says_when_to_try_again(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(refusal(429))
    assert 1 <= int(gateway.ask().headers["retry-after"]) <= 60


def test_a_key_that_upstream_quotes_does_not_reach_the_client(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(refusal(400, {"detail": "bad key nvapi-0123456789abcdef in Authorization: Bearer 0123456789"}))
    assert "0123456789" not in gateway.ask().sentence


@both_ways
def test_an_endless_error_page_is_read_in_part(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    upstream.script(refusal(500, b"x" * 10_000_000))
    assert gateway.ask(question(stream=is_stream)).outcome == (529, "overloaded_error")


# ---- redirects


@both_ways
@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{port}/v2/chat?x=1", "/v2/chat?x=1", "//127.0.0.1:{port}/v2/chat?x=1"]
)
def test_a_redirect_within_the_server_is_followed_once(
    gateway: RunningGateway, upstream: FakeUpstream, place: str, status: int, is_stream: bool
) -> None:
    upstream.script(refusal(status, Location=place.format(port=upstream.port)), hello(is_stream=is_stream))
    assert gateway.ask(question(stream=is_stream)).text == "Hello!"
    first, second = upstream.received
    assert second.target == "/v2/chat?x=1"
    assert second.body == first.body
    assert second.headers["Authorization"] == first.headers["Authorization"]


NOT_FOLLOWED: dict[str, tuple[int, str | None]] = {
    "another server": (307, "http://127.0.0.1:1/v1/chat/completions"),
    "another name of it": (308, "http://localhost:{port}/v1/chat/completions"),
    "another scheme": (307, "https://127.0.0.1:{port}/v1/chat/completions"),
    "a user's name": (307, "http://me@127.0.0.1:{port}/v1/chat/completions"),
    "no address": (307, "http://["),
    "a port that is none": (307, "http://127.0.0.1:x/"),
    "nowhere": (307, None),
    "an empty place": (308, ""),
    "301": (301, "/v2/chat"),
    "302": (302, "/v2/chat"),
    "303": (303, "/v2/chat"),
}


@both_ways
@pytest.mark.parametrize("case", NOT_FOLLOWED)
def test_any_other_redirect_is_an_error_and_not_retried(
    start_gateway: StartGateway, upstream: FakeUpstream, case: str, is_stream: bool
) -> None:
    status, place = NOT_FOLLOWED[case]
    headers = {} if place is None else {"Location": place.format(port=upstream.port)}
    upstream.script(refusal(status, **headers))
    answer = start_gateway(timeouts=QUICK).ask(question(stream=is_stream))
    assert answer.outcome == (502, "api_error")
    assert answer.headers["x-should-retry"] == "false"
    assert answer.sentence == (
        f"NVIDIA answered with HTTP {status}, a redirect to another place, which is not followed: your key goes "
        'nowhere else. Check "nvidia_url" in the settings.'
    )
    assert len(upstream.received) == 1


@both_ways
def test_a_redirect_in_a_circle_is_followed_once(
    start_gateway: StartGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    circle = refusal(307, Location="/v1/chat/completions")
    upstream.script(circle, circle)
    answer = start_gateway(timeouts=QUICK).ask(question(stream=is_stream))
    assert "a redirect to another place" in answer.sentence
    assert len(upstream.received) == 2


# ---- no connection


@both_ways
def test_an_upstream_that_is_down_is_named(start_gateway: StartGateway, is_stream: bool) -> None:
    port = free_port()
    answer = start_gateway(nvidia_url=f"http://127.0.0.1:{port}/v1").ask(question(stream=is_stream))
    assert answer.outcome == (502, "api_error")
    assert answer.sentence == (
        f"NVIDIA cannot be reached: 127.0.0.1:{port} does not answer. Check the internet connection."
    )


@both_ways
def test_an_upstream_with_an_unknown_name_is_named(start_gateway: StartGateway, is_stream: bool) -> None:
    answer = start_gateway(nvidia_url="https://nvidia.invalid/v1").ask(question(stream=is_stream))
    assert answer.outcome == (502, "api_error")
    assert answer.sentence == ("NVIDIA cannot be reached: nvidia.invalid was not found. Check the internet connection.")


@both_ways
@pytest.mark.parametrize("reply", [HANG_UP, Reply((CUT,)), Reply((b'{"choi', CUT))], ids=["no byte", "head", "half"])
def test_a_connection_cut_before_the_answer_is_an_error(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool, reply: Reply
) -> None:
    upstream.script(*(reply, HANG_UP) if reply is HANG_UP else (reply,))
    answer = gateway.ask(question(stream=is_stream))
    assert (answer.outcome, answer.sentence) == ((502, "api_error"), CONNECTION_BROKE_OFF)


@both_ways
def test_an_upstream_without_tls_behind_https_is_an_error(
    start_gateway: StartGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    answer = start_gateway(nvidia_url=upstream.url.replace("http:", "https:")).ask(question(stream=is_stream))
    assert answer.outcome == (502, "api_error")
    assert answer.sentence.startswith("NVIDIA cannot be reached: ")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://127.0.0.1:port/"])
def test_an_unusable_address_of_upstream_is_an_error(start_gateway: StartGateway, url: str) -> None:
    answer = start_gateway(nvidia_url=url).ask()
    assert answer.outcome == (502, "api_error")
    assert answer.sentence == 'NVIDIA cannot be reached: "nvidia_url" in the settings is no usable address.'


@both_ways
def test_a_stale_connection_is_replaced_unnoticed(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    good = stream(text("Hello!"), finish()) if is_stream else whole(completion("Hello!"))
    upstream.script(good, HANG_UP, good)
    assert [gateway.ask(question(stream=is_stream)).text for _ in range(2)] == ["Hello!", "Hello!"]
    assert len(upstream.received) == 3


@both_ways
def test_a_stale_connection_is_replaced_once_only(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    good = stream(text("Hello!"), finish()) if is_stream else whole(completion("Hello!"))
    upstream.script(good, HANG_UP, HANG_UP)
    gateway.ask(question(stream=is_stream))
    answer = gateway.ask(question(stream=is_stream))
    assert (answer.outcome, answer.sentence) == ((502, "api_error"), CONNECTION_BROKE_OFF)
    assert len(upstream.received) == 3


def test_a_connection_that_upstream_closed_while_idle_is_replaced(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.default = lambda body: whole(completion("Hello!"))
    gateway.ask()
    upstream.close_connections()
    assert gateway.ask().text == "Hello!"
    assert len(upstream.received) == 2


# ---- silence


def test_silence_ends_with_an_error(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    """The timeout is one second, the shortest that the settings allow. It counts before and within the answer."""
    gateway = start_gateway(upstream_timeout_seconds=1)
    upstream.default = lambda body: stream(text("Hel"), Gate()) if body.get("stream") else whole({}, before=Gate())
    sentence = "NVIDIA sent nothing for 1 s. Please try again."
    with gateway.stream_later() as late:
        answer = gateway.ask()
        assert (answer.outcome, answer.sentence) == ((504, "timeout_error"), sentence)
    answer = late.result()
    assert answer.story == ["start text#0", "+Hel", "error timeout_error"]
    assert answer.sentence == sentence
    for received in upstream.received:
        received.wait_left()


# ---- trouble in the middle of a stream


BROKEN_STREAMS: list[tuple[str, list[Any], int, str]] = [
    ("cut", [CUT], 502, CONNECTION_BROKE_OFF),
    ("end of file", [], 502, BROKE_OFF),
    ("half an event", [b'data: {"choices":[{"del'], 502, MALFORMED),
    ("no JSON", [b"data: nonsense\n\n"], 502, MALFORMED),
    ("wrong types", [b'data: {"choices":{"delta":5}}\n\n'], 502, MALFORMED),
    ("no object", [b"data: [1]\n\n"], 502, MALFORMED),
    (
        "an error",
        [{"error": {"message": "CUDA out of memory", "code": 500}}, b"data: [DONE]\n\n"],
        529,
        "NVIDIA broke off the answer: CUDA out of memory",
    ),
]


@pytest.mark.parametrize(
    ("parts", "status", "sentence"), [row[1:] for row in BROKEN_STREAMS], ids=[row[0] for row in BROKEN_STREAMS]
)
def test_a_stream_that_breaks_in_a_block_ends_with_an_error_event(
    gateway: RunningGateway, upstream: FakeUpstream, parts: list[Any], status: int, sentence: str
) -> None:
    upstream.script(stream(text("Hel"), gate := Gate(), *parts, ends=False))
    with gateway.stream() as reading:
        reading.read_until("content_block_delta")
        gate.open()
        answer = reading.read_rest()
    assert answer.story == ["start text#0", "+Hel", "error overloaded_error"]
    assert answer.sentence == sentence
    gateway.wait_active(0)


@pytest.mark.parametrize(
    ("parts", "status", "sentence"), [row[1:] for row in BROKEN_STREAMS], ids=[row[0] for row in BROKEN_STREAMS]
)
def test_a_stream_that_breaks_before_its_first_block_is_a_status(
    gateway: RunningGateway, upstream: FakeUpstream, parts: list[Any], status: int, sentence: str
) -> None:
    upstream.script(stream({"choices": [{"index": 0, "delta": {"role": "assistant"}}]}, *parts, ends=False))
    answer = gateway.ask(question(stream=True))
    assert answer.status == status
    assert answer.sentence == sentence
    gateway.wait_active(0)


def test_a_call_that_is_cut_off_is_never_shown_as_complete(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    half = whole_call("get_weather", {})
    half["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] = '{"city": "Ro'
    upstream.script(stream(think("hm"), half, gate := Gate(), CUT, ends=False))
    with gateway.stream(question(tools=[WEATHER])) as reading:
        reading.read_until("content_block_delta")
        gate.open()
        answer = reading.read_rest()
    assert answer.story == ["start tool_use#0 get_weather call_1", '+{"city": "Ro', "error overloaded_error"]


def test_an_event_larger_than_any_answer_is_an_error(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(b"data: " + b"x" * 17 * 2**20, ends=False))
    answer = gateway.ask(question(stream=True))
    assert answer.outcome == (502, "api_error")
    assert answer.sentence == "NVIDIA's answer holds an event larger than any answer. Please try again."


def test_an_answer_that_is_no_completion_is_an_error(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    cases: list[tuple[Any, str]] = [
        ("nonsense", MALFORMED),
        ([], MALFORMED),
        ({"choices": 5}, MALFORMED),
        ({"choices": []}, "NVIDIA's answer is empty. Please try again."),
        ({}, "NVIDIA's answer is empty. Please try again."),
    ]
    for body, sentence in cases:
        upstream.script(whole(body))
        answer = gateway.ask()
        assert (answer.outcome, answer.sentence) == ((502, "api_error"), sentence), body


def test_a_web_page_in_place_of_a_stream_is_an_error(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(refusal(200, WEB_PAGE, "text/html"), refusal(200, WEB_PAGE, "text/html"))
    assert gateway.ask(question(stream=True)).outcome == (502, "api_error")
    assert gateway.ask().sentence == MALFORMED


# ---- the client leaves


def test_upstream_is_disconnected_when_the_client_leaves_in_mid_stream(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(stream(text("Hel"), Gate()))
    with gateway.stream() as answer:
        answer.read_until("content_block_delta")
        gateway.wait_active(1)
    upstream.wait_received().wait_left()
    gateway.wait_active(0)


def test_upstream_is_disconnected_when_the_client_leaves_before_the_answer(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(whole({}, before=(gate := Gate())))
    with gateway.send_only(question()):
        gate.wait_reached()
    upstream.wait_received().wait_left()
    gateway.wait_active(0)


def test_one_client_leaving_does_not_disturb_the_others(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hel"), Gate()), stream(text("one "), gate := Gate(), text("two"), finish()))
    with gateway.stream() as leaving:
        leaving.read_until("content_block_delta")
        with gateway.stream() as staying:
            staying.read_until("content_block_delta")
            leaving.leave()
            upstream.received[0].wait_left()
            gate.open()
            assert staying.read_rest().text == "one two"


# ---- the system's proxy


def test_the_systems_proxy_is_not_used_for_this_machine(
    start_gateway: StartGateway, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{upstream.port}")
    upstream.script(whole(completion("by proxy")), whole(completion("straight")))
    assert start_gateway(nvidia_url="http://nvidia.invalid/v1/chat").ask().text == "by proxy"
    assert upstream.received[0].headers["Host"] == "nvidia.invalid"
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert start_gateway().ask().text == "straight"
