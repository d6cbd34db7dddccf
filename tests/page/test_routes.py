"""The addresses of the page: its files are for every browser, all else is for one that was let in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.gateway import RunningGateway
from tests.support.page import Browser, NotingDesk
from tray_app.errors import AppError
from tray_app.page.actions import ChooseModel
from tray_app.page.reads import READS
from tray_app.page.routes import READ_PATHS

HTML = "text/html,application/xhtml+xml"


def test_a_browser_gets_the_page_and_other_clients_get_what_they_got_before(paged: RunningGateway) -> None:
    page = paged.request("GET", "/", Accept=HTML)
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert paged.request("GET", "/").body["name"] == "claude-nvidia-tray"
    assert paged.request("HEAD", "/", Accept=HTML).headers["Content-Type"].startswith("application/json")


def test_every_file_that_the_page_names_is_there(paged: RunningGateway) -> None:
    for name, kind in (("app.js", "text/javascript"), ("style.css", "text/css"), ("icon.svg", "image/svg+xml")):
        assert paged.request("GET", f"/page/static/{name}").headers["Content-Type"].startswith(kind)


def test_a_gateway_without_a_page_has_none(gateway: RunningGateway) -> None:
    assert gateway.request("GET", "/", Accept=HTML).body["name"] == "claude-nvidia-tray"
    assert gateway.request("GET", "/page/state").status == 404


def test_a_browser_that_was_let_in_reads_the_state(browser: Browser) -> None:
    assert browser.read("/page/state")["model"]["id"] == "z-ai/glm4.7"


def test_each_address_that_can_be_read_has_something_to_read() -> None:
    assert set(READS) == set(READ_PATHS)


@pytest.mark.parametrize("lacks", ["cookie", "proof"])
def test_the_cookie_alone_and_the_proof_alone_open_nothing(browser: Browser, lacks: str) -> None:
    header = {"cookie": "Cookie", "proof": "X_Page_Proof"}[lacks]
    assert browser.request("GET", "/page/state", **{header: "x"}).status == 401


def test_a_wrong_token_lets_nobody_in(paged: RunningGateway, tmp_path: Path) -> None:
    stranger = Browser(paged.address.url, tmp_path)
    answer = stranger.request("POST", "/page/session", {"token": "guessed"}, Origin=stranger.origin)
    assert answer.status == 401
    assert "claude-nvidia-tray page" in answer.sentence or "run page" in answer.sentence


def test_an_action_reaches_the_app_and_its_result_comes_back(browser: Browser, desk: NotingDesk) -> None:
    desk.results.append({"sentence": "done"})
    assert browser.act(do="choose_model", model_id="minimaxai/minimax-m2.1").body == {"sentence": "done"}
    assert desk.actions == [ChooseModel("minimaxai/minimax-m2.1")]


def test_an_action_that_fails_says_why(browser: Browser, desk: NotingDesk) -> None:
    desk.results.append(AppError("The folder is gone."))
    answer = browser.act(do="open_claude_code", folder="/nowhere")
    assert (answer.status, answer.sentence) == (400, "The folder is gone.")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"do": "nothing"}', b'{"do": "quit", "more": 1}', b"\xff"])
def test_what_is_no_action_is_refused(browser: Browser, desk: NotingDesk, body: bytes) -> None:
    assert browser.request("POST", "/page/actions", body, Origin=browser.origin).status == 400
    assert not desk.actions


def test_the_state_comes_as_an_event_and_again_when_it_changes(browser: Browser, paged: RunningGateway) -> None:
    with browser.listen() as events:
        states = (data for name, _, data in events if name == "state")
        assert next(states)["log_bodies"] is False
        paged.configure(log_bodies=True)
        assert next(states)["log_bodies"] is True
