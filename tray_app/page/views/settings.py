"""What the view of the settings shows: each setting with its words, its value, and where the value comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.settings.parsing import file_value
from tray_app.settings.settings import SECRETS, Settings

Kind = Literal["switch", "number", "text", "choice", "lines", "pairs", "json", "key"]
"""How a setting is shown: `lines` is a list with one text on each line, `pairs` an object with "name = value" on each
line, and `json` any value as JSON. A `key` is never shown and cannot be changed here."""


@dataclass(frozen=True, slots=True)
class Words:
    """One setting in the user's words."""

    name: str
    title: str
    help: str
    kind: Kind
    least: int = 0
    """The smallest number that is accepted. Only a setting of the kind `number` has one."""
    unit: str = ""
    """What the number counts."""
    example: str = ""
    """What is shown in an empty control."""


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together."""

    title: str
    rows: tuple[Words, ...]


GROUPS = (
    Group(
        "General",
        (
            Words("nvidia_key", "NVIDIA API key", "Every request to NVIDIA is sent with it.", "key"),
            Words("model", "Model", "Answers from the next request on, in running sessions, too.", "choice"),
            Words(
                "clients_choose_model",
                "Other programs choose their own model",
                "A request that names a model of the list is answered by that one. Sessions of Claude Code that this "
                "program has started may always choose.",
                "switch",
            ),
        ),
    ),
    Group(
        "Models",
        (
            Words(
                "background_model",
                "Model of background work",
                "Answers titles, summaries and sub-agents. Each model has its own limit of requests, so a second one "
                "leaves more of it to you.",
                "choice",
            ),
            Words(
                "follow_successors",
                "Another model answers for a retired one",
                "A newer model of the same family answers, or the best one that does. The page and the menu say so.",
                "switch",
            ),
            Words(
                "fallback_models",
                "Models that answer if the selected one fails",
                "Their ids, one on each line, are tried from the top. Without one, you get the failure.",
                "lines",
                example=MINIMAX_M2_1.id,
            ),
            Words(
                "probe_models",
                "Find out which models answer",
                "A few small requests ask the models about which your own requests say nothing.",
                "switch",
            ),
            Words(
                "aliases",
                "Other names of models",
                'One "name = id" on each line. A request for the name is answered by the model with the id.',
                "pairs",
                example=f"old/name = {GLM_4_7.id}",
            ),
            Words(
                "model_order",
                "Models that are offered first",
                "Their ids, one on each line, in the order that the menu and this page shall have.",
                "lines",
                example=GLM_4_7.id,
            ),
            Words(
                "hidden_models",
                "Hidden models",
                "Their ids, one on each line. They are not offered, and still answer if a program names them.",
                "lines",
                example=MINIMAX_M2_1.id,
            ),
            Words(
                "models",
                "Models that you added or corrected",
                'A list in JSON. Each entry has the "id" of a model, and the facts that differ from what is known.',
                "json",
                example='[{"id": "vendor/name", "label": "Name"}]',
            ),
        ),
    ),
    Group(
        "Limits",
        (
            Words(
                "requests_per_minute",
                "Requests per minute to each model",
                "Requests beyond this wait for their turn. NVIDIA's free tier takes about 40. 0: only NVIDIA limits.",
                "number",
                unit="requests",
            ),
            Words(
                "upstream_timeout_seconds",
                "Longest silence of NVIDIA",
                "After so long without a word, a request is given up and tried again.",
                "number",
                least=1,
                unit="seconds",
            ),
        ),
    ),
    Group(
        "Claude Code",
        (
            Words(
                "manual_mode",
                "Sessions begin in manual mode",
                "In the sessions that this program starts, you judge each risky command, and no model does.",
                "switch",
            ),
            Words(
                "undo_all_sessions_at_quit",
                "Restore Claude Code's own settings at the end",
                "Use for All Claude Code Sessions then lasts only as long as this program runs.",
                "switch",
            ),
        ),
    ),
    Group(
        "History",
        (
            Words(
                "keep_history",
                "Keep a history of requests",
                "It has figures, names of models and causes of failures, and never the text of a prompt or an answer.",
                "switch",
            ),
            Words(
                "history_days",
                "Days for which each request is kept",
                "The sums of each day are kept for ever.",
                "number",
                least=1,
                unit="days",
            ),
        ),
    ),
    Group(
        "Logging",
        (
            Words(
                "log_bodies",
                "Log request bodies",
                "Your prompts and the answers are written into the log file, without keys and images.",
                "switch",
            ),
            Words(
                "log_body_max_chars",
                "Longest body in the log",
                "The middle of a longer body is left out.",
                "number",
                unit="characters",
            ),
            Words(
                "log_stream_text_preview_chars",
                "Longest text of a streamed answer in the log",
                "It counts while request bodies are logged.",
                "number",
                unit="characters",
            ),
        ),
    ),
    Group(
        "Network",
        (
            Words(
                "addr",
                "Address of this program",
                "Claude Code and this page find it there. With :3001 in the place of 127.0.0.1:3001, your whole "
                "network could use it, and it needs a server key.",
                "text",
            ),
            Words(
                "server_api_key",
                "Server key",
                "With one, each program must send it to be answered.",
                "key",
            ),
            Words(
                "serve_page",
                "This page",
                "A server key, or an address that others can reach, takes the page away unless you want it always. It "
                "opens only with a token, but it is sent without encryption.",
                "choice",
            ),
            Words(
                "allowed_origins",
                "Web pages that may ask models",
                "Their origins, such as http://localhost:8080, one on each line. This page needs no entry.",
                "lines",
                example="http://localhost:8080",
            ),
            Words("nvidia_url", "Address of NVIDIA's service", "Requests for answers are sent there.", "text"),
        ),
    ),
)
"""Every setting, in the order of the page."""

_PAGE_WORDS = {"local": "While only this machine can use the program", "always": "Always", "never": "Never"}

TITLES = {words.name: words.title for group in GROUPS for words in group.rows}


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
        return [{"id": word, "label": label} for word, label in _PAGE_WORDS.items()]
    models = [{"id": model.id, "label": model.label} for model in catalog.models]
    return [{"id": "", "label": "The selected model"}, *models]
