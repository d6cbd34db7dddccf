"""Examines everything between Claude Code and NVIDIA, one thing after another."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tray_app.doctor.claude_program import check_claude
from tray_app.doctor.environment import check_environment
from tray_app.doctor.findings import Finding, Level, is_healthy
from tray_app.doctor.gateway import check_keys, check_port
from tray_app.doctor.nvidia_key import check_nvidia_key
from tray_app.doctor.settings_files import check_all_sessions, check_settings_files
from tray_app.doctor.upstream import check_upstream
from tray_app.proxy.key_check import list_judges
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Settings
from tray_app.shells import name_command


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined."""

    environ: Mapping[str, str]
    """The environment variables that Claude Code probably gets."""
    whose_environ: str
    """Where these variables are, for a sentence, such as "this terminal"."""
    folder: Path
    """The folder in which Claude Code is probably started."""
    settings: Settings
    keys: Keys
    running_url: str | None
    """The URL of the running app; empty: its gateway does not listen; None: no app is running."""
    answers: bool
    """Tells whether the gateway at this URL answers."""
    is_demo: bool
    """Tells whether the running app is a demo."""
    covers_all_sessions: bool
    """Tells whether all sessions of Claude Code are set to use this program."""
    missing_tray: str
    """Why no tray icon can be seen, as a sentence; empty if nothing speaks against it."""
    make_tls_context: Callable[[], ssl.SSLContext]
    """Decides which certificates of NVIDIA's server are trusted."""


def examine(patient: Patient) -> list[Finding]:
    """Returns all findings. Takes some seconds if NVIDIA does not answer."""
    settings, keys, is_demo = patient.settings, patient.keys, patient.is_demo
    url = patient.running_url or settings.addr.url
    upstream = check_upstream(settings.nvidia_url, patient.make_tls_context)
    judges = list_judges(settings) if keys.nvidia and not is_demo and is_healthy(upstream) else []
    return [
        check_claude(patient.environ),
        *check_environment(patient.environ, url, patient.whose_environ),
        *check_settings_files(patient.environ, patient.folder, url),
        *check_all_sessions(patient.environ, url, is_on=patient.covers_all_sessions),
        check_port(settings.addr, patient.running_url, answers=patient.answers, is_demo=is_demo),
        *([] if is_demo else check_keys(keys)),
        *upstream,
        *_judge_key(patient, judges),
        _check_tray(patient.missing_tray),
    ]


def _judge_key(patient: Patient, judges: list[str]) -> list[Finding]:
    """Returns NVIDIA's verdict on the key; nothing if no model is to judge it."""
    if not judges:
        return []
    return [check_nvidia_key(patient.keys.nvidia, patient.settings.nvidia_url, judges, patient.make_tls_context)]


def _check_tray(problem: str) -> Finding:
    if not problem:
        return Finding(Level.OK, "Tray", "This desktop shows tray icons.")
    fix = f"Without an icon, `{name_command('status')}` and `{name_command('stop')}` work all the same."
    return Finding(Level.NOTE, "Tray", problem, fix)
