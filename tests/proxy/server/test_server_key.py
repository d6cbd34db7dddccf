"""The server key: which requests need it, and how wrong keys are slowed down."""

from __future__ import annotations

import asyncio

import pytest

from tests.conftest import LogFile, StartGateway
from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, whole
from tests.support.gateway import NVIDIA_KEY, RunningGateway, question
from tests.support.virtual_time import run_virtually
from tray_app.errors import RateLimited
from tray_app.proxy.server.server_key import Guesses
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address

SERVER_KEY = "key-of-this-gateway"
SOMEBODY, SOMEBODY_ELSE = "192.0.2.7", "192.0.2.8"


@pytest.fixture
def locked(start_gateway: StartGateway) -> RunningGateway:
    """A gateway with a server key."""
    return start_gateway(Keys(nvidia=NVIDIA_KEY, server=SERVER_KEY))


# ---- the server key


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": f"Bearer {SERVER_KEY}"}, {"Authorization": f"bearer {SERVER_KEY}"}, {"x_api_key": SERVER_KEY}],
    ids=["Bearer", "bearer", "x-api-key"],
)
def test_the_server_key_is_accepted_in_either_header(
    locked: RunningGateway, upstream: FakeUpstream, headers: dict[str, str]
) -> None:
    upstream.script(whole(completion("Hello!")))
    assert locked.ask(**headers).text == "Hello!"
    assert upstream.received[0].headers["Authorization"] == f"Bearer {NVIDIA_KEY}"


def test_one_right_key_is_enough(locked: RunningGateway, upstream: FakeUpstream) -> None:
    """A client may send its Anthropic key beside the one for this gateway."""
    upstream.default = lambda body: whole(completion("Hello!"))
    assert locked.ask(x_api_key="sk-ant-of-the-user", Authorization=f"Bearer {SERVER_KEY}").text == "Hello!"
    assert locked.ask(x_api_key=SERVER_KEY, Authorization="Bearer sk-ant-of-the-user").text == "Hello!"


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({}, "is missing"),
        ({"Authorization": "Bearer "}, "is missing"),
        ({"x_api_key": ""}, "is missing"),
        ({"x_api_key": "wrong"}, "does not match"),
        ({"x_api_key": SERVER_KEY.upper()}, "does not match"),
        ({"x_api_key": f"{SERVER_KEY}x"}, "does not match"),
        ({"Authorization": "Bearer wrong"}, "does not match"),
        ({"Authorization": f"Basic {SERVER_KEY}"}, "does not match"),
        ({"x_api_key": "schl\u00fcssel"}, "does not match"),
    ],
    ids=["none", "no token", "empty", "wrong", "in capitals", "longer", "wrong token", "Basic", "not ASCII"],
)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/v1/%6dessages"])
def test_any_other_key_is_refused(
    locked: RunningGateway, upstream: FakeUpstream, path: str, headers: dict[str, str], what: str
) -> None:
    answer = locked.request("POST", path, question(), **headers)
    assert answer.outcome == (401, "authentication_error")
    assert answer.sentence == (
        f"The key {what}: send this gateway's server key (SERVER_API_KEY) as ANTHROPIC_AUTH_TOKEN, "
        "`Authorization: Bearer ...` or `x-api-key`."
    )
    assert answer.headers["x-should-retry"] == "false"
    assert not upstream.received


def test_the_models_are_not_listed_without_the_key(locked: RunningGateway) -> None:
    assert locked.request("GET", "/v1/models").status == 401
    assert locked.request("GET", "/v1/models", x_api_key=SERVER_KEY).status == 200


