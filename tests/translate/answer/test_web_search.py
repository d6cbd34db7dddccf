"""Which requests are web searches, what they look for, and the answers they get."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import fold, read_events, story
from tests.support.validators import check_body, check_stream
from tests.translate.rows import ask
from tests.translate.upstream import MESSAGE_ID
from tray_app.errors import SearchErrorCode, SearchFailed
from tray_app.translate.answer.stream import to_frames
from tray_app.translate.answer.web_search import SearchResult, to_search_message
from tray_app.translate.request.search import Search, read_search
from tray_app.translate.request.validation import read_request

TOOL = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
OWN_TOOL = {"name": "get_weather", "input_schema": {"type": "object"}}

PAGES = (
    SearchResult("https://python.org/", "Python", "The language.", "3 days ago"),
    SearchResult("https://docs.python.org/", 'The "docs" 🐍'),
)


def read(*tools: dict[str, Any], **fields: Any) -> Search | None:
    body = {"model": "m", "tools": list(tools), "messages": [{"role": "user", "content": "Rome weather"}], **fields}
    return read_search(read_request(body))


def user(*texts: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}


@pytest.mark.parametrize(
    ("fields", "search"),
    [
        ({}, Search("Rome weather")),
        ({"tool_choice": {"type": "auto"}}, Search("Rome weather")),
        ({"tool_choice": {"type": "tool", "name": "web_search"}}, Search("Rome weather")),
        ({"tools": [{**TOOL, "type": "web_search_20260318"}]}, Search("Rome weather")),
        (
            {"tools": [{**TOOL, "allowed_domains": ["a.org", 5, "b.org"]}]},
            Search("Rome weather", allowed_domains=("a.org", "b.org")),
        ),
        ({"tools": [{**TOOL, "blocked_domains": ["c.org"]}]}, Search("Rome weather", blocked_domains=("c.org",))),
        ({"tools": [{**TOOL, "allowed_domains": None, "blocked_domains": 5}]}, Search("Rome weather")),
        ({"tool_choice": {"type": "none"}}, None),
        ({"tools": []}, None),
        ({"tools": None}, None),
        ({"tools": [TOOL, OWN_TOOL]}, None),
        ({"tools": [OWN_TOOL]}, None),
        ({"tools": [TOOL, {"type": "web_fetch_20250910", "name": "web_fetch"}]}, None),
    ],
    ids=[
        *("alone", "auto", "forced", "a later date", "allowed domains", "blocked domains", "no list of domains"),
        *("forbidden", "empty", "null", "beside a client's tool", "another tool", "beside another server tool"),
    ],
)
def test_a_request_whose_only_tools_are_web_search_is_a_search(fields: dict[str, Any], search: Search | None) -> None:
    assert read(TOOL, **fields) == search


@pytest.mark.parametrize(
    ("messages", "query"),
    [
        ([user("Perform a web search for the query: latest Python")], "latest Python"),
        ([user("<system-reminder>x</system-reminder>", "Perform a web search for the query: a\nb")], "a\nb"),
        ([user("  Who won?\n")], "Who won?"),
        ([{"role": "user", "content": "Who won?"}], "Who won?"),
        ([user("Who won?"), {"role": "assistant", "content": "Who?"}, user("Oslo", "and Rome")], "Oslo\nand Rome"),
        ([user("Who won?"), {"role": "assistant", "content": "I look"}], "Who won?"),
        ([user("Who won?"), {"role": "system", "content": "be kind"}], "Who won?"),
        ([user("Who won?"), {"role": "user", "content": [{"type": "image", "source": {}}]}], "Who won?"),
        ([{"role": "user", "content": [{"type": "image", "source": {}}]}], ""),
    ],
    ids=["Claude Code's", "after a reminder", "plain", "string", "last", "prefill", "system", "image last", "no text"],
)
def test_the_query_is_what_claude_code_names_or_else_the_users_last_text(
    messages: list[dict[str, Any]], query: str
) -> None:
    assert read(TOOL, messages=messages) == Search(query)


def test_pages_become_results_and_a_text_that_lists_them() -> None:
    message = to_search_message(Search("python"), PAGES, ask(), MESSAGE_ID)
    call, result, text = message["content"]
    assert call == {
        "type": "server_tool_use",
        "id": "srvtoolu_0123456789abcdef",
        "name": "web_search",
        "input": {"query": "python"},
    }
    assert result["type"] == "web_search_tool_result"
    assert result["tool_use_id"] == call["id"]
    assert [(page["type"], page["url"], page["title"], page["page_age"]) for page in result["content"]] == [
        ("web_search_result", "https://python.org/", "Python", "3 days ago"),
        ("web_search_result", "https://docs.python.org/", 'The "docs" 🐍', None),
    ]
    assert text["text"] == (
        'The web search for "python" found:\n\n'
        "1. Python\n   https://python.org/\n   3 days ago\n   The language.\n\n"
        '2. The "docs" 🐍\n   https://docs.python.org/'
    )
    assert message["usage"]["server_tool_use"]["web_search_requests"] == 1
    assert message["usage"]["input_tokens"] == ask().input_tokens
    assert message["usage"]["output_tokens"] > 0


def test_a_search_that_finds_nothing_says_so() -> None:
    _, result, text = to_search_message(Search("xyzzy"), (), ask(), MESSAGE_ID)["content"]
    assert result["content"] == []
    assert text["text"] == 'The web search for "xyzzy" found nothing.'


@pytest.mark.parametrize("code", ["unavailable", "too_many_requests", "query_too_long", "invalid_tool_input"])
def test_a_failure_becomes_anthropics_error_and_its_sentence(code: SearchErrorCode) -> None:
    message = to_search_message(Search("python"), SearchFailed("Not today.", code), ask(), MESSAGE_ID)
    _, result, text = message["content"]
    assert result["content"] == {"type": "web_search_tool_result_error", "error_code": code}
    assert text == {"type": "text", "text": "Not today."}
    assert message["stop_reason"] == "end_turn"
    assert message["usage"]["server_tool_use"]["web_search_requests"] == 0, "nobody pays for a search that failed"


def test_the_call_and_the_text_are_streamed_and_the_result_comes_whole() -> None:
    message = to_search_message(Search("python"), SearchFailed("Not today."), ask(), MESSAGE_ID)
    frames = to_frames(message)
    assert story(frames) == [
        *("start server_tool_use#0", '+{"query":"python"}', "stop#0"),
        *("start web_search_tool_result#1", "stop#1"),
        *("start text#2", "+Not today.", "stop#2"),
        "end end_turn",
    ]
    starts = [event["content_block"] for event in read_events(frames) if event["type"] == "content_block_start"]
    assert starts == [{**message["content"][0], "input": {}}, message["content"][1], {"type": "text", "text": ""}]


@pytest.mark.parametrize("query", ["python", 'say "hi"\n\\o/ 🐍', "half an emoji \ud83d", ""])
@pytest.mark.parametrize("found", [PAGES, (), SearchFailed("Not today.")], ids=["pages", "none", "failure"])
def test_stream_and_plain_answer_are_one_message_that_keeps_the_rules(
    query: str, found: tuple[SearchResult, ...] | SearchFailed
) -> None:
    message = to_search_message(Search(query), found, ask(), MESSAGE_ID)
    frames = to_frames(message)
    check_body(message, tools=["web_search"], thinking=False)
    check_stream(frames, tools=["web_search"], thinking=False)
    reply = fold(frames)
    assert reply.is_finished
    assert reply.message_id == message["id"]
    assert (reply.content, reply.stop_reason, reply.usage) == (message["content"], "end_turn", message["usage"])
