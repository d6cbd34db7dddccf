"""Tests how calls and think tags that a model wrote as text are found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tests.translate.fuzz_markup import WORDS, check_bytes
from tray_app.translate.markup.pieces import Piece, Text, Thought, WrittenCall, WrittenCalls
from tray_app.translate.markup.reader import MAX_HELD_CHARS, MarkupReader
from tray_app.translate.markup.tags import TAGS
from tray_app.translate.markup.think_tags import THINK_TAGS

SCHEMAS: dict[str, dict[str, Any]] = {
    "Bash": {
        "type": "object",
        "properties": {
            "command": {"type": "string"},
            "timeout": {"type": "integer"},
            "background": {"type": "boolean"},
            "env": {"type": "object"},
        },
    },
    "get_weather": {"type": "object", "properties": {"location": {"type": "string"}}},
}

GLM_CALL = (
    "<tool_call>Bash\n<arg_key>command</arg_key>\n<arg_value>ls -la</arg_value>\n"
    "<arg_key>timeout</arg_key>\n<arg_value>5</arg_value>\n</tool_call>"
)
MINIMAX_CALLS = (
    '<minimax:tool_call>\n<invoke name="Bash">\n<parameter name="command">\necho "<b>"\n</parameter>\n'
    '<parameter name="env">{"A": 1}</parameter>\n</invoke>\n'
    '<invoke name="get_weather"><parameter name="location">Tōkyō</parameter></invoke>\n</minimax:tool_call>'
)
HERMES_CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"location": "Paris"}}\n</tool_call>'

Found = list[str | Thought | WrittenCall]

# text of a model -> what is found in it; a plain string is text
FOUND: dict[str, tuple[str, Found]] = {
    "prose is prose": ("Hello, world.", ["Hello, world."]),
    "angle brackets are prose": (
        "if a < b and c > d: <div> <tool> <thinking>",
        ["if a < b and c > d: <div> <tool> <thinking>"],
    ),
    "a GLM call": (GLM_CALL, [WrittenCall("Bash", {"command": "ls -la", "timeout": 5})]),
    "a GLM call between texts": (
        f"Let me look. {GLM_CALL} Done.",
        ["Let me look. ", WrittenCall("Bash", {"command": "ls -la", "timeout": 5}), " Done."],
    ),
    "a GLM call on one line": (
        "<tool_call>get_weather<arg_key>location</arg_key><arg_value>Oslo</arg_value></tool_call>",
        [WrittenCall("get_weather", {"location": "Oslo"})],
    ),
    "a GLM call without arguments": ("<tool_call>Bash\n</tool_call>", [WrittenCall("Bash", {})]),
    "two GLM calls": (
        GLM_CALL + "\n" + GLM_CALL,
        [
            WrittenCall("Bash", {"command": "ls -la", "timeout": 5}),
            "\n",
            WrittenCall("Bash", {"command": "ls -la", "timeout": 5}),
        ],
    ),
    "a closing tag inside a value belongs to the value": (
        "<tool_call>Bash<arg_key>command</arg_key><arg_value>echo </tool_call> </arg_value></tool_call>",
        [WrittenCall("Bash", {"command": "echo </tool_call> "})],
    ),
    "values are typed by the schema": (
        "<tool_call>Bash<arg_key>command</arg_key><arg_value>123</arg_value>"
        "<arg_key>background</arg_key><arg_value>true</arg_value>"
        '<arg_key>env</arg_key><arg_value>{"A": [1]}</arg_value>'
        "<arg_key>timeout</arg_key><arg_value>soon</arg_value></tool_call>",
        [WrittenCall("Bash", {"command": "123", "background": True, "env": {"A": [1]}, "timeout": "soon"})],
    ),
    "MiniMax calls": (
        MINIMAX_CALLS,
        [
            WrittenCall("Bash", {"command": 'echo "<b>"', "env": {"A": 1}}),
            WrittenCall("get_weather", {"location": "Tōkyō"}),
        ],
    ),
    "a Hermes call": (HERMES_CALL, [WrittenCall("get_weather", {"location": "Paris"})]),
    "a Hermes call whose arguments are encoded twice": (
        '<tool_call>{"name": "Bash", "arguments": "{\\"timeout\\": 5}"}</tool_call>',
        [WrittenCall("Bash", {"timeout": 5})],
    ),
    "a Hermes call whose name is no text is text": (
        '<tool_call>{"name": ["Bash"], "arguments": {}}</tool_call>',
        ['<tool_call>{"name": ["Bash"], "arguments": {}}</tool_call>'],
    ),
    "a call of a tool that was not offered is text": (
        "<tool_call>rm_rf\n<arg_key>a</arg_key><arg_value>b</arg_value></tool_call>",
        ["<tool_call>rm_rf\n<arg_key>a</arg_key><arg_value>b</arg_value></tool_call>"],
    ),
    "MiniMax calls of which one was not offered are text": (
        '<minimax:tool_call><invoke name="Bash"></invoke><invoke name="rm"></invoke></minimax:tool_call>',
        ['<minimax:tool_call><invoke name="Bash"></invoke><invoke name="rm"></invoke></minimax:tool_call>'],
    ),
    "a call without its end is text": (GLM_CALL[:-20], [GLM_CALL[:-20]]),
    "a tag in backticks is text": (f"Write `{HERMES_CALL}` to call.", [f"Write `{HERMES_CALL}` to call."]),
    "a call in a code fence is text": (f"```\n{GLM_CALL}\n```\n", [f"```\n{GLM_CALL}\n```\n"]),
    "a call after a code fence is a call": (
        f"```\nls\n```\n{HERMES_CALL}",
        ["```\nls\n```\n", WrittenCall("get_weather", {"location": "Paris"})],
    ),
    "prose that names the tag is text": ("The tag <tool_call> opens a call.", ["The tag <tool_call> opens a call."]),
    "think tags": ("<think>Hm.</think>\n\nHello.", [Thought("Hm."), "Hello."]),
    "MiniMax think tags": ("<mm:think>Hm.</mm:think>Hello.", [Thought("Hm."), "Hello."]),
    "empty think tags": ("<think></think>Hello.", ["Hello."]),
    "think tags that never close": ("<think>Hm, hm", [Thought("Hm, hm")]),
    "a closing think tag alone": ("</think>Hello.", ["Hello."]),
    "a think tag in mid sentence is prose": (
        "Models write <think> before they answer, and </think> behind that. So it is.",
        ["Models write <think> before they answer, and </think> behind that. So it is."],
    ),
    "think tags in mid sentence are prose": (
        "What is in <think>...</think> tags is hidden.\n\nSo it is.",
        ["What is in <think>...</think> tags is hidden.\n\nSo it is."],
    ),
    "a closing think tag in mid sentence is prose": (
        "The tag </think> ends it, and </mm:think> does, too.",
        ["The tag </think> ends it, and </mm:think> does, too."],
    ),
    "think tags at the beginning of a line": (
        "Let me see.\n<think>\nHm.\n</think>\n\nHello.",
        ["Let me see.\n", Thought("Hm.\n"), "Hello."],
    ),
    "think tags at the beginning of a line, indented": (
        "So.\n  <think>Hm.</think>Hi.",
        ["So.\n  ", Thought("Hm."), "Hi."],
    ),
    "a think tag at the beginning of a line that never closes is prose": (
        "There are two tags:\n<think> opens, and\n<think> once more.",
        ["There are two tags:\n<think> opens, and\n<think> once more."],
    ),
    "of two think tags in lines the one that closes is thinking": (
        "So.\n<mm:think> opens.\n<think>Hm.</think>Hi.",
        ["So.\n<mm:think> opens.\n", Thought("Hm."), "Hi."],
    ),
    "a call is found behind a think tag that never closes": (
        f"So.\n<think> opens.\n{HERMES_CALL}",
        ["So.\n<think> opens.\n", WrittenCall("get_weather", {"location": "Paris"})],
    ),
    "think tags behind white space": ("\n\n <think>Hm.</think>Hello.", ["\n\n ", Thought("Hm."), "Hello."]),
    "think tags again and again": (
        "<think>Hm.</think>\n<think>Hm, hm.</think>\nHello.",
        [Thought("Hm.Hm, hm."), "Hello."],
    ),
    "a closing think tag that the thinking quotes": (
        "<think>They ask for `</think>` and '</think>'. \"Hm\"</think>Hello.",
        [Thought("They ask for `</think>` and '</think>'. \"Hm\""), "Hello."],
    ),
    "<thinking>": ("<thinking>Hm.</thinking>\n\nHello.", [Thought("Hm."), "Hello."]),
    "<thought>": ("<thought>\nHm.\n</thought>\nHello.", [Thought("Hm.\n"), "Hello."]),
    "<thoughts>": ("<thoughts>Hm.</thoughts>Hello.", [Thought("Hm."), "Hello."]),
    "<reasoning>": ("<reasoning>Hm.</reasoning>Hello.", [Thought("Hm."), "Hello."]),
    "<seed:think>": ("<seed:think>Hm.</seed:think>Hello.", [Thought("Hm."), "Hello."]),
    "<longcat_think>": ("<longcat_think>Hm.</longcat_think>Hello.", [Thought("Hm."), "Hello."]),
    "[THINK]": ("[THINK]Hm [1].[/THINK]Hello [2].", [Thought("Hm [1]."), "Hello [2]."]),
    "◁think▷": ("◁think▷Hm.◁/think▷Hello.", [Thought("Hm."), "Hello."]),
    "<|channel>thought": ("<|channel>thought\nHm.<channel|>Hello.", [Thought("Hm."), "Hello."]),
    "<|START_THINKING|>": ("<|START_THINKING|>Hm.<|END_THINKING|>Hello.", [Thought("Hm."), "Hello."]),
    "<|begin_of_thought|>": ("<|begin_of_thought|>Hm.<|end_of_thought|>Hello.", [Thought("Hm."), "Hello."]),
    "<|channel|>analysis": (
        "<|channel|>analysis<|message|>Hm.<|channel|>final<|message|>Hello.",
        [Thought("<|message|>Hm."), "Hello."],
    ),
    "the words of other families count at the beginning only": (
        "So.\n<thinking>Hm.</thinking>\n[THINK]Hm.[/THINK]",
        ["So.\n<thinking>Hm.</thinking>\n[THINK]Hm.[/THINK]"],
    ),
    "what begins like a tag": ("[TH", ["[TH"]),
    "a list at the beginning": ("[1, 2] and <thin air>", ["[1, 2] and <thin air>"]),
    "a quoted think tag": ("The `<think>` tag.", ["The `<think>` tag."]),
    "control tokens": ("Done.<|observation|>", ["Done."]),
    "half a tag at the end": ("a <tool_ca", ["a <tool_ca"]),
}


def read(text: str, cuts: list[int], schemas: dict[str, dict[str, Any]] = SCHEMAS, *, is_whole: bool = False) -> Found:
    """Returns what the reader finds in the text, which is cut at these places. Neighboring texts are joined."""
    reader = MarkupReader(schemas)
    pieces: list[Piece] = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        pieces += reader.feed(text[start:end])
    return join([*pieces, *reader.flush(is_whole=is_whole)])


def join(pieces: list[Piece]) -> Found:
    joined: Found = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, Text):
            if isinstance(last, str):
                joined[-1] = last + piece.text
            elif piece.text:
                joined.append(piece.text)
        elif isinstance(piece, Thought) and isinstance(last, Thought):
            joined[-1] = Thought(last.text + piece.text)
        elif isinstance(piece, WrittenCalls):
            joined += piece.calls
        else:
            joined.append(piece)
    return joined


@pytest.mark.parametrize("name", FOUND)
def test_markup_is_found_and_prose_is_not_changed(name: str) -> None:
    text, found = FOUND[name]
    assert read(text, []) == found


@pytest.mark.parametrize("name", FOUND)
def test_any_cut_finds_the_same(name: str) -> None:
    text, found = FOUND[name]
    assert read(text, list(range(1, len(text)))) == found
    for cut in range(len(text) + 1):
        assert read(text, [cut]) == found


def test_a_closing_think_tag_alone_makes_what_stands_before_it_thinking() -> None:
    assert read("Hm, <b>.</think>\n\nHello.", []) == [Thought("Hm, <b>."), "Hello."]
    assert read("Hm, `</think>`, hm.", []) == ["Hm, `</think>`, hm."]


def test_each_family_has_its_example() -> None:
    for tags in THINK_TAGS:
        assert any(text.startswith(tags.opener) and len(found) > 1 for text, found in FOUND.values())


def test_thinking_at_the_beginning_of_an_answer_streams() -> None:
    for tags in THINK_TAGS:
        reader = MarkupReader(SCHEMAS)
        assert reader.feed(tags.opener) == []
        assert reader.feed("Hm,") == [Thought("Hm,")]
        assert reader.feed(" hm.") == [Thought(" hm.")]
        assert reader.feed(f"{tags.closer}Hello.") == [Text("Hello.")]


def test_text_behind_an_unclosed_think_tag_is_known() -> None:
    reader = MarkupReader(SCHEMAS)
    reader.feed("<think> opens thinking")
    reader.feed(" and so on.")
    assert reader.unclosed == "<think> opens thinking and so on."
    reader.feed("</think>")
    assert reader.unclosed == ""


def test_a_think_tag_in_a_line_is_held_no_longer_than_a_call() -> None:
    reader = MarkupReader(SCHEMAS)
    reader.feed("So.\n<think>")
    assert reader.feed("x" * 1_000) == []
    told = "".join(piece.text for piece in reader.feed("x" * MAX_HELD_CHARS) if isinstance(piece, Text))
    assert told.startswith("<think>xxx")
    assert join(reader.feed("</think>\n<think>Hm.</think>")) == ["</think>\n", Thought("Hm.")]


def test_line_ends_behind_a_think_tag_in_a_line_are_held_no_longer_than_a_call() -> None:
    reader = MarkupReader(SCHEMAS)
    reader.feed("So.\n<think>")
    assert join(reader.feed("\n" * MAX_HELD_CHARS)) == ["<think>" + "\n" * MAX_HELD_CHARS]


def test_text_that_was_given_out_before_a_closing_think_tag_stays_text() -> None:
    assert read("Hm.</think>\n\nHello.", [2]) == ["Hm.\n\nHello."]


def test_a_call_without_end_becomes_text_when_it_is_too_long() -> None:
    reader = MarkupReader(SCHEMAS)
    reader.feed("<tool_call>Bash<arg_key>command</arg_key><arg_value>")
    assert reader.feed("x" * 1_000) == []
    assert join(reader.feed("x" * MAX_HELD_CHARS)) != []


@pytest.mark.parametrize("cuts", [[], [3], [MAX_HELD_CHARS // 2], [MAX_HELD_CHARS - 1]])
def test_a_call_is_a_call_up_to_the_length_that_may_be_held(cuts: list[int]) -> None:
    start, end = "<tool_call>Bash<arg_key>command</arg_key><arg_value>", "</arg_value></tool_call>"
    value = "x" * (MAX_HELD_CHARS - len(start + end))
    assert read(start + value + end, cuts) == [WrittenCall("Bash", {"command": value})]
    assert read(start + value + "y" + end, cuts) == [start + value + "y" + end]


def test_a_call_is_found_behind_markup_that_is_no_call() -> None:
    half = "<tool_call>Bash<arg_key>command</arg_key><arg_value>ls</arg_value><arg_key>"
    assert read(half + GLM_CALL, []) == [half, WrittenCall("Bash", {"command": "ls -la", "timeout": 5})]
    assert read("<minimax:tool_call>" + HERMES_CALL, []) == [
        "<minimax:tool_call>",
        WrittenCall("get_weather", {"location": "Paris"}),
    ]


def test_a_call_of_another_family_is_found_within_a_call_that_never_ends() -> None:
    half = "<tool_call>Bash<arg_key>command</arg_key><arg_value>"
    assert read(half + HERMES_CALL + half + half, []) == [
        half,
        WrittenCall("get_weather", {"location": "Paris"}),
        half + half,
    ]


@pytest.mark.parametrize("text", ["<" * 1_000, "<tool_call>" * 100, "a < b <tool_call> c", "`<think>` <|us"])
def test_text_is_one_piece_however_many_signs_it_holds(text: str) -> None:
    reader = MarkupReader(SCHEMAS)
    pieces = reader.feed(text + ".")
    assert pieces == [Text(text + ".")]


def test_thinking_before_many_closing_tags_is_one_piece() -> None:
    reader = MarkupReader(SCHEMAS)
    assert reader.feed("a</think>b</think>c</think>d") == [Thought("abc"), Text("d")]


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_can_begin_nowhere_within_another(tag: str) -> None:
    """The reader relies on this: only the last `<` of a text may begin a tag that is incomplete."""
    assert tag.rfind("<") == 0


def test_without_tools_no_call_is_found() -> None:
    assert read(GLM_CALL, [], schemas={}) == [GLM_CALL]


@pytest.mark.parametrize(
    "prose", ["x < y", "a <b", "the tag <tool_call> is", "<tool_call>Bash is a shell", "<tool_calls>"]
)
def test_prose_is_delayed_no_longer_than_it_can_be_markup(prose: str) -> None:
    reader = MarkupReader(SCHEMAS)
    given_out = "".join(
        piece.text for character in prose for piece in reader.feed(character) if isinstance(piece, Text)
    )
    assert given_out == prose


def test_calls_are_found_in_reasoning_and_its_tags_are_dropped() -> None:
    reader = MarkupReader(SCHEMAS, is_reasoning=True)
    pieces = join(reader.feed(f"<think>I run it. {GLM_CALL}</think>") + reader.flush())
    assert pieces == [Thought("I run it. "), WrittenCall("Bash", {"command": "ls -la", "timeout": 5})]


_WORDS = st.sampled_from(
    [
        "word ",
        "a",
        "<",
        ">",
        "\n",
        "`",
        "```",
        "<think>",
        "</think>",
        "<tool_call>",
        "</tool_call>",
        "Bash",
        "<arg_key>",
        "</arg_key>",
        "<arg_value>",
        "</arg_value>",
        '{"name":',
        "<minimax:tool_call>",
        '<invoke name="',
        "</invoke>",
    ]
)


@bounded
@given(words=st.lists(_WORDS, max_size=25), data=st.data())
def test_any_slicing_of_any_text_finds_the_same(words: list[str], data: st.DataObject) -> None:
    text = "." + "".join(words)  # what has been given out before a closing think tag stays text
    cuts = sorted(data.draw(st.lists(st.integers(1, len(text)), max_size=6)))
    assert read(text, [1, *cuts]) == read(text, [1])


@bounded
@given(words=st.lists(_WORDS.filter(lambda word: "think" not in word), max_size=25))
def test_no_text_is_lost_if_no_call_is_found(words: list[str]) -> None:
    text = "".join(words)
    found = read(text, [])
    if not any(isinstance(piece, WrittenCall) for piece in found):
        assert "".join(piece for piece in found if isinstance(piece, str)) == text


@bounded
@given(st.integers(0, 60), st.lists(st.integers(0, len(WORDS) - 1), max_size=30))
def test_the_invariants_of_markup_hold_for_words_that_the_reader_knows(cut: int, words: list[int]) -> None:
    check_bytes(bytes([cut, *words]))
