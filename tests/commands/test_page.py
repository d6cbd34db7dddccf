"""The command `page`, and a second start of the program, with real processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.launcher import Launcher
from tests.support.page import Browser

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a browser that is a script of POSIX")


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/shown\numask >> {tmp_path}/umask\n')
    browser.chmod(0o755)
    user = Launcher(tmp_path, BROWSER=str(browser))
    yield user
    user.end()


def read_shown(folder: Path) -> list[str]:
    """Returns the addresses that the browser has got, the newest last."""
    shown = folder / "shown"
    return shown.read_text().split() if shown.exists() else []


def open_in_browser(address: str, state: Path) -> int:
    """Returns the status of the answer to a browser that opens the address."""
    url, _, token = address.partition("/#token=")
    browser = Browser(url, state)
    return browser.request("POST", "/page/session", {"token": token}, Origin=url).status


def test_the_page_opens_in_the_browser_and_an_address_for_another_one_is_printed(
    launcher: Launcher, tmp_path: Path
) -> None:
    missing = launcher.run("page")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "is not running, and only it has the page." in missing.stderr
    launcher.run("start", "--demo", "--no-tray")

    done = launcher.run("page")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The page opens in your browser. In another one, open this within two minutes:  http")
    assert (tmp_path / "umask").read_text().strip() == "0027", "the browser makes files as the user's programs do"
    (shown,) = read_shown(tmp_path)
    printed = done.stdout.split()[-1]
    assert [open_in_browser(address, launcher.state) for address in (shown, printed, shown)] == [200, 200, 401]

    only_printed = launcher.run("page", "--print").stdout
    assert open_in_browser(only_printed.strip(), launcher.state) == 200
    assert read_shown(tmp_path) == [shown]

    without = launcher.run("page", BROWSER="")
    assert (without.returncode, without.stderr) == (0, "")
    assert without.stdout.startswith("No browser could be opened. In a browser on this machine, open this within")
    assert open_in_browser(without.stdout.split()[-1], launcher.state) == 200

    again = launcher.run("--demo")
    assert again.returncode == 0
    assert "is already running as a demo" in again.stdout
    assert "Its page opens in your browser." in again.stdout
    assert open_in_browser(read_shown(tmp_path)[-1], launcher.state) == 200
    launcher.run("--demo", "--no-tray")
    assert len(read_shown(tmp_path)) == 2, "who wants no icon is not shown a page either"


def test_a_page_that_is_switched_off_is_not_opened_and_the_reason_is_said(launcher: Launcher, tmp_path: Path) -> None:
    launcher.run("start", "--demo", "--no-tray", SERVER_API_KEY="key-of-this-gateway")
    done = launcher.run("page")
    assert (done.returncode, done.stdout) == (1, "")
    assert 'set "serve_page" to "always" in ' in done.stderr
    assert str(launcher.app_home / "settings.json") in done.stderr
    assert launcher.run("--demo").returncode == 0
    assert not read_shown(tmp_path)
    tokens = launcher.state / "page-tokens"
    assert not tokens.exists() or not any(tokens.iterdir())
