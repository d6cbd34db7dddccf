"""The lock file of the JavaScript SDKs."""

from __future__ import annotations

from tests.sdk.sdks import read_packages


def test_packages_are_locked_by_their_hashes_and_by_no_address() -> None:
    packages = read_packages("package-lock.json")
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
