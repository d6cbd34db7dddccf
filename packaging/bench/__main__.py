"""Measures the gateway of this checkout, and others beside it, on Linux. See command.py."""

import sys
from pathlib import Path

# A folder that is started knows only itself: these are packaging/ and the checkout.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.command import main

sys.exit(main(sys.argv[1:]))
