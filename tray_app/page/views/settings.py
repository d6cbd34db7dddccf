"""What the view of the settings shows: each setting with its words, its value, and where the value comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tray_app.page.views.setting_words import GROUPS, PAGE_WORDS, Words
from tray_app.settings.parsing import file_value
from tray_app.settings.settings import SECRETS, Settings
from tray_app.shells import name_command


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """What is known of the settings besides their values."""

    file: Path = Path()
    variables: Mapping[str, str] = field(default_factory=dict)
    """The environment variable that sets a setting, by the name of the setting. It wins over the file."""
    model_entries: object = ()
    """The entries of "models" as they are in the file."""
    key_places: Mapping[str, str] = field(default_factory=dict)
    """Where each key is, for a sentence that begins with "It is in", by the name of its setting. A key that does not
    exist has no entry."""
    unknown_keys: frozenset[str] = frozenset()
    """Names of the settings whose keys may be in a keyring that gives no answer."""


def show_settings(settings: Settings, facts: SettingsFacts, *, running: int) -> dict[str, Any]:
    """Returns all settings as plain values. `running` is the number of running requests, which a restart would end."""
    return {
        "file": str(facts.file),
        "running": running,
        "groups": [
            {
                "title": group.title,
                "rows": [
                    _show_key(row, facts) if row.kind == "key" else _show(row, settings, facts) for row in group.rows
                ],
            }
            for group in GROUPS
        ],
    }


def _show_key(words: Words, facts: SettingsFacts) -> dict[str, Any]:
    """Returns what may be known of a key: whether there is one, and where."""
    return {
        "name": words.name,
        "title": words.title,
        "help": words.help,
        "kind": words.kind,
        "place": facts.key_places.get(words.name),
        "is_unknown": words.name in facts.unknown_keys,
        "command": name_command("set-key", "--server") if words.name == "server_api_key" else "",
    }


def _show(words: Words, settings: Settings, facts: SettingsFacts) -> dict[str, Any]:
    assert words.name not in SECRETS
    default = _plain(getattr(Settings(), words.name))
    is_models = words.name == "models"
    value = facts.model_entries if is_models else _plain(getattr(settings, words.name))
    return {
        "name": words.name,
        "title": words.title,
        "help": words.help,
        "kind": words.kind,
        "least": words.least,
        "unit": words.unit,
        "example": words.example,
        "value": value,
        "default": default,
        "variable": facts.variables.get(words.name, ""),
        "choices": _list_choices(words.name, settings) if words.kind == "choice" else [],
    }


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else file_value(value)


def _list_choices(name: str, settings: Settings) -> list[dict[str, str]]:
    """Returns the values that a setting can have, each with its label."""
    catalog = settings.catalog
    if name == "model":
        return [{"id": model.id, "label": model.label} for model in catalog.offered(settings.selected_model)]
    if name == "serve_page":
        return [{"id": word, "label": label} for word, label in PAGE_WORDS.items()]
    models = [{"id": model.id, "label": model.label} for model in catalog.models]
    return [{"id": "", "label": "The selected model"}, *models]
