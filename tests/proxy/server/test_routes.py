"""The routes of the gateway, and its errors for requests that cannot be served."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import LogFile, StartGateway
from tests.support.chunks import completion, finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, stream, whole
from tests.support.gateway import NVIDIA_KEY, WEATHER, RunningGateway, both_ways, question
from tray_app import __version__
from tray_app.app.health import read_model_health
from tray_app.catalog import LISTED_AS_IN_TRAY, MODELS, UNKNOWN
from tray_app.errors import OWN_FAULT
from tray_app.settings.keys import Keys
from tray_app.status.findings import Finding, Findings, LookProgress, ModelTrouble, Unavailability
from tray_app.translate.answer.answer import Answer

SERVER_KEY = "key-of-this-gateway"


@pytest.fixture
def locked(start_gateway: StartGateway) -> RunningGateway:
    """A gateway with a server key."""
    return start_gateway(Keys(nvidia=NVIDIA_KEY, server=SERVER_KEY))


# ---- routes


def test_health_answers_as_soon_as_the_gateway_serves(gateway: RunningGateway) -> None:
    answer = gateway.request("GET", "/health")
    assert answer.status == 200
    assert answer.body == {
        "status": "ok",
        "version": __version__,
        "model": "z-ai/glm4.7",
        "answering": "z-ai/glm4.7",
        "today": 0,
        "demo": False,
        "paused": False,
        "has_nvidia_key": True,
        "has_page": False,
        "active_requests": 0,
        "waits": [],
        "requests": [],
        "failing": {},
    }


def test_what_is_known_of_the_models_can_be_asked_for(gateway: RunningGateway) -> None:
    refusal = ModelTrouble(Unavailability.RETIRED, "2026-05-14")
    gateway.board.publish(
        findings=Findings({"z-ai/glm4.7": Finding(answers=False, refusal=refusal)}), listed_models=frozenset({"a/b"})
    )
    known = read_model_health(gateway.address.url)
    assert known is not None
    assert known.findings["z-ai/glm4.7"].refusal == refusal
    assert (known.listed, known.look) == (("a/b",), LookProgress())


@pytest.mark.parametrize("path", ["/", "/api/hello", "/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_signs_of_life_need_no_key(locked: RunningGateway, method: str, path: str) -> None:
    assert locked.request(method, path).status == 200


def test_the_models_are_listed_in_anthropics_shape(gateway: RunningGateway) -> None:
    body = gateway.request("GET", "/v1/models?limit=1000").body
    assert [model["id"] for model in body["data"]] == [*(model.id for model in MODELS), LISTED_AS_IN_TRAY]
    assert {model["type"] for model in body["data"]} == {"model"}
    assert (body["first_id"], body["last_id"], body["has_more"]) == (MODELS[0].id, LISTED_AS_IN_TRAY, False)


def test_the_settings_define_the_models_and_their_aliases(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    own = replace(UNKNOWN, id="lab/Own", label="Own", letter="O")
    aliases = {"z-ai/glm4.7": "lab/Own", "claude-haiku-5-5": "moonshotai/kimi-k3"}
    gateway = start_gateway(models=(own,), aliases=aliases, clients_choose_model=True)
    upstream.default = lambda body: whole(completion(body["model"]))
    listed = [model["id"] for model in gateway.request("GET", "/v1/models").body["data"]]
    assert listed[:2] == ["minimaxai/minimax-m2.1", "lab/Own"]
    assert "z-ai/glm4.7" not in listed
    assert gateway.request("GET", "/health").body["model"] == "lab/Own"
    names = ("lab/own[1m]", "z-ai/glm4.7", "claude-haiku-5-5", "claude-opus-5-5")
    answers = [gateway.ask(question(model=name)).text for name in names]
    assert answers == ["lab/Own", "lab/Own", "moonshotai/kimi-k3", "lab/Own"]


def test_tokens_are_counted_without_asking_upstream(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    short = gateway.request("POST", "/v1/messages/count_tokens?beta=true", question("Hello"))
    long = gateway.request("POST", "/v1/messages/count_tokens", question("Hello " * 100, tools=[WEATHER]))
    assert 0 < short.body["input_tokens"] < long.body["input_tokens"]
    assert not upstream.received


def test_telemetry_of_clients_is_discarded(locked: RunningGateway, upstream: FakeUpstream) -> None:
    assert locked.request("POST", "/api/event_logging/batch", {"events": []}).status == 204
    assert not upstream.received


@pytest.mark.parametrize(
    ("method", "path", "outcome", "sentence"),
    [
        ("GET", "/v1/nothing", (404, "not_found_error"), "There is nothing at GET /v1/nothing."),
        ("POST", "/v1/messages/batches", (404, "not_found_error"), "There is nothing at POST /v1/messages/batches."),
        ("GET", "/v1/messages", (405, "invalid_request_error"), "/v1/messages does not take GET."),
        ("DELETE", "/v1/models", (405, "invalid_request_error"), "/v1/models does not take DELETE."),
    ],
)
def test_unknown_paths_and_methods_get_anthropics_error(
    gateway: RunningGateway, method: str, path: str, outcome: tuple[int, str], sentence: str
) -> None:
    answer = gateway.request(method, path)
    assert (answer.outcome, answer.sentence) == (outcome, sentence)


def test_each_request_has_an_id_of_its_own(gateway: RunningGateway) -> None:
    ids = {gateway.request("GET", path).headers["request-id"] for path in ("/health", "/health", "/v1/nothing")}
    assert len(ids) == 3


# ---- bodies

ROOT = "The request body must be a JSON object."
NO_JSON = "The request body is not valid JSON."


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", NO_JSON),
        (b"Hello", NO_JSON),
        (b'{"model": "x"', NO_JSON),
        (b'{"model": NaN}', NO_JSON),
        (b"\xff\xfe\xfa", NO_JSON),
        (b"[" * 100_000, NO_JSON),
        (b"[]", ROOT),
        (b"null", ROOT),
        (b'"Hello"', ROOT),
        (b"{}", "model: Field required"),
        (b'{"model": 5}', "model: Input should be a valid string"),
        (b'{"model": ""}', "model: Input should be a valid string"),
        (b'{"model": "x"}', "messages: Field required"),
    ],
    ids=[
        *("nothing", "no JSON", "half", "NaN", "no UTF-8", "too deep"),
        *("list", "null", "string", "empty", "number as model", "no name", "no messages"),
    ],
)
def test_a_malformed_body_is_refused(gateway: RunningGateway, path: str, body: bytes, sentence: str) -> None:
    answer = gateway.request("POST", path, body)
    assert (answer.outcome, answer.sentence) == ((400, "invalid_request_error"), sentence)


WRONG: list[tuple[str, Any, str]] = [
    ("messages", "Hello", "messages: Input should be a list"),
    ("messages", [], "messages: at least one message is required"),
    ("messages", ["Hello"], "messages.0: Input should be an object"),
    ("messages", [{"content": "Hello"}], "messages.0.role: Input should be 'user' or 'assistant'"),
    ("messages", [{"role": 1, "content": "Hello"}], "messages.0.role: Input should be 'user' or 'assistant'"),
    ("messages", [{"role": "user"}], "messages.0.content: Field required"),
    (
        "messages",
        [{"role": "user", "content": 5}],
        "messages.0.content: Input should be a string or a list of content blocks",
    ),
    (
        "messages",
        [{"role": "user", "content": ["Hello"]}],
        "messages.0.content.0: Input should be a content block, an object with a `type`",
    ),
    (
        "messages",
        [{"role": "user", "content": [{"type": "text"}]}],
        "messages.0.content.0.text: Input should be a valid string",
    ),
    ("messages", [{"role": "user", "content": []}], "messages: at least one message must have content"),
    ("system", 5, "system: Input should be a string or a list of content blocks"),
    ("max_tokens", "many", "max_tokens: Input should be a valid integer"),
    ("max_tokens", True, "max_tokens: Input should be a valid integer"),
    ("max_tokens", 1.5, "max_tokens: Input should be a valid integer"),
    ("max_tokens", -1, "max_tokens: Input should be greater than or equal to 0"),
    ("temperature", "hot", "temperature: Input should be a valid number"),
    ("top_p", [], "top_p: Input should be a valid number"),
    ("stop_sequences", "stop", "stop_sequences: Input should be a list of strings"),
    ("stop_sequences", [5], "stop_sequences: Input should be a list of strings"),
    ("stream", "yes", "stream: Input should be a valid boolean"),
    ("tools", {}, "tools: Input should be a list"),
    ("tools", ["hammer"], "tools.0: Input should be an object"),
    ("tools", [{"input_schema": {}}], "tools.0.name: Field required"),
    (
        "tools",
        [{"name": "hammer", "input_schema": "any"}],
        "tools.0.input_schema: Input should be a JSON schema object",
    ),
    ("tool_choice", "auto", "tool_choice: Input should be an object with a `type`"),
    ("tool_choice", {"type": "some"}, "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'"),
    (
        "tool_choice",
        {"type": "tool", "name": "saw"},
        "tool_choice.name: there is no tool named 'saw' in tools",
    ),
]


@pytest.mark.parametrize(
    ("field", "value", "sentence"), WRONG, ids=[f"{field}={str(value)[:40]}" for field, value, _ in WRONG]
)
def test_a_field_of_the_wrong_type_is_named(
    gateway: RunningGateway, upstream: FakeUpstream, field: str, value: Any, sentence: str
) -> None:
    answer = gateway.ask({**question(tools=[WEATHER]), field: value})
    assert (answer.outcome, answer.sentence) == ((400, "invalid_request_error"), sentence)
    assert not upstream.received


def test_a_field_of_the_wrong_type_is_named_if_a_stream_is_asked_for_too(gateway: RunningGateway) -> None:
    assert gateway.ask(question(stream=True, max_tokens=-1)).outcome == (400, "invalid_request_error")


def test_a_body_of_more_than_64_megabytes_is_refused(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    answer = gateway.request("POST", "/v1/messages", b" " * (64 * 2**20 + 1))
    assert (answer.outcome, answer.sentence) == (
        (413, "request_too_large"),
        "The request is larger than 64 MB.",
    )
    assert not upstream.received


def test_a_body_of_32_megabytes_is_served(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion("Hello!")))
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 32 * 2**20}}
    content = [image, {"type": "text", "text": "What is this?"}]
    assert gateway.ask(question(messages=[{"role": "user", "content": content}])).text == "Hello!"


def test_a_compressed_body_is_read(gateway: RunningGateway) -> None:
    plain, packed = (json.dumps(question()).encode(), gzip.compress(json.dumps(question()).encode()))
    counts = [
        gateway.request("POST", "/v1/messages/count_tokens", plain).body,
        gateway.request("POST", "/v1/messages/count_tokens", packed, Content_Encoding="gzip").body,
    ]
    assert counts[0] == counts[1]


def test_a_body_that_is_not_compressed_as_it_says_is_refused(gateway: RunningGateway) -> None:
    answer = gateway.request("POST", "/v1/messages", b"Hello", Content_Encoding="gzip")
    assert answer.outcome == (400, "invalid_request_error")
    assert answer.sentence == "The request body cannot be read: it is not encoded as its headers say."


# ---- faults of this program


@both_ways
def test_a_fault_of_this_program_is_an_error_and_is_logged(
    gateway: RunningGateway,
    upstream: FakeUpstream,
    log_file: LogFile,
    monkeypatch: pytest.MonkeyPatch,
    is_stream: bool,
) -> None:
    monkeypatch.setattr(Answer, "finish", lambda self: 1 // 0)
    gate = Gate()
    upstream.script(stream(text("Hel"), gate, finish()) if is_stream else whole(completion("Hello!")))
    if is_stream:
        with gateway.stream() as reading:
            reading.read_until("content_block_delta")
            gate.open()
            answer = reading.read_rest()
        assert answer.story == ["start text#0", "+Hel", "error api_error"]
    else:
        answer = gateway.ask()
        assert answer.outcome == (500, "api_error")
    assert answer.sentence == OWN_FAULT
    assert "ZeroDivisionError" in log_file.text
    gateway.wait_active(0)


def test_a_fault_beside_an_exchange_is_an_error_and_is_logged(
    gateway: RunningGateway, log_file: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.translate.request.question.count_tokens", lambda *_: 1 // 0)
    answer = gateway.request("POST", "/v1/messages/count_tokens", question())
    assert (answer.status, answer.body["error"]["message"]) == (500, OWN_FAULT)
    assert answer.headers["x-should-retry"] == "false"
    assert "a fault of this program in POST /v1/messages/count_tokens" in log_file.text
    assert "ZeroDivisionError" in log_file.text
