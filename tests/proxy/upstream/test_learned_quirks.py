"""Quirks of models are kept from one request to the next, and from one start to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LogFile, StartGateway
from tests.support.chunks import completion, finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, refusal, stream, whole
from tests.support.gateway import RunningGateway, question
from tray_app.catalog import GLM_4_7, KIMI_K3
from tray_app.errors import InvalidRequest
from tray_app.proxy.upstream.learned_quirks import FILE_NAME, KEPT_DAYS, Quirks, Trial

K3, GLM = KIMI_K3.id, GLM_4_7.id
PINNED = "Validation: `top_p` is immutable for this model and must be 0.95, got 0.9"
NO_OPTIONS = "stream_options is not supported"
NO_NAMED_CALL = "tool_choice 'specified' is incompatible with thinking enabled"
BODY: dict[str, Any] = {
    "model": K3,
    "messages": [{"role": "user", "content": "a secret"}],
    "max_tokens": 9,
    "top_p": 0.9,
    "stream": True,
    "stream_options": {"include_usage": True},
}
WITHOUT_TOP_P = {name: value for name, value in BODY.items() if name != "top_p"}
WITHOUT_OPTIONS = {name: value for name, value in BODY.items() if name != "stream_options"}
BARE = {name: value for name, value in WITHOUT_TOP_P.items() if name != "stream_options"}


class Calendar:
    """A clock of days that the test moves."""

    def __init__(self) -> None:
        self.today = date(2026, 11, 24)

    def __call__(self) -> date:
        return self.today

    def pass_days(self, days: int) -> None:
        self.today += timedelta(days=days)


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


def live(folder: Path | None, life: Callable[[Quirks], Any], calendar: Calendar | None = None) -> Any:
    """Runs `life` between a start and an end of the gateway, and returns its result."""

    async def run() -> Any:
        quirks = Quirks(folder, calendar or Calendar())
        result = life(quirks)
        if isinstance(result, Coroutine):
            result = await result
        await quirks.close()
        return result

    return asyncio.run(run())


def teach(trial: Trial, error_text: str, body: dict[str, Any]) -> bool:
    return trial.take(trial.read(error_text, body), body)


def learn(quirks: Quirks, model_id: str, error_text: str, body: dict[str, Any]) -> bool:
    """Sends one request that is refused once and then answered without the refused parameter."""
    with quirks.trial(model_id) as trial:
        return teach(trial, error_text, body)


def learn_pinned(quirks: Quirks) -> None:
    assert learn(quirks, K3, PINNED, BODY)


# ---- from one request to the next


def test_the_request_is_unchanged_for_a_model_without_quirks() -> None:
    assert Quirks().adapt(K3, BODY) is BODY


def test_a_lesson_changes_the_retry_and_later_requests_for_this_model_only() -> None:
    quirks = Quirks()
    assert learn(quirks, K3, PINNED, BODY)
    assert quirks.adapt(K3, BODY) == WITHOUT_TOP_P
    assert quirks.adapt(GLM, BODY) is BODY
    assert BODY["top_p"] == 0.9, "the caller's request was changed"


def test_the_same_error_text_about_the_retry_is_no_reason_for_another() -> None:
    quirks = Quirks()
    assert learn(quirks, K3, PINNED, BODY)
    assert not learn(quirks, K3, PINNED, quirks.adapt(K3, BODY))


def test_an_error_text_that_names_no_field_of_the_request_is_no_reason_for_a_retry() -> None:
    quirks = Quirks()
    assert not learn(quirks, K3, "Function id '0a1b': DEGRADED function cannot be invoked", BODY)
    assert quirks.adapt(K3, BODY) is BODY


def test_quirks_add_up() -> None:
    quirks = Quirks()
    assert learn(quirks, K3, PINNED, BODY)
    assert learn(quirks, K3, NO_OPTIONS, quirks.adapt(K3, BODY))
    assert quirks.adapt(K3, BODY) == BARE


def test_a_refused_request_is_retried_if_another_request_learned_meanwhile() -> None:
    quirks = Quirks()
    assert learn(quirks, K3, PINNED, BODY)
    assert learn(quirks, K3, PINNED, BODY)
    assert quirks.adapt(K3, BODY) == WITHOUT_TOP_P


def test_the_newest_lesson_on_a_value_counts() -> None:
    quirks = Quirks()
    body = {**BARE, "reasoning_effort": "max"}
    assert learn(quirks, K3, "reasoning_effort must be one of 'low', 'high'", body)
    assert quirks.adapt(K3, body)["reasoning_effort"] == "high"
    assert learn(quirks, K3, "reasoning_effort must be one of 'low', 'medium'", quirks.adapt(K3, body))
    assert quirks.adapt(K3, body)["reasoning_effort"] == "medium"
    assert learn(quirks, K3, "reasoning_effort is not supported", quirks.adapt(K3, body))
    assert quirks.adapt(K3, body) == BARE


def test_values_that_clients_vary_do_not_pile_up() -> None:
    quirks = Quirks()
    for n in range(1, 200):
        assert learn(
            quirks, K3, f"Temperature must be between 2 and 3, got {n / 200}", {**BARE, "temperature": n / 200}
        )
    assert quirks.adapt(K3, {**BARE, "temperature": 199 / 200}) == BARE
    assert quirks.adapt(K3, {**BARE, "temperature": 1 / 200}) == {**BARE, "temperature": 1 / 200}


def test_the_log_names_fields_once_and_quotes_nothing(tmp_path: Path, log_file: LogFile) -> None:
    named = {**BODY, "tool_choice": {"type": "function", "function": {"name": "secret_tool"}}}

    def life(quirks: Quirks) -> None:
        for error_text in (PINNED, NO_NAMED_CALL, PINNED, NO_NAMED_CALL):
            assert learn(quirks, K3, error_text, named)

    live(tmp_path / "state", life)
    live(tmp_path / "state", lambda quirks: quirks.adapt(K3, named))
    lines = [line for line in log_file.text.splitlines() if K3 in line]
    assert len(lines) == 2
    assert "top_p is refused, so it is left out for 14 days" in lines[0]
    assert "a value of tool_choice is refused, so something else is sent for 14 days" in lines[1]
    assert "takes_required_tool_choice" in lines[1]
    assert "secret" not in log_file.text


# ---- on trial


def test_a_lesson_is_heeded_during_its_trial_and_forgotten_if_it_did_not_help(tmp_path: Path) -> None:
    def life(quirks: Quirks) -> None:
        with suppress(InvalidRequest), quirks.trial(K3) as trial:
            assert teach(trial, PINNED, BODY)
            assert quirks.adapt(K3, BODY) == WITHOUT_TOP_P
            raise InvalidRequest("It was something else.")
        assert quirks.adapt(K3, BODY) == BODY

    live(tmp_path, life)
    assert not list(tmp_path.iterdir())


def test_each_trial_decides_on_its_own_lessons_only(tmp_path: Path) -> None:
    def life(quirks: Quirks) -> None:
        with quirks.trial(K3) as first:
            assert teach(first, NO_OPTIONS, BODY)
            with suppress(InvalidRequest), quirks.trial(K3) as second:
                assert teach(second, PINNED, quirks.adapt(K3, BODY))
                assert quirks.adapt(K3, BODY) == BARE
                raise InvalidRequest("It was something else.")
            assert quirks.adapt(K3, BODY) == WITHOUT_OPTIONS
        assert quirks.adapt(K3, BODY) == WITHOUT_OPTIONS

    live(tmp_path, life)
    assert live(tmp_path, lambda quirks: quirks.adapt(K3, BODY)) == WITHOUT_OPTIONS


def test_two_requests_with_the_same_lesson_learn_it_once(log_file: LogFile) -> None:
    quirks = Quirks()
    with quirks.trial(K3) as first, quirks.trial(K3) as second:
        found = [trial.read(PINNED, BODY) for trial in (first, second)]
        assert found[0] == found[1] != ()
        assert first.take(found[0], BODY)
        assert second.take(found[1], BODY)
    assert quirks.adapt(K3, BODY) == WITHOUT_TOP_P
    assert log_file.text.count("top_p is refused") == 1


def test_the_log_tells_lessons_that_helped_and_no_others(log_file: LogFile) -> None:
    quirks = Quirks()
    with suppress(InvalidRequest), quirks.trial(K3) as trial:
        assert teach(trial, PINNED, BODY)
        raise InvalidRequest("It was something else.")
    assert "is refused" not in log_file.text
    assert learn(quirks, K3, PINNED, BODY)
    assert "top_p is refused" in log_file.text


def test_a_refused_field_is_kept_by_the_gateway_only_if_the_request_is_answered_without_it(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    gateway = start_gateway(state_folder=tmp_path)
    refused = refusal(400, {"message": "Validation: Unsupported parameter(s): `temperature`"})
    hello = whole(completion("Hello!"))
    upstream.script(refused, refused, refused, hello, hello)
    assert gateway.ask(question(temperature=0.5)).status == 400
    assert gateway.ask(question(temperature=0.5)).text == "Hello!"
    assert gateway.ask(question(temperature=0.5)).text == "Hello!"
    assert ["temperature" in received.body for received in upstream.received] == [True, False, True, False, False]


def test_a_lesson_is_kept_if_the_client_leaves_as_soon_as_it_has_the_whole_answer(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    """The gateway still reads the rest of upstream's stream then."""
    refused = refusal(400, {"message": "Validation: Unsupported parameter(s): `temperature`"})
    lingering = stream(text("Hello!"), finish(), b"data: [DONE]\n\n", Gate(), ends=False)
    upstream.script(refused, lingering, whole(completion("Hello!")))
    with gateway.stream(question(temperature=0.5)) as answer:
        answer.read_until("message_stop")
        answer.read_end()
    gateway.wait_active(0)
    assert gateway.ask(question(temperature=0.5)).text == "Hello!"
    assert ["temperature" in received.body for received in upstream.received] == [True, False, False]


