"""Tests the calls of each family of models, as its chat template writes them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.translate.markup.test_reader import SCHEMAS, Found, join, read
from tray_app.translate.markup.grammars import GRAMMARS
from tray_app.translate.markup.pieces import Thought, WrittenCall
from tray_app.translate.markup.reader import MarkupReader

LS = WrittenCall("Bash", {"command": "ls", "timeout": 5})
OSLO = WrittenCall("get_weather", {"location": "Oslo"})
CALL_AS_WRITTEN = WrittenCall("Bash", {"command": "ls", "timeout": "5"})  # the reader of arguments types what is JSON

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
    "GLM with JSON": ('<tool_call>Bash\n{"command": "ls", "timeout": "5"}\n</tool_call>', [CALL_AS_WRITTEN]),
    "Hermes, several in a row": (
        '<tool_call>\n{"name": "Bash", "arguments": {"command": "ls", "timeout": 5}}\n'
        '{"name": "get_weather", "arguments": "{\\"location\\": \\"Oslo\\"}"}\n</tool_call>',
        [LS, OSLO],
    ),
    "Hermes, a list": (
        '<tool_call>[{"name": "Bash", "parameters": {"command": "ls", "timeout": 5}}, '
        '{"type": "function", "function": {"name": "get_weather", "arguments": {"location": "Oslo"}}}]</tool_call>',
        [LS, OSLO],
    ),
    "Hermes without arguments": ('<tool_call>{"name": "Bash"}</tool_call>', [WrittenCall("Bash", {})]),
    "Hermes with null for arguments": (
        '<tool_call>{"name": "Bash", "arguments": null}</tool_call>',
        [WrittenCall("Bash", {})],
    ),
    "Hermes with a line end in a string": (
        '<tool_call>{"name": "get_weather", "arguments": {"location": "Os\nlo"}}</tool_call>',
        [WrittenCall("get_weather", {"location": "Os\nlo"})],
    ),
    "Claude's XML under its full name": (
        '<function_calls>\n<ANTinvoke name="get_weather">\n<ANTparameter name="location">Oslo</ANTparameter>\n'
        "</ANTinvoke>\n</function_calls>".replace("ANT", "antml:"),
        [OSLO],
    ),
    "Claude's XML under its full name without its outer tag": (
        '<ANTinvoke name="get_weather">\n<ANTparameter name="location">Oslo</ANTparameter>\n</ANTinvoke>'.replace(
            "ANT", "antml:"
        ),
        [OSLO],
    ),
    "Claude's XML, several": (
        '<function_calls><invoke name="Bash"><parameter name="command">ls</parameter><parameter name="timeout">5'
        '</parameter></invoke>\n<invoke name="get_weather"><parameter name="location">Oslo</parameter></invoke>'
        "</function_calls>",
        [LS, OSLO],
    ),
    "Qwen3-Coder, several": (
        "<tool_call><function=Bash><parameter=command>ls</parameter><parameter=timeout>5</parameter></function>"
        "<function=get_weather><parameter=location>Oslo</parameter></function></tool_call>",
        [LS, OSLO],
    ),
    "Qwen3-Coder with a quoted name": ('<function="Bash"></function>', [WrittenCall("Bash", {})]),
    "Llama": ('<function=get_weather>{"location": "Oslo"}</function>', [OSLO]),
    "Seed": (
        "<seed:tool_call>\n<function=get_weather>\n<parameter=location>Oslo</parameter>\n</function>\n</seed:tool_call>",
        [OSLO],
    ),
    "Nemotron, one": ('<TOOLCALL>{"name": "get_weather", "arguments": {"location": "Oslo"}}</TOOLCALL>', [OSLO]),
    "gpt-oss, its recipient before the channel": (
        "<|start|>assistant to=functions.get_weather<|channel|>commentary <|constrain|>json<|message|>"
        '{"location": "Oslo"}<|call|>',
        [OSLO],
    ),
    "gpt-oss without a namespace": (
        '<|channel|>commentary to=get_weather json<|message|>{"location": "Oslo"}<|end|>',
        [OSLO],
    ),
    "Kimi, the other spelling": (
        "<|tool_call_section_begin|><|tool_call_begin|>functions.get_weather:12<|tool_call_argument_begin|>"
        '{"location": "Oslo"}<|tool_call_end|><|tool_call_section_end|>',
        [OSLO],
    ),
    "Kimi without its outer tag": (
        '<|tool_call_begin|>get_weather:0<|tool_call_argument_begin|>{"location": "Oslo"}<|tool_call_end|>',
        [OSLO],
    ),
    "DeepSeek V3": (
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n"
        '{"location": "Oslo"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        [OSLO],
    ),
    "DeepSeek V3.1 with narrow bars": (
        '<|tool▁calls▁begin|><|tool▁call▁begin|>get_weather<|tool▁sep|>{"location": "Oslo"}<|tool▁call▁end|>'
        "<|tool▁calls▁end|>",
        [OSLO],
    ),
    "DeepSeek V3.2, several": (
        '<｜DSML｜function_calls><｜DSML｜invoke name="get_weather"><｜DSML｜parameter name="location" string="true">'
        'Oslo</｜DSML｜parameter></｜DSML｜invoke><｜DSML｜invoke name="Bash"></｜DSML｜invoke>'
        "</｜DSML｜function_calls>",
        [OSLO, WrittenCall("Bash", {})],
    ),
    "DeepSeek V4": (
        '<｜DSML｜tool_calls>\n<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="location" string="true">'
        "Oslo</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>",
        [OSLO],
    ),
    "DeepSeek V3.2 without its outer tag": (
        '<｜DSML｜invoke name="get_weather"><｜DSML｜parameter name="location">Oslo'
        "</｜DSML｜parameter></｜DSML｜invoke>",
        [OSLO],
    ),
    "DeepSeek V3.2 with narrow bars": (
        '<|DSML|function_calls><|DSML|invoke name="get_weather"><|DSML|parameter name="location" string="true">Oslo'
        "</|DSML|parameter></|DSML|invoke></|DSML|function_calls>",
        [OSLO],
    ),
    "DeepSeek V4 with narrow bars": (
        '<|DSML|tool_calls><|DSML|invoke name="get_weather"><|DSML|parameter name="location" string="true">Oslo'
        "</|DSML|parameter></|DSML|invoke></|DSML|tool_calls>",
        [OSLO],
    ),
    "DeepSeek with narrow bars and without its outer tag": (
        '<|DSML|invoke name="get_weather"><|DSML|parameter name="location">Oslo</|DSML|parameter></|DSML|invoke>',
        [OSLO],
    ),
    "Step": (
        '<steptml:toolcall><steptml:invoke name="get_weather"><steptml:parameter name="location">Oslo'
        "</steptml:parameter></steptml:invoke></steptml:toolcall>",
        [OSLO],
    ),
    "Step without its outer tag": (
        '<steptml:invoke name="get_weather"><steptml:parameter name="location">Oslo</steptml:parameter>'
        "</steptml:invoke>",
        [OSLO],
    ),
    "Step 3": (
        '<｜tool_calls_begin｜>\n<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="get_weather">\n'
        '<steptml:parameter name="location">Oslo</steptml:parameter>\n</steptml:invoke><｜tool_call_end｜>\n'
        "<｜tool_calls_end｜>",
        [OSLO],
    ),
}

# what a model writes at the very beginning of an answer, whose first token upstream did not pass on -> the calls
FIRST_BLOCKS: dict[str, tuple[str, list[WrittenCall]]] = {
    "gpt-oss, its recipient before the channel": (
        ' to=functions.get_weather<|channel|>commentary <|constrain|>json<|message|>{"location": "Oslo"}<|call|>',
        [OSLO],
    ),
    "gpt-oss without its tokens": ('commentary to=functions.get_weather json{"location": "Oslo"}<|call|>', [OSLO]),
}


@pytest.mark.parametrize("family", FIRST_BLOCKS)
def test_a_call_at_the_beginning_of_an_answer_may_lack_its_first_token(family: str) -> None:
    block, calls = FIRST_BLOCKS[family]
    for cut in range(len(block) + 1):
        assert [piece for piece in read(block, [cut]) if piece != " "] == calls
    assert not any(isinstance(piece, WrittenCall) for piece in read(f"Hello. {block}", []))


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


@pytest.mark.parametrize("family", BLOCKS)
def test_at_the_end_of_a_whole_answer_a_block_may_lack_its_last_tag(family: str) -> None:
    block, calls = BLOCKS[family]
    if calls[-1].arguments or block.count("</") > 1:
        half = block[: block.rindex("<")]
        assert read(half, [], is_whole=True) == calls
        assert read(half, list(range(1, len(half))), is_whole=True) == calls
        assert read(f"{half}\n", [], is_whole=True) == calls


@pytest.mark.parametrize("family", BLOCKS)
def test_a_whole_answer_that_ends_within_a_call_has_no_call(family: str) -> None:
    block, _ = BLOCKS[family]
    for place, character in enumerate(block):
        if character in "Oo5":  # in "Oslo", in "command", behind the beginning of a value
            half = block[:place]
            assert "".join(part for part in read(half, [], is_whole=True) if isinstance(part, str)) in (
                half,
                *without_control_tokens(half),
            )


@pytest.mark.parametrize("end", ["<|im_end|>", "\n<|endoftext|>", "<|observation|>"])
def test_a_block_may_end_with_the_token_that_ends_an_answer(end: str) -> None:
    assert read(f'<tool_call>{{"name": "Bash", "arguments": {{}}}}{end}', []) == [WrittenCall("Bash", {})]


@pytest.mark.parametrize(
    "text",
    [
        "<function=Bash></function></tool_call>",
        "<function=Bash></function>\n</tool_call>\n</tool_call>",
        '<invoke name="Bash"></invoke></minimax:tool_call>',
        '<tool_call>{"name": "Bash"}</tool_call></tool_call>',
    ],
)
def test_a_surplus_closing_tag_behind_a_call_is_dropped(text: str) -> None:
    for cut in range(len(text)):
        [call, *rest] = read(text, [cut])
        assert call == WrittenCall("Bash", {})
        assert "".join(map(str, rest)).strip() == ""
    assert read(f"{text} and </tool_call>.", [])[-1].endswith(" and </tool_call>.")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name", ["functions.Bash", "default_api:Bash", "default_api.Bash", "tools.Bash", "bash", "BASH", "Bash()", "ba-sh"]
)
def test_a_tool_is_found_under_a_name_that_is_a_little_off(name: str) -> None:
    for text in (
        f"<tool_call>{name}\n<arg_key>command</arg_key><arg_value>ls</arg_value></tool_call>",
        f'<tool_call>{{"name": "{name}", "arguments": {{"command": "ls"}}}}</tool_call>',
        f"<function={name}><parameter=command>ls</parameter></function>",
        f'<invoke name="{name}"><parameter name="command">ls</parameter></invoke>',
    ):
        assert read(text, []) == [WrittenCall("Bash", {"command": "ls"})]
        assert read(text, list(range(1, len(text)))) == [WrittenCall("Bash", {"command": "ls"})]


def test_a_name_that_fits_several_tools_makes_no_call() -> None:
    text = "<tool_call>BASH\n</tool_call>"
    assert read(text, [], {"bash": {}, "Bash": {}}) == [text]
    assert read(text, [], {"bash": {}, "get_weather": {}}) == [WrittenCall("bash", {})]


CALL_WHILE_THINKING = '<|channel|>analysis to=functions.Bash code<|message|>{"command": "ls"}<|call|>'


def test_gpt_oss_may_call_while_it_thinks() -> None:
    text = f"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant{CALL_WHILE_THINKING}"
    for cut in range(len(text) + 1):
        assert read(text, [cut]) == [Thought("<|message|>Hm."), WrittenCall("Bash", {"command": "ls"})]


def test_what_gpt_oss_says_before_a_call_is_text() -> None:
    text = f"<|channel|>commentary<|message|>I look.<|end|><|start|>assistant{BLOCKS['gpt-oss'][0]}"
    for cut in range(len(text) + 1):
        assert read(text, [cut]) == ["I look.", LS]
    assert read(text[: text.index("<|end|>")], [], {}) == ["I look."]


def without_control_tokens(text: str) -> Found:
    for token in ("<|message|>", "<|end|>"):
        text = text.replace(token, "")
    return [re.sub(r"(?<!`)<\|start\|>assistant", "", text)]


def test_each_grammar_has_its_example() -> None:
    for grammar in GRAMMARS:
        blocks = [*BLOCKS.values(), *FIRST_BLOCKS.values(), (CALL_WHILE_THINKING, [])]
        assert any(block.strip().startswith(grammar.opener) for block, _ in blocks)


def test_arguments_that_are_no_json_object_make_no_call() -> None:
    for arguments in ("[1]", '{"command": ls}', '"ls"', "{}{}", ""):
        call = f"<｜tool▁call▁begin｜>Bash<｜tool▁sep｜>{arguments}<｜tool▁call▁end｜>"
        text = f"<｜tool▁calls▁begin｜>{call}<｜tool▁calls▁end｜>"
        assert read(text, []) == [text]


def test_closers_within_a_value_belong_to_it() -> None:
    value = "echo </parameter> </function> </function></tool_call>"
    text = f"<tool_call><function=Bash><parameter=command>{value}</parameter></function></tool_call>"
    assert read(text, []) == [WrittenCall("Bash", {"command": value})]


def test_a_call_within_a_block_that_is_text_is_text_too() -> None:
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
