"""What the page reads of the program itself: its settings, its models and its log."""

from __future__ import annotations

import asyncio

from tray_app.page.reading import Reading
from tray_app.page.views.logs import show_log
from tray_app.page.views.models import show_models
from tray_app.page.views.settings import show_settings


async def read_settings(reading: Reading) -> object:
    """Returns every setting with its value and where that comes from."""
    gateway = reading.gateway
    return show_settings(gateway.config.settings, reading.desk.settings_facts, running=len(gateway.serving))


async def read_models(reading: Reading) -> object:
    """Returns every model that is known, with what was found out about it."""
    gateway, entries = reading.gateway, reading.desk.settings_facts.model_entries
    status, settings, probes = gateway.board.status, gateway.config.settings, gateway.evidence.count_probes()
    return await asyncio.to_thread(show_models, status, settings, entries, probes)  # with 100 models it takes a moment


async def read_log(reading: Reading) -> object:
    """Returns the end of the log. `?mark=` is the mark of the last answer; if nothing was logged since, it is short."""
    file, secrets = reading.desk.facts.log_file, reading.gateway.config.secrets
    return await asyncio.to_thread(show_log, file, secrets, reading.query.get("mark", ""))
