"""The buttons that copy a text: none of them says "Copied" unless the browser has copied it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Chromium
from tests.support.running_app import App
from tray_app.page.tokens import make_address, mint_token
from tray_app.shells import name_command

LINE = "the line that starts Claude Code"


@pytest.fixture
def page(chromium: Chromium, tmp_path: Path) -> Iterator[Chromium]:
    """Chromium at the page of a demo, which begins with the welcome."""
    app = App(tmp_path, ("--no-tray", "--demo"), {"ADDR": "127.0.0.1:0"}, [])
    try:
        client = app.wait_listening()
        chromium.open(make_address(f"http://{client.host}", mint_token(tmp_path / "state")))
        yield chromium
        chromium.open("about:blank")  # else the page would complain of the end of the app
    finally:
        app.close()


def test_a_copy_that_works_says_so_and_one_that_fails_selects_the_text(page: Chromium) -> None:
    page.run("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve() }")
    page.find("button", f"Copy {LINE}").click()
    page.find("button", f"Copied {LINE}")
    assert page.run("return window.copied") == name_command("claude")

    page.run("navigator.clipboard.writeText = () => Promise.reject(new DOMException('denied')); getSelection().empty()")
    page.run("document.execCommand = () => false")
    page.find("button", f"Copied {LINE}").click()
    page.wait_text("Not copied: the text is selected, copy it yourself")
    assert not page.find_all("button", "Copied")
    assert page.run("return getSelection().toString()") == name_command("claude")
