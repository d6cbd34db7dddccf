"""The log lines of a request. They contain no text by default, and never a key or image data."""

from __future__ import annotations

import json
import re
from base64 import b64encode

import pytest

from tests.conftest import LogFile, StartGateway
from tests.support.chunks import completion, finish, text, usage
from tests.support.fake_upstream import FakeUpstream, refusal, stream, whole
from tests.support.gateway import NVIDIA_KEY, RunningGateway, both_ways, question
from tray_app.redaction import hide_secrets
from tray_app.settings.keys import Keys

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


def test_bodies_are_logged_if_the_user_wants_it(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(whole(completion("the answer")))
    start_gateway(log_bodies=True).ask(question("the question"))
    assert '"content":"the question"' in log_file.text
    assert '"text":"the answer"' in log_file.text


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


@both_ways
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


@both_ways
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


def test_a_logged_body_is_cut_at_its_limit(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(whole(completion("the answer")))
    start_gateway(log_bodies=True, log_body_max_chars=80).ask(question("x" * 1000))
    assert re.search(r"request \{.{25} … \[\d{4} bytes left out\] … x{50}\"\}\]\}$", log_file.text, re.MULTILINE)


def test_the_newest_question_is_logged_even_in_a_long_body(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(whole(completion("the answer")))
    tools = [{"name": f"tool{n}", "description": "what it does " * 99, "input_schema": {}} for n in range(20)]
    messages = [
        {"role": "user", "content": "the first question " * 999},
        {"role": "assistant", "content": "the first answer"},
        {"role": "user", "content": "the newest question"},
    ]
    start_gateway(log_bodies=True).ask(question(system="the system prompt " * 999, tools=tools, messages=messages))
    line = next(line for line in log_file.text.splitlines() if ": request " in line)
    assert '"model":"z-ai/glm4.7"' in line
    assert "the newest question" in line
    assert len(line) < 4_300


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


def test_no_preview_is_logged_if_its_length_is_zero(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(stream(text("Once upon a time"), finish()))
    start_gateway(log_bodies=True, log_stream_text_preview_chars=0).ask(question(stream=True))
    assert "Once" not in log_file.text


def test_a_models_name_cannot_forge_a_line(gateway: RunningGateway, upstream: FakeUpstream, log_file: LogFile) -> None:
    upstream.script(whole(completion("Hello!")))
    gateway.ask(question(model="x\n2026-01-01 00:00:00,000 INFO forged " + "y" * 200))
    assert not any(line.startswith("2026-01-01 00:00:00,000 INFO forged") for line in log_file.text.splitlines())
    assert len(log_file.text) < 2_000


def test_half_a_surrogate_pair_is_logged_as_it_is_sent(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(whole(completion("Hello!")))
    start_gateway(log_bodies=True).ask(question("half \ud83d of a pair"))
    assert "half \ufffd of a pair" in log_file.text


# ---- upstream's own words


ECHOES = {
    "glued": f"bad{NVIDIA_KEY}key",
    "split": " ".join(NVIDIA_KEY),
    "split by invisible characters": "\u200b".join(NVIDIA_KEY),
    "in hex": NVIDIA_KEY.encode().hex(),
    "in base64": b64encode(f"Bearer {NVIDIA_KEY}".encode()).decode(),
    "the server's": SERVER_KEY,
    "the server's, split": "-\r\n".join(SERVER_KEY.split("-")),
    "its beginning": f"{SERVER_KEY[:12]}...",
}


@both_ways
@pytest.mark.parametrize("echo", ECHOES)
def test_a_key_that_upstream_repeats_reaches_neither_the_client_nor_the_log(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile, echo: str, is_stream: bool
) -> None:
    keys = Keys(nvidia=NVIDIA_KEY, server=SERVER_KEY)
    log_file.formatter.secrets = frozenset({keys.nvidia, keys.server})
    gateway = start_gateway(keys, log_bodies=True)
    said = {"message": f"<{ECHOES[echo]}>"}
    upstream.script(
        refusal(400, {"error": said}),
        stream(text("Hel"), {"error": said}) if is_stream else whole({"error": said}),
    )
    for _ in range(2):
        answer = gateway.ask(question(stream=is_stream), x_api_key=SERVER_KEY)
        told = answer.raw.decode() if is_stream else json.dumps(answer.body)
        for words in (told, log_file.text):
            assert "[hidden]" in words
            assert ECHOES[echo] not in words
            assert hide_secrets(words, [keys.nvidia, keys.server]) == words


def test_upstreams_words_cannot_control_a_terminal_or_forge_a_line(
    start_gateway: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(refusal(400, {"message": "no\x1b[2J\x9b1m\u202e\u2028\r\n2026-01-01 00:00:00,000 INFO forged"}))
    answer = start_gateway(log_bodies=True).ask()
    assert answer.body["error"]["message"] == (
        "NVIDIA refused the request: no [2J 1m 2026-01-01 00:00:00,000 INFO forged"
    )
    assert not any(line.startswith("2026-01-01") for line in log_file.text.splitlines())
    assert all(line.isprintable() for line in log_file.text.split("\n"))


def test_a_clients_words_cannot_control_a_terminal_or_forge_a_line(gateway: RunningGateway, log_file: LogFile) -> None:
    answer = gateway.request("GET", "/%1b%5b2J%e2%80%ae%0d%0a2026-01-01")
    assert answer.body["error"]["message"] == "There is nothing at GET / [2J 2026-01-01."
    assert "\x1b" not in log_file.text
