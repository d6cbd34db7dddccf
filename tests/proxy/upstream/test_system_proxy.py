"""The system's proxy: when it is used, its user name, and what errors and the log tell of it."""

from __future__ import annotations

import asyncio
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from tests.conftest import LogFile, StartGateway
from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, whole
from tests.support.ports import free_port
from tests.support.raw_upstream import RawUpstream
from tray_app.errors import UpstreamUnusable
from tray_app.proxy.upstream import session as upstream_session
from tray_app.proxy.upstream.system_proxy import find_proxy

HTTPS, HTTP = "https://nvidia.invalid/v1/chat/completions", "http://nvidia.invalid/v1/chat/completions"
USER = {"Proxy-Authorization": f"Basic {b64encode('me:pä:ss@1'.encode()).decode()}"}


@pytest.mark.parametrize(
    ("variables", "url", "found"),
    [
        ({}, HTTPS, None),
        ({"HTTPS_PROXY": "http://proxy.example:8080"}, HTTPS, ("http://proxy.example:8080", {})),
        ({"https_proxy": "http://proxy.example:8080/"}, HTTPS, ("http://proxy.example:8080", {})),
        ({"HTTPS_PROXY": "proxy.example:8080"}, HTTPS, ("http://proxy.example:8080", {})),
        ({"HTTPS_PROXY": "proxy.example"}, HTTPS, ("http://proxy.example", {})),
        ({"HTTPS_PROXY": "https://proxy.example"}, HTTPS, ("https://proxy.example", {})),
        ({"HTTPS_PROXY": "http://[fd00::1]:8080"}, HTTPS, ("http://[fd00::1]:8080", {})),
        ({"HTTPS_PROXY": "http://me:p%C3%A4%3Ass%401@proxy.example:8080"}, HTTPS, ("http://proxy.example:8080", USER)),
        ({"HTTPS_PROXY": "http://proxy.example:8080"}, HTTP, None),
        ({"HTTP_PROXY": "http://proxy.example:8080"}, HTTP, ("http://proxy.example:8080", {})),
        ({"HTTP_PROXY": "http://proxy.example:8080"}, HTTPS, None),
        ({"HTTPS_PROXY": "http://a", "NO_PROXY": "nvidia.invalid"}, HTTPS, None),
        ({"HTTPS_PROXY": "http://a", "NO_PROXY": "other, .invalid"}, HTTPS, None),
        ({"HTTPS_PROXY": "http://a", "NO_PROXY": "*"}, HTTPS, None),
        ({"HTTPS_PROXY": "http://a", "NO_PROXY": "nvidia.invalid:8443"}, HTTPS, ("http://a", {})),
        ({"HTTPS_PROXY": "http://a", "NO_PROXY": "nvidia.invalid:8443"}, "https://nvidia.invalid:8443/v1", None),
        ({"HTTPS_PROXY": "http://a", "https_proxy": ""}, HTTPS, None),
        ({"HTTP_PROXY": "http://a"}, "http://127.0.0.1:8000/v1", None),
        ({"HTTP_PROXY": "http://a"}, "http://localhost:8000/v1", None),
        ({"HTTP_PROXY": "http://a"}, "http://[::1]:8000/v1", None),
        ({"HTTP_PROXY": "no proxy at all"}, "http://127.1.2.3/v1", None),
    ],
)
def test_the_variables_decide_which_proxy_is_used(
    variables: dict[str, str], url: str, found: tuple[str, dict[str, str]] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    proxy = asyncio.run(find_proxy(url))
    assert (proxy and (proxy.url, proxy.headers)) == found


def test_a_thread_may_ask_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows and macOS the question may block."""
    monkeypatch.setattr("tray_app.proxy.upstream.system_proxy._ASKS_VARIABLES_ONLY", False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:8080")
    proxy = asyncio.run(find_proxy(HTTPS))
    assert proxy
    assert proxy.url == "http://proxy.example:8080"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "Https_Proxy"])
@pytest.mark.parametrize(
    "address",
    [
        *("http://", "http://me:secret@", "http://me:secret@proxy.example:port", "http://me:secret@proxy:99999"),
        *("socks5://me:secret@proxy.example:1080", "ftp://proxy.example", "http://[me:secret", "a proxy:8080"),
        *("http://me:secret@proxy.example\x1b:80", "://"),
    ],
)
def test_the_error_for_an_unusable_proxy_names_its_variable_and_not_its_password(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, address)
    with pytest.raises(UpstreamUnusable) as caught:
        asyncio.run(find_proxy(HTTPS))
    told = name.upper() if sys.platform == "win32" else name  # on Windows the case of a variable's name does not matter
    assert str(caught.value) == (
        f"NVIDIA cannot be reached: the environment variable {told} is no usable address of an HTTP proxy. "
        "It must be one such as http://proxy.example:8080."
    )
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_an_unusable_proxy_of_the_systems_settings_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and macOS have proxies without a variable. Here the variable is removed while its value is read."""
    monkeypatch.setattr(
        "tray_app.proxy.upstream.system_proxy.getproxies", lambda: {"https": "socks4://proxy.example:1080"}
    )
    with pytest.raises(UpstreamUnusable, match="the proxy in the system's settings is no usable address"):
        asyncio.run(find_proxy(HTTPS))


def test_an_unusable_proxy_is_not_retried(
    start_gateway: StartGateway, log_file: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:secret@proxy.example:1080")
    answer = start_gateway(nvidia_url=HTTPS).ask()
    assert answer.outcome == (502, "api_error")
    assert answer.headers["x-should-retry"] == "false"
    assert answer.sentence.startswith("NVIDIA cannot be reached: the environment variable HTTPS_PROXY is no usable")
    assert "secret" not in log_file.text


def test_a_netrc_file_is_not_read(
    start_gateway: StartGateway, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine nvidia.invalid login me password secret\ndefault login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{upstream.port}")
    upstream.script(whole(completion("Hello!")))
    assert start_gateway(nvidia_url=HTTP).ask().text == "Hello!"
    [received] = upstream.received
    assert received.headers["Authorization"].startswith("Bearer ")
    assert "Proxy-Authorization" not in received.headers


def test_the_proxy_gets_the_user_name_and_password_and_the_log_does_not(
    start_gateway: StartGateway, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, log_file: LogFile
) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:p%C3%A4%3Ass%401@127.0.0.1:{upstream.port}")
    upstream.script(whole(completion("Hello!")))
    assert start_gateway(nvidia_url=HTTP).ask().text == "Hello!"
    [received] = upstream.received
    assert received.headers["Proxy-Authorization"] == USER["Proxy-Authorization"]
    assert received.headers["Authorization"].startswith("Bearer ")
    assert "ss%401" not in log_file.text


def test_the_request_for_a_tunnel_has_the_password_but_not_the_key(
    start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch, log_file: LogFile
) -> None:
    with RawUpstream(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("https_proxy", f"http://me:p%C3%A4%3Ass%401@127.0.0.1:{proxy.port}")
        answer = start_gateway(nvidia_url=HTTPS).ask()
    assert answer.outcome == (502, "api_error")
    assert answer.sentence == (
        "NVIDIA cannot be reached: the proxy answered with HTTP 407. Check the system's proxy settings."
    )
    [asked] = proxy.received
    assert asked.startswith(b"CONNECT nvidia.invalid:443 HTTP/1.1\r\n")
    assert f"\r\nProxy-Authorization: {USER['Proxy-Authorization']}\r\n".encode() in asked
    assert b"Bearer" not in asked
    for secret in ("ss%401", "ss@1", USER["Proxy-Authorization"]):
        assert secret not in log_file.text


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (b"", "The connection to NVIDIA broke off"),
        (b"SSH-2.0-OpenSSH\r\n", "NVIDIA's answer cannot be read"),
        (b"HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", "the proxy answered with HTTP 299"),
        (b"HTTP/1.1 200 OK\r\n\r\nno TLS", "NVIDIA cannot be reached: "),
    ],
    ids=["nothing", "no HTTP", "another status", "no TLS"],
)
def test_a_proxy_that_refuses_the_tunnel_is_named(
    start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch, reply: bytes, sentence: str
) -> None:
    with RawUpstream(reply, ends=True) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        answer = start_gateway(nvidia_url=HTTPS).ask()
    assert answer.outcome == (502, "api_error")
    assert sentence in answer.sentence


def test_a_proxy_that_does_not_answer_is_named(start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
    assert start_gateway(nvidia_url=HTTPS).ask().sentence == (
        f"NVIDIA cannot be reached: the proxy 127.0.0.1:{port} does not answer. "
        "Check the internet connection and the system's proxy settings."
    )


def test_a_proxy_that_never_makes_the_tunnel_is_an_error(
    start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream_session, "_CONNECT_S", 0.1)
    with RawUpstream(b"") as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        answer = start_gateway(nvidia_url=HTTPS).ask()
        assert answer.sentence.startswith("NVIDIA cannot be reached: connecting took too long.")
        proxy.wait_left()
