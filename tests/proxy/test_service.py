"""The gateway's thread: how it listens, why it may fail to, and how it ends."""

from __future__ import annotations

import asyncio
import errno
import gc
import http.client
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.conftest import LogFile, StartGateway
from tests.support.chunks import completion, finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, stream, whole
from tests.support.gateway import NVIDIA_KEY, Client, RunningGateway, question
from tests.support.ports import free_port
from tray_app.errors import PortTaken, StartError
from tray_app.proxy import service
from tray_app.proxy.service import ProxyService
from tray_app.settings.config import GatewayConfig
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address, Settings
from tray_app.shells import name_command
from tray_app.status.board import Phase, StatusBoard, Trouble, Wait
from tray_app.status.messages import find_trouble
from tray_app.translate.answer.web_search import SearchResult

SEARCH = question("Perform a web search for the query: gnu", tools=[{"type": "web_search_1", "name": "web_search"}])
QUIT = "Claude NVIDIA Tray was quit while it answered."
LONG_S = 60.0


def start(addr: Address, keys: Keys) -> None:
    """Tries to listen, which must fail."""
    service = ProxyService(StatusBoard())
    try:
        service.start(GatewayConfig(Settings(addr=addr), keys))
    finally:
        is_running = service.is_running
        service.stop(0)
    assert not is_running


# ---- listening


def test_who_connects_to_a_reserved_address_waits_until_the_gateway_has_moved_there(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.default = lambda body: whole(completion("Hello!"))
    address = gateway.service.reserve(Address("127.0.0.1", 0))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(Client(address.url).ask)
        gateway.service.stop(0)
        addr = Address("127.0.0.1", 0)
        moved = gateway.service.start(GatewayConfig(Settings(addr=addr, nvidia_url=upstream.url), gateway.keys))
        assert moved == address
        assert waiting.result().text == "Hello!"


def test_a_reserved_address_that_is_not_needed_is_free_again(gateway: RunningGateway) -> None:
    address = gateway.service.reserve(Address("127.0.0.1", free_port()))
    with pytest.raises(PortTaken):
        start(address, Keys())
    gateway.service.release()
    with socket.create_server((address.host, address.port)):
        pass
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortTaken):
        gateway.service.reserve(Address("127.0.0.1", other.getsockname()[1]))


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            start(Address("127.0.0.1", port), Keys())
    assert str(caught.value) == (
        f"Port {port} is in use by another program. Quit that program, or choose another port: "
        '"addr" in the settings file, or the environment variable ADDR.'
    )


@pytest.mark.parametrize(
    ("port", "kind", "sentence"),
    [
        (
            3001,
            PortTaken,
            "Port 3001 is held by the system or by another program. Choose another port: "
            '"addr" in the settings file, or the environment variable ADDR.',
        ),
        (80, StartError, "This user may not listen on port 80. Choose a port above 1023."),
    ],
    ids=["reserved by Windows", "privileged on Unix"],
)
def test_a_port_that_the_system_keeps_is_named(
    monkeypatch: pytest.MonkeyPatch, port: int, kind: type[StartError], sentence: str
) -> None:
    bind = socket.socket.bind

    def refuse(self: socket.socket, address: Any) -> None:
        if address[1] == port:
            raise PermissionError(errno.EACCES, "An attempt was made to access a socket in a way forbidden")
        bind(self, address)

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(StartError) as caught:
        start(Address("127.0.0.1", port), Keys())
    assert (type(caught.value), str(caught.value)) == (kind, sentence)


@pytest.mark.parametrize("option", [name for name in ("SO_REUSEADDR", "SO_REUSEPORT") if hasattr(socket, name)])
def test_no_other_program_can_listen_on_its_port(start_gateway: StartGateway, option: str) -> None:
    """Two sockets can share a port only if both allow it, and the gateway's never does."""
    address = start_gateway().address
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
        with pytest.raises(OSError):  # noqa: PT011, PT012 (the systems raise different errors, and Linux raises it in listen)
            other.bind((address.host, address.port))
            other.listen()


