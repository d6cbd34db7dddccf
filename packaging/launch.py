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
    # Modules come from the program's file, by its path, when they are first needed. An upgrade puts another file there,
    # and after a removal PyInstaller would end the process; this path stands for the file that was started.
    sys.modules["pyimod02_importers"].pyz_archive._filename = "/proc/self/exe"  # noqa: SLF001 (it has no public name)

from tray_app.__main__ import main

sys.exit(main())
