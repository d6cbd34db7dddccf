"""What the log file holds of a request: nothing of its text by default, and never a key or image data."""

from __future__ import annotations

import re

import pytest

from tests.conftest import LogFile, StartGateway
from tests.fake_upstream import FakeUpstream, completion, finish, refusal, stream, text, usage, whole
from tests.gateway import NVIDIA_KEY, RunningGateway, question
from tray_app.keys import Keys

SERVER_KEY = "correct-horse-battery-staple"
IMAGE_DATA = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 4


def picture(prompt: str) -> dict[str, object]:
    source = {"type": "base64", "media_type": "image/png", "data": IMAGE_DATA}
    content = [{"type": "text", "text": prompt}, {"type": "image", "source": source}]
    return question(messages=[{"role": "user", "content": content}])


def test_a_request_is_one_line_without_its_text(
    gateway: RunningGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(whole(completion("a secret answer")))
    gateway.ask(question("a secret question", system="a secret system prompt"))
    lines = [line for line in log_file.text.splitlines() if "claude-sonnet-5" in line]
    assert len(lines) == 1
    assert re.fullmatch(
        r"\S+ \S+ INFO +'claude-sonnet-5' -> z-ai/glm4\.7: answered in \d+\.\d s, 12 \+ 0 cached in, 3 out", lines[0]
    )
    assert "secret" not in log_file.text


def test_a_streamed_request_and_a_failed_one_leave_no_text_either(
    gateway: RunningGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(stream(text("a secret answer"), finish(), usage(1, 1)), refusal(500, "a secret page"))
    gateway.ask(question("a secret question", stream=True))
    gateway.ask(question("a secret question"))
    assert "secret" not in log_file.text
    assert "Overloaded after" in log_file.text


def test_bodies_are_logged_where_the_user_wants_it(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(whole(completion("the answer")))
    start_gateway(log_bodies=True).ask(question("the question"))
    assert '"content": "the question"' in log_file.text
    assert '"text": "the answer"' in log_file.text


def test_bodies_are_logged_from_the_next_request_on(
    gateway: RunningGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.default = lambda body: whole(completion("the answer"))
    gateway.ask(question("the first question"))
    gateway.configure(log_bodies=True)
    gateway.ask(question("the second question"))
    assert "the first question" not in log_file.text
    assert "the second question" in log_file.text


def test_image_data_is_never_logged(start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile) -> None:
    upstream.script(whole(completion("a picture")))
    start_gateway(log_bodies=True, log_body_max_chars=100_000).ask(picture("What is this?"))
    assert "What is this?" in log_file.text
    assert IMAGE_DATA[:40] not in log_file.text


@pytest.mark.parametrize("is_stream", [False, True], ids=["plain", "streamed"])
def test_keys_are_never_logged(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile, is_stream: bool
) -> None:
    keys = Keys(nvidia=NVIDIA_KEY, server=SERVER_KEY)
    log_file.formatter.secrets = frozenset({keys.nvidia, keys.server})
    said = f"My keys are {NVIDIA_KEY}, {SERVER_KEY} and Authorization: Bearer some-other-key"
    upstream.script(stream(text(said), finish()) if is_stream else whole(completion(said)))
    gateway = start_gateway(keys, log_bodies=True, log_body_max_chars=100_000)
    gateway.ask(question(said, stream=is_stream, model=said), Authorization=f"Bearer {SERVER_KEY}")
    assert "My keys are" in log_file.text
    for secret in (NVIDIA_KEY, SERVER_KEY, "some-other-key"):
        assert secret not in log_file.text


@pytest.mark.parametrize("is_stream", [False, True], ids=["plain", "streamed"])
def test_a_key_that_the_limit_cuts_is_not_logged_in_part(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile, is_stream: bool
) -> None:
    keys = Keys(nvidia=NVIDIA_KEY, server=SERVER_KEY)
    log_file.formatter.secrets = frozenset({keys.nvidia, keys.server})
    said = f"{SERVER_KEY} {SERVER_KEY}"
    upstream.default = lambda body: stream(text(said), finish()) if is_stream else whole(completion(said))
    gateway = start_gateway(keys, log_bodies=True)
    for limit in range(1, 300, 7):
        gateway.configure(log_body_max_chars=limit, log_stream_text_preview_chars=limit)
        gateway.ask(question(said, stream=is_stream), x_api_key=SERVER_KEY)
    assert SERVER_KEY[:3] not in log_file.text


def test_a_logged_body_ends_at_its_limit(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(whole(completion("the answer")))
    start_gateway(log_bodies=True, log_body_max_chars=80).ask(question("x" * 1000))
    assert re.search(r"request \{.{79}… \(\d{4} characters\)$", log_file.text, re.MULTILINE)


def test_no_body_is_logged_with_a_limit_of_zero(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(whole(completion("the answer")))
    start_gateway(log_bodies=True, log_body_max_chars=0).ask(question("the question"))
    assert "the question" not in log_file.text
    assert "the answer" not in log_file.text


def test_the_beginning_of_a_streamed_text_is_logged(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(stream(text("Once upon "), text("a time"), finish()))
    start_gateway(log_bodies=True, log_stream_text_preview_chars=13).ask(question(stream=True))
    assert "text begins 'Once upon a t'" in log_file.text


def test_a_preview_of_zero_characters_is_none(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(stream(text("Once upon a time"), finish()))
    start_gateway(log_bodies=True, log_stream_text_preview_chars=0).ask(question(stream=True))
    assert "Once" not in log_file.text


def test_a_models_name_cannot_forge_a_line(gateway: RunningGateway, upstream: FakeUpstream, log_file: LogFile) -> None:
    upstream.script(whole(completion("Hello!")))
    gateway.ask(question(model="x\n2026-01-01 00:00:00,000 INFO forged " + "y" * 10_000))
    assert not any(line.startswith("2026-01-01 00:00:00,000 INFO forged") for line in log_file.text.splitlines())
    assert len(log_file.text) < 2_000


def test_half_a_surrogate_pair_is_logged_as_an_escape(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(whole(completion("Hello!")))
    start_gateway(log_bodies=True).ask(question("half \ud83d of a pair"))
    assert "\\ud83d" in log_file.text
