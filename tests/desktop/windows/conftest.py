"""The tests of the Windows icon and of the registry need a Windows Python. `dev.py windows` runs them under Wine."""

from __future__ import annotations

import os

collect_ignore = [] if os.name == "nt" else ["test_autostart.py", "test_icon.py"]
