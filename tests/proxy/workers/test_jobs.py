"""A request that a worker translates is the same as one that the gateway translates itself."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.pdfs import make_pdf
from tests.translate.rows import ROWS, SEEING
from tray_app.catalog import GLM_4_7, KIMI_K3, Catalog, Model
from tray_app.errors import InvalidRequest
from tray_app.proxy.workers.jobs import JOBS, PDF_KNOWN, PDF_READ, RequestArguments
from tray_app.proxy.workers.pdf_text import DIGEST_BYTES, digest_pdf
from tray_app.proxy.workers.question_pieces import MAX_FACTS_BYTES, PIECE_BYTES, join_question
from tray_app.translate.request.calibration import Calibration
from tray_app.translate.request.encoded import EncodedMessages, encode_body
from tray_app.translate.request.question import Question, Rules, count_tokens, read_question
from tray_app.translate.request.validation import read_request

CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted((Path(__file__).parents[2] / "translate" / "request").glob("cases/*.json"))
    for case in json.loads(file.read_text("utf-8"))
]


def rules_for(model: Model) -> Rules:
    return Rules(Catalog(), model, calibrations={model.id: Calibration((1.0, 1.2))})


def encode(arguments: RequestArguments) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(arguments))


def no_pdfs(_: bytes) -> bytes:
    raise AssertionError("there is no PDF in it")


def translate(body: Any, rules: Rules, **arguments: Any) -> Question:
    """Returns the question that a worker makes of a request."""
    data = bytearray(json.dumps(body).encode())
    return join_question(JOBS["translate"](encode(RequestArguments(rules, **arguments)), data, no_pdfs))


def decode_sent(question: Question) -> Any:
    """Returns the body that is sent upstream."""
    return json.loads(b"".join(encode_body(question.chat.body)))


def name_schemas(question: Question) -> dict[str, tuple[str, dict[str, Any]]]:
    """Returns name and schema of each tool by the name that is sent upstream."""
    return {sent: (tool.name, tool.parameters.schema) for sent, tool in question.chat.tools.items()}


@pytest.mark.parametrize("case", CASES)
def test_a_worker_translates_a_request_as_the_gateway_does(case: dict[str, Any]) -> None:
    rules = rules_for(ROWS[case.get("model", "glm")])
    body = {"model": "claude-sonnet-5", **case["request"]}
    if "error" in case:
        with pytest.raises(InvalidRequest) as refusal:
            translate(body, rules)
        assert refusal.value.message == case["error"]
        return
    expected = read_question(read_request(copy.deepcopy(body)), rules, {})
    found = translate(body, rules)
    assert decode_sent(found) == decode_sent(expected)
    assert isinstance(found.chat.body["messages"], EncodedMessages)
    assert name_schemas(found) == name_schemas(expected)
    names = ("model", "callable_schemas", "shows_thinking", "estimate", "input_tokens", "is_stream")
    for name in (*names, "used_call_ids", "json_brackets"):
        assert getattr(found.chat, name) == getattr(expected.chat, name), name
    assert [*found.chat.stop_sequences] == [*expected.chat.stop_sequences]
    assert (found.requested_model, found.search, found.is_background) == (
        expected.requested_model,
        expected.search,
        expected.is_background,
    )
    counted = JOBS["count"](encode(RequestArguments(rules)), bytearray(json.dumps(body).encode()), no_pdfs)
    assert json.loads(counted.content) == count_tokens(read_request(copy.deepcopy(body)), rules)


def test_another_model_can_be_named_and_the_headers_count() -> None:
    body = {"model": "x", "messages": [{"role": "user", "content": "hi"}]}
    found = translate(body, rules_for(GLM_4_7), model=KIMI_K3, headers={"x-claude-code-agent-id": "a1"})
    assert (found.chat.model, found.is_background) == (KIMI_K3, True)


def test_messages_come_in_pieces_of_a_bounded_number() -> None:
    body = {
        "model": "x",
        "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}] * 9000,
    }
    arguments = encode(RequestArguments(rules_for(GLM_4_7)))
    pieces = [*JOBS["translate"](arguments, bytearray(json.dumps(body).encode()), no_pdfs).pieces]
    assert all(len(piece) >= PIECE_BYTES for piece in pieces[:-1])
    assert len(pieces) > 3


@pytest.mark.parametrize("text", ["half \ud83d a pair", "a  é \U0001f600 \x00", ""], ids=ascii)
def test_any_text_arrives_unchanged(text: str) -> None:
    body = {
        "model": "x",
        "system": text,
        "messages": [{"role": "user", "content": f".{text}"}],
        "tools": [{"name": "Tool", "description": text, "input_schema": {"type": "object", "title": text}}],
    }
    rules = rules_for(GLM_4_7)
    assert decode_sent(translate(body, rules)) == decode_sent(
        read_question(read_request(copy.deepcopy(body)), rules, {})
    )


def test_a_pdf_is_asked_for_by_its_digest_and_sent_only_if_it_is_not_known() -> None:
    pdf = make_pdf("page")
    source = {"type": "base64", "media_type": "application/pdf", "data": pdf}
    document = {"type": "document", "source": source}
    asked: list[bytes] = []

    def answer(question: bytes) -> bytes:
        asked.append(question)
        is_known = len(asked) == 1
        return b"" if is_known else "the text é \ud83d".encode("utf-8", "surrogatepass")

    body = {"model": "x", "messages": [{"role": "user", "content": [document, document]}]}
    job = JOBS["translate"](encode(RequestArguments(rules_for(SEEING))), bytearray(json.dumps(body).encode()), answer)
    sent = b"".join(encode_body(join_question(job).chat.body))
    digest = digest_pdf(pdf)
    assert asked == [PDF_KNOWN + digest, PDF_READ + digest + pdf.encode(), PDF_KNOWN + digest]
    assert len(digest) == DIGEST_BYTES
    assert json.loads(sent)["messages"][0]["content"].count("the text é \ufffd") == 2


def test_a_request_that_is_too_large_without_its_messages_is_refused() -> None:
    body = {
        "model": "x",
        "tools": [{"name": "Tool", "description": "x" * MAX_FACTS_BYTES}],
        "messages": [{"role": "user", "content": "hi"}],
    }
    with pytest.raises(InvalidRequest, match="beside its messages"):
        translate(body, rules_for(GLM_4_7))
