"""A process that asks for more memory than its limit gets an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

LIMIT_AND_ASK = """
from tray_app.proxy.workers.memory_limit import limit_memory
assert limit_memory(400_000_000)
bytearray(50_000_000)
try:
    bytearray(500_000_000)
except MemoryError:
    print("limited")
"""


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not keep to such a limit, and Wine does not either")
def test_more_memory_than_the_limit_is_refused() -> None:
    assert run(LIMIT_AND_ASK).strip() == "limited"


@pytest.mark.skipif(sys.platform != "win32", reason="job objects are Windows'")
def test_windows_accepts_the_limit() -> None:
    code = "from tray_app.proxy.workers.memory_limit import limit_memory; print(limit_memory(400_000_000))"
    assert run(code).strip() == "True"
