"""What another page in the same browser tries on this one, and what a person does with the address of the page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.browser.page_app import PageApp, open_app
from tests.support.browser import ANOTHER_HOST, Chromium

LABEL = 'GLM <img src=x onerror="document.title=1"><script>document.title = 2</script>'
GLM = {"id": "z-ai/glm4.7", "label": LABEL}

ATTACKS = """
const [target, done] = [arguments[0], arguments[arguments.length - 1]];
const quit = JSON.stringify({do: "quit"});
const post = {method: "POST", credentials: "include", body: quit};
const attempt = (work) => Promise.resolve().then(work).then((value) => value ?? "nothing", () => "refused");
const ask = async (path, more) => (await fetch(target + path, {credentials: "include", ...more})).text();
const read = (path, more) => attempt(() => ask(path, more));
const load = (tag, set) => attempt(() => new Promise((resolve, reject) => {
  const element = document.createElement(tag);
  element.onload = () => resolve("loaded");
  element.onerror = reject;
  set(element);
  document.body.append(element);
}));
const form = (type) => attempt(() => new Promise((resolve) => {
  const frame = Object.assign(document.createElement("iframe"), {name: type, onload: () => resolve("nothing")});
  const sent = Object.assign(document.createElement("form"), {
    action: target + "/page/actions", method: "post", enctype: type, target: type,
  });
  sent.append(Object.assign(document.createElement("input"), {name: quit.slice(0, -1) + ',"x":"', value: '"}'}));
  document.body.append(frame, sent);
  frame.onload = () => resolve("nothing");
  sent.submit();
}));
const listen = () => attempt(() => new Promise((resolve, reject) => {
  const source = new EventSource(target + "/page/events", {withCredentials: true});
  source.onmessage = source.onopen = () => resolve("heard");
  source.onerror = reject;
}));
const frame = (path) => attempt(() => new Promise((resolve) => {
  const inner = Object.assign(document.createElement("iframe"), {src: target + path});
  inner.onload = () => resolve(inner.contentDocument?.body?.innerText || "nothing");
  document.body.append(inner);
}));
Promise.all([
  read("/"), read("/page/state"), read("/page/state", {headers: {"X-Page-Proof": "x"}}), read("/page/static/app.js"),
  read("/page/actions", post), read("/page/actions", {...post, headers: {"Content-Type": "application/json"}}),
  attempt(() => fetch(target + "/page/actions", {...post, mode: "no-cors"}).then(() => "nothing")),
  attempt(() => navigator.sendBeacon(target + "/page/actions", quit) && "nothing"),
  load("script", (it) => { it.src = target + "/page/static/app.js"; it.type = "module"; }),
  load("script", (it) => { it.src = target + "/page/state"; }),
  load("link", (it) => { it.rel = "stylesheet"; it.href = target + "/page/static/style.css"; }),
  load("img", (it) => { it.src = target + "/page/static/icon.svg"; }),
  form("text/plain"), form("application/x-www-form-urlencoded"), form("multipart/form-data"),
  listen(), frame("/"), frame("/page/state"),
]).then((found) => done([...new Set(found)].sort()));
"""
"""Everything that a page can send to another origin. Calls back with the different results, which tell nothing."""


class OtherPage:
    """Another program on this machine with a page of its own, which notes the cookies that it is sent."""

    def __init__(self) -> None:
        self.cookies: list[str] = []
        noted = self.cookies

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                noted.append(self.headers.get("Cookie", ""))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<!doctype html><title>other</title><body></body>")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def other_page() -> Iterator[OtherPage]:
    page = OtherPage()
    yield page
    page.close()


@pytest.fixture(scope="module")
def app(started_chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageApp]:
    """The demo. The label of its model is what a page must not take for HTML."""
    home = tmp_path_factory.mktemp("home")
    with open_app(home, started_chromium, "http://127.0.0.1:9", "--demo", models=[GLM]) as started:
        yield started


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", ANOTHER_HOST])
def test_another_page_can_neither_read_nor_change_nor_frame_anything(
    started_chromium: Chromium, app: PageApp, other_page: OtherPage, host: str
) -> None:
    """The browser has the cookie. It even sends it to the other page, if that has the same host and path."""
    started_chromium.forget()
    app.enter()
    started_chromium.open(f"http://{host}:{other_page.port}/page/")
    found = started_chromium.driver.execute_async_script(ATTACKS, app.url)
    assert found == ["nothing", "refused"]
    assert app.client.request("GET", "/health").status == 200, "the program has not quit"
    (stolen,) = {cookie for cookie in other_page.cookies if "page-" in cookie} or {""}
    assert bool(stolen) is (host == "127.0.0.1")
    assert app.client.request("GET", "/page/state", Cookie=stolen).status == 401
    started_chromium.take_complaints()


def test_a_foreign_name_of_this_machine_gets_no_page(started_chromium: Chromium, app: PageApp) -> None:
    started_chromium.forget()
    app.enter()
    started_chromium.open(f"http://{ANOTHER_HOST}:{app.client.host.rpartition(':')[2]}/")
    assert "this gateway answers to 127.0.0.1 and localhost only" in started_chromium.text
    started_chromium.take_complaints()


@pytest.mark.parametrize("view", ["now", "models", "connect", "welcome"])
def test_the_name_of_a_model_is_never_taken_for_html(chromium: Chromium, app: PageApp, view: str) -> None:
    app.enter(view)
    chromium.wait_text(LABEL)
    assert chromium.run("return document.title") not in ("1", "2")
    assert chromium.run("return document.querySelectorAll('main img[src=x], script:not([src])').length") == 0


def test_an_address_may_name_a_view_and_may_be_pasted_into_a_page_that_is_open(
    chromium: Chromium, app: PageApp
) -> None:
    chromium.open(app.url)
    chromium.run("localStorage.clear()")
    chromium.driver.refresh()
    chromium.find("heading", "Open this page from the tray")
    chromium.take_complaints()  # the browser says that a page without its cookie is refused
    chromium.open(app.mint().replace("/#token=", "/#/models?token="))  # only what follows the # differs
    chromium.wait_for("return document.querySelector(`nav a[href='#/models'][aria-current]`)")
    assert chromium.run("return location.href") == f"{app.url}/#/models"
    assert chromium.run("return Object.keys(localStorage)") == ["page-proof"]


def test_a_browser_that_lost_its_cookie_is_asked_to_open_the_page_anew(chromium: Chromium, app: PageApp) -> None:
    app.enter()
    chromium.command("Network.clearBrowserCookies")
    chromium.driver.refresh()
    chromium.find("heading", "Open this page from the tray")
    assert [complaint for complaint in chromium.take_complaints() if "401" not in complaint] == []