def test_the_same_service_starts_once_the_port_is_free() -> None:
    service = ProxyService(StatusBoard())
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = Settings(addr=Address("127.0.0.1", other.getsockname()[1]))
        with pytest.raises(PortTaken):
            service.start(GatewayConfig(settings, Keys()))
        assert not service.is_running
    assert service.start(GatewayConfig(settings, Keys())) == settings.addr
    assert service.is_running
    service.stop(0)
    assert not service.is_running


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.168.1.7", "my-machine.lan"])
def test_the_gateway_listens_on_the_network_only_with_a_server_key(host: str) -> None:
    address = Address(host, 3001)
    with pytest.raises(StartError) as caught:
        start(address, Keys())
    assert str(caught.value) == (
        f"Listening on {address} would open the gateway to your network. Set a server key first "
        f"(`{name_command('set-key', '--server')}`, or SERVER_API_KEY), or use 127.0.0.1 as the address."
    )


@pytest.mark.parametrize("host", ["", "192.168.1.7"])
def test_a_server_key_for_the_network_needs_sixteen_characters(host: str) -> None:
    address = Address(host, 3001)
    with pytest.raises(StartError) as caught:
        start(address, Keys(server="15-characters-x"))
    assert str(caught.value) == (
        f"Listening on {address} would open the gateway to your network. Set a server key of 16 or more characters "
        f"first (`{name_command('set-key', '--server')}`, or SERVER_API_KEY), or use 127.0.0.1 as the address."
    )


def test_on_this_machine_a_server_key_may_be_short(start_gateway: StartGateway) -> None:
    gateway = start_gateway(Keys(server="x"))
    assert gateway.request("GET", "/v1/models", x_api_key="x").status == 200


def test_with_a_server_key_every_interface_is_served(start_gateway: StartGateway) -> None:
    gateway = start_gateway(Keys(server="key-of-this-gateway"), addr=Address("", free_port()))
    assert gateway.request("GET", "/health").status == 200


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "nowhere.invalid", "x" * 70 + ".invalid"], ids=["not ours", "unknown", "too long"]
)
def test_an_address_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(StartError, match=rf"^Listening on {host}:3001 failed: .+\. Check the address\.$"):
        start(Address(host, 3001), Keys(server="key-of-this-gateway"))


def test_ipv6_loopback_is_served(start_gateway: StartGateway) -> None:
    try:
        gateway = start_gateway(addr=Address("::1", 0))
    except StartError:
        pytest.skip("this machine has no IPv6")
    assert gateway.address.url.startswith("http://[::1]:")
    assert gateway.request("GET", "/health").status == 200


def test_two_gateways_live_in_one_process(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    upstream.default = lambda body: whole(completion(body["model"]))
    one, two = start_gateway(), start_gateway(model="minimaxai/minimax-m2.1")
    assert [one.ask().text, two.ask().text] == ["z-ai/glm4.7", "minimaxai/minimax-m2.1"]


# ---- the end


class Drain(logging.Handler):
    """Notices when a gateway has stopped listening and waits for its running answers."""

    def __init__(self) -> None:
        super().__init__()
        self._began = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("quitting: "):
            self._began.set()

    def wait_begun(self) -> None:
        assert self._began.wait(LONG_S / 2), "the gateway does not begin to quit"


@contextmanager
def stopping(gateway: RunningGateway, drain_s: float) -> Iterator[Drain]:
    """Stops the gateway in another thread, as the app does, and waits until that has ended."""
    drain = Drain()
    logger = logging.getLogger("tray_app.proxy")
    logger.addHandler(drain)
    logger.setLevel(logging.INFO)
    thread = threading.Thread(target=gateway.stop, args=(drain_s,))
    thread.start()
    try:
        yield drain
    finally:
        thread.join(LONG_S / 2)
        logger.removeHandler(drain)
        assert not thread.is_alive(), "the gateway does not stop"


def test_a_stopped_gateway_does_not_listen(gateway: RunningGateway) -> None:
    gateway.stop()
    with pytest.raises(ConnectionRefusedError):
        gateway.request("GET", "/health")


def test_stopping_twice_is_harmless(gateway: RunningGateway) -> None:
    gateway.stop()
    gateway.stop()


def test_quitting_lets_running_answers_finish(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("one "), gate := Gate(), text("two"), finish()))
    with gateway.stream() as answer:
        answer.read_until("content_block_delta")
        with stopping(gateway, LONG_S) as drain:
            drain.wait_begun()
            with pytest.raises(ConnectionRefusedError):
                gateway.request("GET", "/health")
            gate.open()
            assert answer.read_rest().text == "one two"


