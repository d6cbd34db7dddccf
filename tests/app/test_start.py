"""A double click on packaging/start.command: it runs without a terminal, in another working folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.gateway import Client
from tests.support.running_app import ROOT
from tests.support.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script of POSIX shells")


def test_the_start_script_starts_the_program_and_ends(tmp_path: Path) -> None:
    environment = {**os.environ, "CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path), "ADDR": "127.0.0.1:0"}
    subprocess.run([ROOT / "packaging" / "start.command"], cwd=tmp_path, env=environment, timeout=30, check=True)
    note = tmp_path / "state" / "instance.json"
    wait_for(lambda: note.exists() and "http" in note.read_text(encoding="utf-8"), "a running app", 30)
    running = json.loads(note.read_text(encoding="utf-8"))
    try:
        assert Client(running["url"]).request("GET", "/v1/models").status == 200
    finally:
        os.kill(running["pid"], signal.SIGTERM)
        wait_for(lambda: not note.exists(), "the app's end", 30)