def test_any_key_is_accepted_if_no_server_key_is_set(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.default = lambda body: whole(completion("Hello!"))
    assert [gateway.ask(**headers).status for headers in ({}, {"x_api_key": "any"})] == [200, 200]


@pytest.mark.parametrize("key", ["", "15-characters-x"])
def test_a_key_that_became_too_weak_for_the_network_is_refused(start_gateway: StartGateway, key: str) -> None:
    gateway = start_gateway(Keys(nvidia=NVIDIA_KEY, server=SERVER_KEY), addr=Address("0.0.0.0", 0))
    gateway.configure(Keys(nvidia=NVIDIA_KEY, server=key))
    answer = gateway.ask(x_api_key=key)
    assert answer.outcome == (401, "authentication_error")
    assert answer.sentence.startswith("Listening on 0.0.0.0:0 would open the gateway to your network. Set a server key")
    assert gateway.request("GET", "/health").status == 200


# ---- wrong keys


def test_a_wrong_key_is_logged_once_and_never_shown(locked: RunningGateway, log_file: LogFile) -> None:
    for number in range(3):
        assert locked.request("GET", "/v1/models", x_api_key=f"guess-{number}").status == 401
    assert locked.request("GET", "/v1/models").status == 401
    lines = [line for line in log_file.text.splitlines() if "key" in line]
    assert len(lines) == 1
    assert lines[0].endswith("a wrong server key came from 127.0.0.1")
    assert "guess-" not in log_file.text


async def answer_s(guesses: Guesses, peer: str, *, is_right: bool) -> float | str:
    """Returns the time of the answer, or a text if the key is refused at once."""
    try:
        assert await guesses.admit(peer, is_right=is_right) == is_right
    except RateLimited as error:
        return f"{asyncio.get_running_loop().time():g} s: again in {error.retry_after_s} s"
    return asyncio.get_running_loop().time()


def test_four_wrong_keys_are_answered_each_second_from_all_addresses_together() -> None:
    async def run() -> list[float | str]:
        guesses = Guesses()
        peers = (SOMEBODY, SOMEBODY_ELSE, "127.0.0.1", SOMEBODY)
        return await asyncio.gather(*(answer_s(guesses, peer, is_right=False) for peer in peers))

    assert run_virtually(run()) == [0, 0.25, 0.5, 0.75]


def test_a_right_key_does_not_wait_for_wrong_ones() -> None:
    async def run() -> list[float | str]:
        guesses = Guesses()
        wrong = [answer_s(guesses, SOMEBODY, is_right=False) for _ in range(10)]
        return await asyncio.gather(*wrong, answer_s(guesses, SOMEBODY_ELSE, is_right=True))

    assert run_virtually(run())[-1] == 0


def test_a_single_wrong_key_is_answered_at_once() -> None:
    async def run() -> list[float | str]:
        guesses = Guesses()
        answers = []
        for _ in range(3):
            await asyncio.sleep(1)
            answers.append(await answer_s(guesses, SOMEBODY, is_right=False))
        return answers

    assert run_virtually(run()) == [1, 2, 3]


def test_at_most_sixteen_wrong_keys_wait() -> None:
    async def run() -> list[float | str]:
        guesses = Guesses()
        first = [answer_s(guesses, SOMEBODY, is_right=False) for _ in range(16)]
        more = [answer_s(guesses, peer, is_right=False) for peer in (SOMEBODY, SOMEBODY_ELSE, "127.0.0.1")]
        return await asyncio.gather(*first, *more)

    answers = run_virtually(run())
    assert answers[:16] == [number / 4 for number in range(16)]
    assert answers[16:] == ["0 s: again in 4 s"] * 3


def test_while_too_many_wrong_keys_wait_the_right_one_is_accepted_from_known_addresses_only() -> None:
    """Somebody who sends thousands of keys at once must not see which of them is right."""

    async def run() -> list[float | str]:
        guesses = Guesses()
        await answer_s(guesses, SOMEBODY, is_right=True)
        wrong = [answer_s(guesses, SOMEBODY_ELSE, is_right=False) for _ in range(16)]
        right = [answer_s(guesses, peer, is_right=True) for peer in (SOMEBODY, SOMEBODY_ELSE, "127.0.0.1", "::1")]
        answers = await asyncio.gather(*wrong, *right)
        return [*answers[16:], await answer_s(guesses, SOMEBODY_ELSE, is_right=True)]

    assert run_virtually(run()) == [0, "0 s: again in 4 s", 0, 0, 3.75]


def test_a_wrong_key_whose_client_leaves_frees_its_place() -> None:
    async def run() -> float | str:
        guesses = Guesses()
        waiting = [asyncio.create_task(answer_s(guesses, SOMEBODY, is_right=False)) for _ in range(16)]
        await asyncio.sleep(0.1)
        waiting[-1].cancel()
        await asyncio.wait(waiting[-1:])
        return await answer_s(guesses, SOMEBODY, is_right=False)

    assert run_virtually(run()) == 4
