"""JSON is encoded and decoded, also with text that is not valid Unicode."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.translate import json_text

ANY_TEXT = st.text(st.characters(categories=["L", "N", "P", "Zs", "Zl", "Cc", "Cs"]), max_size=5)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)


def joined(value: object) -> object:
    """Returns the same value with neighbouring halves of a surrogate pair joined to one character, as parsers do."""
    return json.loads(json.dumps(value))


@bounded
@given(VALUES)
def test_an_encoded_value_is_decoded_to_the_same_value(value: object) -> None:
    data = json_text.encode(value)
    assert b"\n" not in data
    assert json_text.decode(data) == joined(value)
    assert json.loads(data) == joined(value)


@bounded
@given(VALUES)
def test_a_value_encoded_for_upstream_is_valid_unicode_and_otherwise_the_same(value: object) -> None:
    text = json_text.encode_valid(value).decode()
    assert "\\ud" not in text.replace("\\\\", "")
    assert json.loads(text) == json.loads(made_valid(json.dumps(value, ensure_ascii=False)))


def made_valid(text: str) -> str:
    """Returns the same value with each half of a surrogate pair replaced."""
    whole = "".join(text).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in whole)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ("a \ud83d", '"a \ufffd"'),
        ("\ude00 a", '"\ufffd a"'),
        ("\ud83d\ude00", '"\U0001f600"'),
        (["\ud83d", "\ude00"], '["\ufffd","\ufffd"]'),
        ({"\ud83d": "\\ud83d"}, '{"\ufffd":"\\\\ud83d"}'),
        ("ü 😀", '"ü 😀"'),
    ],
    ids=ascii,
)
def test_half_a_surrogate_pair_is_joined_or_replaced_for_upstream(value: object, data: str) -> None:
    assert json_text.encode_valid(value).decode() == data


@pytest.mark.parametrize("data", [b"", b"{", b"NaN", b"[Infinity]", b"{'a': 1}", b"\xff"], ids=repr)
def test_decoding_other_bytes_than_json_raises_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        json_text.decode(data)
