"""Hides what must not be written down: keys in any form, image data, and the middle of long bodies."""

from __future__ import annotations

import base64
import re
import string
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_HIDDEN = "[hidden]"

_REST = r"([A-Za-z0-9._~+/=-]{6,}+)"
_KEY_SHAPES = re.compile(
    rf"nvapi-{_REST}|NVAPI-{_REST}|Bearer\s++{_REST}|bearer\s++{_REST}"
    rf"|sk-(?:(?<![A-Za-z]sk-)|(?=(?:ant|proj|or)-)){_REST}"  # but not a word such as task-oriented
    r"|(hf_[A-Za-z0-9]{20,}+)|(gh[opsu]_[A-Za-z0-9]{20,}+)|(github_pat_\w{20,}+)|(AKIA[A-Z0-9]{16})"
)
"""The shapes of keys: NVIDIA, OpenAI, Anthropic and others, Hugging Face, GitHub and Amazon. The groups are hidden.

Each branch begins with fixed letters, so that the search can skip text that cannot begin a key.
"""
_KEY_STARTS = ("nvapi-", "NVAPI-", "earer", "sk-", "hf_", "gho_", "ghp_", "ghs_", "ghu_", "github_pat_", "AKIA")
"""One of these is in every text with a match of _KEY_SHAPES. To look for all of them takes a tenth of the time."""

_LEAST_CHARS = 8
"""The shortest beginning or end of a key that is hidden. Fewer characters, as in `nvapi-...wxyz`, only tell the user
which key is meant, and nobody can guess the rest from them."""

_CHARACTERS = string.ascii_letters + string.digits + "+/_-"
"""The characters that count when a key is looked for: keys, hex and base64 consist of them."""
_OTHERS = bytes(set(range(256)) - set(_CHARACTERS.encode()))
_CODES = {f"{ord(character):02x}": character for character in _CHARACTERS}
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})|\\++(?:u00([0-9A-Fa-f]{2})|u[0-9A-Fa-f]{4}|x([0-9A-Fa-f]{2})|[abefnrtv0])?")
_TOKEN = re.compile(rf"[A-Za-z0-9+/_-]++|{_ESCAPE.pattern}")

_BASE64 = r"[A-Za-z0-9+/=_-]"
_DATA = re.compile(
    rf"data:[\w.+-]++/[\w.+-]++;base64,(?P<url>{_BASE64}++)"
    rf'|"data": ?"(?P<field>{_BASE64}{{16,}}+)"'
    rf"|(?<!{_BASE64})(?P<run>{_BASE64}{{200,}}+)"
)
"""Image data: in a URL, in Anthropic's form, and as a long run of characters that may be a part of either."""
_MIXED = re.compile(r"(?=[^A-Z]*+[A-Z])(?=[^a-z]*+[a-z])[^0-9]*+[0-9]")
"""Matches base64, and no line of dashes: there is an upper-case letter, a lower-case letter and a digit."""

_MARGIN_CHARS = 1_024
"""How far beyond the shown part to look for keys that are not known, which are recognised by their shape."""
_ESCAPE_CHARS = 6
"""The most characters that stand for one character of a key, as in `\\u006e`."""


@dataclass(frozen=True, slots=True, order=True)
class _Span:
    """A part of a text that is not shown, and the text that is shown instead."""

    start: int
    end: int
    instead: str = _HIDDEN


