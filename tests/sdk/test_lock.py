"""The lock files of the JavaScript packages."""

from __future__ import annotations

import pytest

from tests.sdk.sdks import read_packages


@pytest.mark.parametrize("lock", ["package-lock.json", "../browser/package-lock.json"], ids=["sdk", "browser"])
def test_packages_are_locked_by_their_hashes_and_by_no_address(lock: str) -> None:
    packages = read_packages(lock)
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