def test_quitting_tells_clients_whose_answers_do_not_finish(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("one "), Gate()))
    with gateway.stream() as streamed:
        streamed.read_until("content_block_delta")
        upstream.script(whole({}, before=(held := Gate())))
        with ThreadPoolExecutor(1) as pool:
            plain = pool.submit(gateway.ask)
            held.wait_reached()
            gateway.stop(drain_s=0)
            answer = plain.result()
            assert (answer.outcome, answer.sentence) == ((503, "api_error"), QUIT)
            assert answer.headers["x-should-retry"] == "false"
        answer = streamed.read_rest()
        assert answer.story == ["start text#0", "+one ", "error api_error"]
        assert answer.sentence == QUIT
    for received in upstream.received:
        received.wait_left()
    gateway.wait_active(0)


def test_quitting_a_second_time_waits_no_longer(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("one "), Gate()))
    with gateway.stream() as answer:
        answer.read_until("content_block_delta")
        with stopping(gateway, LONG_S) as drain:
            drain.wait_begun()
            gateway.service.cancel_drain()
            assert answer.read_rest().story[-1] == "error api_error"


def test_cancelling_the_drain_without_a_quit_does_nothing(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("one "), gate := Gate(), text("two"), finish()))
    with gateway.stream() as answer:
        answer.read_until("content_block_delta")
        gateway.service.cancel_drain()
        gate.open()
        assert answer.read_rest().text == "one two"


