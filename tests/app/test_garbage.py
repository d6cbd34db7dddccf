"""What exists after the start is taken for permanent, and what comes after it is not."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from tray_app.app.garbage import hold_off, settle


class Ring:
    """Refers to itself, so that only a look at all objects finds out that it is given up."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_looked_for_during_the_start() -> None:
    hold_off()
    assert not gc.isenabled()


def test_what_was_given_up_before_is_gone_and_what_exists_is_left_alone() -> None:
    hold_off()
    ring = weakref.ref(Ring())
    settle()
    assert gc.isenabled()
    assert ring() is None
    assert gc.get_freeze_count() > 1000


def test_what_is_given_up_later_is_found() -> None:
    hold_off()
    settle()
    ring = weakref.ref(Ring())
    gc.collect()
    assert ring() is None
