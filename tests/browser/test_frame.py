"""The page as a person sees it: how it is opened, how it looks in each view, and that the keyboard does it all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver import Keys

from tests.browser.page_app import TITLES, WELCOME, PageApp, open_app
from tests.support.browser import Chromium, View

VIEWS = (*TITLES, WELCOME)
MOST_BYTES = 100_000

LOOKS = (
    View(320, 700),
    View(768, is_dark=True),
    View(1280, has_motion=False),
    View(1280, zoom=2),
    View(1920, 1080),
)
CHECKED_LOOKS = (View(320, 700), View(1280), View(1280, is_dark=True))
"""The narrow one draws the page in another way, and each theme has colours of its own."""


@pytest.fixture(scope="module")
def quiet_app(started_chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageApp]:
    """The demo, which answers without a key, with one request in its history."""
    with open_app(tmp_path_factory.mktemp("home"), started_chromium, "http://127.0.0.1:9", "--demo") as app:
        app.client.ask()
        yield app


@pytest.fixture
def page(chromium: Chromium, quiet_app: PageApp) -> PageApp:
    return quiet_app


def test_a_token_lets_the_browser_in_once_and_stays_nowhere(chromium: Chromium, quiet_app: PageApp) -> None:
    address = quiet_app.mint()
    chromium.open(address)
    chromium.find("link", "History")
    assert "token" not in chromium.run("return location.href")
    chromium.driver.refresh()
    chromium.find("link", "History")
    chromium.forget()

    chromium.open(address)

    chromium.find("heading", "Open this page from the tray")
    (complaint,) = chromium.take_complaints()
    assert "/page/session - Failed to load resource: the server responded with a status of 401" in complaint


def test_without_a_token_the_page_says_how_to_open_it(chromium: Chromium, quiet_app: PageApp) -> None:
    chromium.open(quiet_app.url)

    chromium.find("heading", "Open this page from the tray")
    assert chromium.check_accessibility() == []


def test_more_tabs_than_a_browser_has_connections_work(chromium: Chromium, quiet_app: PageApp) -> None:
    quiet_app.enter()
    for _ in range(7):
        chromium.driver.switch_to.new_window("tab")
        chromium.open(quiet_app.url)
        chromium.find("link", "History")
    chromium.driver.switch_to.window(chromium.driver.window_handles[0])

    chromium.find("link", "Logs").click()

    chromium.find("heading", "Logs")
    chromium.wait_for("return document.querySelector('nav')")


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_is_accessible_in_both_themes(page: PageApp, view: str) -> None:
    page.enter(view)
    faults = []
    for look in CHECKED_LOOKS:
        page.chromium.look(look)
        faults += page.chromium.check_accessibility()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_is_wider_than_the_window(page: PageApp, view: str) -> None:
    page.enter(view)
    for look in LOOKS:
        page.chromium.look(look)
        assert page.chromium.count_sideways_px() == 0, look


@pytest.mark.parametrize("view", VIEWS)
def test_the_tab_key_reaches_all_in_the_order_of_the_page_and_shows_where_it_is(page: PageApp, view: str) -> None:
    page.enter(view)

    faults = page.chromium.check_keyboard()

    assert not faults, "\n".join(faults)


def test_the_first_link_skips_the_navigation(page: PageApp) -> None:
    page.enter("settings")
    page.chromium.run("document.querySelector('a').focus()")
    assert page.chromium.focused.get_attribute("class") == "skip"

    page.chromium.press(Keys.ENTER)

    page.wait_there()


def test_enter_opens_a_view_and_its_heading_has_the_focus(page: PageApp) -> None:
    page.enter()
    page.chromium.run("arguments[0].focus()", page.chromium.find("link", "Models"))
    page.chromium.press(Keys.ENTER)

    page.wait_there()
    assert page.chromium.find("link", "Models").get_attribute("aria-current") == "page"


def test_the_arrow_keys_choose_a_model(page: PageApp) -> None:
    page.enter()
    chosen, other = page.chromium.find_all("radio")[:2]
    page.chromium.run("arguments[0].focus()", chosen)
    page.chromium.press(Keys.ARROW_RIGHT)

    page.app.folder.wait_setting("model", "minimaxai/minimax-m2.1")
    assert other.is_selected()


def test_the_page_with_all_its_views_is_small(page: PageApp) -> None:
    page.enter()

    sizes = page.chromium.measure()
    files = {path: size for path, size in sizes.items() if path == "/" or path.startswith("/page/static/")}
    print(f"\n{sum(files.values()):,} bytes in {len(files)} files: {files}")
    assert len(files) > 10
    assert sum(files.values()) < MOST_BYTES
