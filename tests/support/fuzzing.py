"""Runs an invariant under a coverage-guided fuzzer, with a watchdog for time and memory.

For a session by hand, in an environment with atheris beside the program's own packages: `python -m
tests.translate.fuzz_sse [libFuzzer options]`, for example `-max_total_time=600`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

TIME_LIMIT_S = 5
"""An input that takes longer is a finding: inputs have at most some KB."""
MEMORY_LIMIT_MB = 1024


def fuzz(check: Callable[[bytes], object]) -> None:
    """Calls `check` with ever new inputs, until one raises or a limit is reached; does not return."""
    import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]  # not among the dependencies: no wheel for every Python

    atheris.instrument_all()
    limits = [f"-timeout={TIME_LIMIT_S}", f"-rss_limit_mb={MEMORY_LIMIT_MB}"]
    atheris.Setup([sys.argv[0], *limits, *sys.argv[1:]], check)
    atheris.Fuzz()
