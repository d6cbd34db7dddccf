"""The Windows icon's tests need a Windows Python: `dev.py windows` runs them."""

from __future__ import annotations

import os

collect_ignore = [] if os.name == "nt" else ["test_icon.py"]
