"""Finds what the text of an error says about the fields of the refused request.

The wordings are those of NVIDIA's front end (Dynamo), of vLLM, SGLang and OpenAI, and of pydantic and serde, which they
use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any

_MAX_CHARS = 4_000
_MAX_DEPTH = 10
"""Most levels of an error body that are read."""
_MAX_PLACE_CHARS = 200


class Rejection(Enum):
    """What exactly is refused."""

    FIELD = auto()
    """The field is refused with every value, or the model accepts only one value of its own."""
    VALUE = auto()
    """The value is refused, and another one may be accepted."""


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
"""Matches one of pydantic's errors as Python prints them, up to the next one, with the echo of the request after it.

It also matches any other string literal, so that nothing is found within one.
"""
_ECHO = re.compile(r"input_value=(?:.*, input_type=|.*)")
"""Matches pydantic's echo of the request up to its last end mark, because earlier marks may be part of the echo."""
_QUOTED_SENTENCE = re.compile(
    "|".join(
        rf"(?<!\w){mark}(?=[^{mark}\s]*+\s++[^{mark}\s]++\s|[^{mark}(=]*+[(=])[^{mark}]*+{mark}(?!\w)"
        for mark in ("'", '"', "`")
    )
)
"""Matches a quote of three words or more, or of an assignment or call: text of the request. Servers quote only names
and values.
"""
_WORDS = re.compile(r"\w+")

_PLACE = re.compile(r"(?<![\w.\[])(?P<field>\w++)(?:[.\[]\w++\]?)*+:")
"""Matches the path of a field in front of a colon."""
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
"""Patterns for text in lower case in which _IT stands in place of the field's name."""


def join_reasons(error: Any) -> str:
    """Returns all reasons in the decoded body of an error, each with its field, up to 4,000 characters.

    The result may contain prompt text: never show or log it. It is empty if there is no reason.
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
    """Returns the error text without quotes of the request, and with each path shortened to the name of a field."""
    text = _ECHO.sub("", " ".join(error_text.split()))
    entries = [
        f"{'.'.join(_WORDS.findall(entry['path']))}: {entry['text'][1:-1]}"
        for entry in _ENTRY.finditer(text)
        if entry["path"]
    ]
    return _QUOTED_SENTENCE.sub("…", _shorten_paths("; ".join(entries) or text))


def is_about_content(error_text: str) -> bool:
    """Returns whether no change of a field helps: the error is about the prompt, or the server has no tools."""
    return bool(_ABOUT_CONTENT.search(error_text))


def find_places(error_text: str) -> frozenset[str]:
    """Returns the fields whose path the error text names in front of a colon."""
    return frozenset(place["field"] for place in _PLACE.finditer(_shorten_paths(error_text)))


def find_marked(error_text: str) -> str:
    """Returns the field that the error names in its `param`; empty if it names none."""
    mark = _MARKED.search(error_text)
    return mark["field"] if mark else ""


def find_rejection(error_text: str, name: str) -> Rejection | None:
    """Returns how an error text refuses the field `name`; None if it does not. The text comes from `make_plain`."""
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
    """Returns the words in the part of an error text that lists the accepted values."""
    allowed = _ALLOWED.search(error_text)
    return frozenset(_WORDS.findall(allowed[1])) if allowed else frozenset()


def _shorten_paths(text: str) -> str:
    text = text.replace(" -> ", ".")
    text = re.sub(r"(?<![\w.])(?:body\.)?(?:chat_template_kwargs\.)?(?=\w)", "", text)
    return re.sub(r"(?<![\w.])([a-z_]+)(?:\.\w+)+", r"\1", text)


def _read_reasons(value: Any, depth: int = 0) -> Iterator[str]:
    """Yields the reasons in an error. Other keys are not read, because validators put the request there."""
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
    """Returns the path of a value in the request, without the indices of lists."""
    return ".".join(name for name in names[:_MAX_DEPTH] if isinstance(name, str))[:_MAX_PLACE_CHARS]
