"""A gateway with a page, and a browser that was let in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import StartGateway
from tests.support.gateway import RunningGateway
from tests.support.page import Browser, NotingDesk
from tray_app.page.routes import Page


@pytest.fixture
def desk() -> NotingDesk:
    return NotingDesk()


@pytest.fixture
def paged(start_gateway: StartGateway, desk: NotingDesk, tmp_path: Path) -> RunningGateway:
    """A gateway with a page, whose state folder is `tmp_path`."""
    return start_gateway(make_page=lambda: Page(tmp_path, tmp_path / "history.sqlite3", desk))


@pytest.fixture
def browser(paged: RunningGateway, tmp_path: Path) -> Browser:
    """A browser that was let in."""
    found = Browser(paged.address.url, tmp_path)
    found.enter()
    return found
