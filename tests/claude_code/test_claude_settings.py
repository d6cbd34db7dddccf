"""The set-up in the form of a settings file of Claude Code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.claude_code.claude_settings import render_settings
from tray_app.claude_code.exports import NO_KEY_TOKEN, list_variables

URL = "http://127.0.0.1:3001"


def read_settings(*, needs_server_key: bool = False, no_proxy: str = "") -> dict[str, Any]:
    text = render_settings(URL, GLM_4_7, (GLM_4_7, MINIMAX_M2_1), needs_server_key=needs_server_key, no_proxy=no_proxy)
    settings: dict[str, Any] = json.loads(text)
    return settings


def test_the_whole_file() -> None:
    assert read_settings() == {
        "env": {
            "ANTHROPIC_AUTH_TOKEN": NO_KEY_TOKEN,
            "ANTHROPIC_API_KEY": "",
            **list_variables(URL, GLM_4_7),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        },
        "model": "z-ai/glm4.7",
        "modelPicker": {
            "replaceBuiltInOptions": True,
            "options": [
                {
                    "model": "z-ai/glm4.7",
                    "label": "GLM 4.7",
                    "description": "131,072 tokens, through Claude NVIDIA Tray",
                },
                {
                    "model": "minimaxai/minimax-m2.1",
                    "label": "MiniMax M2.1",
                    "description": "204,800 tokens, through Claude NVIDIA Tray",
                },
            ],
        },
        "permissions": {"deny": ["WebSearch"], "defaultMode": "default", "disableAutoMode": "disable"},
        "skipWebFetchPreflight": True,
    }


def test_with_a_server_key_the_file_holds_no_token() -> None:
    environment = read_settings(needs_server_key=True)["env"]
    assert "ANTHROPIC_AUTH_TOKEN" not in environment
    assert environment["ANTHROPIC_BASE_URL"] == URL


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_the_users_own_no_proxy_list_is_kept(name: str) -> None:
    assert read_settings(no_proxy="intranet,10.0.0.1")["env"][name] == "127.0.0.1,localhost,intranet,10.0.0.1"
