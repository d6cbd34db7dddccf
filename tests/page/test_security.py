"""What strangers try on the page: other pages in the same browser, other programs, and other users of this machine."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import LogFile, StartGateway
from tests.support.fake_upstream import TIMEOUT_S
from tests.support.gateway import NVIDIA_KEY, Answer, RunningGateway
from tests.support.page import Browser, NotingDesk
from tests.support.raw_http import connect, read_answer, send_raw
from tests.support.waiting import wait_for
from tray_app.catalog import find_model
from tray_app.page.bodies import MOST_BODY_BYTES
from tray_app.page.files import SECURITY_HEADERS
from tray_app.page.routes import READ_PATHS, Page
from tray_app.page.tokens import mint_token
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
LISTED = "http://localhost:8080"
QUIT = b'{"do": "quit"}'
READABLE = [*READ_PATHS, "/page/history.csv", "/page/events"]
"""What only a browser that was let in may read."""
CHANGING = ["/page/session", "/page/actions"]
ADDRESSES = [*READABLE, *CHANGING, "/page/static/app.js", "/page/", "/page/nothing", "/page/static/nothing"]


def assert_protected(answer: Answer) -> None:
    """Checks that a browser neither frames the answer, nor runs what is in it, nor keeps it."""
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] in ("no-store", "no-cache")
    if answer.status >= 400:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Type"].startswith("application/json")


def make_page(folder: Path, desk: NotingDesk) -> Page:
    return Page(folder, folder / "history.sqlite3", desk)


# ---- Another page in the browser of the user


@pytest.mark.parametrize("path", ["/", *ADDRESSES])
def test_a_name_that_was_made_to_point_to_this_machine_reaches_nothing(browser: Browser, path: str) -> None:
    port = browser.host.rpartition(":")[2]
    for host in (f"evil.example:{port}", "evil.example", f"127.0.0.1.evil.example:{port}"):
        answer = browser.request("GET", path, Host=host, Accept=HTML, Origin=f"http://{host}")
        assert answer.status == 403
        assert_protected(answer)


@pytest.mark.parametrize("path", CHANGING)
def test_a_change_needs_the_origin_of_the_page_itself(browser: Browser, desk: NotingDesk, path: str) -> None:
    foreign = (
        "null",
        "http://evil.example",
        "http://127.0.0.1:8080",
        "http://127.0.0.1",
        f"https://{browser.host}",
        "",
    )
    for headers in ({}, *({"Origin": origin} for origin in foreign)):
        assert browser.request("POST", path, QUIT, **headers).status == 403, headers
    assert not desk.actions


def test_two_origins_are_none(paged: RunningGateway, browser: Browser, desk: NotingDesk) -> None:
    origins = f"Origin: {browser.origin}\r\nOrigin: http://evil.example\r\n"
    assert send_raw(paged, write_request("POST", "/page/actions", browser, origins, QUIT)).status == 403
    assert not desk.actions


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"]
)
@pytest.mark.parametrize("path", CHANGING)
def test_a_body_that_a_form_can_send_changes_nothing(browser: Browser, desk: NotingDesk, path: str, kind: str) -> None:
    assert browser.request("POST", path, QUIT, Origin=browser.origin, Content_Type=kind).status == 403
    assert not desk.actions


@pytest.mark.parametrize("path", ["/", *READABLE, "/page/static/app.js"])
def test_no_other_site_reads_the_page_or_links_to_its_parts(browser: Browser, path: str) -> None:
    for site in ("cross-site", "same-site"):
        answer = browser.request("GET", path, Sec_Fetch_Site=site, Accept=HTML)
        assert answer.status == 403
        assert_protected(answer)


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_page_that_may_ask_models_may_not_use_this_one(
    start_gateway: StartGateway, desk: NotingDesk, tmp_path: Path, path: str
) -> None:
    gateway = start_gateway(make_page=lambda: make_page(tmp_path, desk), allowed_origins=(LISTED,))
    assert gateway.request("GET", "/v1/models", Origin=LISTED).headers["Access-Control-Allow-Origin"] == LISTED
    browser = Browser(gateway.address.url, tmp_path)
    browser.enter()
    for method in ("GET", "POST"):
        for written in (path, path.replace("page", "p%61ge"), f"/{path}"):
            answer = browser.request(method, written, None if method == "GET" else QUIT, Origin=LISTED)
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers
    question = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x-page-proof"}
    assert gateway.request("OPTIONS", "/v1/models", Origin=LISTED, **question).status == 204
    preflight = browser.request("OPTIONS", path, Origin=LISTED, **question)
    assert preflight.status == 403
    assert not [name for name in preflight.headers if name.startswith("Access-Control")]
    assert not desk.actions


def test_only_a_browser_that_shows_pages_gets_the_page(paged: RunningGateway) -> None:
    for accept in ("*/*", "application/json", "text/*", "x-text/html", "text/htmlx", "application/json;a=text/html"):
        assert paged.request("GET", "/", Accept=accept).body["name"] == "claude-nvidia-tray"
    for accept in ("text/html", HTML, "application/json, TEXT/HTML;q=0.1"):
        answer = paged.request("GET", "/", Accept=accept)
        assert answer.raw.startswith(b"<!doctype html>")
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"
        assert_protected(answer)


def test_the_page_holds_no_script_and_no_style_that_its_policy_would_stop(paged: RunningGateway) -> None:
    text = paged.request("GET", "/", Accept=HTML).raw.decode()
    assert not re.search(r"<style|style=|<script(?! type=\"module\" src=\"/page/)|\son\w+=|https?://", text)


# ---- Addresses and methods


@pytest.mark.parametrize("path", ["/", *ADDRESSES])
def test_without_the_lock_no_method_opens_an_address(paged: RunningGateway, desk: NotingDesk, path: str) -> None:
    for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "POST", "GET"):
        with closing(http.client.HTTPConnection(paged.host, timeout=TIMEOUT_S)) as connection:
            connection.request(method, path, headers={"Accept": HTML, "Origin": paged.address.url})
            response = connection.getresponse()
            answer = Answer(response.status, dict(response.headers), response.read())
        is_open = path in ("/", "/page/static/app.js") and method in ("GET", "HEAD")
        assert (answer.status == 200) is is_open, method
        assert answer.status < 500, method
        assert_protected(answer)
    assert not desk.actions


NO_FILES = [
    *("../access.py", "..%2faccess.py", "..%5caccess.py", r"..\access.py", "%2e%2e/access.py"),
    *("%2e%2e%2faccess.py", "....//access.py", "views/../app.js", "./app.js", "app.js/.", "/etc/passwd"),
    *("%2fetc%2fpasswd", "//etc/passwd", "C:/Windows/win.ini", "C:%5cWindows%5cwin.ini", r"\\x\y"),
    *("%c0%ae%c0%ae/access.py", "app.js%00", "%00", "app.js%2f", "app.js/", "app.js.", "app.js%20", "APP.JS"),
    *("app.js::$DATA", "vendor/lit-html/LICENSE", "views", "views/", "%ff", "%"),
    "x" * 4000,
]


def test_only_the_files_of_the_page_can_be_read_there(paged: RunningGateway) -> None:
    for name in NO_FILES:
        raw = f"GET /page/static/{name} HTTP/1.1\r\nHost: {paged.host}\r\n\r\n"
        answer = send_raw(paged, raw.encode())
        assert answer.status in (400, 404), name
        assert "root:" not in answer.sentence


@pytest.mark.parametrize(
    "target", ["//page/state", "/page//state", "/page%2fstate", "/PAGE/state", "/page/state/", "/./page/state"]
)
def test_another_way_to_write_an_address_is_no_way_round_the_lock(paged: RunningGateway, target: str) -> None:
    for whole in (target, f"http://{paged.host}{target}"):
        answer = send_raw(paged, f"GET {whole} HTTP/1.1\r\nHost: {paged.host}\r\n\r\n".encode())
        assert answer.status in (400, 401, 404)


# ---- What is sent


ODD_VALUES = [
    "",
    "-1",
    "1e9",
    "9" * 18,
    "9" * 30,
    "\u0663",
    "\0",
    "\U0001f600",
    "' OR 1=1 --",
    "%",
    "../../x",
    "x" * 3000,
]


@pytest.mark.parametrize("path", [path for path in READABLE if path != "/page/events"])
def test_no_value_in_an_address_is_a_fault(browser: Browser, path: str) -> None:
    for name in ("days", "before", "limit", "model", "project", "outcome", "number", "mark", "what"):
        for value in (*map(quote, ODD_VALUES), "%ff", "%ed%a0%80", "%"):  # the last three are no text
            answer = browser.request("GET", f"{path}?{name}={value}")
            assert answer.status < 500, (name, value)
            assert_protected(answer)


@pytest.mark.parametrize(
    "header", ["", "-1", "1-", "x" * 7000, "1-99999999999999999999999", "../../x", "%0d%0aX: y", "\xff"]
)
def test_no_id_of_a_last_event_does_harm(browser: Browser, header: str) -> None:
    with browser.listen(Last_Event_ID=header) as events:
        assert any(name == "state" for name, _, _ in events)


def test_a_line_end_in_a_header_makes_no_second_header(paged: RunningGateway, browser: Browser) -> None:
    for line_end in (b"\n", b"\r", b"\r\n "):
        lines = b"Last-Event-ID: 1-1" + line_end + b"Set-Cookie: a=b\r\n"
        raw = write_request("GET", "/page/state", browser, lines.decode("latin-1"), b"")
        assert "Set-Cookie" not in send_raw(paged, raw).headers


def test_a_name_of_a_model_stays_a_name_in_the_events(
    start_gateway: StartGateway, desk: NotingDesk, tmp_path: Path
) -> None:
    glm = find_model("z-ai/glm4.7")
    assert glm is not None
    label = 'x\n\nevent: evil\ndata: {}\n\n\u2028</script><img src=x onerror="alert(1)">'
    evil = type(glm)(**{**{name: getattr(glm, name) for name in glm.__dataclass_fields__}, "label": label})
    gateway = start_gateway(make_page=lambda: make_page(tmp_path, desk), models=(evil,))
    browser = Browser(gateway.address.url, tmp_path)
    browser.enter()
    with browser.listen() as events:
        name, _, state = next(event for event in events if event[0] == "state")
    assert name == "state"
    assert state["model"]["label"] == label


@pytest.mark.parametrize("path", CHANGING)
def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    paged: RunningGateway, browser: Browser, desk: NotingDesk, path: str
) -> None:
    origin = f"Origin: {browser.origin}\r\n"
    announced = write_request("POST", path, browser, f"{origin}Content-Length: 100000000\r\n", None)
    assert send_raw(paged, announced).status == 413
    piece = b"10000\r\n" + b"[" * 65536 + b"\r\n"
    endless = write_request("POST", path, browser, f"{origin}Transfer-Encoding: chunked\r\n", None) + 3 * piece
    assert send_raw(paged, endless).status == 413
    assert browser.request("POST", path, b" " * MOST_BODY_BYTES, Origin=browser.origin).status == 400
    assert not desk.actions


@pytest.mark.parametrize("path", CHANGING)
@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b'{"token":' * 7000, b'{"do":{"do":' * 5000, b"\x1f\x8b\x08\x00" * 100, b"\x00"]
)
def test_a_body_that_is_no_json_of_ours_is_refused(browser: Browser, desk: NotingDesk, path: str, body: bytes) -> None:
    assert browser.request("POST", path, body, Origin=browser.origin).status == 400
    assert not desk.actions


def test_a_body_that_never_ends_is_not_waited_for_ever(
    paged: RunningGateway, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.page.bodies._UPLOAD_S", 0.1)
    head = write_request("POST", "/page/session", browser, f"Origin: {browser.origin}\r\nContent-Length: 50\r\n", None)
    with connect(paged) as connection:
        connection.sendall(head + b'{"tok')
        assert read_answer(connection).status == 408


# ---- Tokens, cookies and proofs


def test_thousands_of_wrong_tokens_leave_nothing_behind_and_hold_nobody_up(
    paged: RunningGateway, browser: Browser, tmp_path: Path, log_file: LogFile
) -> None:
    """Each guess is one of 2 to the power of 256, so that nothing needs to be remembered of it."""
    good = mint_token(tmp_path)
    noted = sorted(path.name for path in (tmp_path / "page-tokens").iterdir())
    written = len(log_file.text)
    headers = {"Origin": browser.origin, "Content-Type": "application/json"}
    with closing(http.client.HTTPConnection(paged.host, timeout=TIMEOUT_S)) as connection:
        for number in range(3000):
            connection.request("POST", "/page/session", json.dumps({"token": f"guess-{number}"}), headers)
            response = connection.getresponse()
            assert (response.status, response.getheader("Set-Cookie")) == (401, None)
            response.read()
            if number % 1000 == 0:
                assert browser.read("/page/state")["model"]
    assert sorted(path.name for path in (tmp_path / "page-tokens").iterdir()) == noted
    assert len(log_file.text) - written < 10_000
    assert browser.request("POST", "/page/session", {"token": good}, Origin=browser.origin).status == 200


@pytest.mark.parametrize("token", ["", " ", "x" * 60_000, "../../settings.json", "\0", "\ud800", "*", "\u202e"])
def test_what_is_no_token_opens_nothing(browser: Browser, token: str) -> None:
    answer = browser.request("POST", "/page/session", {"token": token}, Origin=browser.origin)
    assert answer.status in (400, 401)
    assert_protected(answer)


@pytest.mark.parametrize("token", [None, 7, ["x"], {"x": "y"}, True])
def test_a_token_that_is_no_text_is_refused(browser: Browser, token: object) -> None:
    assert browser.request("POST", "/page/session", {"token": token}, Origin=browser.origin).status == 400


def test_a_token_that_was_shown_is_worthless(paged: RunningGateway, browser: Browser, tmp_path: Path) -> None:
    token = mint_token(tmp_path)
    assert browser.request("POST", "/page/session", {"token": token}, Origin=browser.origin).status == 200
    again = browser.request("POST", "/page/session", {"token": token}, Origin=browser.origin)
    assert again.status == 401
    assert "Set-Cookie" not in again.headers


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(browser: Browser) -> None:
    cookie = browser.enter().headers["Set-Cookie"]
    name, *marks = cookie.split("; ")
    assert name.startswith(f"page-{browser.host.rpartition(':')[2]}=")
    assert set(marks) == {"HttpOnly", "Path=/page/", "SameSite=Strict"}, "it ends with the browser, as it has no date"
    assert browser.proof not in cookie


@pytest.mark.parametrize("path", READABLE)
def test_a_stolen_cookie_or_a_stolen_proof_is_not_enough(browser: Browser, path: str) -> None:
    """Any other program on 127.0.0.1 gets the cookie, as cookies do not know ports."""
    cookie, proof = browser.cookie, browser.proof
    thefts: list[Mapping[str, str]] = [
        {"Cookie": cookie, "X_Page_Proof": ""},
        {"Cookie": "", "X_Page_Proof": proof},
        {"Cookie": cookie, "X_Page_Proof": cookie.partition("=")[2]},
        {"Cookie": cookie.partition("=")[0] + f"={proof}", "X_Page_Proof": proof},
        {"Cookie": cookie, "X_Page_Proof": proof[:-1]},
        {"Cookie": f"{cookie}x", "X_Page_Proof": proof},
        {"Cookie": cookie, "X_Page_Proof": f"{proof}\xff"},
    ]
    for stolen in thefts:
        answer = browser.request("GET", path, **stolen)
        assert answer.status == 401
        assert_protected(answer)


def test_what_one_run_of_the_program_gave_opens_nothing_in_the_next(
    start_gateway: StartGateway, desk: NotingDesk, tmp_path: Path
) -> None:
    browser = Browser(start_gateway(make_page=lambda: make_page(tmp_path, desk)).address.url, tmp_path)
    browser.enter()
    next_run = start_gateway(make_page=lambda: make_page(tmp_path, desk))
    value = browser.cookie.partition("=")[2]
    old = {"Cookie": f"page-{next_run.address.port}={value}", "X_Page_Proof": browser.proof}
    assert next_run.request("GET", "/page/state", **old).status == 401


def test_no_secret_is_in_the_log_in_an_error_or_in_an_answer(
    browser: Browser, paged: RunningGateway, desk: NotingDesk, tmp_path: Path, log_file: LogFile
) -> None:
    token = mint_token(tmp_path)
    browser.request("POST", "/page/session", {"token": token, "more": "x"}, Origin=browser.origin)
    desk.results.append(ValueError("a fault"))
    answers = [
        browser.act(do="quit"),
        browser.request("GET", "/page/state"),
        browser.request("GET", "/page/state", X_Page_Proof="x"),
        browser.request("POST", "/page/session", {"token": token}, Origin=browser.origin),
        browser.request("POST", "/page/actions", {"do": token}, Origin="http://evil.example"),
        browser.request("GET", f"/page/nothing?token={token[:10]}"),
        *(browser.request("GET", path) for path in READABLE if path != "/page/events"),
    ]
    assert answers[0].status == 500
    wait_for(lambda: "a fault" in log_file.text, "the fault in the log")
    cookie = browser.cookie.partition("=")[2]
    for text in (log_file.text, *(answer.raw.decode() for answer in answers), repr(paged.board.status)):
        for secret in (token, cookie, browser.proof, NVIDIA_KEY):
            assert secret not in text


# ---- Another user of this machine


posix_only = pytest.mark.skipif(sys.platform == "win32", reason="file modes of POSIX")


@posix_only
def test_only_the_user_can_see_or_make_tokens(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        mint_token(tmp_path / "state")
    finally:
        os.umask(before)
    folder = tmp_path / "state" / "page-tokens"
    (file,) = folder.iterdir()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, file)]
    assert modes == [0o700, 0o700, 0o600]


@posix_only
def test_a_folder_of_tokens_that_others_could_write_is_closed_by_the_next_token(tmp_path: Path) -> None:
    (tmp_path / "page-tokens").mkdir()
    (tmp_path / "page-tokens").chmod(0o777)
    mint_token(tmp_path)
    assert stat.S_IMODE((tmp_path / "page-tokens").stat().st_mode) == 0o700


def spoil_by_link(file: Path) -> None:
    moved = file.with_name("elsewhere")
    file.rename(moved)
    file.symlink_to(moved)


def spoil_by_open_file(file: Path) -> None:
    file.chmod(0o666)


def spoil_by_open_folder(file: Path) -> None:
    file.parent.chmod(0o777)


def spoil_by_folder_in_its_place(file: Path) -> None:
    file.unlink()
    file.mkdir(0o700)


@posix_only
@pytest.mark.parametrize(
    "spoil", [spoil_by_link, spoil_by_open_file, spoil_by_open_folder, spoil_by_folder_in_its_place]
)
def test_a_token_that_another_user_may_have_made_opens_nothing(browser: Browser, tmp_path: Path, spoil: Any) -> None:
    shutil.rmtree(tmp_path / "page-tokens")
    token = mint_token(tmp_path)
    (file,) = (tmp_path / "page-tokens").iterdir()
    spoil(file)
    assert browser.request("POST", "/page/session", {"token": token}, Origin=browser.origin).status == 401


AS_NOBODY = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1])
headers = {"Origin": "http://" + sys.argv[1], "Content-Type": "application/json"}
connection.request("POST", "/page/session", sys.stdin.read(), headers)
answer = connection.getresponse()
print(answer.status, answer.getheader("Set-Cookie"), answer.read().decode())
"""


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0,
    reason="only Linux tells whose program it is, and only root may become another user",
)
def test_another_user_who_has_seen_the_address_of_the_page_is_not_let_in(
    browser: Browser, tmp_path: Path, log_file: LogFile
) -> None:
    """The address is one of the words with which the browser is started, and each user of the machine may read them."""
    token = mint_token(tmp_path)
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    assert python is not None
    told = subprocess.run(
        [python, "-I", "-c", AS_NOBODY, browser.host],
        input=json.dumps({"token": token}),
        user=65534,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.startswith("401 None")
    assert "another user" in told
    assert "another user" in log_file.text
    assert browser.request("POST", "/page/session", {"token": token}, Origin=browser.origin).status == 401


# ---- Beyond this machine


@pytest.mark.parametrize(
    ("settings", "keys", "is_on"),
    [
        ({}, Keys(), True),
        ({}, Keys(server="x"), False),
        ({}, Keys(is_server_unknown=True), False),
        ({"serve_page": "always"}, Keys(server="x"), True),
        ({"serve_page": "never"}, Keys(), False),
        ({"addr": Address("", 0)}, Keys(server="a-key-of-the-server"), False),
        ({"addr": Address("", 0), "serve_page": "always"}, Keys(server="a-key-of-the-server"), True),
    ],
    ids=["alone", "server key", "unknown key", "always", "never", "network", "network, always"],
)
def test_the_page_is_off_where_others_may_reach_it_unless_the_user_says_otherwise(
    start_gateway: StartGateway, desk: NotingDesk, tmp_path: Path, settings: dict[str, Any], keys: Keys, is_on: bool
) -> None:
    gateway = start_gateway(keys, make_page=lambda: make_page(tmp_path, desk), **settings)
    browser = Browser(gateway.address.url, tmp_path)
    entered = browser.request("POST", "/page/session", {"token": mint_token(tmp_path)}, Origin=browser.origin)
    assert entered.status == (200 if is_on else 404)
    root = gateway.request("GET", "/", Accept=HTML)
    assert root.headers["Content-Type"].startswith("text/html" if is_on else "application/json")
    for path in ("/page/static/app.js", *READABLE):
        assert gateway.request("GET", path).status == (404 if not is_on else 200 if "static" in path else 401)


def test_beyond_this_machine_any_name_is_right_and_the_lock_still_holds(
    start_gateway: StartGateway, desk: NotingDesk, tmp_path: Path
) -> None:
    """A name that points here without the user's will gets neither the cookie nor the proof from the browser."""
    gateway = start_gateway(
        Keys(server="a-key-of-the-server"),
        make_page=lambda: make_page(tmp_path, desk),
        addr=Address("", 0),
        serve_page="always",
    )
    browser = Browser(gateway.address.url, tmp_path)
    browser.enter()
    name = f"evil.example:{gateway.address.port}"
    own = {"Host": name, "Origin": f"http://{name}"}
    assert browser.request("GET", "/", Accept=HTML, **own).raw.startswith(b"<!doctype html>")
    for lacks in ({"Cookie": ""}, {"X_Page_Proof": ""}):
        assert browser.request("GET", "/page/state", **own, **lacks).status == 401
        assert browser.request("POST", "/page/actions", QUIT, **own, **lacks).status == 401
    assert browser.request("GET", "/page/state", Host=name, Origin="http://other.example").status == 403
    assert not desk.actions


def write_request(method: str, path: str, browser: Browser, lines: str, body: bytes | None) -> bytes:
    """Returns a request of a browser that was let in, with further lines; `body` None: it is sent by the caller."""
    length = "" if body is None else f"Content-Length: {len(body)}\r\n"
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {browser.host}\r\nCookie: {browser.cookie}\r\n"
        f"X-Page-Proof: {browser.proof}\r\nContent-Type: application/json\r\n{lines}{length}\r\n"
    )
    return head.encode("latin-1") + (body or b"")
