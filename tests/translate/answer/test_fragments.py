"""Fragments are what decoding gives, and what encoding would write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.translate import json_text
from tray_app.translate.answer.fragments import make_fragments
from tray_app.translate.answer.stream import FrameWriter

PIECE = st.one_of(st.binary(max_size=4), st.text(max_size=6).map(lambda text: text.encode("utf-8", "surrogatepass")))


@bounded
@given(st.lists(PIECE, min_size=1, max_size=5))
def test_each_piece_is_the_inside_of_a_json_string_without_escapes(pieces: list[bytes]) -> None:
    fragments = make_fragments(pieces, is_thinking=False)
    if fragments is None:
        return
    texts = [json.loads(b'"%b"' % piece) for piece in pieces]
    assert all(texts)
    assert fragments.text == "".join(texts)
    assert fragments.size_bytes == len("".join(texts).encode())
    assert [json_text.encode(text) for text in texts] == [b'"%b"' % piece for piece in pieces]


@pytest.mark.parametrize("piece", [b"", b'"', b"\\u0041", b"\n", b"\0", b"\xff", "é".encode()[:1]])
def test_a_piece_that_must_be_decoded_is_refused(piece: bytes) -> None:
    assert make_fragments([piece], is_thinking=False) is None
    assert make_fragments([b"a", piece], is_thinking=False) is None


def test_a_character_in_two_halves_is_refused_although_both_together_are_valid() -> None:
    whole = "é".encode()
    assert make_fragments([whole[:1], whole[1:]], is_thinking=False) is None


@pytest.mark.parametrize("kind", ["text", "thinking"])
@pytest.mark.parametrize("omits_thinking", [False, True])
def test_the_frames_of_fragments_are_those_of_each_piece(kind: str, omits_thinking: bool) -> None:
    pieces = ["Hello", " <b>", " wörld – 四", "/"]
    fragments = make_fragments([piece.encode() for piece in pieces], is_thinking=kind == "thinking")
    assert fragments is not None
    fast, plain = (FrameWriter(omits_thinking=omits_thinking) for _ in range(2))
    for writer in (fast, plain):
        writer.start({"type": kind, kind: ""})
    fast.add_fragments(fragments)
    for piece in pieces:
        plain.add(piece)
    for writer in (fast, plain):
        writer.stop()
    assert fast.take() == plain.take()
