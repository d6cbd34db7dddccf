"""One Chromium for all tests of this folder. Each test gets it as if it had just been started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import AXE, PROGRAMS, Chromium
from tests.support.parts import fail_or_skip, need


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Function) -> None:
    """Leaves the page before the test's gateway ends, so that the page does not miss it."""
    chromium = item.funcargs.get("chromium")
    if isinstance(chromium, Chromium):
        chromium.leave()


@pytest.fixture(scope="session")
def started_chromium() -> Iterator[Chromium]:
    need(*PROGRAMS)
    if not AXE.is_file():
        fail_or_skip("axe-core is not installed (npm ci --prefix tests/browser)")
    with Chromium() as started:
        yield started


@pytest.fixture
def chromium(started_chromium: Chromium) -> Iterator[Chromium]:
    """The browser. The test fails if the console shows an error, or a breach of the page's Content-Security-Policy."""
    started_chromium.forget()
    yield started_chromium
    assert started_chromium.take_complaints() == []
