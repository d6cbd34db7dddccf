"""The models that the tests translate for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from tray_app.catalog import GLM_4_7, GLM_5_3, GPT_OSS_20B, KIMI_K3, MINIMAX_M2_1, NEMOTRON_3_SUPER, Model
from tray_app.translate.request.body import MessagesRequest
from tray_app.translate.request.chat import ChatRequest, to_chat
from tray_app.translate.request.validation import read_request

SEEING = replace(GLM_4_7, id="test/seeing", label="Seeing", takes_images=True, thinking_on={}, thinking_off={})

ROWS: dict[str, Model] = {
    "glm": GLM_4_7,
    "minimax": MINIMAX_M2_1,
    "seeing": SEEING,
    "glm-5.3": GLM_5_3,
    "kimi": KIMI_K3,
    "gpt-oss": GPT_OSS_20B,
    "nemotron": NEMOTRON_3_SUPER,
}

FAMILIES = {GLM_4_7.id: "glm", MINIMAX_M2_1.id: "minimax"}
"""Id of a model -> its name in the kit's validator, which knows only these."""


def ask(model: Model = GLM_4_7, **fields: Any) -> ChatRequest:
    """Returns a translated request in which the user says hi. `fields` are added, and thinking is on by default."""
    body = {"messages": [{"role": "user", "content": "hi"}], "thinking": {"type": "enabled", "budget_tokens": 1024}}
    return to_chat(read(**{**body, **fields}), model)


def read(**fields: Any) -> MessagesRequest:
    """Returns the request of a body with these fields and the name of a model."""
    return read_request({"model": "any", **fields})


def read_loosely(**fields: Any) -> MessagesRequest:
    """Returns such a request without a check of its content blocks, so that they may lack fields."""
    return msgspec.convert({"model": "any", "messages": [], **fields}, MessagesRequest)
