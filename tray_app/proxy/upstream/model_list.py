"""NVIDIA's list of models: its address and its form."""

from __future__ import annotations

import json
from urllib.parse import urlsplit, urlunsplit

MAX_LIST_BYTES = 1024 * 1024
"""A longer list is refused, since it is decoded in one go. One model takes some hundred bytes."""
_CHAT = "/chat/completions"


def find_list(chat_url: str) -> str:
    """Returns the address of the model list for the address of chat requests, or "" if that has an unusual end."""
    parts = urlsplit(chat_url)
    if not parts.path.endswith(_CHAT):
        return ""
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.removesuffix(_CHAT)}/models", "", ""))


def read_ids(data: bytes) -> frozenset[str]:
    """Returns the ids of a model list in OpenAI's form. Raises ValueError for anything else."""
    try:
        value = json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    models = value.get("data") if isinstance(value, dict) else None
    ids = (model.get("id") for model in models if isinstance(model, dict)) if isinstance(models, list) else ()
    found = frozenset(model_id for model_id in ids if isinstance(model_id, str))
    if not found:
        raise ValueError("it names no model")
    return found
