"""Writes the set-up as Claude Code's own settings, for `claude --settings FILE` or to merge into its settings.json.

Nothing is written into Claude Code's folder. The keys were observed with Claude Code 2.1.330 (November 2026).
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from tray_app import APP_NAME
from tray_app.catalog import Model
from tray_app.claude_code.exports import LOOPBACK, NO_KEY_TOKEN, list_variables


def render_settings(
    url: str, model: Model, choices: Iterable[Model], *, needs_server_key: bool, no_proxy: str = ""
) -> str:
    """Returns a JSON object with the environment, and with rules that the exports cannot express.

    `choices` are the models that `/model` offers. `no_proxy` is the user's own list, which must be repeated because a
    settings file replaces it. If there is a server key, the object holds no token: the key is never written down, and
    Claude Code replaces no $VARIABLES in it. It then takes ANTHROPIC_AUTH_TOKEN from its environment.
    """
    hosts = ",".join(part for part in (LOOPBACK, no_proxy) if part)
    environment = {
        **({} if needs_server_key else {"ANTHROPIC_AUTH_TOKEN": NO_KEY_TOKEN}),
        "ANTHROPIC_API_KEY": "",  # a variable cannot be unset here; Claude Code sends no empty key
        **list_variables(url, model),
        # Claude Code reads the variable in lower case first.
        "NO_PROXY": hosts,
        "no_proxy": hosts,
    }
    options = [
        {
            "model": choice.id,
            "label": choice.label,
            "description": f"{choice.context_tokens:,} tokens, through {APP_NAME}",
        }
        for choice in choices
    ]
    settings = {
        "env": environment,
        "model": model.id,
        "modelPicker": {"replaceBuiltInOptions": True, "options": options},
        "permissions": {
            "deny": ["WebSearch"],  # the gateway has no web search
            "defaultMode": "default",
            # In auto mode, each tool call costs a request of about 36,000 tokens to a classifier.
            "disableAutoMode": "disable",
        },
        "skipWebFetchPreflight": True,  # it would ask Anthropic's servers about every address
    }
    return json.dumps(settings, indent=2) + "\n"
