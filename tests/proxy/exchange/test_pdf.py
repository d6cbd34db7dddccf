"""PDFs: their text, the notes if there is no text, and that each is read once without delaying others."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import LogFile
from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, whole
from tests.support.gateway import RunningGateway, question
from tests.support.leftovers import wait_until_held, wait_until_nothing_is_held
from tests.support.pdfs import make_pdf, make_slow_pdf
from tests.translate.bounded import bounded
from tray_app.proxy.exchange import pdf
from tray_app.proxy.exchange.pdf import MAX_READ_S, PdfTexts
from tray_app.proxy.workers.frames import Job, Result
from tray_app.proxy.workers.pdf_text import MAX_CHARS, MAX_PAGES, digest_pdf, read_pdf
from tray_app.proxy.workers.pool import WorkerPool
from tray_app.proxy.workers.worker import Answer

HELLO = make_pdf("Hello\nfrom a file")
HELLO_TEXT = "[Page 1 of 1]\nHello\nfrom a file"
BROKEN_PAGE = b"BT /F1 12 Tf (a bracket that nobody closes Tj ET"
DAMAGED = "[This PDF cannot be read: it is damaged, or no PDF.]"
ENCRYPTED = "[This PDF is encrypted, and its text cannot be read.]"
EMPTY = "[This PDF is empty: there is no data in it.]"


def document(data: object, **fields: Any) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    return {"type": "document", "source": source, **fields}


# ---- text and notes


def test_the_text_comes_page_by_page() -> None:
    assert read_pdf(make_pdf("one", "two\nlines")) == "[Page 1 of 2]\none\n\n[Page 2 of 2]\ntwo\nlines"


def test_pages_without_text_and_broken_ones_are_named() -> None:
    text = read_pdf(make_pdf("one", "", "three", BROKEN_PAGE, "", "", "seven"))
    assert text.split("\n\n") == [
        *("[Page 1 of 7]\none", "[Page 3 of 7]\nthree", "[Page 7 of 7]\nseven"),
        "[Without readable text, as scans and pictures are: pages 2, 4-6.]",
    ]
    assert read_pdf(make_pdf("")) == "[Without readable text, as scans and pictures are: page 1.]"


def test_a_pdf_with_an_owner_password_only_is_read() -> None:
    assert read_pdf(make_pdf("open to all", password="")) == "[Page 1 of 1]\nopen to all"


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (make_pdf("secret", password="word"), ENCRYPTED),
        (make_pdf(), "[This PDF has no pages.]"),
        ("", EMPTY),
        ("\n  \n", EMPTY),
        (base64.b64encode(b"%PDF-1.4\n").decode(), DAMAGED),
        (base64.b64encode(b"a letter, not a PDF").decode(), DAMAGED),
        (HELLO[:400], DAMAGED),
        ("Q", DAMAGED),
        ("\ud83d no base64 \ud83d", DAMAGED),
    ],
    ids=["encrypted", "no pages", "no data", "blank", "head only", "no PDF", "half", "one digit", "no base64"],
)
def test_a_note_says_why_a_pdf_has_no_text(data: str, note: str) -> None:
    assert read_pdf(data) == note


@pytest.mark.parametrize(
    "data",
    [
        "\n".join(HELLO[i : i + 76] for i in range(0, len(HELLO), 76)),
        HELLO.rstrip("="),
        f" {HELLO}\t\ud83d",
        f"data:application/pdf;base64,{HELLO}",
    ],
    ids=["in lines", "without padding", "with junk around it", "as a data address"],
)
def test_base64_may_be_untidy(data: str) -> None:
    assert read_pdf(data) == HELLO_TEXT


def test_many_pages_are_passed_on_up_to_a_limit_that_is_named() -> None:
    text = read_pdf(make_pdf(*(f"page {n}" for n in range(1, MAX_PAGES + 4))))
    assert f"[Page {MAX_PAGES} of {MAX_PAGES + 3}]\npage {MAX_PAGES}" in text
    assert f"page {MAX_PAGES + 1}" not in text
    assert text.endswith(f"[The rest is left out: this PDF is passed on up to page {MAX_PAGES} of {MAX_PAGES + 3}.]")


def test_much_text_is_passed_on_up_to_a_limit_that_is_named() -> None:
    long_page = "\n".join("x" * 99 for _ in range(MAX_CHARS // 150))  # two thirds of the limit
    text = read_pdf(make_pdf("one", long_page, long_page))
    assert MAX_CHARS < len(text) < MAX_CHARS + 200
    assert text.endswith("x\n\n[The rest is left out: this PDF is passed on up to page 3 of 3.]")


def test_reading_stops_after_a_page_if_told_so() -> None:
    text = read_pdf(make_pdf("one", "two"), lambda: True)
    assert text == "[Page 1 of 2]\none\n\n[The rest is left out: this PDF is passed on up to page 1 of 2.]"


@bounded
@given(st.binary(max_size=40), st.integers(0, 2000), st.integers(0, 40))
def test_a_file_that_is_damaged_anywhere_is_text_or_a_note(junk: bytes, place: int, missing: int) -> None:
    file = base64.b64decode(HELLO)
    place %= len(file)
    damaged = file[:place] + junk + file[place + missing :]
    text = read_pdf(base64.b64encode(damaged).decode())
    assert text.startswith("[")
    assert "%PDF" not in text


# ---- in a request


@pytest.fixture
def ask(gateway: RunningGateway, upstream: FakeUpstream) -> Callable[..., list[dict[str, Any]]]:
    """Sends turns of a conversation, and returns the messages that upstream received."""

    def ask(*messages: dict[str, Any]) -> list[dict[str, Any]]:
        upstream.script(whole(completion("seen")))
        assert gateway.ask(question(messages=list(messages))).status == 200
        sent: list[dict[str, Any]] = upstream.received[-1].body["messages"]
        return sent

    return ask


Ask = Callable[..., list[dict[str, Any]]]


def test_a_users_pdf_goes_upstream_as_text_in_its_place(ask: Ask) -> None:
    [message] = ask(
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "before"},
                document(HELLO, title="a.pdf", context="Found on the desk.", citations={"enabled": True}),
                {"type": "text", "text": "after"},
            ],
        }
    )
    assert message["content"] == (
        f'before\n\n<document title="a.pdf">\n[About this document: Found on the desk.]\n{HELLO_TEXT}\n</document>'
        "\n\nafter"
    )


def test_a_tools_pdf_goes_upstream_as_text_too(ask: Ask) -> None:
    result = {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": [{"type": "text", "text": "read:"}, document(HELLO)],
    }
    *_, message = ask(
        {"role": "user", "content": "read it"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "Read", "input": {}}]},
        {"role": "user", "content": [result]},
    )
    assert message == {
        "role": "tool",
        "tool_call_id": "a",
        "content": f'read:\n<document title="document">\n{HELLO_TEXT}\n</document>',
    }


def test_a_pdf_whose_data_is_no_string_is_treated_as_empty(ask: Ask) -> None:
    values: list[object] = [5, None, ["x"], {}]
    for data in values:
        [message] = ask({"role": "user", "content": [document(data)]})
        assert EMPTY in message["content"], data


def test_the_text_of_a_pdf_is_in_the_token_count(gateway: RunningGateway) -> None:
    def count(*pages: str) -> int:
        body = question(messages=[{"role": "user", "content": [document(make_pdf(*pages))]}])
        tokens: int = gateway.request("POST", "/v1/messages/count_tokens", body).body["input_tokens"]
        return tokens

    page = "word " * 1000
    of_one_page = count(page) - count("")
    assert of_one_page > 800
    assert count(page, page, page) - count(page) == pytest.approx(2 * of_one_page, rel=0.1)


# ---- read once, and without delaying others


class CountingPool(WorkerPool):
    """Real worker processes that record the PDFs which they read."""

    def __init__(self) -> None:
        super().__init__(1)
        self.read: list[bytes] = []

    async def run(self, job: Job, data: list[bytes | bytearray], answer: Answer | None = None) -> Result:
        self.read.append(bytes(data[0]))
        return await super().run(job, data, answer)


def read_all(*pdfs: str, limit_s: float = MAX_READ_S) -> tuple[list[str], list[bytes]]:
    """Returns the texts of PDFs, and the data of those that were really read."""

    async def read() -> list[str]:
        texts = PdfTexts(pool, limit_s)
        try:
            return [await texts.read(digest_pdf(data), data.encode()) for data in pdfs]
        finally:
            await pool.close()

    pool = CountingPool()
    return asyncio.run(read()), pool.read


def test_a_pdf_that_comes_again_is_not_read_again() -> None:
    other = make_pdf("other")
    texts, read = read_all(HELLO, other, HELLO, other)
    assert texts == [HELLO_TEXT, "[Page 1 of 1]\nother"] * 2
    assert read == [HELLO.encode(), other.encode()]


def test_the_least_recently_used_pdfs_are_forgotten() -> None:
    names = [f"{n:04}" for n in range(pdf.KEPT_TEXTS)]
    _, read = read_all(*names, names[0], "ABCD", names[0], names[1])
    assert read == [name.encode() for name in (*names, "ABCD", names[1])]


def test_others_are_served_while_a_pdf_is_read_and_the_reading_ends_if_its_client_leaves(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.default = lambda body: whole(completion("served"))
    slow = question(messages=[{"role": "user", "content": [document(make_slow_pdf(pages=3))]}])
    with gateway.send_only(slow):
        gateway.wait_active(1)
        assert gateway.ask(question("Hello")).text == "served"
        wait_until_held(gateway, lambda held: held.active == 1)
    wait_until_nothing_is_held(gateway)
    assert len(upstream.received) == 1
    # The next PDF does not wait for the one whose client has left.
    assert gateway.ask(question(messages=[{"role": "user", "content": [document(HELLO)]}])).text == "served"


def test_a_pdf_that_takes_too_long_is_given_up() -> None:
    [slow], _ = read_all(make_slow_pdf(), limit_s=0.2)
    assert slow == "[This PDF cannot be read: reading it takes too long or too much memory.]"


def test_the_next_pdf_is_read_after_a_worker_was_given_up() -> None:
    texts, _ = read_all(make_slow_pdf(), HELLO, limit_s=5)
    assert texts[1] == HELLO_TEXT


def test_quit_ends_the_reading_of_a_pdf(gateway: RunningGateway) -> None:
    with gateway.send_only(question(messages=[{"role": "user", "content": [document(make_slow_pdf(pages=9))]}])):
        gateway.wait_active(1)
        gateway.stop()


def test_pypdf_is_loaded_with_the_first_pdf_and_not_before() -> None:
    loads_it = "import sys, tray_app.proxy.server.routes; sys.exit('pypdf' in sys.modules)"
    subprocess.run([sys.executable, "-c", loads_it], check=True, cwd=Path(__file__).parents[3])


def test_messages_of_pypdf_are_not_logged(
    gateway: RunningGateway, upstream: FakeUpstream, log_file: LogFile, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.script(whole(completion("seen")))
    data = base64.b64encode(b"leak! pypdf quotes the first letters of what is no PDF").decode()
    gateway.ask(question(messages=[{"role": "user", "content": [document(data)]}]))
    assert "answered" in log_file.text
    assert "leak!" not in log_file.text + caplog.text
