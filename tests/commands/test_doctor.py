"""The command `doctor` in a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.raw_upstream import RawUpstream
from tray_app.doctor.claude_program import TRIED_VERSIONS

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script of POSIX shells")


@pytest.fixture
def upstream() -> Iterator[RawUpstream]:
    """Yields a server in NVIDIA's place that has no time for any request."""
    with RawUpstream(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", ends=True) as upstream:
        yield upstream


def run_doctor(tmp_path: Path, upstream_url: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs it as a user whose only program is a stand-in for Claude Code."""
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{TRIED_VERSIONS[0]} (Claude Code)'\n")
    program.chmod(0o755)
    environment = {
        "CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path / "home"),
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
        "HOME": str(tmp_path),
        "PATH": f"{program.parent}{os.pathsep}/bin",
        "ADDR": f"127.0.0.1:{free_port()}",
        "UPSTREAM_URL": upstream_url,
        "no_proxy": "*",
        **more,
    }
    return subprocess.run(
        [sys.executable, "-m", "tray_app", "doctor", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_all_is_well_enough_without_a_running_app(tmp_path: Path, upstream: RawUpstream) -> None:
    done = run_doctor(tmp_path, upstream.url, NVIDIA_API_KEY="nvapi-secret")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok    Claude Code")
    assert any(line.startswith("note  Gateway         The app is not running.") for line in lines)
    assert any(line.startswith("ok    NVIDIA          127.0.0.1 answers after") for line in lines)
    assert any(line.startswith("note  NVIDIA key      NVIDIA is too busy to check the key.") for line in lines)
    assert lines[-1] == "Nothing stands in the way."
    assert "secret" not in done.stdout
    assert len(lines) < 24, "it fits on one screen"


def test_what_must_be_cured_is_counted_and_the_exit_code_says_so(tmp_path: Path) -> None:
    done = run_doctor(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "FAIL  NVIDIA API key  There is no NVIDIA API key." in done.stdout
    assert "FAIL  NVIDIA          127.0.0.1 cannot be reached" in done.stdout
    assert done.stdout.splitlines()[-1] == "2 of these must be cured first."


def test_other_programs_get_json(tmp_path: Path, upstream: RawUpstream) -> None:
    done = run_doctor(tmp_path, upstream.url, "--json")
    findings = json.loads(done.stdout)
    assert {finding["level"] for finding in findings} <= {"ok", "note", "fail"}
    assert {"NVIDIA API key", "Claude Code", "Gateway", "Tray"} <= {finding["topic"] for finding in findings}
