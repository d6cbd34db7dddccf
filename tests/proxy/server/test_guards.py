"""The checks of Host, Origin and Sec-Fetch-Site, and the CORS headers for pages that may use the gateway."""

from __future__ import annotations

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import completion, finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, stream, whole
from tests.support.gateway import NVIDIA_KEY, RunningGateway, question
from tests.support.raw_http import send_raw
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address

SERVER_KEY = "key-of-this-gateway"
PAGE = "http://localhost:8080"
ROUTES = ["/", "/api/hello", "/health", "/v1/models", "/v1/nothing"]
HINT = 'Pages that may are listed by their origin under "allowed_origins" in its settings file.'


@pytest.fixture
def open_to_page(start_gateway: StartGateway) -> RunningGateway:
    """A gateway with a server key that one web page may use."""
    return start_gateway(Keys(nvidia=NVIDIA_KEY, server=SERVER_KEY), allowed_origins=(PAGE, "https://lab.example"))


# ---- Host


@pytest.mark.parametrize(
    ("host", "shown"),
    [("evil.example", "evil.example"), ("evil.example:3001", "evil.example"), ("192.168.1.7:3001", "192.168.1.7")],
)
@pytest.mark.parametrize("path", ["/v1/models", "/health"])
def test_a_foreign_host_is_refused(gateway: RunningGateway, path: str, host: str, shown: str) -> None:
    answer = gateway.request("GET", path, Host=host)
    assert answer.outcome == (403, "permission_error")
    assert answer.sentence == (
        f"The Host header names '{shown}': this gateway answers to 127.0.0.1 and localhost only."
    )


@pytest.mark.parametrize(
    "host",
    [
        *("", "[::1", "::1", "[::1]]", "localhost.evil.example", "127.0.0.1.evil.example", "user@evil.example"),
        *("user@localhost", "user:word@127.0.0.1:3001", "localhost.", "127.0.0.1.", "[::1%25lo]", "[::1%lo]:3001"),
        *("localhost:port", "localhost:-1", "localhost/", "http://localhost", "localhost, evil.example", "127.1"),
        *("2130706433", "\u24dbocalhost".encode().decode("latin-1"), "localho\u017ft".encode().decode("latin-1")),
    ],
)
def test_a_host_that_only_looks_like_ours_is_refused(gateway: RunningGateway, host: str) -> None:
    assert gateway.request("GET", "/health", Host=host).outcome == (403, "permission_error")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:3001", "localhost:", "127.0.0.1", "127.0.0.2:80", "[::1]", "[::1]:3001"]
)
def test_the_names_of_this_machine_are_served(gateway: RunningGateway, host: str) -> None:
    assert gateway.request("GET", "/health", Host=host).status == 200


@pytest.mark.parametrize("headers", [b"", b"Host: localhost\r\nHost: localhost\r\n"], ids=["no Host", "two of them"])
def test_a_request_without_exactly_one_host_is_refused(gateway: RunningGateway, headers: bytes) -> None:
    answer = send_raw(gateway, b"GET /health HTTP/1.1\r\n" + headers + b"\r\n")
    assert answer.outcome == (400, "invalid_request_error")


def test_a_request_of_http_1_0_has_a_host_as_well(gateway: RunningGateway) -> None:
    assert send_raw(gateway, b"GET /health HTTP/1.0\r\n\r\n").outcome == (403, "permission_error")


# ---- Origin


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "", "https://evil.example", "http://localhost.evil.example", "file://", "nonsense"),
        *(PAGE, "http://127.0.0.1", "http://127.0.0.1:1"),
    ],
)
def test_a_web_page_is_refused(gateway: RunningGateway, upstream: FakeUpstream, origin: str) -> None:
    answer = gateway.ask(Origin=origin)
    assert answer.outcome == (403, "permission_error")
    assert answer.sentence == f"Web pages may not use this gateway (Origin: {origin}). {HINT}"
    assert not upstream.received


@pytest.mark.parametrize("scheme", ["https", "ws", "HTTP"])
def test_a_page_of_another_scheme_is_refused(gateway: RunningGateway, scheme: str) -> None:
    assert gateway.ask(Origin=f"{scheme}://{gateway.host}").status == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_the_gateways_own_page_is_served(gateway: RunningGateway, upstream: FakeUpstream, host: str) -> None:
    upstream.script(whole(completion("Hello!")))
    address = f"{host}:{gateway.address.port}"
    assert gateway.ask(Host=address, Origin=f"http://{address.lower()}").text == "Hello!"


def test_a_page_that_names_the_gateway_differently_is_foreign(gateway: RunningGateway) -> None:
    origin = f"http://localhost:{gateway.address.port}"
    assert gateway.ask(Host=f"127.0.0.1:{gateway.address.port}", Origin=origin).status == 403


def test_a_request_with_two_origins_is_refused_if_one_is_foreign(open_to_page: RunningGateway) -> None:
    foreign = b"GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:8080\r\nOrigin: null\r\n\r\n"
    assert send_raw(open_to_page, foreign).outcome == (403, "permission_error")


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_refuses_web_pages(gateway: RunningGateway, path: str) -> None:
    assert gateway.request("GET", path, Origin=PAGE).status == 403
    assert gateway.request("OPTIONS", path, Origin=PAGE, Access_Control_Request_Method="POST").status == 403


def test_a_web_page_is_refused_whatever_key_it_has(start_gateway: StartGateway) -> None:
    locked = start_gateway(Keys(nvidia=NVIDIA_KEY, server=SERVER_KEY))
    assert locked.ask(Origin="https://evil.example", x_api_key=SERVER_KEY).status == 403


