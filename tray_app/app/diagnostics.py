"""Writes a text about this program that its user can give to somebody who helps. No key is in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from tray_app import APP_NAME, __version__
from tray_app.page.views.logs import read_lines
from tray_app.page.views.settings import SettingsFacts
from tray_app.redaction import hide_secrets, show_start
from tray_app.settings.config import GatewayConfig
from tray_app.settings.parsing import file_value
from tray_app.settings.settings import SECRETS, Settings
from tray_app.status.board import Status
from tray_app.status.findings import Finding

_LOG_LINES = 200
_MOST_LINE_CHARS = 600
"""Longer lines of the log are cut. They have bodies in them."""


def write_diagnostics(system: str, config: GatewayConfig, status: Status, facts: SettingsFacts, log_file: Path) -> str:
    """Returns the text: version, system, settings, status, findings about models, and the end of the log.

    `system` is the name of the system. The user's home folder is written as ~. It reads files, so it takes a moment.
    """
    python = f"Python {'.'.join(map(str, sys.version_info[:3]))}"
    sections = {
        "System": (system, f"{python}{', in a bundle' if getattr(sys, 'frozen', False) else ''}"),
        f"Settings in {facts.file}": _describe_settings(config.settings, facts),
        "Status": _describe_status(status, facts),
        "Models": _describe_models(status),
        f"The last {_LOG_LINES} lines of {log_file}": (
            show_start(line, _MOST_LINE_CHARS, config.secrets) for line in read_lines(log_file, _LOG_LINES)
        ),
    }
    now = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    parts = [f"{APP_NAME} {__version__}, {now}"]
    parts += ["\n".join((title, *(f"  {line}" for line in lines))) for title, lines in sections.items()]
    text = hide_secrets("\n\n".join(parts) + "\n", config.secrets)
    return text.replace(str(Path.home()), "~") if Path.home() != Path(Path.home().anchor) else text


def _describe_settings(settings: Settings, facts: SettingsFacts) -> Iterator[str]:
    """Yields each setting but the keys, and where its value comes from if it is not the default."""
    defaults = Settings()
    for found in fields(Settings):
        name = found.name
        if name in SECRETS:
            continue
        value = facts.model_entries if name == "models" else file_value(getattr(settings, name))
        variable = facts.variables.get(name, "")
        is_default = getattr(settings, name) == getattr(defaults, name)
        source = f", from {variable}" if variable else "" if is_default else ", changed"
        yield f"{name}: {json.dumps(value, ensure_ascii=False, default=dict)}{source}"


def _describe_status(status: Status, facts: SettingsFacts) -> Iterator[str]:
    yield f"{status.phase.value}{f' at {status.url}' if status.url else ''}{', demo' if status.is_demo else ''}"
    for name in sorted(SECRETS):
        unknown = "the keyring does not answer" if name in facts.unknown_keys else "none"
        place = facts.key_places.get(name)
        yield f"{name}: {f'in {place}' if place else unknown}"
    yield f"{status.active_requests} running requests"
    for topic, trouble in status.troubles:
        yield f"{topic.name.lower()}: {trouble.sentence}"
    for wait in status.waits:
        yield f"{wait.model}: {wait.waiting} requests wait, {wait.used} of {wait.limit} were sent in the last minute"
    for failing in status.failing:
        yield f"{failing.model_id}: {failing.reason}"


def _describe_models(status: Status) -> Iterator[str]:
    if not status.findings.by_model:
        yield "nothing was found yet"
    for model_id, finding in sorted(status.findings.by_model.items()):
        yield f"{model_id}: {_describe_finding(finding)}"


def _describe_finding(finding: Finding) -> str:
    facts = {"answers": finding.answers, "tools": finding.calls_tools, "images": finding.takes_images}
    words = [f"{name} {'yes' if is_so else 'no'}" for name, is_so in facts.items() if is_so is not None]
    if finding.refusal:
        words.append(f"{finding.refusal.kind.value} {finding.refusal.date}".strip())
    if finding.first_token_s is not None:
        words.append(f"first token after {finding.first_token_s:.1f} s")
    words.append(f"{finding.succeeded} of {finding.asked} requests answered")
    return ", ".join(words)
