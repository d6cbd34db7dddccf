"""The command `doctor`: says what is wrong between Claude Code and NVIDIA, and how to cure it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tray_app.app.health import read_health
from tray_app.app.instance import Instance
from tray_app.commands.judge_key import list_judges
from tray_app.commands.open_settings import open_settings
from tray_app.commands.terminal import FAILED, OK, say
from tray_app.desktop import Desktop
from tray_app.doctor.claude_program import check_claude
from tray_app.doctor.environment import check_environment
from tray_app.doctor.findings import Finding, Level, is_healthy
from tray_app.doctor.gateway import check_keys, check_port
from tray_app.doctor.nvidia_key import check_nvidia_key
from tray_app.doctor.settings_files import check_settings_files
from tray_app.doctor.upstream import check_upstream
from tray_app.paths import Paths
from tray_app.settings.keys import read_keys
from tray_app.shells import name_command

_MARKS = {Level.OK: "ok  ", Level.NOTE: "note", Level.FAIL: "FAIL"}
_INDENT = " " * 22


def doctor(paths: Paths, environ: Mapping[str, str], desktop: Desktop, *, as_json: bool) -> int:
    """Prints the findings. FAILED if one of them is a failure. Works without a running app and without a network."""
    findings = examine(paths, environ, desktop)
    if as_json:
        say(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            _show(finding)
        failures = sum(finding.level is Level.FAIL for finding in findings)
        say("Nothing stands in the way." if not failures else f"{failures} of these must be cured first.")
    return OK if is_healthy(findings) else FAILED


def examine(paths: Paths, environ: Mapping[str, str], desktop: Desktop) -> list[Finding]:
    """Returns all findings. Takes some seconds if NVIDIA does not answer."""
    store = open_settings(paths, environ)
    settings = store.current
    running = Instance(paths.state).find_running()
    url = running.url if running and running.url else settings.addr.url
    answers = bool(running and running.url and read_health(running.url))
    is_demo = bool(running and running.is_demo)
    keys = read_keys(store, environ)
    upstream = check_upstream(settings.nvidia_url, desktop.make_tls_context)
    judges = list_judges(settings) if keys.nvidia and not is_demo and is_healthy(upstream) else []
    return [
        check_claude(environ),
        *check_environment(environ, url),
        *check_settings_files(environ, Path.cwd(), url),
        check_port(settings.addr, running.url if running else None, answers=answers, is_demo=is_demo),
        *([] if is_demo else check_keys(keys)),
        *upstream,
        *_judge_key(keys.nvidia, settings.nvidia_url, judges, desktop),
        _check_tray(desktop),
    ]


def _judge_key(key: str, chat_url: str, judges: list[str], desktop: Desktop) -> list[Finding]:
    """Returns NVIDIA's verdict on the key; nothing if no model is to judge it."""
    return [check_nvidia_key(key, chat_url, judges, desktop.make_tls_context)] if judges else []


def _check_tray(desktop: Desktop) -> Finding:
    problem = desktop.explain_missing_tray()
    if not problem:
        return Finding(Level.OK, "Tray", "This desktop shows tray icons.")
    fix = f"Without an icon, `{name_command('status')}` and `{name_command('stop')}` work all the same."
    return Finding(Level.NOTE, "Tray", problem, fix)


def _show(finding: Finding) -> None:
    say(f"{_MARKS[finding.level]}  {finding.topic:<14}  {finding.sentence}")
    if finding.fix:
        say(f"{_INDENT}{finding.fix}")
