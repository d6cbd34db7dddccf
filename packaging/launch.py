"""Where the frozen program starts."""

import os
import sys

if sys.platform.startswith("linux"):
    # PyInstaller's loader has the bundled libraries found by this variable; what we start is to find the system's.
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is None:
        os.environ.pop("LD_LIBRARY_PATH", None)
    else:
        os.environ["LD_LIBRARY_PATH"] = before

from tray_app.__main__ import main

sys.exit(main())
