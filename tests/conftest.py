"""The fixtures that many tests use: a home of their own, a fake upstream, and a gateway in front of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.support import kit
from tests.support.fake_upstream import FakeUpstream
from tests.support.gateway import AT_ONCE, NVIDIA_KEY, RunningGateway
from tests.support.page import NotingDesk
from tray_app.app.log_file import RedactingFormatter, close_log, open_log
from tray_app.history.writer import HistoryWriter
from tray_app.page.routes import Page
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address, Settings

KEYS = Keys(nvidia=NVIDIA_KEY)

OUR_VARIABLES = (
    "ADDR",
    "PROVIDER_API_KEY",
    "NVIDIA_API_KEY",
    "UPSTREAM_URL",
    "UPSTREAM_TIMEOUT_SECONDS",
    "SERVER_API_KEY",
    "CONFIG_PATH",
    "LOG_BODY_MAX_CHARS",
    "LOG_STREAM_TEXT_PREVIEW_CHARS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)


@pytest.fixture(scope="session", autouse=True)
def _scratch_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps every test, and all that it starts, away from the user's own settings, logs, keyring and clipboard."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        # The test kit stays in the user's own cache folder.
        patch.setenv("KIT_HOME", os.environ.get("KIT_HOME") or str(Path.home() / ".cache" / "gateway-kit"))
        for name in ("HOME", "USERPROFILE"):
            patch.setenv(name, str(home))
        for name in ("APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(home / name.lower()))
        for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"):
            patch.delenv(name, raising=False)
        for name in OUR_VARIABLES:
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        patch.setenv("CLAUDE_NVIDIA_TRAY_HOME", str(home / "app"))
        patch.setenv("UPSTREAM_URL", "http://127.0.0.1:9/v1/chat/completions")  # never NVIDIA's own address
        patch.setenv("BROWSER", f"{sys.executable} -c pass %s")  # no test shows anything to the user
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        yield


@pytest.fixture
def _own_keyring() -> Iterator[None]:
    """The test may set a keyring. The one before it is set again."""
    import keyring  # which most tests do not need

    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.fixture(scope="session")
def vllms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The base URL of a real vLLM for each model. They take half a minute to start, so all tests share them."""
    with kit.start_vllms(tmp_path_factory.mktemp("vllm")) as urls:
        yield urls


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """A scripted server in place of NVIDIA."""
    with FakeUpstream() as server:
        yield server


class StartGateway(Protocol):
    """Returns a function that starts a gateway in front of the fake upstream. Its keywords are settings."""

    def __call__(
        self,
        keys: Keys = ...,
        *,
        is_demo: bool = ...,
        state_folder: Path | None = ...,
        timeouts: Timeouts = ...,
        history: HistoryWriter | None = ...,
        make_page: Callable[[], Page] | None = ...,
        **settings: Any,
    ) -> RunningGateway: ...


@pytest.fixture
def start_gateway(upstream: FakeUpstream) -> Iterator[StartGateway]:
    running: list[RunningGateway] = []

    def start(
        keys: Keys = KEYS,
        *,
        is_demo: bool = False,
        state_folder: Path | None = None,
        timeouts: Timeouts = AT_ONCE,
        history: HistoryWriter | None = None,
        make_page: Callable[[], Page] | None = None,
        **settings: Any,
    ) -> RunningGateway:
        # Without a rate limit, no request waits unless the test wants it to, and a model that refuses is not followed.
        base = Settings(
            nvidia_url=upstream.url, addr=Address("127.0.0.1", 0), requests_per_minute=0, follow_successors=False
        )
        chosen = replace(base, **settings)
        running.append(
            RunningGateway(
                chosen,
                keys,
                is_demo=is_demo,
                state_folder=state_folder,
                timeouts=timeouts,
                history=history,
                make_page=make_page,
            )
        )
        return running[-1]

    yield start
    for gateway in running:
        gateway.stop()


@pytest.fixture
def gateway(start_gateway: StartGateway) -> RunningGateway:
    """A gateway with the default settings and an NVIDIA key."""
    return start_gateway()


@pytest.fixture
def desk() -> NotingDesk:
    return NotingDesk()


@pytest.fixture
def paged(start_gateway: StartGateway, desk: NotingDesk, tmp_path: Path) -> RunningGateway:
    """A gateway with a page, whose state folder is `tmp_path`."""
    return start_gateway(make_page=lambda: Page(tmp_path, tmp_path / "history.sqlite3", desk))


class LogFile:
    """The program's real log file."""

    def __init__(self, folder: Path, formatter: RedactingFormatter) -> None:
        self._folder = folder
        self.formatter = formatter

    @property
    def text(self) -> str:
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self._folder.iterdir()))


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[LogFile]:
    folder = tmp_path / "logs"
    formatter = RedactingFormatter()
    handler = open_log(folder, formatter)
    yield LogFile(folder, formatter)
    close_log(handler)
