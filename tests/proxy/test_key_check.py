"""The check of a key by a server in NVIDIA's place: each verdict, and what is asked for it."""

from __future__ import annotations

import ssl

import pytest

from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, Reply, listing, refusal, whole
from tests.support.ports import free_port
from tray_app.proxy.key_check import KeyCheck, Verdict, check_key

KEY = "nvapi-of-the-test"
MODELS = ("vendor/first", "vendor/second", "vendor/third", "vendor/fourth")
ANSWER = whole(completion("Hi"))


def check(url: str) -> KeyCheck:
    return check_key(KEY, url, MODELS, ssl.create_default_context)


@pytest.mark.parametrize(
    ("replies", "verdict", "words"),
    [
        ([ANSWER], Verdict.VALID, "NVIDIA accepts the key: vendor/first answers."),
        ([refusal(404), refusal(410), ANSWER], Verdict.VALID, "NVIDIA accepts the key: vendor/third answers."),
        ([refusal(403), ANSWER], Verdict.VALID, "NVIDIA accepts the key: vendor/second answers."),
        ([refusal(401)], Verdict.REFUSED, "NVIDIA refuses this key."),
        ([refusal(404), refusal(401)], Verdict.REFUSED, "NVIDIA refuses this key."),
        ([refusal(403)] * 3, Verdict.NO_PERMISSION, "may not use NVIDIA's hosted models"),
        ([refusal(404), refusal(403), refusal(404)], Verdict.NO_PERMISSION, "may not use NVIDIA's hosted models"),
        ([refusal(404), refusal(410), refusal(404)], Verdict.NOT_SERVED, "serves none of these models"),
        ([refusal(429), refusal(503), refusal(404)], Verdict.BUSY, "too busy to check the key"),
        ([refusal(403), refusal(503), refusal(403)], Verdict.BUSY, "too busy to check the key"),
    ],
)
def test_several_models_judge_a_key(replies: list[Reply], verdict: Verdict, words: str, upstream: FakeUpstream) -> None:
    upstream.script(*replies)
    found = check(upstream.url)
    assert found.verdict is verdict
    assert words in found.sentence
    assert KEY not in found.sentence
    for received in upstream.received:
        assert received.headers["Authorization"] == f"Bearer {KEY}"
        assert received.body["max_tokens"] == 1


def test_models_that_nvidia_lists_are_asked_first(upstream: FakeUpstream) -> None:
    upstream.model_list = listing("vendor/fourth", "vendor/other")
    upstream.script(refusal(404), ANSWER)
    check(upstream.url)
    assert [received.body["model"] for received in upstream.received] == ["vendor/fourth", "vendor/first"]


def test_a_list_that_refuses_the_key_is_a_verdict(upstream: FakeUpstream) -> None:
    upstream.model_list = refusal(401)
    assert check(upstream.url).verdict is Verdict.REFUSED
    assert not upstream.received


def test_a_list_that_cannot_be_read_is_no_verdict(upstream: FakeUpstream) -> None:
    upstream.model_list = refusal(200, "<html></html>", "text/html")
    upstream.script(ANSWER)
    assert check(upstream.url).verdict is Verdict.VALID


def test_a_server_that_is_not_there_is_no_reason_against_a_key() -> None:
    found = check(f"http://127.0.0.1:{free_port()}/v1/chat/completions")
    assert found.verdict is Verdict.UNREACHABLE
    assert found.sentence.startswith("The key could not be checked: NVIDIA cannot be reached:")
