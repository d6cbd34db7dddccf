"""What the run of these tests under Wine accepts as its result."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from freeze import ROOT, BuildError

from wine import suite


def results(passed: int, *skipped: str) -> ElementTree.Element:
    cases = "<testcase/>" * passed + "".join(f"<testcase>{case}</testcase>" for case in skipped)
    return ElementTree.fromstring(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")


ONE = '<skipped type="pytest.skip" message="signals of POSIX">C:\\tests\\a.py:1: signals of POSIX</skipped>'
MODULE = "<skipped message=\"collection skipped\">('C:\\\\tests\\\\a.py', 9, 'Skipped: D-Bus is for Linux')</skipped>"


def test_what_is_left_out_is_there_and_so_is_what_runs_nevertheless() -> None:
    left_out = suite.list_left_out(ROOT)
    assert [path for path in left_out if not (ROOT / path).exists()] == []
    pure = {path.relative_to(ROOT).as_posix() for path in (ROOT / suite.PURE).rglob("test_*.py")}
    runs = {f"{suite.PURE}/{path}" for path in suite.PURE_BUT_HERE}
    assert pure > runs
    assert set(left_out) & pure == pure - runs


def test_skips_for_known_reasons_are_accepted() -> None:
    suite.check_results(results(suite.FEWEST_TESTS, ONE, MODULE))


@pytest.mark.parametrize(
    ("skipped", "reason"),
    [
        ('<skipped type="pytest.skip" message="not installed: node"/>', "not installed: node"),
        (MODULE.replace("D-Bus is for Linux", "no aiohttp"), "no aiohttp"),
        ('<skipped type="pytest.xfail" message="later"/>', "later"),
    ],
    ids=["a test", "a module", "expected to fail"],
)
def test_any_other_skip_is_told(skipped: str, reason: str) -> None:
    with pytest.raises(BuildError, match=rf"should run there: '{reason}' \(2\)"):
        suite.check_results(results(suite.FEWEST_TESTS, ONE, skipped, skipped))


def test_tests_that_were_not_collected_are_missed() -> None:
    with pytest.raises(BuildError, match=r"^Only \d+ tests ran on Windows"):
        suite.check_results(results(suite.FEWEST_TESTS - 1, ONE))
