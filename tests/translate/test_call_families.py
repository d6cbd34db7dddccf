"""The calls of each family of models, as its chat template writes them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.test_markup import SCHEMAS, Found, join, read
from tray_app.translate.grammars import GRAMMARS, WrittenCall
from tray_app.translate.markup import MarkupReader, Thought

LS = WrittenCall("Bash", {"command": "ls", "timeout": 5})
OSLO = WrittenCall("get_weather", {"location": "Oslo"})

# a block of calls -> the calls
BLOCKS: dict[str, tuple[str, list[WrittenCall]]] = {
    "GLM": (
        "<tool_call>Bash\n<arg_key>command</arg_key>\n<arg_value>ls</arg_value>\n"
        "<arg_key>timeout</arg_key>\n<arg_value>5</arg_value>\n</tool_call>",
        [LS],
    ),
    "Hermes": ('<tool_call>\n{"name": "get_weather", "arguments": {"location": "Oslo"}}\n</tool_call>', [OSLO]),
    "MiniMax": (
        '<minimax:tool_call>\n<invoke name="Bash">\n<parameter name="command">ls</parameter>\n'
        '<parameter name="timeout">5</parameter>\n</invoke>\n'
        '<invoke name="get_weather">\n<parameter name="location">Oslo</parameter>\n</invoke>\n</minimax:tool_call>',
        [LS, OSLO],
    ),
    "MiniMax without its outer tag": (
        '<invoke name="Bash">\n<parameter name="command">ls</parameter>\n<parameter name="timeout">5</parameter>\n'
        "</invoke>",
        [LS],
    ),
    "Claude's XML": (
        '<function_calls>\n<invoke name="Bash">\n<parameter name="command">ls</parameter>\n'
        '<parameter name="timeout">5</parameter>\n</invoke>\n</function_calls>',
        [LS],
    ),
    "Qwen3-Coder": (
        "<tool_call>\n<function=Bash>\n<parameter=command>\nls\n</parameter>\n<parameter=timeout>\n5\n</parameter>\n"
        "</function>\n</tool_call>",
        [LS],
    ),
    "Qwen3-Coder without its outer tag": (
        "<function=get_weather>\n<parameter=location>\nOslo\n</parameter>\n</function>",
        [OSLO],
    ),
    "Nemotron": (
        '<TOOLCALL>[{"name": "Bash", "arguments": {"command": "ls", "timeout": 5}}, '
        '{"name": "get_weather", "arguments": {"location": "Oslo"}}]</TOOLCALL>',
        [LS, OSLO],
    ),
    "gpt-oss": (
        '<|channel|>commentary to=functions.Bash <|constrain|>json<|message|>{"command": "ls", "timeout": 5}<|call|>',
        [LS],
    ),
    "gpt-oss without a constraint": (
        '<|channel|>commentary to=functions.get_weather<|message|>{"location": "Oslo"}<|call|>',
        [OSLO],
    ),
    "Kimi": (
        '<|tool_calls_section_begin|><|tool_call_begin|>functions.Bash:0<|tool_call_argument_begin|>{"command": "ls", '
        '"timeout": 5}<|tool_call_end|><|tool_call_begin|>functions.get_weather:1<|tool_call_argument_begin|>'
        '{"location": "Oslo"}<|tool_call_end|><|tool_calls_section_end|>',
        [LS, OSLO],
    ),
    "DeepSeek V3.1": (
        "<｜tool▁calls▁begin｜>"
        '<｜tool▁call▁begin｜>Bash<｜tool▁sep｜>{"command": "ls", "timeout": 5}<｜tool▁call▁end｜>\n'
        '<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"location": "Oslo"}<｜tool▁call▁end｜>'
        "<｜tool▁calls▁end｜>",
        [LS, OSLO],
    ),
    "DeepSeek V3.2": (
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="Bash">\n'
        '<｜DSML｜parameter name="command" string="true">ls</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="timeout" string="false">5</｜DSML｜parameter>\n'
        "</｜DSML｜invoke>\n</｜DSML｜function_calls>",
        [LS],
    ),
}


@pytest.mark.parametrize("family", BLOCKS)
def test_the_calls_of_a_block_are_found_wherever_it_is_cut(family: str) -> None:
    block, calls = BLOCKS[family]
    text, found = f"Let me look.\n{block}\nDone.", ["Let me look.\n", *calls, "\nDone."]
    assert read(text, list(range(1, len(text)))) == found
    for cut in range(len(text) + 1):
        assert read(text, [cut]) == found


@pytest.mark.parametrize("family", BLOCKS)
def test_the_block_of_a_tool_that_is_not_offered_is_text(family: str) -> None:
    block, _ = BLOCKS[family]
    others: dict[str, dict[str, Any]] = {"Read": {}}
    assert read(block, [], others) == without_control_tokens(block)
    assert read(block, list(range(1, len(block))), others) == without_control_tokens(block)


@pytest.mark.parametrize("family", BLOCKS)
def test_a_block_in_backticks_is_text(family: str) -> None:
    block, _ = BLOCKS[family]
    assert read(f"Write `{block}`.", []) == without_control_tokens(f"Write `{block}`.")


@pytest.mark.parametrize("family", BLOCKS)
def test_a_block_without_its_end_is_text(family: str) -> None:
    block, _ = BLOCKS[family]
    half = block[: block.rindex("<")]
    assert read(half, []) == without_control_tokens(half)


def without_control_tokens(text: str) -> Found:
    return [text.replace("<|message|>", "")]


def test_each_grammar_has_its_example() -> None:
    for grammar in GRAMMARS:
        assert any(block.startswith(grammar.opener) for block, _ in BLOCKS.values())


def test_arguments_that_are_no_json_object_make_no_call() -> None:
    for arguments in ("[1]", '{"command": ls}', '"ls"', "{}{}", ""):
        call = f"<｜tool▁call▁begin｜>Bash<｜tool▁sep｜>{arguments}<｜tool▁call▁end｜>"
        text = f"<｜tool▁calls▁begin｜>{call}<｜tool▁calls▁end｜>"
        assert read(text, []) == [text]


def test_closers_within_a_value_belong_to_it() -> None:
    value = "echo </parameter> </function> </function></tool_call>"
    text = f"<tool_call><function=Bash><parameter=command>{value}</parameter></function></tool_call>"
    assert read(text, []) == [WrittenCall("Bash", {"command": value})]


def test_a_call_within_a_block_that_is_none_is_text_with_it() -> None:
    call = "<function=Bash>\n</function>"
    for block in (
        f"<tool_call>{call}<function=rm></function></tool_call>",
        f"<tool_call><function=rm></function>{call}</tool_call>",
        f"`<tool_call>`{call}</tool_call>",
    ):
        assert read(block, []) == [block]
        assert read(f"{block} {call}", []) == [f"{block} ", WrittenCall("Bash", {})]


def test_the_channels_of_gpt_oss_are_thinking_and_text() -> None:
    reader = MarkupReader(SCHEMAS)
    text = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hello.<|return|>"
    found = join([*reader.feed(text), *reader.flush()])
    assert found == [Thought("<|message|>Hm."), "Hello."]  # the reader of thinking drops the control token
