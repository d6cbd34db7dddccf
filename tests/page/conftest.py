"""A browser that was let in, at the page of a gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.gateway import RunningGateway
from tests.support.page import Browser


@pytest.fixture
def browser(paged: RunningGateway, tmp_path: Path) -> Browser:
    """A browser that was let in."""
    found = Browser(paged.address.url, tmp_path)
    found.enter()
    return found
