"""The PDFs of a request are found, and replaced by their text."""

from __future__ import annotations

import copy
from typing import Any

from tests.translate.rows import read, read_loosely
from tray_app.translate.request.pdfs import find_pdfs, replace_pdfs


def document(**source: Any) -> dict[str, Any]:
    return {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", **source}}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def test_pdfs_are_found_in_messages_and_in_results() -> None:
    pdf, result = document(data="a"), document(data="b")
    others = [document(media_type="application/zip"), document(type="url", url="https://a.test/b.pdf")]
    content = [*others, pdf, {"type": "tool_result", "content": [result, *others]}, {"type": "document"}, 5, None]
    messages = [{"role": "user", "content": "text"}, {"role": "user"}, assistant(*content), assistant()]
    found = find_pdfs(read_loosely(messages=messages))
    assert [id(block) for block in found] == [id(pdf), id(result)]
    assert not [*find_pdfs(read_loosely(messages=[]))]
    assert not [*find_pdfs(read_loosely(messages=[{"role": "user", "content": {"type": "text"}}]))]


def fetched(content: Any) -> dict[str, Any]:
    return {"type": "web_fetch_tool_result", "content": {"type": "web_fetch_result", "content": content}}


def test_a_pdf_is_found_in_a_page_that_was_fetched() -> None:
    pdf = document(data="JVBERi0=")
    request = read(messages=[assistant(fetched("a"), fetched([5]), fetched(pdf))])
    assert [id(block) for block in find_pdfs(request)] == [id(pdf)]


def test_each_pdf_is_replaced_by_its_text_and_the_request_stays_as_it_is() -> None:
    result = {"type": "tool_result", "tool_use_id": "a", "content": [document(data="b"), {"type": "text", "text": "t"}]}
    messages = [{"role": "user", "content": "hi"}, assistant(document(data="a"), result, fetched(document(data=5)))]
    request = read(messages=messages)
    replaced = replace_pdfs(request, lambda pdf: f"text of {pdf!r}")
    assert request == read(messages=copy.deepcopy(messages))
    assert not [*find_pdfs(replaced)]
    first, second, third = replaced.messages[1].blocks
    texts = [first, second["content"][0], third["content"]["content"]]
    assert [text["source"] for text in texts] == [
        {"type": "text", "data": f"text of {pdf!r}"} for pdf in ("a", "b", "")
    ]
    assert second["content"][1] == {"type": "text", "text": "t"}
    assert replaced.messages[0] == request.messages[0]
