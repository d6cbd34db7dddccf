"""What upstream's refusal of a request says about the fields of that request.

The wordings are those of NVIDIA's front end (Dynamo's), of vLLM, SGLang and OpenAI, and of pydantic and serde in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any

from tray_app.translate import json_text

_MAX_CHARS = 4_000


class Objection(Enum):
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

# pydantic's errors as Python prints them; the value that follows is an echo of the request
_ENTRY = re.compile(r"'loc': (?P<path>\([^()]*\)|'[^']*'), 'msg': (?P<text>'[^']*'|\"[^\"]*\")")
_ECHO = re.compile(r"input_value=.*?(?=, input_type=|$)")
_WORDS = re.compile(r"\w+")

_QUOTE = r"[`'\"\]]*"


def read_complaint(answer: bytes) -> str:
    """All reasons in an error body, each with the field that it belongs to; empty where it is a web page or nothing.

    Longer than what a user is told, who needs one reason; it may quote the request.
    """
    try:
        text = "; ".join(_read_reasons(json_text.decode(answer)))
    except (ValueError, RecursionError):
        text = answer.decode("utf-8", "replace").strip()
        text = "" if text.startswith("<") else text
    return " ".join(text.split())[:_MAX_CHARS]


def make_plain(complaint: str) -> str:
    """The complaint with each path reduced to the field that can be left out, and without what it quotes."""
    text = " ".join(complaint.split())
    entries = [f"{'.'.join(_WORDS.findall(entry['path']))}: {entry['text'][1:-1]}" for entry in _ENTRY.finditer(text)]
    text = _ECHO.sub("", "; ".join(entries) or text).replace(" -> ", ".")
    text = re.sub(r"(?<![\w.])(?:body\.)?(?:chat_template_kwargs\.)?(?=\w)", "", text)
    return re.sub(r"(?<![\w.])([a-z_]+)(?:\.\w+)+", r"\1", text)


def is_about_content(complaint: str) -> bool:
    """Whether it is about what the request says, or about tools on a server without: no field to leave out helps."""
    return bool(_ABOUT_CONTENT.search(complaint))


def find_objection(complaint: str, name: str) -> Objection | None:
    """What a complaint, made plain, has against the field `name`."""
    bare = re.escape(name).replace("_", "[_ ]") + r"(?!\w)"
    named = rf"(?<![\w.]){bare}{_QUOTE}"
    if refusal := _search(
        rf"{named}(?P<between>[^.;:,]{{0,40}}?) (?:is|are) (?:(?:currently )?(?:un|not (?:yet |currently )?|only )"
        r"(?:supported|allowed|permitted|available|accepted|implemented|recogni[sz]ed)|incompatible)\b",
        complaint,
    ):
        return Objection.VALUE if re.search(r"[=`'\"]", refusal["between"]) else Objection.FIELD
    if _search(
        r"\b(?:unsupported|unknown|unrecogni[sz]ed|unexpected) (?:\w+ )?(?:parameter|argument|field)(?:\(s\)|s)?"
        rf"(?: supplied)?:? (?:[`'\"]?[\w.]+[`'\"]?(?:, | and ))*[`'\"]?{bare}"
        rf"|{named}:? (?:extra inputs are|extra fields) not permitted"
        rf"|{named} (?:was|were) unexpected"
        rf"|{named} is immutable"
        rf"|{named} cannot be (?:used|set|specified|changed)"
        rf"|\bnot support (?:the )?(?:\w+ )?{_QUOTE}{bare}"
        rf"|\w[`'\"]? (?:and|or) {_QUOTE}{bare}{_QUOTE} (?:cannot both|should be set)",
        complaint,
    ):
        return Objection.FIELD
    if _search(
        rf"{named}:? (?:input|list) should"
        rf"|{named}: unknown variant"
        rf"|{named} (?:must|should|has to|can only) be"
        rf"|\b(?:invalid|unsupported) (?:value(?: for|:) )?{_QUOTE}{bare}"
        rf"|\bmaximum of \d+ {bare}"
        rf"|\(parameter={bare}",
        complaint,
    ):
        return Objection.FIELD if _ONE_VALUE.search(complaint) else Objection.VALUE
    return None


def find_allowed(complaint: str) -> frozenset[str]:
    """The words in the part of a complaint that says what would be taken."""
    allowed = _ALLOWED.search(complaint)
    return frozenset(_WORDS.findall(allowed[1])) if allowed else frozenset()


def _search(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(pattern, text, re.IGNORECASE)


def _read_reasons(value: Any) -> Iterator[str]:
    """The values of other keys are not read: validators put the request there."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _read_reasons(item)
    elif isinstance(value, dict):
        where, field = value.get("loc"), value.get("param")
        path = ".".join(map(str, where)) + ": " if isinstance(where, list) else ""
        mark = f" (parameter={field})" if isinstance(field, str) else ""
        for key in ("detail", "message", "msg", "error", "errors"):
            for reason in _read_reasons(value.get(key)):
                yield f"{path}{reason}{mark}"
