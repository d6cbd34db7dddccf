"""The command `doctor`: says what is wrong between Claude Code and NVIDIA, and how to cure it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from tray_app.app.health import read_health
from tray_app.app.instance import Instance
from tray_app.claude_code.journal_file import is_on
from tray_app.commands.open_settings import open_settings
from tray_app.commands.terminal import FAILED, OK, find_folder, say
from tray_app.desktop import Desktop
from tray_app.doctor.examination import Patient, examine
from tray_app.doctor.findings import Finding, Level, is_healthy
from tray_app.paths import Paths
from tray_app.settings.keys import read_keys

_MARKS = {Level.OK: "ok  ", Level.NOTE: "note", Level.FAIL: "FAIL"}
_INDENT = " " * 22


def doctor(paths: Paths, environ: Mapping[str, str], desktop: Desktop, *, as_json: bool) -> int:
    """Prints the findings. FAILED if one of them is a failure. Works without a running app and without a network."""
    findings = examine(_find_patient(paths, environ, desktop))
    if as_json:
        say(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            _show(finding)
        failures = sum(finding.level is Level.FAIL for finding in findings)
        say("Nothing stands in the way." if not failures else f"{failures} of these must be cured first.")
    return OK if is_healthy(findings) else FAILED


def _find_patient(paths: Paths, environ: Mapping[str, str], desktop: Desktop) -> Patient:
    """Returns what is examined for the user of this terminal."""
    store = open_settings(paths, environ)
    running = Instance(paths.state).find_running()
    return Patient(
        environ,
        "this terminal",
        find_folder(),
        store.current,
        read_keys(store, environ),
        running_url=running.url if running else None,
        answers=bool(running and running.url and read_health(running.url)),
        is_demo=bool(running and running.is_demo),
        covers_all_sessions=is_on(paths.state),
        missing_tray=desktop.explain_missing_tray(),
        make_tls_context=desktop.make_tls_context,
    )


def _show(finding: Finding) -> None:
    say(f"{_MARKS[finding.level]}  {finding.topic:<14}  {finding.sentence}")
    if finding.fix:
        say(f"{_INDENT}{finding.fix}")
