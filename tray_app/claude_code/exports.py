"""Writes the environment that points Claude Code at this gateway, as one line for a shell.

The effect of each variable was observed with Claude Code 2.1.330 and 2.1.332 (November 2026).
"""

from __future__ import annotations

from tray_app import APP_NAME
from tray_app.catalog import Model
from tray_app.claude_code.conflicts import CONFLICTS, TIERS
from tray_app.claude_code.shell_syntax import SYNTAX, TOKEN

SHELLS = tuple(SYNTAX)
"""The names of the shells that there are exports for."""

NO_KEY_TOKEN = "claude-nvidia-tray"  # noqa: S105 (it opens nothing)
"""The token if there is no server key. The gateway then accepts any; without one, Claude Code asks for a login."""


def list_variables(url: str, model: Model, name: str) -> dict[str, str]:
    """Returns the variables with fixed values. The token and NO_PROXY depend on the environment of the shell.

    `name` is the name with which Claude Code asks for a model; `model` is the one that is chosen in the tray.
    """
    return {
        "ANTHROPIC_BASE_URL": url,
        **{f"ANTHROPIC_DEFAULT_{tier}_MODEL": name for tier in TIERS},
        # Claude Code takes a million tokens for names that it does not know, and would compact too late.
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(model.context_tokens),
        # A window of more than 200,000 tokens would cause a warning at every start.
        "CLAUDE_CODE_AUTO_COMPACT_WINDOW": str(min(model.context_tokens, 200_000)),
        "CLAUDE_CODE_DISABLE_1M_CONTEXT": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        # Claude Code has its classifier ask the model about each risky command, instead of Anthropic's server.
        "CLAUDE_CODE_AUTO_MODE_SERVER": "0",
        # This header holds a hash that changes with each request, so that upstream could not use its prefix cache.
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        # A reminder of the tokens that are left would follow each tool result, and count a window that may be wrong.
        "CLAUDE_CODE_TOTAL_TOKENS_REMINDER": "off",
        # NVIDIA may let a request wait for minutes.
        "CLAUDE_STREAM_IDLE_TIMEOUT_MS": "900000",
        "API_TIMEOUT_MS": "1200000",
    }


def render_exports(shell: str, url: str, model: Model, *, needs_server_key: bool, is_demo: bool = False) -> str:
    """Returns one line for the shell, without a line end. It clears what conflicts, and sets everything else.

    It reads the server key from $SERVER_API_KEY, and never contains it. KeyError if `shell` is not one of SHELLS.
    """
    values = {
        **({} if needs_server_key else {TOKEN: NO_KEY_TOKEN}),
        **list_variables(url, model, model.id),
        **_list_labels(model, is_demo=is_demo),
    }
    cleared = [name for name in CONFLICTS if name not in values and name != TOKEN]
    return SYNTAX[shell].set_line(values, cleared, needs_server_key)


def render_undo(shell: str, model: Model) -> str:
    """Returns one line, without a line end, that takes away what the line of `render_exports` has set.

    It does not bring back what that line has cleared. The values of `model` do not matter.
    """
    return SYNTAX[shell].undo_line((TOKEN, *list_variables("", model, ""), *_list_labels(model)))


def _list_labels(model: Model, *, is_demo: bool = False) -> dict[str, str]:
    """Returns what `/model` shows for each tier of Claude Code, since all of them lead to the model of the tray."""
    label = "Demo: canned answers, no model" if is_demo else f"{model.label} (the tray decides)"
    labels = {}
    for tier in TIERS:
        labels[f"ANTHROPIC_DEFAULT_{tier}_MODEL_NAME"] = label
        labels[f"ANTHROPIC_DEFAULT_{tier}_MODEL_DESCRIPTION"] = f"The model that is chosen in {APP_NAME}"
    return labels
