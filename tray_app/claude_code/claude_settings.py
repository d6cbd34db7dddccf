"""The same set-up as Claude Code's own settings: for `claude --settings FILE`, or to merge into its settings.json.

Nothing is written into Claude Code's folder here. What each key does: Claude Code 2.1.330, observed November 2026.
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
    """A JSON object with the environment and the rules that the exports cannot express.

    `choices` is what `/model` offers. `no_proxy` is the user's own list, which a settings file replaces instead of
    extending. With a server key there is no token in it, since the key is never written and $VARIABLES stay as they
    are there: Claude Code then takes ANTHROPIC_AUTH_TOKEN from the environment it is started in.
    """
    hosts = ",".join(part for part in (LOOPBACK, no_proxy) if part)
    environment = {
        **({} if needs_server_key else {"ANTHROPIC_AUTH_TOKEN": NO_KEY_TOKEN}),
        "ANTHROPIC_API_KEY": "",  # nothing can be unset here, and empty it is not sent
        **list_variables(url, model),
        # of the two, Claude Code reads the small one first
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
            "deny": ["WebSearch"],  # the gateway has none to offer
            "defaultMode": "default",
            # otherwise each call of a tool costs a request of some 36,000 tokens to a classifier
            "disableAutoMode": "disable",
        },
        "skipWebFetchPreflight": True,  # it asks Anthropic's servers about every address
    }
    return json.dumps(settings, indent=2) + "\n"
