"""What Anthropic's SDKs do by themselves beside asking: they parse answers, run tools, turn pages, carry signatures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sdk.sdks import Sdk
from tests.sdk.test_sdks import anthropics_sdks, messages, pieces, said
from tests.support.chunks import completion, delta, finish, text, think, whole_call
from tests.support.fake_upstream import FakeUpstream, Reply, stream, whole
from tests.support.gateway import both_ways
from tray_app.translate.signature import sign_hidden

OMITTED = {"thinking": {"type": "adaptive", "display": "omitted"}}
"""The client wants no text of the thinking; the model has to have it before its eyes all the same."""


def says(words: str, *, is_stream: bool) -> Reply:
    return stream(text(words), finish()) if is_stream else whole(completion(words))


def calls(name: str, arguments: dict[str, Any], *, is_stream: bool) -> Reply:
    parts = whole_call(name, arguments)
    if is_stream:
        return stream(parts, finish("tool_calls"))
    return whole(completion(None, "tool_calls", tool_calls=parts["choices"][0]["delta"]["tool_calls"]))


# ---- answers as JSON

JSON = '{"city": "Oslo", "degrees": 3}'
WORDINGS = {
    "bare": JSON,
    "in a fence": f"```json\n{JSON}\n```",
    "in a fence after a sentence": f"Here is the forecast:\n\n```json\n{JSON}\n```\n",
    "after a sentence": f"Here is the forecast:\n{JSON}",
}


@anthropics_sdks
@both_ways
@pytest.mark.parametrize("wording", WORDINGS)
def test_an_answer_in_json_is_parsed_however_the_model_wraps_it(
    sdk: Sdk, wording: str, is_stream: bool, url: str, upstream: FakeUpstream
) -> None:
    words = WORDINGS[wording]
    upstream.script(stream(*map(text, words), finish()) if is_stream else whole(completion(words)))
    *written, last = sdk.play("parse", url, stream=is_stream)
    assert last == {"parsed": {"city": "Oslo", "degrees": 3}}
    if is_stream:
        assert "".join(pieces(written, "text")) == JSON
    assert '"degrees"' in str(upstream.received[0].body["messages"]), "the model is told the schema"


# ---- tools that the SDKs bring


@anthropics_sdks
@both_ways
def test_the_memory_tool_of_the_sdk_keeps_notes(
    sdk: Sdk, is_stream: bool, url: str, upstream: FakeUpstream, tmp_path: Path
) -> None:
    steps: list[dict[str, Any]] = [
        {"command": "view", "path": "/memories"},
        {"command": "create", "path": "/memories/notes.md", "file_text": "It rains.\n"},
        {"command": "insert", "path": "/memories/notes.md", "insert_line": "1", "insert_text": "It is cold.\n"},
        {"command": "str_replace", "path": "/memories/notes.md", "old_str": "rains", "new_str": "snows"},
        {"command": "rename", "old_path": "/memories/notes.md", "new_path": "/memories/weather.md"},
    ]
    upstream.script(*(calls("memory", step, is_stream=is_stream) for step in steps), says("Done.", is_stream=is_stream))
    lines = sdk.play("notes", url, stream=is_stream, folder=str(tmp_path), fields={"thread": False})
    assert messages(lines)[-1]["content"] == [said("Done.")]
    assert (tmp_path / "memories" / "weather.md").read_text() == "It snows.\nIt is cold.\n"
    assert upstream.received[0].body["tools"][0]["function"]["name"] == "memory"
    assert len(upstream.received) == len(steps) + 1


@anthropics_sdks
@both_ways
def test_bash_and_the_text_editor_run_in_the_tool_loop(
    sdk: Sdk, is_stream: bool, url: str, upstream: FakeUpstream
) -> None:
    editor = "str_replace_based_edit_tool"
    steps: list[tuple[str, dict[str, Any]]] = [
        ("bash", {"command": "ls"}),
        (editor, {"command": "view", "path": "/a.py", "view_range": [1, -1]}),
        (editor, {"command": "insert", "path": "/a.py", "insert_line": 0, "insert_text": "import os\n"}),
    ]
    tools = [{"type": "bash_20250124", "name": "bash"}, {"type": "text_editor_20250728", "name": editor}]
    upstream.script(*(calls(*step, is_stream=is_stream) for step in steps), says("Done.", is_stream=is_stream))
    lines = list(sdk.play("known", url, stream=is_stream, tools=tools, fields={"thread": False}))
    assert pieces(lines, "ran") == [list(step) for step in steps]
    assert messages(lines)[-1]["content"] == [said("Done.")]
    results = [message for message in upstream.received[-1].body["messages"] if message["role"] == "tool"]
    assert [result["content"] for result in results] == ["done"] * len(steps)


# ---- thinking that is not shown


def hidden(words: str) -> dict[str, str]:
    return {"type": "thinking", "thinking": "", "signature": sign_hidden(words)}


@anthropics_sdks
def test_thinking_that_is_not_shown_is_before_the_models_eyes_in_the_next_turn(
    sdk: Sdk, url: str, upstream: FakeUpstream
) -> None:
    upstream.script(stream(think("Hm, "), think("well.\n"), text("Hello"), finish()), stream(text("Bye"), finish()))
    lines = list(sdk.play("chat", url, prompts=["Say hello", "Say bye"], fields=OMITTED))
    assert not pieces(lines, "thinking")
    first, second = messages(lines)
    assert first["content"] == [hidden("Hm, well.\n"), said("Hello")]
    assert second["content"] == [said("Bye")]
    assert upstream.received[1].body["messages"][1] == {
        "role": "assistant",
        "content": "Hello",
        "reasoning_content": "Hm, well.\n",
    }


@anthropics_sdks
@both_ways
def test_thinking_that_is_not_shown_is_before_the_models_eyes_after_a_call(
    sdk: Sdk, is_stream: bool, url: str, upstream: FakeUpstream
) -> None:
    parts = whole_call("get_weather", {"city": "Oslo"})["choices"][0]["delta"]["tool_calls"]
    if is_stream:
        asked = stream(think("Oslo, then."), delta(tool_calls=parts), finish("tool_calls"))
    else:
        asked = whole(completion(None, "tool_calls", reasoning_content="Oslo, then.", tool_calls=parts))
    upstream.script(asked, says("Cold.", is_stream=is_stream))
    lines = list(sdk.play("loop", url, stream=is_stream, fields={**OMITTED, "thread": False}))
    assert messages(lines)[0]["content"][0] == hidden("Oslo, then.")
    assert pieces(lines, "ran") == [{"city": "Oslo"}]
    assert upstream.received[1].body["messages"][1]["reasoning_content"] == "Oslo, then."


# ---- models


@anthropics_sdks
def test_a_model_whose_id_has_a_slash_is_retrieved(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    assert list(sdk.play("retrieve", url, model="z-ai/glm4.7")) == [{"model": ["z-ai/glm4.7", "GLM 4.7", "active"]}]
    (line,) = sdk.play("retrieve", url, model="z-ai/unheard-of")
    assert (line["error"]["status"], line["error"]["type"]) == (404, "not_found_error")


@anthropics_sdks
def test_pages_of_one_model_each_are_the_whole_list(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    listed = pieces(sdk.play("models", url), "model")
    assert len(listed) > 1
    assert pieces(sdk.play("models", url, limit=1), "model") == listed
    assert pieces(sdk.play("models", url, limit=1, after_id=listed[0][0]), "model") == listed[1:]
    backwards = pieces(sdk.play("models", url, limit=1, before_id=listed[-1][0]), "model")
    assert backwards == listed[-2::-1]
