"""These tests drive what was built. Who built it calls them and names it; else there is nothing to drive."""

from __future__ import annotations

import os
import sys

from tests.bundle import built, windows_build

collect_ignore_glob = []
if not os.environ.get(built.VARIABLE):
    collect_ignore_glob += ["test_linux.py", "test_packages.py"]
if not os.environ.get(windows_build.VARIABLE):
    collect_ignore_glob += ["test_wine_app.py", "test_windows*.py"]
if sys.platform != "linux":
    collect_ignore_glob.append("test_linux.py")
