#!/bin/sh
# A double click starts the program from this checkout (macOS; on Linux where the file manager runs scripts).
cd "$(dirname "$0")/.." || exit
python3 packaging/dev.py run --version && nohup .venv/bin/python -m tray_app >/dev/null 2>&1 &
