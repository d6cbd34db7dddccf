"""The grammars in which models write calls as text, one row for each, as in the vendors' chat templates."""

from __future__ import annotations

import re
from dataclasses import replace

from tray_app.translate.markup.grammar import Elements, Grammar, JsonCalls, NamedCall

_BARE_KEY = re.compile(r"[^<]*")
_ATTRIBUTE = re.compile(r"[^<>\"']*")
_ATTRIBUTE_OPENERS = ('"', "'", "")
_ATTRIBUTE_CLOSERS = ('">', "'>", ">")


def _invoke(prefix: str, before: str = "", behind: str = "") -> NamedCall:
    """Claude's XML. `prefix` begins the names of its tags. `before` and `behind` stand around each call."""
    parameter = f"<{prefix}parameter name="
    return NamedCall(
        Elements(
            (f'{parameter}"', f"{parameter}'", parameter),
            _ATTRIBUTE,
            _ATTRIBUTE_CLOSERS,
            f"</{prefix}parameter>",
            margin="\n",
        ),
        opener=f"{before}<{prefix}invoke name=",
        name_openers=_ATTRIBUTE_OPENERS,
        name_closers=_ATTRIBUTE_CLOSERS,
        closer=f"</{prefix}invoke>{behind}",
    )


def _dsml(bar: str) -> NamedCall:
    name = f"{bar}DSML{bar}"
    return NamedCall(
        Elements(
            (f'<{name}parameter name="',),
            _ATTRIBUTE,
            ('" string="true">', '" string="false">', '">'),
            f"</{name}parameter>",
        ),
        opener=f'<{name}invoke name="',
        name_closers=('">',),
        closer=f"</{name}invoke>",
    )


def _deepseek(bar: str) -> NamedCall:
    """V3 writes the kind of the tool before its name, and puts its JSON into a code fence. V3.1 does neither."""
    return NamedCall(
        opener=f"<{bar}tool▁call▁begin{bar}>",
        name_openers=(f"function<{bar}tool▁sep{bar}>", ""),
        name_rest=(f"<{bar}tool▁sep{bar}>", "\n", "```json"),
        closer=f"<{bar}tool▁call▁end{bar}>",
    )


_GLM = NamedCall(Elements(("<arg_key>",), _BARE_KEY, ("</arg_key>",), "</arg_value>", value_opener="<arg_value>"))
_INVOKE = _invoke("")
_ANTML = _invoke("antml:")
_STEP = _invoke("steptml:")
_FUNCTION = NamedCall(
    Elements(("<parameter=",), _ATTRIBUTE, (">",), "</parameter>", margin="\n"),
    opener="<function=",
    name_openers=_ATTRIBUTE_OPENERS,
    name_closers=_ATTRIBUTE_CLOSERS,
    closer="</function>",
)
_KIMI = NamedCall(
    opener="<|tool_call_begin|>",
    name_closers=("<|tool_call_argument_begin|>",),
    closer="<|tool_call_end|>",
)
_HARMONY_REST = (
    *("<|channel|>commentary", "<|channel|>analysis", "<|constrain|>", "<|message|>"),
    *("commentary", "json", "code", " ", "\n"),
)
_HARMONY = NamedCall(opener="to=", name_rest=_HARMONY_REST)
_BARE_HARMONY = replace(_HARMONY, opener="")

_BARS = ("｜", "|")
"""DeepSeek's own bar is wider than the usual one. Some servers and models write the usual one instead."""
_DSML = {bar: _dsml(bar) for bar in _BARS}

_ALONE = (_INVOKE, _ANTML, _STEP, _FUNCTION, _KIMI, *_DSML.values())
"""The calls that models also write without a block around them."""

# All grammars apply to every model: a model may have learnt the calls of another one, and a user may add any model.
# Only a complete call of a tool that was offered counts as a call.
GRAMMARS = (  # of several grammars with the same opener, the one with a name behind it comes last
    Grammar("Hermes and Qwen", "<tool_call>", ("</tool_call>",), JsonCalls('{"')),
    Grammar("Hermes and Qwen", "<tool_call>", ("</tool_call>",), JsonCalls('[{"')),
    Grammar("Qwen3-Coder and Nemotron 3.5", "<tool_call>", ("</tool_call>",), _FUNCTION),
    Grammar("GLM 4.5 to 4.7", "<tool_call>", ("</tool_call>",), _GLM),
    Grammar("Seed", "<seed:tool_call>", ("</seed:tool_call>",), _FUNCTION),
    Grammar("MiniMax M2", "<minimax:tool_call>", ("</minimax:tool_call>",), _INVOKE),
    Grammar("Claude's XML", "<function_calls>", ("</function_calls>",), _INVOKE),
    Grammar("Claude's XML", "<function_calls>", ("</function_calls>",), _ANTML),
    Grammar("Nemotron 3", "<TOOLCALL>", ("</TOOLCALL>",), JsonCalls('[{"')),
    Grammar("Nemotron 3", "<TOOLCALL>", ("</TOOLCALL>",), JsonCalls('{"')),
    *(
        Grammar("gpt-oss", opener, ("<|call|>", "<|end|>", "<|return|>"), _HARMONY)
        for opener in ("<|channel|>commentary", "<|channel|>analysis", "<|start|>assistant")
    ),
    *(  # at the beginning of an answer: the token before it stands in the prompt, or upstream does not pass it on
        Grammar("gpt-oss", opener, ("<|call|>", "<|end|>", "<|return|>"), _BARE_HARMONY)
        for opener in ("to=functions.", "commentary to=functions.")
    ),
    *(
        Grammar("Kimi", opener, ("<|tool_calls_section_end|>", "<|tool_call_section_end|>"), _KIMI)
        for opener in ("<|tool_calls_section_begin|>", "<|tool_call_section_begin|>")
    ),
    *(
        Grammar("DeepSeek V3", f"<{bar}tool▁calls▁begin{bar}>", (f"<{bar}tool▁calls▁end{bar}>",), _deepseek(bar))
        for bar in _BARS
    ),
    *(
        Grammar("DeepSeek V3.2", f"<{bar}DSML{bar}{word}>", (f"</{bar}DSML{bar}{word}>",), call)
        for bar, call in _DSML.items()
        for word in ("function_calls", "tool_calls")
    ),
    Grammar("Step", "<steptml:toolcall>", ("</steptml:toolcall>",), _STEP),
    Grammar(
        "Step",
        "<｜tool_calls_begin｜>",
        ("<｜tool_calls_end｜>",),
        _invoke("steptml:", "<｜tool_call_begin｜>function<｜tool_sep｜>", "<｜tool_call_end｜>"),
    ),
    *(Grammar(call.opener, call.opener, (call.closer,), replace(call, opener="", closer="")) for call in _ALONE),
)


def _list_by_opener() -> dict[str, dict[str, Grammar]]:
    by_opener: dict[str, dict[str, Grammar]] = {grammar.opener: {} for grammar in GRAMMARS}
    for grammar in GRAMMARS:
        by_opener[grammar.opener][grammar.beginning] = grammar
    return by_opener


BY_OPENER = _list_by_opener()
"""Opener -> text that follows it -> grammar."""

BLOCKS_AROUND = {
    call.opener: {
        grammar.opener: grammar.closers
        for grammar in GRAMMARS
        if isinstance(grammar.calls, NamedCall) and grammar.calls.opener.endswith(call.opener)
    }
    for call in _ALONE
}
"""Opener of a call that may stand alone -> opener of a block that may stand around it -> closers of that block."""

CLOSERS = frozenset(closer for grammar in GRAMMARS for closer in grammar.closers)
"""The tags that end a block."""
