"""What the other tests of this folder rely on: that faults of a page are seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.browser import ANOTHER_HOST, Chromium, View

PAGE = """<!doctype html><html lang="en"><title>A page</title>
<main><h1>A page</h1><p id="words">Before</p><button aria-label="Go on">&gt;</button> <button>Go</button>%s</main>"""


class Pages(BaseHTTPRequestHandler):
    """Serves a page whose body ends with what the query says."""

    def do_GET(self) -> None:
        extra = bytes.fromhex(self.path.partition("?")[2]).decode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'self'; img-src data:")
        self.end_headers()
        self.wfile.write((PAGE % extra).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


class Site:
    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, extra: str = "", host: str = "127.0.0.1") -> str:
        """The address of the page that ends with this HTML."""
        return f"http://{host}:{self.port}/?{extra.encode().hex()}"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Site(server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_good_page_has_no_faults(chromium: Chromium, site: Site) -> None:
    chromium.open(site.url())

    assert (chromium.check_accessibility(), chromium.count_sideways_px(), chromium.take_complaints()) == ([], 0, [])


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param('<p style="color: red">Red</p>', id="style"),
        pytest.param("<script>document.title = 'Mine'</script>", id="script"),
    ],
)
def test_what_the_policy_forbids_is_a_complaint(started_chromium: Chromium, site: Site, extra: str) -> None:
    started_chromium.forget()

    started_chromium.open(site.url(extra))

    (complaint,) = started_chromium.take_complaints()
    assert "Content Security Policy" in complaint


@pytest.mark.parametrize(
    ("extra", "rule"),
    [
        pytest.param('<img src="data:,">', "image-alt", id="a picture without words"),
        pytest.param("<input>", "label", id="a field without a label"),
        pytest.param("<h4>Deep</h4>", "heading-order", id="a heading that skips levels"),
    ],
)
def test_what_some_people_cannot_use_is_found(chromium: Chromium, site: Site, extra: str, rule: str) -> None:
    chromium.open(site.url(extra))

    assert [line.partition(":")[0] for line in chromium.check_accessibility()] == [rule]


def test_a_page_that_is_too_wide_is_seen_at_the_width_where_it_is(chromium: Chromium, site: Site) -> None:
    chromium.open(site.url("<table><tr>" + "<td>twenty characters..</td>" * 5 + "</table>".replace(" ", "&nbsp;")))
    wide = chromium.count_sideways_px()
    chromium.look(View(width=320))

    assert wide == 0
    assert chromium.count_sideways_px() > 0


def test_the_browser_looks_as_it_is_told(chromium: Chromium, site: Site) -> None:
    chromium.open(site.url())
    chromium.look(View(width=900, is_dark=True, has_motion=False, zoom=2))

    seen = chromium.run("""
      return [innerWidth, devicePixelRatio, matchMedia("(prefers-color-scheme: dark)").matches,
        matchMedia("(prefers-reduced-motion: reduce)").matches]
    """)
    assert seen == [450, 2, True, True]


def test_an_element_is_found_by_the_name_that_a_screen_reader_says(chromium: Chromium, site: Site) -> None:
    chromium.open(site.url())

    assert chromium.find("button", "Go on").text == ">"
    assert chromium.find("button", "Go").text == "Go"


def test_a_wait_ends_with_the_change_that_it_waits_for(chromium: Chromium, site: Site) -> None:
    chromium.open(site.url())
    chromium.run("setTimeout(() => { document.getElementById('words').textContent = 'After' }, 50)")

    chromium.wait_text("After")


def test_the_same_server_can_be_asked_by_another_name(chromium: Chromium, site: Site) -> None:
    chromium.open(site.url(host=ANOTHER_HOST))

    assert chromium.run("return location.hostname") == ANOTHER_HOST