def test_a_prompt_that_upstream_quotes_teaches_nothing(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    prompt = "Unsupported parameter(s): temperature"
    gateway = start_gateway()
    detail = [{"loc": ["body", "messages", 0, "content"], "msg": f"Value error, cannot use {prompt}", "input": prompt}]
    upstream.script(refusal(422, {"detail": detail}), whole(completion("Hello!")))
    assert gateway.ask(question(prompt, temperature=0.5)).status == 400
    assert gateway.ask(question(temperature=0.5)).text == "Hello!"
    assert [received.body["temperature"] for received in upstream.received] == [0.5, 0.5]


# ---- from one start to the next


def test_quirks_are_kept_for_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "deep"
    live(folder, learn_pinned)
    assert live(folder, lambda quirks: quirks.adapt(K3, BODY)) == WITHOUT_TOP_P
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_each_lesson_is_written_at_once(tmp_path: Path) -> None:
    async def life(quirks: Quirks) -> None:
        for error_text in (PINNED, NO_OPTIONS):
            assert learn(quirks, K3, error_text, BODY)
            await quirks.close()

    live(tmp_path, life)
    assert live(tmp_path, lambda quirks: quirks.adapt(K3, BODY)) == BARE


def test_two_lessons_at_once_are_both_written(tmp_path: Path) -> None:
    async def life(quirks: Quirks) -> None:
        async def ask(error_text: str) -> None:
            await asyncio.sleep(0)
            assert learn(quirks, K3, error_text, BODY)
            await asyncio.sleep(0)
            assert learn(quirks, GLM, error_text, BODY)

        await asyncio.gather(ask(PINNED), ask(NO_OPTIONS))

    live(tmp_path, life)
    assert live(tmp_path, lambda quirks: [quirks.adapt(model_id, BODY) for model_id in (K3, GLM)]) == [BARE, BARE]


def test_a_lesson_during_a_write_is_written_too(tmp_path: Path) -> None:
    async def life(quirks: Quirks) -> None:
        assert learn(quirks, K3, PINNED, BODY)
        await asyncio.sleep(0)  # the write has begun but has not ended
        assert learn(quirks, K3, NO_OPTIONS, BODY)

    live(tmp_path, life)
    assert live(tmp_path, lambda quirks: quirks.adapt(K3, BODY)) == BARE


def test_nothing_is_written_if_nothing_is_learned(tmp_path: Path) -> None:
    live(tmp_path, learn_pinned)
    before = (tmp_path / FILE_NAME).stat()

    def life(quirks: Quirks) -> None:
        assert learn(quirks, K3, PINNED, BODY)  # was sent before the other request learned
        assert not learn(quirks, K3, PINNED, quirks.adapt(K3, BODY))

    live(tmp_path, life)
    after = (tmp_path / FILE_NAME).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_quirk_expires_so_that_a_repaired_upstream_is_noticed(tmp_path: Path, calendar: Calendar) -> None:
    def life(quirks: Quirks) -> None:
        learn_pinned(quirks)
        calendar.pass_days(KEPT_DAYS)
        assert learn(quirks, K3, NO_OPTIONS, BODY)
        assert quirks.adapt(K3, BODY) == BARE
        calendar.pass_days(1)
        assert quirks.adapt(K3, BODY) == WITHOUT_OPTIONS

    live(tmp_path, life, calendar)
    assert live(tmp_path, lambda quirks: quirks.adapt(K3, BODY), calendar) == WITHOUT_OPTIONS
    calendar.pass_days(KEPT_DAYS)
    assert live(tmp_path, lambda quirks: quirks.adapt(K3, BODY), calendar) == BODY


def test_an_expired_quirk_is_learned_anew(tmp_path: Path, calendar: Calendar) -> None:
    live(tmp_path, learn_pinned, calendar)
    calendar.pass_days(KEPT_DAYS + 1)
    live(tmp_path, learn_pinned, calendar)
    calendar.pass_days(KEPT_DAYS)
    assert live(tmp_path, lambda quirks: quirks.adapt(K3, BODY), calendar) == WITHOUT_TOP_P


def test_a_quirk_with_a_date_far_in_the_future_expires_too(tmp_path: Path, calendar: Calendar) -> None:
    calendar.pass_days(4_000)
    live(tmp_path, learn_pinned, calendar)
    calendar.pass_days(-4_000)
    assert live(tmp_path, lambda quirks: quirks.adapt(K3, BODY), calendar) == BODY


# ---- files that cannot be used


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"m": [{"quirk": {"field": 5}, "learned": "2026-11-24"}]}',
        b'{"m": [{"quirk": {"field": "top_p"}, "learned": "yesterday"}]}',
    ],
    ids=["cut", "a wrong type", "no date"],
)
def test_a_damaged_file_is_replaced_when_a_quirk_is_learned(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert live(tmp_path, lambda quirks: quirks.adapt(K3, BODY)) is BODY
    live(tmp_path, learn_pinned)
    assert live(tmp_path, lambda quirks: quirks.adapt(K3, BODY)) == WITHOUT_TOP_P


def test_a_file_written_by_hand_cannot_remove_required_fields(tmp_path: Path) -> None:
    fields = (*BARE, "tools", "chat_template_kwargs.thinking", "top_p.x")
    known = ", ".join(f'{{"quirk": {{"field": "{field}"}}, "learned": "2026-11-24"}}' for field in fields)
    (tmp_path / FILE_NAME).write_text(f'{{"{K3}": [{known}]}}')
    body = {**BODY, "tools": [], "chat_template_kwargs": None}
    assert live(tmp_path, lambda quirks: quirks.adapt(K3, body)) == body


def test_quirks_are_heeded_but_not_kept_if_the_folder_cannot_be_written(tmp_path: Path, log_file: LogFile) -> None:
    folder = tmp_path / "state"
    folder.write_text("a file is in the way")

    def life(quirks: Quirks) -> Any:
        learn_pinned(quirks)
        return quirks.adapt(K3, BODY)

    assert live(folder, life) == WITHOUT_TOP_P
    assert "cannot be written" in log_file.text
    assert live(folder, lambda quirks: quirks.adapt(K3, BODY)) is BODY
