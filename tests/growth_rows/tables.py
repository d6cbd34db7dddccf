"""The conversation that goes upstream, the calls of an answer, the tables of models and requests."""

from __future__ import annotations

from typing import Any

from tests.growth import Growth, Load


def to_chat(load: Load, messages: list[dict[str, Any]]) -> object:
    return load("tray_app.translate.request").to_chat({"messages": messages}, load("tray_app.catalog").GLM_4_7)


ROWS = [
    Growth("many short messages", lambda n: [{"role": "user", "content": "Go on."}] * n, to_chat, small=500),
]
