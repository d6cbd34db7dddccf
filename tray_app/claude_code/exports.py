"""Writes the environment that points Claude Code at this gateway, in the syntax of each shell.

The effect of each variable was observed with Claude Code 2.1.330 (November 2026).
"""

from __future__ import annotations

import shlex

from tray_app import APP_NAME
from tray_app.catalog import Model

SHELLS = ("bash", "zsh", "fish", "powershell", "cmd")

NO_KEY_TOKEN = "claude-nvidia-tray"  # noqa: S105 (it opens nothing)
"""The token if there is no server key. The gateway then accepts any; without one, Claude Code asks for a login."""

LOOPBACK = "127.0.0.1,localhost"
"""The hosts for NO_PROXY and no_proxy. Programs read one or the other; Claude Code reads no_proxy first."""


def list_variables(url: str, model: Model, name: str) -> dict[str, str]:
    """Returns the variables with fixed values. The token and NO_PROXY depend on the environment of the shell.

    `name` is the name with which Claude Code asks for a model; `model` is the one that is chosen in the tray.
    """
    return {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": name,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": name,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": name,
        "ANTHROPIC_DEFAULT_FABLE_MODEL": name,
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
        # NVIDIA may let a request wait for minutes.
        "CLAUDE_STREAM_IDLE_TIMEOUT_MS": "900000",
        "API_TIMEOUT_MS": "1200000",
    }


def render_exports(shell: str, url: str, model: Model, *, needs_server_key: bool, is_demo: bool = False) -> str:
    """Returns lines to paste into a shell. They read the server key from $SERVER_API_KEY, and never contain it."""
    variables = list_variables(url, model, model.id)
    title = f"Claude Code through {APP_NAME}, {'DEMO: canned answers, no model' if is_demo else model.label}"
    if needs_server_key:
        title += "; set SERVER_API_KEY to the gateway's server key first"
    lines = _RENDERERS[shell](title, variables, needs_server_key)
    return "\n".join(lines) + "\n"


def _render_posix(title: str, variables: dict[str, str], needs_server_key: bool) -> list[str]:
    token = '"${SERVER_API_KEY:?}"' if needs_server_key else shlex.quote(NO_KEY_TOKEN)
    return [
        f"# {title}",
        "unset ANTHROPIC_API_KEY",
        f"export ANTHROPIC_AUTH_TOKEN={token}",
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        # If only one of the two is set, the other gets its hosts first.
        'export NO_PROXY="${NO_PROXY:-${no_proxy-}}" no_proxy="${no_proxy:-${NO_PROXY-}}"',
        f'export NO_PROXY="{LOOPBACK}${{NO_PROXY:+,$NO_PROXY}}" no_proxy="{LOOPBACK}${{no_proxy:+,$no_proxy}}"',
    ]


def _render_fish(title: str, variables: dict[str, str], needs_server_key: bool) -> list[str]:
    def quote(value: str) -> str:
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    token = "$SERVER_API_KEY" if needs_server_key else quote(NO_KEY_TOKEN)
    return [
        f"# {title}",
        "set -e ANTHROPIC_API_KEY",
        f"set -gx ANTHROPIC_AUTH_TOKEN {token}",
        *(f"set -gx {name} {quote(value)}" for name, value in variables.items()),
        'test -n "$NO_PROXY"; or set -gx NO_PROXY $no_proxy',
        'test -n "$no_proxy"; or set -gx no_proxy $NO_PROXY',
        f"set -gx NO_PROXY (string join , {LOOPBACK} $NO_PROXY)",
        f"set -gx no_proxy (string join , {LOOPBACK} $no_proxy)",
    ]


def _render_powershell(title: str, variables: dict[str, str], needs_server_key: bool) -> list[str]:
    def quote(value: str) -> str:
        return "'" + value.replace("'", "''") + "'"

    token = "$env:SERVER_API_KEY" if needs_server_key else quote(NO_KEY_TOKEN)
    return [
        f"# {title}",
        "Remove-Item Env:ANTHROPIC_API_KEY -ErrorAction SilentlyContinue",
        f"$env:ANTHROPIC_AUTH_TOKEN = {token}",
        *(f"$env:{name} = {quote(value)}" for name, value in variables.items()),
        "if (-not $env:NO_PROXY) { $env:NO_PROXY = $env:no_proxy }",
        f"$env:NO_PROXY = (@('{LOOPBACK}', $env:NO_PROXY) | Where-Object {{ $_ }}) -join ','",
        "$env:no_proxy = $env:NO_PROXY",  # on Windows these are one variable
    ]


def _render_cmd(title: str, variables: dict[str, str], needs_server_key: bool) -> list[str]:
    token = "%SERVER_API_KEY%" if needs_server_key else NO_KEY_TOKEN
    return [
        f"rem {title}",
        'set "ANTHROPIC_API_KEY="',
        f'set "ANTHROPIC_AUTH_TOKEN={token}"',
        *(f'set "{name}={value}"' for name, value in variables.items()),
        # At the prompt, cmd does not replace the %NAME% of a variable that is not set.
        f'if defined NO_PROXY (set "NO_PROXY={LOOPBACK},%NO_PROXY%") else (set "NO_PROXY={LOOPBACK}")',
    ]


_RENDERERS = {
    "bash": _render_posix,
    "zsh": _render_posix,
    "fish": _render_fish,
    "powershell": _render_powershell,
    "cmd": _render_cmd,
}
