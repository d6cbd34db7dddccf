"""What upstream's refusal of a request says about the fields of that request.

The wordings are those of NVIDIA's front end (Dynamo's), of vLLM, SGLang and OpenAI, and of pydantic and serde in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any

_MAX_CHARS = 4_000
_MAX_DEPTH = 10
"""No reason stands deeper in an error body."""
_MAX_PLACE_CHARS = 200


class Rejection(Enum):
    FIELD = auto()
    """The field is refused whatever its value, or the model has one value for it and takes no other."""
    VALUE = auto()
    """Another value could be taken."""


_ABOUT_CONTENT = re.compile(
    r"maximum context length|\bschema for\b|--(?:enable-auto-tool-choice|tool-call-parser)\b", re.IGNORECASE
)
_ONE_VALUE = re.compile(r"\bonly (?:the default|[\d.]+ is)\b|\bmust be [\d.]++(?!.{0,15} or\b)", re.IGNORECASE)
_ALLOWED = re.compile(
    r"\b(?:supported values|(?:must|should) be|expected|set to)\b(.*?)(?=\(parameter=|,? got\b|$)", re.IGNORECASE
)

_LITERAL = r"(?:'(?:[^'\\]|\\.?)*+(?:'|$)|\"(?:[^\"\\]|\\.?)*+(?:\"|$))"
_ENTRY = re.compile(
    r"'loc': (?P<path>\((?:'[^']{0,80}+'|[\d, ]++){0,40}+\)|'[^']{0,200}+'), 'msg': "
    rf"(?P<text>{_LITERAL})(?:(?!'loc': )(?:{_LITERAL}|[^'\"]))*+|(?<!\w){_LITERAL}"
)
"""One of pydantic's errors as Python prints them, to the next one; or any other literal, so that none is looked into.
What follows the message is an echo of the request."""
_ECHO = re.compile(r"input_value=(?:.*, input_type=|.*)")
"""To the last mark that ends an echo: those before may be part of it."""
_QUOTED_SENTENCE = re.compile(
    "|".join(
        rf"(?<!\w){mark}(?=[^{mark}\s]*+\s++[^{mark}\s]++\s|[^{mark}(=]*+[(=])[^{mark}]*+{mark}(?!\w)"
        for mark in ("'", '"', "`")
    )
)
"""Three words or more, or something with a value: servers put names and values in quotes; this is the request's."""
_WORDS = re.compile(r"\w+")

_PLACE = re.compile(r"(?<![\w.\[])(?P<field>\w++)(?:[.\[]\w++\]?)*+:")
"""A place in the request, before what is said of it."""
_MARKED = re.compile(r"\(parameter=(?P<field>\w++)[^()]*+\)$")

_IT = "\ue000"
_QUOTE = r"[`'\"\]]*+"
_REFUSED = re.compile(
    rf"{_IT}{_QUOTE}(?P<between>[^.;:,]{{0,40}}?) (?:is|are) (?:(?:currently )?(?:un|not (?:yet |currently )?|only )"
    r"(?:supported|allowed|permitted|available|accepted|implemented|recogni[sz]ed)|incompatible)\b"
)
_FIELD_REFUSED = (
    re.compile(
        rf"{_IT}{_QUOTE}(?::? (?:extra inputs are|extra fields) not permitted| (?:was|were) unexpected| is immutable"
        r"| cannot be (?:used|set|specified|changed))"
    ),
    re.compile(
        r"\b(?:unsupported|unknown|unrecogni[sz]ed|unexpected) (?:\w+ )?(?:parameter|argument|field)(?:\(s\)|s)?"
        rf"(?: supplied)?:? (?:[`'\"]?[\w.]+[`'\"]?(?:, | and ))*+[`'\"]?{_IT}"
        rf"|\bnot support (?:the )?(?:\w+ )?{_QUOTE}{_IT}"
        rf"|\w[`'\"]? (?:and|or) {_QUOTE}{_IT}{_QUOTE} (?:cannot both|should be set)"
    ),
)
_VALUE_REFUSED = (
    re.compile(rf"{_IT}{_QUOTE}(?::? (?:input|list) should|: unknown variant| (?:must|should|has to|can only) be)"),
    re.compile(
        rf"\b(?:invalid|unsupported) (?:value(?: for|:) )?{_QUOTE}{_IT}|\bmaximum of \d+ {_IT}|\(parameter={_IT}"
    ),
)
"""What is said of a field, in a text of small letters in which _IT stands for the field's name."""


