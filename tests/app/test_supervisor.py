"""The gateway follows settings and keys, even if the keyring is silent. Real requests show it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest

from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, whole
from tests.support.gateway import AT_ONCE, Client
from tests.support.keyrings import FailingKeyring, LockedKeyring, MemoryKeyring
from tests.support.ports import free_port
from tray_app import APP_ID
from tray_app.app.instance import Instance
from tray_app.app.supervisor import GatewaySupervisor
from tray_app.errors import PortTaken
from tray_app.proxy.service import ProxyService
from tray_app.sentences import PAUSED
from tray_app.settings.keys import NVIDIA_KEY, SERVER_KEY, remove_key, save_key
from tray_app.settings.settings import Address
from tray_app.settings.store import SettingsStore
from tray_app.status.board import StatusBoard, Topic, Trouble

pytestmark = pytest.mark.usefixtures("_own_keyring")

SERVER, NVIDIA = "key-of-this-gateway", "nvapi-of-the-test"
WHO = {"missing": (401, "authentication_error"), "not told": (400, "billing_error")}


class Running:
    """A gateway as the app runs it, and a second store that changes its settings file as another program does."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.said: list[str] = []
        self.store = SettingsStore(folder / "settings.json", environ)
        self.others_store = SettingsStore(folder / "settings.json", {})
        self.board = StatusBoard()
        self.service = ProxyService(self.board, timeouts=AT_ONCE)
        self.listening = GatewaySupervisor(
            self.service,
            self.store,
            self.board,
            Instance(folder / "state"),
            environ,
            self.said.append,
            lambda _: None,
            is_demo=False,
            has_icon=False,
        )

    def start(self) -> Client:
        self.listening.read_keys()
        self.listening.begin()
        return self.client

    @property
    def client(self) -> Client:
        return Client(self.board.status.url)

    @property
    def key_trouble(self) -> Trouble | None:
        return dict(self.board.status.troubles).get(Topic.KEY)

    def notice_change(self) -> None:
        """Applies a changed settings file, as the job thread does every second."""
        if self.store.refresh():
            self.listening.apply()


@pytest.fixture
def backend() -> MemoryKeyring:
    """A keyring that holds the NVIDIA key."""
    backend = MemoryKeyring()
    backend.set_password(APP_ID, NVIDIA_KEY.name, NVIDIA)
    keyring.set_keyring(backend)
    return backend


Run = Callable[..., Running]


@pytest.fixture
def run(tmp_path: Path, upstream: FakeUpstream) -> Iterator[Run]:
    """Returns a function that makes a gateway in front of the fake upstream. Its keywords are environment variables."""
    upstream.default = lambda body: whole(completion("Hello!"))
    started: list[Running] = []

    def start(**environment: str) -> Running:
        environ = {"ADDR": "127.0.0.1:0", "UPSTREAM_URL": upstream.url, **environment}
        started.append(Running(tmp_path, environ))
        return started[-1]

    yield start
    for running in started:
        running.service.stop(0)


def fail(error: Exception | None = None) -> FailingKeyring:
    backend = FailingKeyring(error or RuntimeError("D-Bus"))
    keyring.set_keyring(backend)
    return backend