def hide_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Returns `text` without the secrets in any form, and without anything that looks like a key."""
    return _show(text, 0, len(text), _find_keys(text, secrets))


def show_start(text: str, max_chars: int, secrets: Iterable[str] = ()) -> str:
    """Returns the first `max_chars` characters of `text` without secrets, even one that the cut divides."""
    return show_part(text, 0, min(len(text), max_chars), secrets)


def show_part(text: str, start: int, end: int, secrets: Iterable[str] = ()) -> str:
    """Returns `text[start:end]` without secrets, even those that the cuts divide."""
    return _show(text, start, end, _find_keys(text, secrets))


def find_margin_chars(secrets: Iterable[str]) -> int:
    """Returns how many characters beyond the shown part to read, so that a key at its edge is recognised."""
    return _MARGIN_CHARS + _ESCAPE_CHARS * max(map(len, secrets), default=0)


def show_json(pieces: Sequence[bytes], max_chars: int, secrets: Iterable[str] = ()) -> str:
    """Returns the JSON text of the joined pieces for the log, without image data and without secrets, whole or cut.

    If the text is longer than `max_chars`, a third of that is taken from its beginning, and two thirds from its end.
    The work depends on `max_chars` and the number of pieces, and not on the length of the text.
    """
    secrets = tuple(secrets)
    margin_chars = find_margin_chars(secrets)
    size_bytes = sum(map(len, pieces))
    # A character has at most four bytes.
    if size_bytes <= 4 * max_chars:
        whole = b"".join(pieces).decode("utf-8", "replace")
        if len(whole) <= max_chars:
            return _show(whole, 0, len(whole), _find_all(whole, secrets))
    head_chars = max_chars // 3
    tail_chars = max_chars - head_chars
    head = _take(pieces, 4 * (head_chars + margin_chars)).decode("utf-8", "replace")[: head_chars + margin_chars]
    tail = _take(pieces, 4 * (tail_chars + margin_chars), from_end=True).decode("utf-8", "replace")
    tail = tail[-(tail_chars + margin_chars) :]
    tail_start = len(tail) - tail_chars
    shown_bytes = len(head[:head_chars].encode()) + len(tail[tail_start:].encode())
    return (
        _show(head, 0, head_chars, _find_all(head, secrets))
        + f" … [{size_bytes - shown_bytes} bytes left out] … "
        + _show(tail, tail_start, len(tail), _find_all(tail, secrets))
    )


def _take(pieces: Sequence[bytes], most_bytes: int, *, from_end: bool = False) -> bytes:
    """Returns the first or the last `most_bytes` bytes of the pieces."""
    taken: list[bytes] = []
    room = most_bytes
    for piece in reversed(pieces) if from_end else pieces:
        if room <= 0:
            break
        part = piece[-room:] if from_end else piece[:room]
        taken.append(part)
        room -= len(part)
    return b"".join(reversed(taken) if from_end else taken)


def _show(text: str, start: int, end: int, spans: Iterable[_Span]) -> str:
    """Returns `text[start:end]` with the spans replaced. Spans that overlap are replaced by the text of the first."""
    shown: list[str] = []
    place = start
    last_end = 0
    for span in sorted(spans):
        if span.end <= max(start, last_end) or span.start >= end:
            continue
        if span.start >= last_end:
            shown += (text[place : max(place, span.start)], span.instead)
        place = last_end = span.end
    shown.append(text[place:end])
    return "".join(shown)


def _find_all(text: str, secrets: Iterable[str]) -> Iterator[_Span]:
    yield from _find_keys(text, secrets)
    yield from _find_data(text)


def _find_data(text: str) -> Iterator[_Span]:
    for match in _DATA.finditer(text):
        kind = match.lastgroup or ""
        start, end = match.span(kind)
        if kind == "url":
            yield _Span(start, end, f"[{len(match[0])} characters]")
        elif kind == "field" or _MIXED.match(text, start, end):
            yield _Span(start, end, f"[{end - start} characters of base64]")


def _find_keys(text: str, secrets: Iterable[str]) -> Iterator[_Span]:
    if any(start in text for start in _KEY_STARTS):
        for match in _KEY_SHAPES.finditer(text):
            yield _Span(*match.span(match.lastindex or 0))
    secrets = [secret for secret in secrets if secret]
    for secret in secrets:
        yield from _find_exact(text, secret)
    squeezed = _squeeze(text)
    if found := [span for secret in secrets for span in _find_forms(squeezed, secret)]:
        places = _find_places(text)
        for start, end in found:
            yield _Span(places[start], _end_of(text, places[end - 1]))


def _find_exact(text: str, secret: str) -> Iterator[_Span]:
    start = text.find(secret)
    while start >= 0:
        yield _Span(start, start + len(secret))
        start = text.find(secret, start + len(secret))


def _find_forms(squeezed: str, secret: str) -> Iterator[tuple[int, int]]:
    """Yields the places of the secret in a squeezed text, in any form, and of its beginning or end."""
    if not any(end in squeezed for end in _list_ends(secret)):
        return
    backwards = squeezed[::-1]
    for form, least_chars in _list_forms(secret):
        yield from _find_heads(squeezed, form, least_chars)
        for start, end in _find_heads(backwards, form[::-1], least_chars):
            yield len(squeezed) - end, len(squeezed) - start


@lru_cache(maxsize=8)
def _list_forms(secret: str) -> Sequence[tuple[str, int]]:
    """Returns each form of a key in a squeezed text, with the number of its characters that stand for _LEAST_CHARS.

    Returns nothing for a key that is so short that it would be found in ordinary words. Only its exact text is hidden.
    The few keys in use are searched for in every line of the log, and their forms take 8 us.
    """
    squeezed = _squeeze(secret)
    if len(squeezed) < _LEAST_CHARS:
        return ()
    data = secret.encode("utf-8", "surrogatepass")
    forms = [(squeezed, _LEAST_CHARS), (data.hex(), 2 * _LEAST_CHARS)]
    for before in range(3):  # bytes in front of the key shift its bits
        encoded = base64.b64encode(bytes(before) + data).decode().lower()
        # Without the characters at both ends, which also hold bits of other bytes.
        form = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        least_chars = -(-_LEAST_CHARS * 8 // 6)
        forms.append((form, least_chars))
        if "+" in form or "/" in form:
            forms.append((form.translate(_URL_SAFE), least_chars))
    return forms


@lru_cache(maxsize=8)
def _list_ends(secret: str) -> Sequence[str]:
    """Returns the shortest beginning and end of each form of a key. One of them is in every text that shows the key."""
    return [end for form, least_chars in _list_forms(secret) for end in (form[:least_chars], form[-least_chars:])]


_URL_SAFE = str.maketrans("+/", "-_")


def _find_heads(text: str, form: str, least_chars: int) -> Iterator[tuple[int, int]]:
    """Yields the places of `form` in `text`, and of each beginning of it that has at least `least_chars` characters."""
    head = form[:least_chars]
    start = text.find(head)
    while start >= 0:
        length = len(head)
        while length < len(form) and text.startswith(form[length], start + length):
            length += 1
        yield start, start + length
        start = text.find(head, start + length)


def _squeeze(text: str) -> str:
    """Returns the characters of `text` that count, in lower case and with escapes resolved.

    Characters that may stand between those of a key are left out: white space, quotes and invisible characters.
    """
    resolved = _ESCAPE.sub(_resolve, text)
    return resolved.encode("latin-1", "replace").translate(None, _OTHERS).lower().decode()


def _find_places(text: str) -> Sequence[int]:
    """Returns the index in `text` of each character of the squeezed text."""
    places = array("l")
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        if text[start] not in "%\\":
            places.extend(range(start, end))
        elif _resolve(token):
            places.append(start)
    return places


def _resolve(escape: re.Match[str]) -> str:
    """Returns the character that an escape stands for; empty if it does not count."""
    return _CODES.get((escape[1] or escape[2] or escape[3] or "").lower(), "")


def _end_of(text: str, place: int) -> int:
    """Returns the end of the character or escape that begins at `place`."""
    escape = _ESCAPE.match(text, place)
    return escape.end() if escape else place + 1
