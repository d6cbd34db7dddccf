"""Recognises the error that a prompt exceeds the model's window, and reads the token counts in it.

The wordings are those of vLLM, SGLang, TensorRT-LLM and Triton, Dynamo, llama.cpp, Ollama, LM Studio, LMDeploy, TGI and
of hosted APIs (OpenAI, Anthropic, Mistral, Gemini, xAI, Kimi, MiniMax, DashScope), 2023 to 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tray_app.translate.refusal.counts import Counts

# ---- the text that is searched: lower case, without punctuation, quotes of the request and thousands separators


def _quoted_by(mark: str) -> str:
    """Returns the pattern of a quote of three words or more, or of an assignment. `mark` may be an apostrophe in it."""
    inner = rf"(?<=\w){mark}(?=\w)"
    word = rf"(?:[^{mark}\s]|{inner})"
    return rf"(?<!\w){mark}(?={word}*+\s++{word}++\s|(?:[^{mark}(=]|{inner})*+[(=])(?:[^{mark}]|{inner})*+(?:{mark}|$)"


_QUOTE = re.compile(
    "|".join(
        (
            r"(?P<own>(?:message|msg|detail|error|reason)\\?['\"]?\s?+[:=]\s?+\\?['\"])",
            *map(_quoted_by, ("'", '"', "`")),
        )
    ),
    re.IGNORECASE,
)
"""Matches a quote of three words or more, which is text of the request. The group `own` matches instead if the quote is
the message of another error within this one."""
_ECHO = re.compile(r"input_value=(?:.*, input_type=|.*)")
_SEPARATOR = re.compile(r"(?<=\d)[,_](?=\d{3}(?!\d))")
_THOUSANDS = re.compile(r"(?<=\d)k(?= tokens\b)")
_MARKS = str.maketrans({"_": " ", **dict.fromkeys("'\"`\\’", "")})

# ---- that the prompt is too long

_PROMPT_WORDS = (
    r"\b(?:prompt|inputs?|conversation|messages|context|history)"
    r"(?: (?:prompt|sequence|text|messages?|ids|tokens?|count|length|len|size|window|in|the|request|of|total|query|is"
    r"|are|has|contains|and|\+|draft|lookahead|slots|would|will|must|should|cannot|not|\d++|\([^()]{0,40}+\)),?){0,12}+"
)
_LIMIT_WORDS = (
    r"(?:context|session (?:max )?len|max(?:imum)? (?:(?:allowed|number|of) ){0,3}+(?:seq|input|prompt|model|num|token)"
    r"|model (?:length|len|token limit)|(?:input|prompt|token) (?:length|len|size|limit))"
)
_OVERFLOW = re.compile(
    "|".join(
        (
            rf"{_PROMPT_WORDS}:? too (?:long|large|big)\b|\brequest(?: is)? too long\b",
            rf"{_PROMPT_WORDS} (?:exceed|overflow)(?:s|ed|ing)?\b",
            r"\b(?:exceed(?:s|ed|ing)?|(?:longer|greater|larger|more|bigger) than)"
            rf"(?: (?!output|completion|answer)[\w()]++){{0,6}}? {_LIMIT_WORDS}",
            r"\b(?:context|max(?:imum)? (?:allowed )?(?:prompt|model|sequence|input)) (?:length|len|window|size|limit)"
            r"(?: is| of|:)?(?: only| at most)? \(?\d",
            r"\b(?:context|token) (?:length|window|size|limit)(?: (?:has been|was|is))? (?:exceeded|full|exhausted)\b",
            r"\bcontext (?:is full|overflow)\b",
            r"\binputs? (?:must|should) have (?:less|fewer) than\b",
            r"\binputs? tokens (?:\+|and) max new tokens must\b",
            r"\breduce the length of (?:the |your )?(?:input |chat )?(?:messages?|prompt|inputs?|either)\b",
            r"\btokens in (?:the )?(?:request|prompt|input) (?:is |are )?(?:more|greater|larger) than\b",
            r"\brange of input length should be\b",
            r"\binput (?:token )?length (?:error|too long)\b",
            r"\btoo many (?:input |prompt )?tokens\b",
            r"\bdefault max tokens \(-\d",
        )
    )
)
_NO_ROOM = re.compile(
    r"\bmax(?: completion| new)? tokens must be (?:at least 1|greater than 0|positive)[^-\d]{0,20}-(\d{1,12}+)"
)
"""Matches a negative room for the answer. It says by how many tokens the prompt is too long."""
_OTHER_LIMIT = re.compile(
    r"\brate.?limit|\bthrottl|\btoo many requests\b|\b(?:per|a) (?:second|minute|min|hour|day|month)\b|\b[tr]p[md]\b"
    r"|\bdaily\b|\bquota\b|\bcredits?\b|\bwait before\b"
)
"""Matches limits of requests or tokens per time, which are not about the length of one prompt."""
_NAME = re.compile(
    r"context(?:length|window|size|limit)?(?:exceeded|overflow|toolong|full)|exceed(?:ed|s)?context"
    r"|(?:prompt|input)(?:tokens?|length)?(?:toolong|toolarge|exceeded)|inputlengtherror"
)
"""Matches a `code` or `type` that names this error, reduced to its letters."""

# ---- by how many tokens

_N = r"(?<!\d)(\d{1,12}+)(?!\d)(?! (?:input |prompt )?(?:char|byte))"


def _compile(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, patterns))


_LIMIT = _compile(
    rf"\bcontext limit: \d+ \+ \d+ > {_N}|\btoo long: \d+ tokens > {_N}",
    rf"\bcontext(?: (?:length|window|size|limit))?(?: of this model)?(?: is| of|:)?(?: only| at most)? \(?{_N}",
    rf"{_N} max(?:imum)? context\b",
    r"\bmax(?:imum)?(?! tokens? \(?\d)(?: (?:allowed|prompt|model|sequence|seq|input|total|num|number|of|tokens?|length"
    rf"|len|size|limit)\b){{0,6}}+(?: is|:| =)? \(?{_N}",
    rf"\b(?:limit|capacity)(?: of| is|:) {_N}",
    rf"\b(?:less|fewer) than {_N} tokens",
    rf"\b(?:must be <=|not exceed|cannot exceed) {_N}",
    rf"\bshould be \[\d+, {_N}\]",
)
_PROMPT = _compile(
    rf"\bcontext limit: {_N} \+",
    rf"(?<!for ){_N} (?:input|inputs|prompt) tokens",
    r"(?<!maximum )(?<!max )(?<!allowed )\b(?:prompt|inputs?|request)(?: (?:prompt|tokens?|length|len|size|count|ids|of"
    rf"|has|contains|is|too long:)){{0,4}}+ \(?(?:total )?(?:length )?{_N}",
    rf"\b(?:given|received|got|resulted in|current length is):? {_N}",
    rf"{_N} tokens from the input messages|(?<=\(){_N} in (?:the messages|your prompt)",
)
_TOTAL = _compile(
    rf"\btotal of(?: at least)? {_N} tokens",
    rf"\brequested:?(?: about)? {_N}(?! (?:output|new|completion|input) )",
    rf"\b(?:total|requested)(?: (?:number|count|of|tokens?)\b){{1,4}}+:? \(?{_N}",
)
_ANSWER = _compile(
    rf"\bcontext limit: \d+ \+ {_N}",
    rf"{_N} (?:output|completion|max new) tokens",
    rf"{_N} (?:tokens )?(?:in|for) the (?:completion|output)",
    rf"\bmax(?: completion| new)? tokens \({_N}",
    rf"\btoo large: {_N}",
)


def make_plain(error_text: str) -> str:
    """Returns an error text in the form that is searched, without quotes of the request."""
    own = _QUOTE.sub(lambda match: match["own"] or "…", _ECHO.sub("", error_text))
    text = _THOUSANDS.sub("000", _SEPARATOR.sub("", own.lower()))
    return " ".join(text.translate(_MARKS).split())


def find_shortage(text: str) -> int | None:
    """Returns by how many tokens a prompt is too long if the server computed a negative room for the answer; else None.

    `text` comes from `make_plain`, here and in the other functions.
    """
    shortage = _NO_ROOM.search(text)
    return int(shortage[1]) if shortage else None


def is_overflow_name(name: str) -> bool:
    """Returns whether the value of a field such as `code` or `type` names this error."""
    return bool(_NAME.search("".join(filter(str.isalpha, name.lower()))))


def says_overflow(text: str) -> bool:
    """Returns whether the text says that a prompt is too long, and does not mention a limit per time."""
    return bool(_OVERFLOW.search(text)) and not _OTHER_LIMIT.search(text)


def read_counts(text: str) -> Counts:
    """Returns the token counts in the text."""
    return Counts(_find(_PROMPT, text), _find(_ANSWER, text), _find(_TOTAL, text), _find(_LIMIT, text))


def _find(patterns: Iterable[re.Pattern[str]], text: str) -> int:
    matches = (pattern.search(text) for pattern in patterns)
    return next((int(next(filter(None, match.groups()))) for match in matches if match), 0)
