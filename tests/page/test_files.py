"""The files of the page: all that they name is there, they are small, and the library is as its makers left it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.support.gateway import RunningGateway
from tests.support.parts import fail_or_skip
from tray_app.page.files import find_missing_files, weigh_files

ROOT = Path(__file__).resolve().parents[2]
LIT = ROOT / "tray_app" / "page" / "static" / "vendor" / "lit-html"
INSTALLED = ROOT / "tests" / "browser" / "node_modules" / "lit-html"


def test_every_file_that_another_one_names_is_there() -> None:
    assert find_missing_files() == []


def test_a_browser_gets_the_whole_page_in_less_than_64_kb() -> None:
    _, size_bytes = weigh_files()
    assert size_bytes < 64_000


def test_a_client_that_cannot_unpack_gets_the_files_as_they_are(paged: RunningGateway) -> None:
    plain = paged.request("GET", "/page/static/app.js")
    packed = paged.request("GET", "/page/static/app.js", Accept_Encoding="gzip, deflate, br")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.raw) == plain.raw


@pytest.mark.parametrize("path", sorted(LIT.rglob("*.js")), ids=lambda path: path.name)
def test_the_library_is_the_one_of_npm_without_the_names_of_files_for_its_makers(path: Path) -> None:
    original = INSTALLED / path.relative_to(LIT)
    if not original.is_file():
        fail_or_skip("lit-html is not installed (npm ci --prefix tests/browser)")
    lines = original.read_text(encoding="utf-8").splitlines(keepends=True)
    code = [line for line in lines if not line.startswith("//# sourceMappingURL=")]
    assert path.read_text(encoding="utf-8") == "".join(code)
