"""The bodies of requests are kept while the user has them logged, and at no other time."""

from __future__ import annotations

import json

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import completion, finish, text, think, usage, whole_call
from tests.support.fake_upstream import FakeUpstream, Gate, hello, refusal, stream, whole
from tests.support.gateway import NVIDIA_KEY, QUICK, WEATHER, RunningGateway, question
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.proxy.exchange.kept_bodies import MOST_KEPT, SHOWN_CHARS, KeptBodies

SESSION = {"x_claude_code_session_id": "session-1"}
LATER = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "And now?"},
]


@pytest.fixture
def logging_gateway(start_gateway: StartGateway) -> RunningGateway:
    return start_gateway(log_bodies=True)


def find(running: RunningGateway, number: int) -> KeptBodies | None:
    return running.inside(lambda gateway: gateway.kept_bodies.find(number))


def kept(running: RunningGateway, number: int) -> KeptBodies:
    found = find(running, number)
    assert found is not None
    return found


def test_request_and_answer_are_kept(logging_gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(
        stream(think("Hm"), think("m"), text("Hel"), text("lo"), whole_call("get_weather", {"city": "Oslo"}), finish())
    )
    logging_gateway.ask(question("What is new?", tools=[WEATHER], stream=True))
    found = kept(logging_gateway, 1)
    assert (found.number, found.model_id, found.difference, found.cache_miss) == (1, GLM_4_7.id, None, "")
    assert json.loads(found.request)["messages"][-1]["content"] == "What is new?"
    heading, thinking, _, said, call, arguments = (line for line in found.answer.split("\n") if line)
    assert (heading, thinking, said, call) == ("[thinking]", "Hmm", "Hello", "[tool call: get_weather]")
    assert json.loads(arguments) == {"city": "Oslo"}


def test_an_answer_in_one_piece_and_one_that_still_comes_are_kept(
    logging_gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(whole(completion("All at once")), stream(text("Hel"), gate := Gate(), text("lo"), finish()))
    logging_gateway.ask()
    assert kept(logging_gateway, 1).answer == "[text]\nAll at once"
    with logging_gateway.stream() as answer:
        answer.read_until("content_block_delta")
        assert kept(logging_gateway, 2).answer == "[text]\nHel"
        gate.open()
        answer.read_rest()


def test_only_the_last_try_and_the_last_model_count(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(log_bodies=True, timeouts=QUICK, fallback_models=(MINIMAX_M2_1.id,))
    upstream.script(refusal(404), hello(is_stream=False))
    gateway.ask()
    found = kept(gateway, 1)
    assert (found.model_id, found.answer) == (MINIMAX_M2_1.id, "[text]\nHello!")
    assert json.loads(found.request)["model"] == MINIMAX_M2_1.id


def test_long_bodies_lose_their_middle_and_secrets_are_hidden(
    logging_gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    prompt = f"BEGIN {NVIDIA_KEY} {'word ' * 40_000} END"
    upstream.script(whole(completion(f"FIRST {NVIDIA_KEY} {'word ' * 40_000} LAST")))
    logging_gateway.ask(question(prompt))
    found = kept(logging_gateway, 1)
    for body, first, last in ((found.request, "BEGIN", "END"), (found.answer, "FIRST", "LAST")):
        assert len(body) < SHOWN_CHARS + 100
        assert first in body
        assert last in body
        assert "bytes left out" in body
        assert NVIDIA_KEY not in body
        assert "[hidden]" in body


def test_a_request_is_compared_with_the_one_before_of_its_session(
    logging_gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    missed = stream(text("Hi"), finish(), usage(1000, 5, 0))
    upstream.script(*[missed] * 4)
    logging_gateway.ask(question(stream=True), **SESSION)
    logging_gateway.ask(question(stream=True), x_claude_code_session_id="session-2")
    logging_gateway.ask(question(stream=True, messages=LATER), **SESSION)
    logging_gateway.ask(question(stream=True, messages=LATER, system="Be brief."), **SESSION)
    assert kept(logging_gateway, 2).difference is None
    longer, changed = kept(logging_gateway, 3), kept(logging_gateway, 4)
    assert longer.difference is not None
    assert (longer.difference.number, longer.difference.same_messages, longer.difference.parts) == (1, 1, ())
    assert "no longer had it in its cache" in longer.cache_miss
    assert changed.difference is not None
    assert (changed.difference.number, changed.difference.parts) == (3, ("system prompt",))
    assert changed.cache_miss.startswith("The system prompt is another one")


def test_a_large_request_is_compared_as_well(logging_gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(*[hello(is_stream=False)] * 2)
    large = [{"role": "user", "content": "x" * 300_000}]
    logging_gateway.ask(question(messages=large), **SESSION)
    logging_gateway.ask(question(messages=[*large, *LATER[1:]]), **SESSION)
    found = kept(logging_gateway, 2).difference
    assert found is not None
    assert (found.same_messages, found.messages, found.parts) == (1, 3, ())


def test_nothing_is_kept_while_bodies_are_not_logged_and_switching_it_off_forgets_all(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(*[hello(is_stream=False)] * 3)
    gateway.ask(**SESSION)
    assert find(gateway, 1) is None
    gateway.configure(log_bodies=True)
    gateway.ask(**SESSION)
    assert kept(gateway, 2).difference is None
    gateway.configure(log_bodies=False)
    assert find(gateway, 2) is None
    gateway.configure(log_bodies=True)
    gateway.ask(**SESSION)
    assert kept(gateway, 3).difference is None


def test_what_a_running_request_still_says_is_forgotten_as_well(
    logging_gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(stream(text("Hel"), gate := Gate(), text("lo"), finish()))
    with logging_gateway.stream() as answer:
        answer.read_until("content_block_delta")
        logging_gateway.configure(log_bodies=False)
        logging_gateway.configure(log_bodies=True)
        gate.open()
        answer.read_rest()
    assert find(logging_gateway, 1) is None


def test_only_the_newest_are_kept(logging_gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(*[hello(is_stream=False)] * (MOST_KEPT + 1))
    logging_gateway.configure(requests_per_minute=0)
    for _ in range(MOST_KEPT + 1):
        logging_gateway.ask()
    assert find(logging_gateway, 1) is None
    assert kept(logging_gateway, MOST_KEPT + 1).answer == "[text]\nHello!"
