"""The address and the form of upstream's list of models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tray_app.proxy.upstream.model_list import find_list, read_ids
from tray_app.settings.settings import NVIDIA_URL


@pytest.mark.parametrize(
    ("chat", "models"),
    [
        (NVIDIA_URL, "https://integrate.api.nvidia.com/v1/models"),
        ("http://localhost:8000/chat/completions?key=1#a", "http://localhost:8000/models"),
        ("http://localhost:8000/v1", ""),
        ("http://localhost:8000/v1/chat/completions/", ""),
    ],
)
def test_the_address_of_the_list_follows_from_that_of_the_chat(chat: str, models: str) -> None:
    assert find_list(chat) == models


def test_the_ids_of_a_list_are_read() -> None:
    value = {"data": [{"id": "z-ai/glm4.7"}, {"id": 7}, "odd", {"id": "minimaxai/minimax-m2.1"}]}
    assert read_ids(json.dumps(value).encode()) == {"z-ai/glm4.7", "minimaxai/minimax-m2.1"}


@pytest.mark.parametrize("value", [None, [], {}, {"data": {}}, {"data": []}, {"data": [{"name": "x"}]}])
def test_a_list_without_models_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="names no model"):
        read_ids(json.dumps(value).encode())


@pytest.mark.parametrize("data", [b"", b"<html>", b"[" * 100_000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_ids(data)
