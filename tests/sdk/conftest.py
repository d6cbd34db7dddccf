"""One running app for all tests of a file, each with an upstream to itself."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.sdk.sdks import Sdk
from tests.support.fake_upstream import FakeUpstream
from tests.support.running_app import run_app


@pytest.fixture(scope="module")
def shared_upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as server:
        yield server


@pytest.fixture(scope="module")
def url(shared_upstream: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the app listens."""
    with run_app(tmp_path_factory.mktemp("app"), shared_upstream.url) as address:
        yield address


@pytest.fixture
def upstream(shared_upstream: FakeUpstream) -> Iterator[FakeUpstream]:
    """The scripted server behind the app, as if it had just been started."""
    shared_upstream.received.clear()
    shared_upstream.default = None
    yield shared_upstream
    shared_upstream.check()


@pytest.fixture
def sdk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Sdk:
    """The SDK that the test is parametrised with, untouched by variables of the machine."""
    for name in os.environ:
        if name.startswith(("ANTHROPIC_", "NODE_")):
            monkeypatch.delenv(name)
    wanted: Sdk = request.param
    wanted.need()
    return wanted
