"""A body with encoded messages is the same JSON as a body with a list of messages."""

from __future__ import annotations

import json

import pytest

from tray_app.translate.refusal.quirk import Quirk, adapt
from tray_app.translate.request.encoded import EncodedMessages, encode_body, encode_system

HELLO = b'{"role":"user","content":"hello"}'


@pytest.mark.parametrize("system", ["", 'a "quoted" line\n'])
@pytest.mark.parametrize("pieces", [(HELLO,), (HELLO[:7], HELLO[7:], b",", HELLO)], ids=["whole", "cut"])
def test_a_body_is_the_same_json_as_with_a_list(system: str, pieces: tuple[bytes, ...]) -> None:
    messages = EncodedMessages(encode_system(system) if system else b"", pieces)
    body = json.loads(b"".join(encode_body({"model": "m", "messages": messages, "stream": True})))
    expected = [{"role": "system", "content": system}] if system else []
    assert body == {
        "model": "m",
        "stream": True,
        "messages": expected + [{"role": "user", "content": "hello"}] * (2 if len(pieces) > 1 else 1),
    }


def test_a_system_message_may_be_the_only_message() -> None:
    [message] = json.loads(b"".join(EncodedMessages(encode_system("s"), ()).parts()))
    assert message == {"role": "system", "content": "s"}


@pytest.mark.parametrize("system", ["", "first"])
def test_an_instruction_is_added_to_the_end_of_the_system_message(system: str) -> None:
    encoded = EncodedMessages(encode_system(system) if system else b"", (HELLO,))
    listed = [{"role": "system", "content": system}] if system else []
    quirk = [Quirk("tool_choice", "required", "auto")]
    body = {"model": "m", "tool_choice": "required"}
    expected = adapt({**body, "messages": [*listed, json.loads(HELLO)]}, quirk)
    assert json.loads(b"".join(encode_body(adapt({**body, "messages": encoded}, quirk)))) == expected


def test_a_body_with_a_list_is_one_piece() -> None:
    assert len(encode_body({"model": "m", "messages": [{"role": "user", "content": "x"}]})) == 1


def test_a_body_may_have_no_field_but_its_messages() -> None:
    assert b"".join(encode_body({"messages": EncodedMessages(b"", (HELLO,))})) == b'{"messages":[' + HELLO + b"]}"
