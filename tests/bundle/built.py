"""What `dev.py bundle` made, and where it keeps things from run to run."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.running_app import ROOT

VARIABLE = "CLAUDE_NVIDIA_TRAY_BUNDLE"
DIST = Path(os.environ.get(VARIABLE, ROOT / "dist"))
BUILD_PYTHON = ROOT / ".build" / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "claude-nvidia-tray-build"
"""Looked up here, before the tests get a home of their own."""


def find_built(pattern: str) -> Path:
    """The one result whose name fits."""
    found = list(DIST.glob(pattern))
    assert len(found) == 1, f"{pattern} in {DIST}: {[path.name for path in found]}"
    return found[0]
