"""These tests drive what was built; packaging/dev.py names the folder when it calls them, and else there is nothing."""

from __future__ import annotations

import os
import sys

from tests.bundle.built import VARIABLE

collect_ignore_glob = [] if os.environ.get(VARIABLE) else ["test_linux.py", "test_packages.py"]
if sys.platform != "linux":
    collect_ignore_glob.append("test_linux.py")
