"""The environment variables that would lead Claude Code away from this gateway, or disturb its set-up.

Most names are from the list of variables about the provider in Claude Code 2.1.332 (November 2026). The switches of
providers were tried: they win over ANTHROPIC_BASE_URL. The credentials of a cloud, such as AWS_PROFILE, stay, because
they do nothing without its switch, and the user's own tools need them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TIERS = ("OPUS", "SONNET", "HAIKU", "FABLE")
"""The tiers of models that Claude Code asks for, as they are written in the names of its variables."""

_ASPECTS = ("", "_NAME", "_DESCRIPTION", "_SUPPORTED_CAPABILITIES")

CONFLICTS = (
    # The switches of other providers.
    *(
        f"CLAUDE_CODE_USE_{provider}"
        for provider in ("BEDROCK", "VERTEX", "FOUNDRY", "MANTLE", "ANTHROPIC_AWS", "ANTHROPIC_GOOGLE_CLOUD", "GATEWAY")
    ),
    # Another program has started this one, and decides about its provider.
    "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST",
    "CLAUDE_CODE_HOST_AUTH_ENV_VAR",
    "ANTHROPIC_UNIX_SOCKET",
    # The server, and what is sent to it.
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_CUSTOM_HEADERS",
    "_CLAUDE_CODE_ASSUME_FIRST_PARTY_BASE_URL",
    # Credentials for Anthropic's own service, which must not reach any other one.
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "ANTHROPIC_FEDERATION_RULE_ID",
    "ANTHROPIC_PROFILE",
    # The models, and their rows in `/model`.
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    "CLAUDE_CODE_SUBAGENT_MODEL",
    "CLAUDE_CODE_SUBAGENT_MODEL_FORCE",
    "CLAUDE_CODE_WORKFLOW_SUBAGENT_MODEL",
    "CLAUDE_CODE_AUTO_MODE_MODEL",
    "CLAUDE_CODE_BG_CLASSIFIER_MODEL",
    *(f"ANTHROPIC_DEFAULT_{tier}_MODEL{aspect}" for tier in TIERS for aspect in _ASPECTS),
    *(f"ANTHROPIC_CUSTOM_MODEL_OPTION{aspect}" for aspect in _ASPECTS),
)
"""The names of the variables. A set-up that needs one of them sets it after the others have been cleared."""


def drop_conflicts(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the variables without those that conflict with the set-up."""
    return {name: value for name, value in variables.items() if name.upper() not in _NAMES}


def find_conflicts(variables: Mapping[str, Any]) -> list[str]:
    """Returns the names of the variables that conflict with the set-up, sorted."""
    return sorted(name for name in variables if name.upper() in _NAMES)


_NAMES = frozenset(name.upper() for name in CONFLICTS)
