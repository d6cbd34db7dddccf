"""Builds the Windows program and its installer into dist/, and tries them, on Debian under Wine. See route.py."""

import sys
from pathlib import Path

# A folder that is started knows only itself: these are packaging/ and the checkout.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from wine.route import main

sys.exit(main(sys.argv[1:]))
