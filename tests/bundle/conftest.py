"""These tests drive what was built. Who built it calls them and names it; else there is nothing to drive."""

from __future__ import annotations

import os

from tests.bundle.windows_build import VARIABLE

collect_ignore_glob = [] if os.environ.get(VARIABLE) else ["test_windows*.py"]
