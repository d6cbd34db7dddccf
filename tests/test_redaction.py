"""Keys and image data are hidden in texts and bodies."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import pytest

from tray_app.redaction import hide_secrets, show_json, show_start

DATA = "iVBORw0KGgoAAAANSUhEUg=="
PICTURE = base64.b64encode(bytes(range(256)) * 8).decode()
NVIDIA_KEY = "nvapi-Q7_xK2vLm-9Rt4WzPd8Yc3Hn6JbS1fGaUe5oTiN0wXq"
SERVER_KEY = "Grün & gelb: 7/8~9 Bäume + 1.000_Äpfel"


def show_body(body: Any, max_chars: int, secrets: Iterable[str] = ()) -> str:
    """Shows a value with a space behind each colon, as some clients send it."""
    return show_json((json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace"),), max_chars, secrets)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing to hide", "nothing to hide"),
        ("key nvapi-AbC_123-xyz!", "key nvapi-[hidden]!"),
        ("key sk-ant-api03-abcdef", "key sk-[hidden]"),
        ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer [hidden]"),
        ('{"Authorization": "Bearer abcdef123"}', '{"Authorization": "Bearer [hidden]"}'),
        ("the secret word", "the [hidden] word"),
        ("secretsecret", "[hidden][hidden]"),
        ("secret-and-more", "[hidden]"),
        ("a risk-averse task-oriented model", "a risk-averse task-oriented model"),
        ("nvapi-short", "nvapi-short"),
        ("xnvapi-AbC_123-xyz", "xnvapi-[hidden]"),
        ("NVAPI-ABC_123-XYZ", "NVAPI-[hidden]"),
        ("key_sk-abcdef123", "key_sk-[hidden]"),
        ("1sk-abcdef123", "1sk-[hidden]"),
        ("keysk-ant-api03-abcdef", "keysk-[hidden]"),
        ("authorization: bearer  abc.def.ghi", "authorization: bearer  [hidden]"),
        ("export HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz", "export HF_TOKEN=[hidden]"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[hidden]"),
        ("AKIAIOSFODNN7EXAMPLE", "[hidden]"),
        ("Bearer of bad news", "Bearer of bad news"),
    ],
)
def test_keys_are_hidden(text: str, shown: str) -> None:
    assert hide_secrets(text, {"secret", "secret-and-more"}) == shown


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"a": [1, None, "Grüße"]}, '{"a": [1, null, "Grüße"]}'),
        (
            {"type": "base64", "media_type": "image/png", "data": DATA},
            '{"type": "base64", "media_type": "image/png", "data": "[24 characters of base64]"}',
        ),
        (
            {"image_url": {"url": f"data:image/png;base64,{DATA}"}},
            '{"image_url": {"url": "data:image/png;base64,[46 characters]"}}',
        ),
        (
            [f"<img src='data:image/svg+xml;base64,{DATA}'>"],
            "[\"<img src='data:image/svg+xml;base64,[50 characters]'>\"]",
        ),
        ({"data": "no image"}, '{"data": "no image"}'),
        ({"type": "base64", "data": 5}, '{"type": "base64", "data": 5}'),
        ({"key": "nvapi-abcdefghij"}, '{"key": "nvapi-[hidden]"}'),
    ],
)
def test_a_body_is_shown_without_image_data(body: Any, shown: str) -> None:
    assert show_body(body, 1_000) == shown


def test_a_long_body_is_shown_with_its_beginning_its_end_and_the_size_of_the_rest() -> None:
    assert show_body({"text": "x" * 100}, 12) == '{"te … [100 bytes left out] … xxxxxx"}'


def test_showing_a_body_does_not_change_it() -> None:
    body = {"source": {"type": "base64", "data": DATA}}
    show_body(body, 100)
    assert body == {"source": {"type": "base64", "data": DATA}}


def test_a_secret_is_hidden_before_the_cut() -> None:
    for limit in range(60):
        assert "wor" not in show_body({"text": "pass-word pass-word"}, limit, ["pass-word"])


# ---- the forms that a known key takes

each_key = pytest.mark.parametrize("key", [NVIDIA_KEY, SERVER_KEY], ids=["NVIDIA's", "the server's"])

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda key: key,
    "glued to other text": lambda key: f"abc{key}def",
    "in capitals": lambda key: key.upper(),
    "in small letters": lambda key: key.lower(),
    "percent-encoded": lambda key: quote(key, safe=""),
    "percent-encoded throughout": lambda key: "".join(f"%{byte:02x}" for byte in key.encode()),
    "in hex": lambda key: key.encode().hex(),
    "in hex with colons": lambda key: key.encode().hex(":").upper(),
    "as JSON": json.dumps,
    "as JSON in JSON": lambda key: json.dumps(json.dumps(key)),
    "escaped throughout": lambda key: "".join(f"\\u{ord(character):04x}" for character in key),
    "escaped as bytes": lambda key: "".join(f"\\x{byte:02X}" for byte in key.encode()),
    "with backslashes": lambda key: key.replace("-", "\\-").replace("_", "\\_"),
    "split by spaces": " ".join,
    "split by line ends": "\n".join,
    "split by escaped line ends": lambda key: "\\n".join(key[place : place + 5] for place in range(0, len(key), 5)),
    "split by quotes": "' '".join,
    "split by invisible characters": "\u200b".join,
}


def encode_after(before: int, encode: Callable[[bytes], bytes]) -> Callable[[str], str]:
    return lambda key: encode(b"x" * before + key.encode()).decode()


for before in range(4):
    FORMS[f"in base64, {before} bytes before"] = encode_after(before, base64.b64encode)
    FORMS[f"in url-safe base64, {before} bytes before"] = encode_after(before, base64.urlsafe_b64encode)
    FORMS[f"in base64 with line ends, {before} bytes before"] = encode_after(before, base64.encodebytes)


@each_key
@pytest.mark.parametrize("form", FORMS)
def test_a_known_key_is_hidden_in_every_form(key: str, form: str) -> None:
    written = FORMS[form](key)
    hidden = hide_secrets(f"before {written} after", {NVIDIA_KEY, SERVER_KEY})
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")
    assert "[hidden]" in hidden
    for size in range(8, len(written)):
        assert written[:size] not in hidden
        assert written[-size:] not in hidden


@each_key
def test_a_key_is_hidden_in_the_base64_of_a_longer_text(key: str) -> None:
    encoded = base64.b64encode(f"Authorization: Bearer {key}, or so".encode()).decode()
    before, after = hide_secrets(encoded, {key}).split("[hidden]")
    assert base64.b64decode(before + "A" * (-len(before) % 4)).startswith(b"Authorization: Bearer")
    assert len(before) + len(after) <= len("Authorization: Bearer , or so") * 8 / 6 + 4


@pytest.mark.parametrize("key", [NVIDIA_KEY, "correct-horse-battery-staple"])
def test_a_beginning_or_end_of_a_known_key_is_hidden_if_it_is_long_enough(key: str) -> None:
    for size in range(8, len(key)):
        assert hide_secrets(f"<{key[:size]}...>", {key}).startswith("<[hidden]")
        assert hide_secrets(f"<...{key[-size:]}>", {key}).endswith("[hidden]>")


def test_a_few_characters_may_say_which_key_is_meant() -> None:
    shown = f"Incorrect API key provided: {NVIDIA_KEY[:6]}****{NVIDIA_KEY[-4:]}."
    assert hide_secrets(shown, {NVIDIA_KEY}) == shown


def test_only_the_exact_text_of_a_short_key_is_hidden() -> None:
    assert hide_secrets("a demo of d e m o", {"demo"}) == "a [hidden] of d e m o"


def test_an_empty_key_hides_nothing() -> None:
    assert hide_secrets("a text", {""}) == "a text"


def test_only_what_belongs_to_a_key_is_hidden() -> None:
    text = f'{{"a": "{NVIDIA_KEY}", "b": 5, "c": "{quote(SERVER_KEY)}"}} Bearer {NVIDIA_KEY}!'
    assert hide_secrets(text, {NVIDIA_KEY, SERVER_KEY}) == '{"a": "[hidden]", "b": 5, "c": "[hidden]"} Bearer [hidden]!'


# ---- the beginning and the end of a long body


def test_a_body_in_pieces_is_shown_like_a_whole_one() -> None:
    encoded = json.dumps({"text": "Grüße, " * 200, "key": NVIDIA_KEY}, ensure_ascii=False).encode()
    for limit in (0, 1, 20, 100, 2_000):
        shown = show_json((encoded,), limit, [NVIDIA_KEY])
        for size in (1, 7, 1_000):
            pieces = [encoded[place : place + size] for place in range(0, len(encoded), size)]
            assert show_json(pieces, limit, [NVIDIA_KEY]) == shown


def test_the_limit_counts_characters_and_not_bytes() -> None:
    for letter in "aäあ🙂":
        encoded = json.dumps(letter * 5_000, ensure_ascii=False).encode()
        head, note, tail = show_json((encoded,), 300).split(" … ")
        assert head == f'"{letter * 99}'
        assert tail == f'{letter * 199}"'
        left_out = len(encoded) - len((head + tail).encode())
        assert note == f"[{left_out} bytes left out]"
        assert show_json((encoded,), 5_002) == encoded.decode()


@each_key
@pytest.mark.parametrize("form", FORMS)
def test_no_edge_of_what_is_shown_cuts_a_key_in_two(key: str, form: str) -> None:
    text = json.dumps([f"{FORMS[form](key)} " * 3 + "-" * 3_000 + f" {FORMS[form](key)}" * 3], ensure_ascii=False)
    whole = hide_secrets(text, [key])
    for limit in range(0, 600, 47):
        shown = show_json((text.encode(),), limit, [key])
        head, _, tail = shown.split(" … ")
        assert whole.startswith(head)
        assert whole.endswith(tail)


def test_no_edge_of_what_is_shown_cuts_an_image_in_two() -> None:
    image = {"image_url": {"url": f"data:image/png;base64,{PICTURE}"}}
    for body in ([image, "x" * 5_000, image], [PICTURE, "x" * 5_000, PICTURE], [f"{PICTURE}\n{PICTURE}"]):
        for limit in (*range(0, 150, 13), *range(2_000, 3_000, 199)):
            shown = show_body(body, limit)
            assert not any(PICTURE[place : place + 8] in shown for place in range(0, len(PICTURE), 8))


def test_a_line_of_dashes_is_no_image() -> None:
    assert show_body("-" * 300, 1_000) == f'"{"-" * 300}"'


def test_a_secret_across_the_end_of_a_beginning_is_hidden() -> None:
    text = f"the key is {NVIDIA_KEY} or so"
    assert show_start(text, 10, [NVIDIA_KEY]) == "the key is"[:10]
    assert show_start(text, 12, [NVIDIA_KEY]) == "the key is [hidden]"
    assert show_start(text, 1_000, [NVIDIA_KEY]) == "the key is [hidden] or so"
