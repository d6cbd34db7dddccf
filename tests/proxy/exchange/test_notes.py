"""What the history keeps of requests through a real gateway: each end of a request, and nothing that was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import completion, finish, text, usage, whole_call
from tests.support.fake_upstream import CUT, FakeUpstream, Gate, hello, refusal, stream, whole
from tests.support.gateway import NVIDIA_KEY, QUICK, WEATHER, RunningGateway, both_ways, question
from tests.support.waiting import wait_for
from tray_app.catalog import GLM_4_7, GLM_5_3, MINIMAX_M2_1, NAMED_MODEL_HEADER, PROJECT_HEADER, Catalog, Model
from tray_app.history.reader import read_page, read_sums
from tray_app.history.record import Outcome, Reason, RequestRecord
from tray_app.history.writer import HistoryWriter
from tray_app.proxy.exchange.notes import find_reason
from tray_app.settings.keys import Keys
from tray_app.translate.request.question import Rules

PROMPT = "the-words-of-the-user"
SAID = "the-words-of-the-model"
SERVER_KEY = "key-of-this-gateway"


Records = Callable[[int], list[RequestRecord]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.sqlite3"


@pytest.fixture
def history(path: Path) -> Iterator[HistoryWriter]:
    writer = HistoryWriter(path, 30)
    writer.start()
    yield writer
    writer.close()


@pytest.fixture
def gateway(start_gateway: StartGateway, history: HistoryWriter) -> RunningGateway:
    return start_gateway(history=history)


@pytest.fixture
def records(path: Path) -> Records:
    """Returns a function that waits for so many requests in the file, and returns them in their order."""

    def read(count: int) -> list[RequestRecord]:
        def look() -> list[RequestRecord] | None:
            found = [stored.record for stored in reversed(read_page(path, 100))]
            return found if len(found) >= count else None

        found = wait_for(look, f"{count} requests in the history")
        assert len(found) == count
        return found

    return read


@both_ways
def test_an_answered_request(
    gateway: RunningGateway, upstream: FakeUpstream, records: Records, is_stream: bool
) -> None:
    counts = {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 64}}
    upstream.script(
        stream(text("hi"), finish(), usage(100, 7, 64)) if is_stream else whole(completion("hi") | {"usage": counts})
    )
    gateway.ask(question(stream=is_stream), x_claude_code_session_id="session-1")
    (found,) = records(1)
    assert (found.asked, found.model_id, found.reason) == ("claude-sonnet-5", GLM_4_7.id, Reason.TRAY)
    assert (found.outcome, found.error, found.cause, found.tries) == (Outcome.ANSWERED, "", "", 1)
    assert (found.tokens_in, found.tokens_cached, found.tokens_out, found.tool_calls) == (100, 64, 7, 0)
    assert (found.session_id, found.project, found.is_stream, found.is_background) == (
        "session-1",
        "",
        is_stream,
        False,
    )
    assert found.first_token_s is not None
    assert found.queue_wait_s is not None
    assert 0 < found.first_token_s <= found.total_s
    assert 0 <= found.queue_wait_s <= found.total_s


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (usage(None, None), (None, None, None)),
        (usage(100, None), (100, None, None)),
        (usage(100, 7, 0), (100, 0, 7)),
    ],
)
def test_what_nvidia_does_not_count_is_none_and_not_zero(
    gateway: RunningGateway,
    upstream: FakeUpstream,
    records: Records,
    counts: dict[str, Any],
    told: tuple[int | None, ...],
) -> None:
    upstream.script(stream(text("hi"), finish(), counts))
    gateway.ask(question(stream=True))
    (found,) = records(1)
    assert (found.tokens_in, found.tokens_cached, found.tokens_out) == told


def test_tool_calls_are_counted(gateway: RunningGateway, upstream: FakeUpstream, records: Records) -> None:
    calls = [whole_call("get_weather", {"city": city}, f"call_{n}", n) for n, city in enumerate(["Bern", "Basel"])]
    upstream.script(stream(*calls, finish("tool_calls")))
    gateway.ask(question(stream=True, tools=[WEATHER]))
    assert records(1)[0].tool_calls == 2


def test_what_a_request_is_for_is_kept_however_large_it_is(
    gateway: RunningGateway, upstream: FakeUpstream, records: Records
) -> None:
    upstream.script(*[hello(is_stream=False)] * 2)
    talk = [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}, {"role": "user", "content": "C"}]
    gateway.ask(question(tools=[WEATHER], messages=talk))
    gateway.ask(question("x" * 300_000), x_claude_code_session_id="session-1", x_claude_code_agent_id="agent-1")
    assert [(found.kind, found.turn) for found in records(2)] == [("turn", 2), ("sub-agent", None)]


def test_the_folder_is_the_one_that_the_client_names(
    gateway: RunningGateway, upstream: FakeUpstream, records: Records
) -> None:
    upstream.script(hello(is_stream=False))
    gateway.ask(**{PROJECT_HEADER: "/home/me/Gr%C3%BC%C3%9Fe%0A%20x"})
    assert records(1)[0].project == "/home/me/Grüße� x"


def test_a_name_cannot_control_the_terminal_in_which_it_is_shown(
    gateway: RunningGateway, upstream: FakeUpstream, records: Records
) -> None:
    upstream.script(hello(is_stream=False))
    gateway.ask(question(model="a\x1b[31mb\ud800" + "c" * 200))
    assert records(1)[0].asked == "a�[31mb�" + "c" * 72


def test_no_word_of_a_prompt_or_an_answer_and_no_key_is_in_the_files(
    start_gateway: StartGateway, upstream: FakeUpstream, history: HistoryWriter, records: Records, path: Path
) -> None:
    gateway = start_gateway(Keys(nvidia=NVIDIA_KEY, server=SERVER_KEY), history=history)
    key = {"x_api_key": SERVER_KEY}
    upstream.script(
        whole(completion(SAID)), refusal(422, {"detail": f"{PROMPT} {NVIDIA_KEY} is wrong"}), whole(completion(SAID))
    )
    gateway.ask(question(PROMPT), **key)
    gateway.ask(question(PROMPT), **key)
    gateway.ask(question(PROMPT, model=f"{SERVER_KEY} {NVIDIA_KEY}"), **key, **{PROJECT_HEADER: f"/{SERVER_KEY}"})
    assert records(3)[1].error == "InvalidRequest"
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    for word in (PROMPT, SAID, NVIDIA_KEY, SERVER_KEY):
        assert word.encode() not in content, word


def test_a_failed_request_says_why(
    start_gateway: StartGateway, upstream: FakeUpstream, history: HistoryWriter, records: Records
) -> None:
    gateway = start_gateway(history=history)
    upstream.script(refusal(503), stream(text("half"), CUT))
    gateway.ask()
    gateway.ask(question(stream=True))
    busy, broken = records(2)
    assert (busy.outcome, busy.error, busy.cause) == (Outcome.FAILED, "Overloaded", "NVIDIA is overloaded")
    assert (busy.first_token_s, busy.tokens_in, busy.tool_calls, busy.tries) == (None, None, None, 1)
    assert (broken.outcome, broken.error, broken.cause) == (Outcome.FAILED, "UpstreamFault", "NVIDIA's answer failed")
    assert broken.first_token_s is not None


def test_tries_are_counted_and_an_answer_in_the_end_is_an_answer(
    start_gateway: StartGateway, upstream: FakeUpstream, history: HistoryWriter, records: Records
) -> None:
    gateway = start_gateway(history=history, timeouts=QUICK)
    upstream.script(refusal(503), refusal(429), hello(is_stream=False))
    gateway.ask()
    (found,) = records(1)
    assert (found.outcome, found.tries, found.error, found.cause) == (Outcome.ANSWERED, 3, "", "")


def test_a_client_that_leaves_is_no_failure(gateway: RunningGateway, upstream: FakeUpstream, records: Records) -> None:
    upstream.script(stream(text("Hel"), gate := Gate(), text("lo"), finish()))
    with gateway.stream():
        gate.wait_reached()
    (found,) = records(1)
    gate.open()
    assert (found.outcome, found.error, found.tokens_out) == (Outcome.LEFT, "", None)
    assert found.first_token_s is not None


def test_the_gateways_own_refusals_are_kept(
    start_gateway: StartGateway, history: HistoryWriter, records: Records, path: Path
) -> None:
    gateway = start_gateway(Keys(nvidia="", server=SERVER_KEY), history=history)
    gateway.ask()
    gateway.request("POST", "/v1/messages", b"no JSON", x_api_key=SERVER_KEY)
    gateway.ask(x_api_key=SERVER_KEY)
    wrong, malformed, keyless = records(3)
    assert {found.outcome for found in (wrong, malformed, keyless)} == {Outcome.REFUSED}
    assert [found.error for found in (wrong, malformed, keyless)] == [
        "WrongServerKey",
        "InvalidRequest",
        "UserActionNeeded",
    ]
    assert [found.model_id for found in (wrong, malformed, keyless)] == ["", "", GLM_4_7.id]
    assert all(found.tries == 0 and found.queue_wait_s is None for found in (wrong, malformed, keyless))
    assert sum(found.refused for found in read_sums(path)) == 3


def test_requests_that_ask_for_no_answer_and_strangers_are_not_kept(
    gateway: RunningGateway, upstream: FakeUpstream, records: Records
) -> None:
    gateway.request("POST", "/v1/messages/count_tokens", question())
    gateway.request("GET", "/v1/models")
    assert gateway.ask(origin="https://evil.example").status == 403
    upstream.script(hello(is_stream=False))
    gateway.ask(question(model="the-only-one"))
    assert [found.asked for found in records(1)] == ["the-only-one"]


def test_an_answer_that_is_made_here_asks_no_model(gateway: RunningGateway, records: Records) -> None:
    gateway.ask(question(max_tokens=0))
    (found,) = records(1)
    assert (found.outcome, found.model_id, found.tries, found.first_token_s) == (Outcome.ANSWERED, "", 0, None)


def test_nothing_is_kept_while_the_history_is_off(
    gateway: RunningGateway, upstream: FakeUpstream, records: Records
) -> None:
    upstream.script(hello(is_stream=False), hello(is_stream=False))
    gateway.configure(keep_history=False)
    gateway.ask(question(model="before"))
    gateway.configure(keep_history=True)
    gateway.ask(question(model="after"))
    assert [found.asked for found in records(1)] == ["after"]


@pytest.mark.parametrize(
    ("asked", "reason", "model"),
    [
        (MINIMAX_M2_1.id, Reason.NONE, MINIMAX_M2_1),
        ("other", Reason.ALIAS, MINIMAX_M2_1),
        ("claude-opus", Reason.TRAY, GLM_4_7),
    ],
)
def test_the_reason_tells_why_another_model_was_asked(
    start_gateway: StartGateway,
    upstream: FakeUpstream,
    history: HistoryWriter,
    records: Records,
    asked: str,
    reason: Reason,
    model: Model,
) -> None:
    gateway = start_gateway(history=history, aliases={"other": MINIMAX_M2_1.id})
    upstream.script(hello(is_stream=False))
    gateway.ask(question(model=asked), **{NAMED_MODEL_HEADER: "named"})
    (found,) = records(1)
    assert (found.model_id, found.reason) == (model.id, reason)


def test_a_fallback_is_a_reason(
    start_gateway: StartGateway, upstream: FakeUpstream, history: HistoryWriter, records: Records
) -> None:
    gateway = start_gateway(history=history, fallback_models=(MINIMAX_M2_1.id,))
    upstream.script(refusal(503), hello(is_stream=False))
    gateway.ask()
    (found,) = records(1)
    assert (found.model_id, found.reason, found.tries) == (MINIMAX_M2_1.id, Reason.FALLBACK, 2)


RULES = Rules(Catalog(), GLM_4_7, clients_choose_model=True, background=MINIMAX_M2_1)


@pytest.mark.parametrize(
    ("asked", "choice", "model", "is_fallback", "reason"),
    [
        ("nvidia", GLM_4_7, GLM_5_3, False, Reason.RETIRED),
        (GLM_4_7.id, GLM_4_7, GLM_5_3, False, Reason.RETIRED),
        (GLM_4_7.id, GLM_4_7, GLM_5_3, True, Reason.FALLBACK),
        ("claude-haiku", MINIMAX_M2_1, MINIMAX_M2_1, False, Reason.BACKGROUND),
        (MINIMAX_M2_1.id, MINIMAX_M2_1, MINIMAX_M2_1, False, Reason.NONE),
        ("claude-haiku", GLM_4_7, GLM_4_7, False, Reason.TRAY),
    ],
)
def test_a_stand_in_and_a_model_for_the_background_are_reasons(
    asked: str, choice: Model, model: Model, is_fallback: bool, reason: Reason
) -> None:
    assert find_reason(RULES, asked, choice, model, is_fallback=is_fallback, is_background=True) is reason