def test_a_client_that_leaves_while_the_app_quits_is_no_fault(
    gateway: RunningGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    upstream.script(stream(text("one "), Gate()))
    with gateway.stream() as answer:
        answer.read_until("content_block_delta")
        with stopping(gateway, LONG_S) as drain:
            drain.wait_begun()
            answer.leave()
    upstream.received[0].wait_left()
    assert "Traceback" not in log_file.text


def test_an_idle_connection_does_not_delay_the_end(gateway: RunningGateway) -> None:
    with socket.create_connection((gateway.address.host, gateway.address.port)) as idle:
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 200"
        gateway.stop(LONG_S)
        while idle.recv(4096):
            pass


def test_calls_of_a_service_that_has_not_started_do_nothing() -> None:
    service = ProxyService(StatusBoard())
    service.configure(GatewayConfig(Settings(), Keys(nvidia=NVIDIA_KEY)))
    service.cancel_drain()
    service.stop(0)
    assert not service.is_running


# ---- a thread that dies or hangs


class Backend:
    """A search backend that fails."""

    def __init__(self, fault: Callable[[], object]) -> None:
        self._fault = fault

    async def search(self, query: str, **_: Any) -> Sequence[SearchResult]:
        self._fault()
        return []


@contextmanager
def running_with(fault: Callable[[], object]) -> Iterator[RunningGateway]:
    """A gateway that fails as soon as it is asked to search."""
    settings = Settings(addr=Address("127.0.0.1", 0))
    gateway = RunningGateway(settings, Keys(nvidia=NVIDIA_KEY), search_backend=Backend(fault))
    try:
        yield gateway
    finally:
        gateway.stop()


def die() -> None:
    raise SystemExit(1)  # no handler catches it, so it ends the event loop


@pytest.fixture
def _leftovers_are_told() -> Iterator[None]:
    """The task that died is told of when it is deleted, which must not happen during another test."""
    yield
    gc.collect()


def kill(gateway: RunningGateway) -> None:
    with suppress(ConnectionError, http.client.HTTPException):
        gateway.ask(SEARCH)
    gateway.wait_status(lambda status: status.phase is Phase.STOPPED)


@pytest.mark.usefixtures("_leftovers_are_told")
def test_a_gateway_whose_thread_died_is_not_running_and_the_status_says_so(log_file: LogFile) -> None:
    with running_with(die) as gateway:
        kill(gateway)
        assert not gateway.service.is_running
        assert gateway.board.status.url == ""
        assert find_trouble(gateway.board.status, gateway.settings) == Trouble(
            "Gateway stopped \N{EN DASH} start it again\N{HORIZONTAL ELLIPSIS}",
            "The gateway ended because of a fault in this program; the log says where. "
            "A click on this line of the menu starts it again.",
        )
        with pytest.raises(ConnectionRefusedError):
            gateway.request("GET", "/health")
    assert "the gateway's thread ended" in log_file.text


@pytest.mark.usefixtures("_leftovers_are_told")
def test_all_methods_work_after_the_thread_of_the_gateway_has_died() -> None:
    with running_with(die) as gateway:
        kill(gateway)
        gateway.configure(Keys(nvidia="nvapi-another"))
        gateway.service.poll_models()
        gateway.service.cancel_drain()
        gateway.stop(LONG_S)
        gateway.stop(LONG_S)


@pytest.mark.usefixtures("_leftovers_are_told")
def test_a_gateway_whose_thread_died_can_be_started_again() -> None:
    with running_with(die) as gateway:
        kill(gateway)
        address = gateway.service.start(GatewayConfig(gateway.settings, gateway.keys))
        assert gateway.service.is_running
        assert Client(address.url).request("GET", "/health").status == 200


def test_a_gateway_that_hangs_does_not_block_the_end(log_file: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_END_S", 0.01)
    reached, release = threading.Event(), threading.Event()

    def hang() -> None:
        reached.set()
        release.wait(LONG_S)

    before = set(threading.enumerate())
    with running_with(hang) as gateway, ThreadPoolExecutor(1) as pool:
        pool.submit(gateway.ask, SEARCH)
        assert reached.wait(LONG_S)
        gateway.stop(0)
        assert not gateway.service.is_running
        left = [thread for thread in threading.enumerate() if thread.name == "proxy" and thread not in before]
        release.set()
        for thread in left:
            thread.join(LONG_S)
            assert not thread.is_alive()
    assert "the gateway's thread does not end" in log_file.text


def test_a_handler_that_does_not_end_does_not_block_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_END_S", 0.01)
    reached, ended = threading.Event(), threading.Event()

    class Stubborn:
        async def search(self, query: str, **_: Any) -> Sequence[SearchResult]:
            reached.set()
            while not ended.is_set():
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.001)
            return []

    settings = Settings(addr=Address("127.0.0.1", 0))
    gateway = RunningGateway(settings, Keys(nvidia=NVIDIA_KEY), search_backend=Stubborn())
    with ThreadPoolExecutor(1) as pool:
        pool.submit(gateway.ask, SEARCH)
        assert reached.wait(LONG_S)
        gateway.stop(0)
        assert not gateway.service.is_running
        ended.set()


# ---- the state of the gateway


def test_requests_are_counted_while_they_run(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(*(stream(text("one"), Gate()) for _ in range(2)))
    with gateway.stream(), gateway.stream(question("another")):
        gateway.wait_active(2)
        assert gateway.request("GET", "/health").body["active_requests"] == 2
    gateway.wait_active(0)


def test_health_shows_which_requests_wait_for_the_rate_limit(gateway: RunningGateway) -> None:
    gateway.board.publish(waits=(Wait("GLM 4.7", waiting=2, longest_s=12, used=31, limit=40, next_s=5),))
    assert gateway.request("GET", "/health").body["waits"] == [
        {"model": "GLM 4.7", "waiting": 2, "longest_s": 12, "used": 31, "limit": 40, "next_s": 5, "is_pause": False}
    ]


def test_a_complete_answer_gets_no_error_event_at_the_end(
    gateway: RunningGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    """The client has the whole answer, while upstream keeps the connection open."""
    upstream.script(stream(text("one"), finish(), b"data: [DONE]\n\n", Gate(), ends=False))
    with gateway.stream() as answer:
        answer.read_until("message_stop")
        answer.read_end()
        gateway.stop(0)
    assert "Traceback" not in log_file.text
    assert "ShuttingDown" not in log_file.text
