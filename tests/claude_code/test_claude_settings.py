"""The set-up in the form of a settings file of Claude Code."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.claude_code.claude_settings import Setup, make_settings, render_settings
from tray_app.claude_code.exports import NO_KEY_TOKEN, list_variables

URL = "http://127.0.0.1:3001"


def read_settings(**more: Any) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(render_settings(Setup(URL, GLM_4_7, (GLM_4_7, MINIMAX_M2_1), **more)))
    return settings


def test_a_run_sends_its_folder_and_settings_for_all_folders_send_none() -> None:
    setup = Setup("http://127.0.0.1:3001", GLM_4_7, (GLM_4_7,))
    assert "project" not in make_settings(setup)["env"]["ANTHROPIC_CUSTOM_HEADERS"]
    headers = make_settings(replace(setup, folder="/home/me/Grüße: a\nb"))["env"]["ANTHROPIC_CUSTOM_HEADERS"]
    assert headers.splitlines() == [
        "x-claude-nvidia-tray-model: named",
        "x-claude-nvidia-tray-project: /home/me/Gr%C3%BC%C3%9Fe%3A%20a%0Ab",
    ]


def test_the_whole_file() -> None:
    assert read_settings(status_line="our-status-line") == {
        "env": {
            "ANTHROPIC_AUTH_TOKEN": NO_KEY_TOKEN,
            "ANTHROPIC_API_KEY": "",
            **list_variables(URL, GLM_4_7, "nvidia"),
            "ANTHROPIC_CUSTOM_HEADERS": "x-claude-nvidia-tray-model: named",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        },
        "model": "nvidia",
        "modelPicker": {
            "replaceBuiltInOptions": True,
            "options": [
                {
                    "model": "nvidia",
                    "label": "NVIDIA (as in the tray)",
                    "description": "The model that is chosen in the menu of Claude NVIDIA Tray, now GLM 4.7",
                },
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
        "permissions": {"deny": ["WebSearch"]},
        "skipWebFetchPreflight": True,
        "statusLine": {"type": "command", "command": "our-status-line", "padding": 0, "refreshInterval": 1},
    }


def test_manual_mode_is_written_only_if_it_is_wanted() -> None:
    wanted = {"deny": ["WebSearch"], "defaultMode": "default", "disableAutoMode": "disable"}
    assert read_settings(is_manual=True)["permissions"] == wanted


def test_without_a_command_for_it_the_users_own_status_line_stays() -> None:
    assert "statusLine" not in read_settings()


def test_with_a_server_key_the_file_holds_no_token() -> None:
    environment = read_settings(needs_server_key=True)["env"]
    assert "ANTHROPIC_AUTH_TOKEN" not in environment
    assert environment["ANTHROPIC_BASE_URL"] == URL


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_the_users_own_no_proxy_list_is_kept(name: str) -> None:
    assert read_settings(no_proxy="intranet,10.0.0.1")["env"][name] == "127.0.0.1,localhost,intranet,10.0.0.1"