def test_beyond_loopback_any_host_is_served_and_web_pages_still_are_not(start_gateway: StartGateway) -> None:
    gateway = start_gateway(Keys(nvidia=NVIDIA_KEY, server=SERVER_KEY), addr=Address("0.0.0.0", 0))
    assert gateway.request("GET", "/health", Host="my-machine.lan:3001").status == 200
    assert gateway.request("GET", "/health", Origin="https://evil.example").status == 403
    assert gateway.request("GET", "/health", Sec_Fetch_Site="cross-site").status == 403


# ---- Sec-Fetch-Site


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("site", ["cross-site", "same-site", "Same-Origin", "", "none, cross-site"])
def test_a_request_that_another_site_caused_is_refused(gateway: RunningGateway, path: str, site: str) -> None:
    answer = gateway.request("GET", path, Sec_Fetch_Site=site)
    assert answer.outcome == (403, "permission_error")
    assert answer.sentence == f"Web pages may not use this gateway (Sec-Fetch-Site: {site}). {HINT}"


def test_a_question_from_another_site_without_origin_does_not_reach_nvidia(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    assert gateway.ask(Sec_Fetch_Site="cross-site", Content_Type="text/plain").status == 403
    assert not upstream.received


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_a_request_of_the_user_or_of_the_gateways_own_page_is_served(gateway: RunningGateway, site: str) -> None:
    assert gateway.request("GET", "/health", Sec_Fetch_Site=site).status == 200


def test_a_link_of_another_site_may_lead_to_the_page_and_to_nothing_else(gateway: RunningGateway) -> None:
    link = {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert gateway.request("GET", "/", **link).status == 200
    assert gateway.request("GET", "/", **{**link, "Sec_Fetch_Dest": "iframe"}).status == 403
    assert gateway.request("GET", "/", **{**link, "Sec_Fetch_Mode": "cors"}).status == 403
    assert gateway.request("GET", "/health", **link).status == 403
    assert gateway.request("POST", "/v1/messages", {}, **link).status == 403


def test_a_page_of_another_site_with_the_gateways_own_origin_is_refused(gateway: RunningGateway) -> None:
    """A browser sends this if the request was redirected through another site."""
    assert gateway.ask(Origin=f"http://{gateway.host}", Sec_Fetch_Site="cross-site").status == 403


# ---- pages that the settings list


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_a_listed_page_may_ask_and_read_the_answer(
    open_to_page: RunningGateway, upstream: FakeUpstream, site: str
) -> None:
    upstream.script(whole(completion("Hello!")))
    answer = open_to_page.ask(Origin=PAGE, Sec_Fetch_Site=site, x_api_key=SERVER_KEY)
    assert answer.text == "Hello!"
    assert (answer.headers["Access-Control-Allow-Origin"], answer.headers["Vary"]) == (PAGE, "Origin")
    assert answer.headers["Access-Control-Expose-Headers"] == "*"


def test_a_listed_page_may_read_a_stream(open_to_page: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("one "), gate := Gate(), text("two"), finish()))
    with open_to_page.stream(Origin=PAGE, x_api_key=SERVER_KEY) as reading:
        reading.read_until("content_block_delta")
        gate.open()
        answer = reading.read_rest()
    assert (answer.text, answer.headers["Access-Control-Allow-Origin"]) == ("one two", PAGE)


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 200), ("/v1/models", 401), ("/v1/nothing", 401), ("/nothing", 404)]
)
def test_a_listed_page_may_read_errors(open_to_page: RunningGateway, path: str, status: int) -> None:
    answer = open_to_page.request("GET", path, Origin=PAGE)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, PAGE)


def test_a_preflight_of_a_listed_page_is_allowed(open_to_page: RunningGateway) -> None:
    wanted = "authorization,content-type,x-stainless-retry-count"
    answer = open_to_page.request(
        "OPTIONS",
        "/v1/models",
        Origin=PAGE,
        Sec_Fetch_Site="same-site",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers=wanted,
    )
    assert (answer.status, answer.raw) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert answer.headers["Access-Control-Allow-Headers"] == wanted
    assert answer.headers["Vary"] == "Origin"


def test_options_that_is_no_preflight_is_not_allowed(open_to_page: RunningGateway) -> None:
    assert open_to_page.request("OPTIONS", "/health", Origin=PAGE).status == 405


@pytest.mark.parametrize("origin", ["http://localhost:8081", "https://localhost:8080", "http://lab.example", "null"])
def test_a_page_that_is_not_listed_is_refused_and_reads_nothing(open_to_page: RunningGateway, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        answer = open_to_page.request(method, "/health", Origin=origin, Access_Control_Request_Method="GET")
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_client_that_is_no_listed_page_gets_no_cors_headers(open_to_page: RunningGateway) -> None:
    headers = [
        open_to_page.request("GET", "/health").headers,
        open_to_page.request("GET", "/health", Origin=f"http://{open_to_page.host}").headers,
    ]
    assert not [name for names in headers for name in names if name == "Vary" or name.startswith("Access-Control")]


def test_a_page_is_admitted_and_refused_as_the_settings_change(gateway: RunningGateway) -> None:
    answers = []
    for origins in ((), (PAGE,), ()):
        gateway.configure(allowed_origins=origins)
        answers.append(gateway.request("GET", "/health", Origin=PAGE).status)
    assert answers == [403, 200, 403]


def test_a_listed_page_with_a_foreign_host_is_refused(open_to_page: RunningGateway) -> None:
    assert open_to_page.request("GET", "/health", Origin=PAGE, Host="evil.example").status == 403


def test_a_listed_page_may_read_why_its_request_is_malformed(open_to_page: RunningGateway) -> None:
    answer = open_to_page.ask(question(max_tokens=-1), Origin=PAGE, x_api_key=SERVER_KEY)
    assert answer.outcome == (400, "invalid_request_error")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