def test_until_the_server_key_can_be_read_every_request_is_refused(
    run: Run, backend: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.settings.keys.KEYRING_TIMEOUT_S", 0.01)
    running = run()
    save_key(SERVER_KEY, SERVER, running.store)
    locked = LockedKeyring()
    locked.passwords = backend.passwords
    keyring.set_keyring(locked)
    client = running.start()
    for headers in ({}, {"x_api_key": SERVER}):
        answer = client.ask(**headers)
        assert answer.outcome == (400, "billing_error")
        assert answer.sentence.startswith("This gateway cannot read its server key, and refuses every request")
    assert client.request("GET", "/health").status == 200
    trouble = running.key_trouble
    assert trouble is not None
    assert trouble.title == "Unlock your keyring…"
    assert trouble.sentence.startswith(
        "The system keyring does not answer, and the NVIDIA API key and the server key may be in it: "
        "requests are refused until it can be read."
    )
    assert running.listening.poll() is False
    locked.unlocked.set()
    while not running.listening.poll():
        pass
    assert running.key_trouble is None
    assert client.ask().outcome == (401, "authentication_error")
    assert client.ask(x_api_key=SERVER).text == "Hello!"


def test_known_keys_stay_in_force_if_the_keyring_is_silent_after_a_change(run: Run, backend: MemoryKeyring) -> None:
    running = run()
    save_key(SERVER_KEY, SERVER, running.store)
    client = running.start()
    assert client.ask(x_api_key=SERVER).text == "Hello!"
    fail()
    running.others_store.update(model="minimaxai/minimax-m2.1")
    running.notice_change()
    assert running.store.current.model == "minimaxai/minimax-m2.1"
    assert client.ask().outcome == (401, "authentication_error")
    assert client.ask(x_api_key=SERVER).text == "Hello!"
    assert running.key_trouble is None


def test_a_new_server_key_is_needed_even_if_the_keyring_hangs_afterwards(run: Run, backend: MemoryKeyring) -> None:
    running = run()
    client = running.start()
    assert client.ask().text == "Hello!"
    save_key(SERVER_KEY, SERVER, running.others_store)
    fail()
    running.notice_change()
    assert client.ask().outcome == (400, "billing_error")


def test_without_a_server_key_a_silent_keyring_refuses_no_request(run: Run) -> None:
    fail()
    running = run(NVIDIA_API_KEY=NVIDIA)
    assert running.start().ask().text == "Hello!"
    assert running.key_trouble is None


def test_a_silent_keyring_is_not_a_missing_nvidia_key(run: Run) -> None:
    fail(keyring.errors.KeyringLocked())
    running = run()
    answer = running.start().ask()
    assert answer.outcome == (400, "billing_error")
    assert answer.sentence.startswith("Claude NVIDIA Tray cannot read its NVIDIA API key: the system keyring does not")
    assert running.key_trouble is not None
    assert running.key_trouble.title == "Unlock your keyring…"
    assert running.key_trouble.sentence.startswith(
        "The system keyring is locked, and the NVIDIA API key may be in it: "
    )


def test_a_click_asks_the_keyring_at_once(run: Run, backend: MemoryKeyring) -> None:
    running = run()
    failing = fail()
    client = running.start()
    running.listening.try_again()
    assert running.key_trouble is not None
    failing.error, failing.passwords = None, backend.passwords
    assert running.listening.poll() is False, "a minute has not passed"
    running.listening.try_again()
    assert running.key_trouble is None
    assert client.ask().text == "Hello!"


def test_a_pause_refuses_new_requests_until_a_click_ends_it(run: Run, backend: MemoryKeyring) -> None:
    running = run()
    client = running.start()
    running.listening.pause(is_paused=True)
    answer = client.ask()
    assert (answer.outcome, answer.sentence) == ((400, "billing_error"), PAUSED)
    assert answer.headers["x-should-retry"] == "false"
    assert running.board.status.is_paused
    running.listening.change(log_bodies=True)
    assert client.ask().sentence == PAUSED, "a changed setting does not end the pause"
    running.listening.try_again()
    assert client.ask().text == "Hello!"
    assert not running.board.status.is_paused


def test_a_server_key_that_is_gone_from_the_keyring_is_reported_with_a_solution(
    run: Run, backend: MemoryKeyring
) -> None:
    running = run()
    save_key(SERVER_KEY, SERVER, running.store)
    del backend.passwords[APP_ID, SERVER_KEY.name]
    client = running.start()
    assert client.ask(x_api_key=SERVER).outcome == (400, "billing_error")
    assert running.key_trouble is not None
    assert running.key_trouble.title == "The server key is missing – fix…"
    assert "set-key --server --remove" in running.key_trouble.sentence
    remove_key(SERVER_KEY, running.others_store)
    running.notice_change()
    assert running.key_trouble is None
    assert client.ask().text == "Hello!", "at the same address"


def test_beyond_loopback_nothing_listens_without_a_server_key_while_the_keyring_is_silent(run: Run) -> None:
    fail()
    running = run(ADDR="0.0.0.0:0", NVIDIA_API_KEY=NVIDIA)
    running.listening.read_keys()
    running.listening.begin()
    assert not running.service.is_running
    (said,) = running.said
    assert "would open the gateway to your network" in said
    assert said.endswith(" A server key may be in the system keyring, which failed (RuntimeError).")


def test_beyond_loopback_a_server_key_that_cannot_be_read_refuses_every_request(
    run: Run, backend: MemoryKeyring
) -> None:
    running = run(ADDR="0.0.0.0:0")
    save_key(SERVER_KEY, SERVER, running.store)
    failing = fail()
    client = running.start()
    assert client.ask(x_api_key=SERVER).outcome == (400, "billing_error")
    failing.error, failing.passwords = None, backend.passwords
    running.listening.try_again()
    assert client.ask().outcome == (401, "authentication_error")
    assert client.ask(x_api_key=SERVER).text == "Hello!"


def test_a_setting_that_does_not_exist_is_refused_and_changes_nothing(run: Run) -> None:
    running = run(NVIDIA_API_KEY=NVIDIA)
    client = running.start()
    with pytest.raises(TypeError, match="log_bodys"):
        running.listening.change(log_bodys=True)  # type: ignore[call-arg]
    assert running.service.config == running.listening.config
    assert b"log_bodys" not in running.store.path.read_bytes()
    assert client.ask().text == "Hello!"


def test_a_click_right_after_another_program_set_a_key_does_not_hide_the_key(run: Run, backend: MemoryKeyring) -> None:
    del backend.passwords[APP_ID, NVIDIA_KEY.name]
    running = run()
    client = running.start()
    assert client.ask().outcome == (400, "billing_error")
    save_key(NVIDIA_KEY, NVIDIA, running.others_store)
    running.listening.change(log_bodies=True)
    running.notice_change()
    assert client.ask().text == "Hello!"
    assert running.key_trouble is None


# ---- another address


def test_an_address_is_reserved_before_the_gateway_moves_there(run: Run, backend: MemoryKeyring) -> None:
    running = run(ADDR="")
    running.store.update(addr=Address("127.0.0.1", free_port()))
    old = running.start()
    address = running.listening.reserve(Address("127.0.0.1", free_port()))
    assert address is not None
    running.store.update(addr=address)
    running.listening.take_over()
    assert running.client.host == str(address) != old.host
    assert running.client.ask().text == "Hello!"
    running.listening.restart()
    assert running.client.host == str(address)
    assert running.client.ask().text == "Hello!"


def test_the_gateways_own_port_cannot_be_reserved_and_a_taken_one_is_named(run: Run, backend: MemoryKeyring) -> None:
    running = run()
    port = int(running.start().host.partition(":")[2])
    assert running.listening.reserve(Address("127.0.0.1", port)) is None
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortTaken):
        running.listening.reserve(Address("127.0.0.1", other.getsockname()[1]))
