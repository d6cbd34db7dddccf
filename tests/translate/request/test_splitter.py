"""A large request is split into its messages. A wrong division is found out, and left to the plain translation."""

from __future__ import annotations

import json

import pytest

from tests.translate.request.test_known import check, check_bytes, make_session
from tray_app.catalog import GLM_4_7
from tray_app.translate.request import known
from tray_app.translate.request.known import Memory
from tray_app.translate.request.splitter import MOST_HELD_BYTES, OTHERS, CannotSplit, Splitter, in_small_pieces

COMPACT, SPACED = (",", ":"), (", ", ": ")
STYLES = pytest.mark.parametrize("style", [COMPACT, SPACED], ids=["compact", "spaced"])
MESSAGES = [{"role": ("user", "assistant")[n % 2], "content": f'word {n} "quoted", {{}}'} for n in range(5)]


@pytest.fixture(autouse=True)
def _each_request_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "_DECODED_BYTES", 0)


def split(data: bytes, piece_bytes: int) -> tuple[list[bytes], bytes]:
    splitter = Splitter()
    pieces = (data[place : place + piece_bytes] for place in range(0, len(data), piece_bytes))
    return [message for piece in pieces for message in splitter.feed(piece)], splitter.finish()


@STYLES
@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 64, 10_000])
def test_the_messages_are_found_however_the_request_is_cut(style: tuple[str, str], piece_bytes: int) -> None:
    request = {"model": "m", "messages": MESSAGES, "system": "Be kind.", "tools": []}
    messages, frame = split(json.dumps(request, separators=style).encode(), piece_bytes)
    assert [json.loads(message) for message in messages] == MESSAGES[:-1]
    assert json.loads(frame) == {**request, "messages": [json.loads(OTHERS), MESSAGES[-1]]}


@STYLES
@pytest.mark.parametrize("order", [("messages", "model", "system"), ("system", "model", "messages")])
def test_a_session_is_split_wherever_its_messages_are(style: tuple[str, str], order: tuple[str, ...]) -> None:
    body = {"model": "any", **make_session(5)}
    rest = [name for name in body if name not in order]
    data = json.dumps({name: body[name] for name in [*order, *rest]}, separators=style).encode()
    assert check_bytes(data, GLM_4_7, Memory())


@pytest.mark.parametrize("turns", [1, 2, 11])
def test_a_session_is_split_again_and_again(turns: int) -> None:
    memory = Memory()
    assert all(check(make_session(n), GLM_4_7, memory) for n in range(1, turns + 1))


USER, ASSISTANT = '{"role":"user","content":"a"}', '{"role":"assistant","content":"b"}'
THREE = f"{USER},{ASSISTANT},{USER}"
LEFT = {
    "a single message": f'{{"model":"m","messages":[{USER}]}}',
    "messages that do not begin alike": f'{{"model":"m","messages":[{USER},{{"content":"b","role":"user"}},{USER}]}}',
    "blanks between messages": f'{{"model":"m","messages":[{USER} , {ASSISTANT} , {USER}]}}',
    "a message with what looks like messages": (
        '{"model":"m","messages":['
        '{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"n","input":{"x":[{"role":"a"},{"role":"b"}]}}]}'
        f",{USER}]}}"
    ),
    "messages before the messages": (
        f'{{"model":"m","system":[{{"type":"text","text":"x","messages":[{THREE}]}}],"messages":[{THREE}]}}'
    ),
    "two lists of messages": f'{{"messages":[{THREE}],"model":"m","messages":[{USER}]}}',
    "two lists of messages that end alike": f'{{"messages":[{THREE}],"model":"m","messages":[{ASSISTANT},{USER}]}}',
    "a second list with an escaped name": f'{{"messages":[{THREE}],"model":"m","mess\\u0061ges":[{USER}]}}',
    "a second list like a frame": f'{{"messages":[{THREE}],"model":"m","messages":[{OTHERS.decode()},{USER}]}}',
    "a frame in the system": f'{{"model":"m","system":{OTHERS.decode()},"messages":[{THREE}]}}',
    "no messages": '{"model":"m","messages":[]}',
    "a message that is no JSON": f'{{"model":"m","messages":[{USER},{{"role":"assistant","content":}},{USER}]}}',
    "a message with half a string": f'{{"model":"m","messages":[{USER},{{"role":"user","content":"}},{USER}]}}',
    "something after the end": f'{{"model":"m","messages":[{THREE}]}} x',
    "no end": f'{{"model":"m","messages":[{THREE}]',
    "no beginning": f'"model":"m","messages":[{THREE}]}}',
    "a list around it": f'[{{"model":"m","messages":[{THREE}]}}]',
}


@pytest.mark.parametrize("name", LEFT)
def test_a_request_that_cannot_be_split_is_left_to_the_plain_translation(name: str) -> None:
    assert not check_bytes(LEFT[name].encode(), GLM_4_7, Memory())


def test_what_is_known_does_not_make_a_wrong_division_right() -> None:
    memory = Memory()
    assert check_bytes(f'{{"model":"m","messages":[{THREE}]}}'.encode(), GLM_4_7, memory)
    for request in LEFT.values():
        assert not check_bytes(request.encode(), GLM_4_7, memory)


@pytest.mark.parametrize("beginning", [b'{"system":"', b'{"messages":[{"role":"'])
def test_no_more_than_a_part_of_the_request_is_held(beginning: bytes) -> None:
    splitter = Splitter()
    splitter.feed(beginning)
    for _ in range(MOST_HELD_BYTES // 1_000 - 1):
        splitter.feed(b"x" * 1_000)
    with pytest.raises(CannotSplit):
        splitter.feed(b"x" * 2_000)


def test_pieces_are_made_small_and_none_is_lost() -> None:
    data: list[bytes | bytearray] = [b"", b"ab" * 100_000, bytearray(b"c"), bytearray(b"d" * 70_000)]
    small = [*in_small_pieces(data)]
    assert b"".join(small) == b"".join(data)
    assert max(map(len, small)) == 64 * 1024
