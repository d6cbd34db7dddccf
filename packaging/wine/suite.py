"""The program's own tests under the Windows Python, as far as Wine can run them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from freeze import ROOT, BuildError

from wine.build import copy_source
from wine.prefix import PYTHON, install_lock
from wine.wine import Prefix

NOT_HERE = (
    "not desktop and not kit",  # a D-Bus or X desktop, and Claude Code, are on the other side
    "tests/sessions",  # the real Claude Code, likewise
    "tests/browser",  # and Chromium
    "tests/sdk",  # needs Node; and pydantic_core, whose Rust needs bcryptprimitives.dll, which Wine 8 has not
    "tests/bundle",  # drives what was built, from the outside
    # What follows is the same on every system. It counts the program's work,
    "tests/growth",
    # reads its source,
    "tests/test_mirror.py",
    "tests/test_walls.py",
    # goes by a clock of its own,
    "tests/proxy/models",
    "tests/proxy/upstream/test_pacing.py",
    "tests/proxy/upstream/test_pacing_simulation.py",
    "tests/proxy/upstream/test_window.py",
    "tests/test_simulated_nvidia.py",
    # calls functions with values alone,
    "tests/catalog",
    "tests/status",
    # is of a script that runs on Linux alone,
    "tests/packaging/test_bench.py",
    "tests/packaging/test_bench_run.py",
    # starts a process for each test, which takes Wine seconds; the programs that were built are driven from outside,
    "tests/app/test_app.py",
    "tests/app/test_self_check.py",
    "tests/commands",
    "tests/test_command_line.py",
    "tests/proxy/exchange/test_pdf.py",  # likewise a worker process; how one starts, fails and ends is in test_pool.py
    # plays each fault at each place of a stream; test_odd_upstream.py breaks connections in every way,
    "tests/proxy/upstream/test_faults.py",
    # watches how long the event loop is held up,
    "tests/proxy/exchange/test_nobody_waits.py",
    # or asks what a text means, or a header. How it arrives, and how a worker gets it, is tested in other files.
    "tests/page/test_security.py",
    "tests/proxy/exchange/test_answers.py",
    "tests/proxy/exchange/test_call_repair.py",
    "tests/proxy/exchange/test_errors_in_answers.py",
    "tests/proxy/exchange/test_kept_bodies.py",
    "tests/proxy/exchange/test_live.py",
    "tests/proxy/exchange/test_notes.py",
    "tests/proxy/exchange/test_progress.py",
    "tests/proxy/exchange/test_prompt_difference.py",
    "tests/proxy/exchange/test_recent.py",
    "tests/proxy/exchange/test_retries.py",
    "tests/proxy/exchange/test_stand_ins.py",
    "tests/proxy/upstream/test_outcomes.py",
    "tests/proxy/upstream/test_retry_after.py",
    "tests/proxy/upstream/test_upstream_trouble.py",
    "tests/proxy/workers/test_jobs.py",
    "tests/test_redaction.py",
)
"""The selection of marks, and the folders and files that are left out."""

PURE = "tests/translate"
"""Its tests call functions that use no files, sockets, processes, clocks or settings of the system. They give the same
result on every system, and they are nearly half of all tests."""
PURE_BUT_HERE = {
    "answer/test_chunk.py",
    "answer/test_sse.py",
    "answer/test_stream.py",
    "request/test_chat.py",
    "request/test_encoded.py",
    "test_json_text.py",
}
"""Of those, the ones that run nevertheless: they show that the Windows Python, with the libraries that are compiled for
it, decodes, translates and encodes."""

MAY_SKIP = {
    "D-Bus is for Linux",
    "a pseudo-terminal, or a shell of POSIX",
    "elsewhere there is always a tray",
    "file modes and links of POSIX",
    "file modes of POSIX",
    "file modes, links and pipes of POSIX",
    "limits of POSIX",
    "links and devices of POSIX",
    "links a Python into place, and hands over with execv",
    "macOS does not keep to such a limit, and Wine does not either",  # of memory
    "pipes and links of POSIX",
    "shells of POSIX",
    "signals of POSIX",
    "the modes of POSIX",
    "a script of POSIX shells",
    "elsewhere the system itself is asked",  # for the certificates that it trusts
    "the route is for Debian",
    "a script as `claude`, and a pseudo-terminal",
    "elsewhere a signal ends the app without a word",
    "it prints nothing there",
    "sessions and signals of POSIX",
    "signals and job control of POSIX",
    "the names of programs have suffixes there",
    "the system's owner may write all files",
    "Windows lets nobody delete a file that is open",
    "whom the system trusts is not for tests to change",
    "only Linux tells whose program it is",
    "only Linux tells whose program it is, and only root may become another user",
    "lit-html is not installed (npm ci --prefix tests/browser)",  # only a checkout has it, not its copy
    "this machine has no IPv6",  # a container may have none
}
"""Why a test may skip on Windows. Any other reason is a part that is missing."""

FEWEST_TESTS = 2_000
"""That must pass: fewer means that some were not collected."""

_SUITE_S = 1800
_TEST_S = 120
"""A test that takes so long hangs: the run ends there, and tells where each thread was."""


def run_suite(prefix: Prefix) -> str:
    """Runs the tests of the checkout in a prefix with Python and a display; returns pytest's last line.

    BuildError if one fails, if there are too few of them, or if one skips for a reason that it should not have.
    """
    site, source = prefix.drive_c / "tests-site", copy_source(prefix.drive_c / "tests")
    install_lock(ROOT / "packaging" / "requirements-dev.txt", site)
    results = source / "results.xml"
    hang = ["-o", f"faulthandler_timeout={_TEST_S}", "-o", "faulthandler_exit_on_timeout=true"]
    selection = ["-m", NOT_HERE[0], *(f"--ignore={path}" for path in list_left_out(source))]
    options = ["-q", "-p", "no:cacheprovider", *hang, *selection]
    finished = prefix.run(
        PYTHON,
        *["-m", "pytest", *options, f"--junitxml={results.name}"],
        timeout_s=_SUITE_S,
        cwd=source,
        PYTHONPATH=rf"C:\{site.name}",
    )
    if finished.code != 0:
        raise BuildError(f"The tests fail on Windows (exit code {finished.code}).\n{finished.output}")
    check_results(ElementTree.parse(results).getroot())
    return finished.output.strip().splitlines()[-1].strip("= ")


def list_left_out(source: Path) -> list[str]:
    """The folders and files of a checkout that do not run here."""
    pure = (path.relative_to(source / PURE).as_posix() for path in sorted((source / PURE).rglob("test_*.py")))
    return [*NOT_HERE[1:], *(f"{PURE}/{path}" for path in pure if path not in PURE_BUT_HERE)]


def check_results(root: ElementTree.Element[Any]) -> None:
    """BuildError if too few tests passed, or some skipped that should not have; `root` is of pytest's JUnit XML."""
    cases = list(root.iter("testcase"))
    skipped = [case for case in cases if case.find("skipped") is not None]
    unknown = Counter(reason for case in skipped if (reason := _reason(case)) not in MAY_SKIP)
    if unknown:
        raise BuildError(f"Tests skipped on Windows that should run there: {_list(unknown.most_common())}.")
    passed = len(cases) - len(skipped)
    if passed < FEWEST_TESTS:
        raise BuildError(f"Only {passed} tests ran on Windows, and there must be {FEWEST_TESTS}.")


def _reason(case: ElementTree.Element[Any]) -> str:
    skipped = case.find("skipped")
    assert skipped is not None
    message = skipped.get("message", "")
    # of a module that skips as a whole, it stands at the end of the text: ('C:\\...', 12, 'Skipped: the reason')
    whole_module = re.search(r"'Skipped: (.*)'\)$", (skipped.text or "").strip())
    return whole_module[1] if message == "collection skipped" and whole_module else message


def _list(reasons: Sequence[tuple[str, int]]) -> str:
    return "; ".join(f"{reason!r} ({count})" for reason, count in reasons)
