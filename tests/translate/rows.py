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
"""What the kit's validator calls the models that it knows."""


def ask(model: Model = GLM_4_7, **fields: Any) -> ChatRequest:
    """A translated request: someone says hi, with `fields` added. Thinking is on unless they say otherwise."""
    body = {"messages": [{"role": "user", "content": "hi"}], "thinking": {"type": "enabled", "budget_tokens": 1024}}
    return to_chat(read(**{**body, **fields}), model)


def read(**fields: Any) -> MessagesRequest:
    """The request that a body with these fields is, with the name of a model."""
    return read_request({"model": "any", **fields})


def read_loosely(**fields: Any) -> MessagesRequest:
    """The same for content blocks that lack fields, as the readers of blocks do not rely on them."""
    return msgspec.convert({"model": "any", "messages": [], **fields}, MessagesRequest)