def join_reasons(error: Any) -> str:
    """All reasons in the decoded body of an error, each with the field that it belongs to; empty if there is none.

    Longer than what a user is told, who needs one reason; it may quote the request.
    """
    reasons: list[str] = []
    size_chars = 0
    for reason in _read_reasons(error):
        reasons.append(" ".join(reason.split()))
        size_chars += len(reasons[-1]) + 2
        if size_chars > _MAX_CHARS:
            break
    return "; ".join(filter(None, reasons))[:_MAX_CHARS]


def make_plain(error_text: str) -> str:
    """The error text with each path reduced to the field that can be left out, and without what it quotes."""
    text = _ECHO.sub("", " ".join(error_text.split()))
    entries = [
        f"{'.'.join(_WORDS.findall(entry['path']))}: {entry['text'][1:-1]}"
        for entry in _ENTRY.finditer(text)
        if entry["path"]
    ]
    return _QUOTED_SENTENCE.sub("…", _shorten_paths("; ".join(entries) or text))


def is_about_content(error_text: str) -> bool:
    """Whether it is about what the request says, or about tools on a server without: no field to leave out helps."""
    return bool(_ABOUT_CONTENT.search(error_text))


def find_places(error_text: str) -> frozenset[str]:
    """The fields of the request in which something is wrong, where the error text names a place before it says what."""
    return frozenset(place["field"] for place in _PLACE.finditer(_shorten_paths(error_text)))


def find_marked(error_text: str) -> str:
    """The one field that the error text is about, where a field of the error says so; else empty."""
    mark = _MARKED.search(error_text)
    return mark["field"] if mark else ""


def find_rejection(error_text: str, name: str) -> Rejection | None:
    """What an error text, made plain, has against the field `name`."""
    bare = re.escape(name.lower()).replace("_", "[_ ]")
    text, times = re.subn(rf"(?<![\w.]){bare}(?!\w)", _IT, error_text.lower().replace(_IT, " "))
    if not times:
        return None
    if refusal := _REFUSED.search(text):
        return Rejection.VALUE if re.search(r"[=`'\"]", refusal["between"]) else Rejection.FIELD
    if any(pattern.search(text) for pattern in _FIELD_REFUSED):
        return Rejection.FIELD
    if any(pattern.search(text) for pattern in _VALUE_REFUSED):
        return Rejection.FIELD if _ONE_VALUE.search(error_text) else Rejection.VALUE
    return None


def find_allowed(error_text: str) -> frozenset[str]:
    """The words in the part of an error text that says what would be taken."""
    allowed = _ALLOWED.search(error_text)
    return frozenset(_WORDS.findall(allowed[1])) if allowed else frozenset()


def _shorten_paths(text: str) -> str:
    text = text.replace(" -> ", ".")
    text = re.sub(r"(?<![\w.])(?:body\.)?(?:chat_template_kwargs\.)?(?=\w)", "", text)
    return re.sub(r"(?<![\w.])([a-z_]+)(?:\.\w+)+", r"\1", text)


def _read_reasons(value: Any, depth: int = 0) -> Iterator[str]:
    """The values of other keys are not read: validators put the request there."""
    if isinstance(value, str):
        yield value
    elif depth == _MAX_DEPTH:
        return
    elif isinstance(value, list):
        for item in value:
            yield from _read_reasons(item, depth + 1)
    elif isinstance(value, dict):
        where, field = value.get("loc"), value.get("param")
        path = _join_place(where) + ": " if isinstance(where, list) else ""
        mark = f" (parameter={field[:_MAX_PLACE_CHARS]})" if isinstance(field, str) else ""
        for key in ("detail", "message", "msg", "error", "errors"):
            for reason in _read_reasons(value.get(key), depth + 1):
                yield f"{path}{reason[:_MAX_CHARS]}{mark}"


def _join_place(names: list[Any]) -> str:
    """The place of a value in the request. Numbers count the items of a list and are left out."""
    return ".".join(name for name in names[:_MAX_DEPTH] if isinstance(name, str))[:_MAX_PLACE_CHARS]
