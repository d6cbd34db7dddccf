"""The handlers of GET /v1/models and /v1/models/{id}: the catalog in the form of Anthropic's API.

https://docs.anthropic.com/en/api/models-list
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from tray_app import APP_NAME
from tray_app.catalog import AS_IN_TRAY_LABEL, EFFORTS, LISTED_AS_IN_TRAY, Model
from tray_app.errors import InvalidRequest, NotFound
from tray_app.proxy.exchange.gateway import GATEWAY
from tray_app.settings.settings import Settings

DEFAULT_LIMIT = 20
MAX_LIMIT = 1_000
_STAGES = frozenset({"active", "deprecated", "retired"})
_SUPPORTED, _UNSUPPORTED = {"supported": True}, {"supported": False}


async def list_models(request: web.Request) -> web.Response:
    """Answers with one page of models: those after a model, those before a model, or the first ones."""
    query = request.query
    limit = _read_limit(query.get("limit"))
    models = _list_all(request.app[GATEWAY].config.settings) if _wants_active(request) else ()
    ids = [model.id for model in models]
    after_id, before_id = query.get("after_id"), query.get("before_id")
    if after_id and before_id:
        raise InvalidRequest("before_id: Input should be left out if there is an after_id")
    if before_id:
        left = models[: _find_place(ids, before_id, "before_id")]
        page, has_more = left[-limit:], len(left) > limit
    else:
        left = models[_find_place(ids, after_id, "after_id") + 1 :] if after_id else models
        page, has_more = left[:limit], len(left) > limit
    return web.json_response(
        {
            "data": [describe_model(model) for model in page],
            "has_more": has_more,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }
    )


async def show_model(request: web.Request) -> web.Response:
    """Answers with one model. The slash in its id may be percent-encoded in the address."""
    model_id = request.match_info["model_id"]
    settings = request.app[GATEWAY].config.settings
    model = _as_in_tray(settings) if model_id == LISTED_AS_IN_TRAY else settings.catalog.find(model_id)
    if model is None:
        raise NotFound(f"model: {model_id}")
    return web.json_response(describe_model(model))


def _list_all(settings: Settings) -> tuple[Model, ...]:
    return (*settings.catalog.shown, _as_in_tray(settings))


def _as_in_tray(settings: Settings) -> Model:
    """Returns the row of the name that stands for the model of the tray."""
    return replace(settings.selected_model, id=LISTED_AS_IN_TRAY, label=AS_IN_TRAY_LABEL)


def describe_model(model: Model) -> dict[str, Any]:
    """Returns a model in the form of Anthropic's API. Facts that NVIDIA does not tell are null. Only the release date
    is the epoch, because that field must have a date."""
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.label,
        # Not a field of Anthropic's API, but Claude Code shows it in its menu of models.
        "description": f"{model.context_tokens:,} tokens, through {APP_NAME}",
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "line": None,
        "max_input_tokens": model.context_tokens,
        "max_tokens": model.max_output_tokens,
        "capabilities": _describe_capabilities(model),
        "allowed_fallback_models": [],
    }


def _describe_capabilities(model: Model) -> dict[str, Any]:
    """Returns what a request may ask of the model. PDFs reach it as text, and schemas at least as words."""
    efforts = {effort: _supports(effort in model.efforts) for effort in EFFORTS}
    thinking_types = dict.fromkeys(("adaptive", "enabled", "disabled", "between_tools"), _SUPPORTED)
    return {
        "batch": _UNSUPPORTED,
        "citations": _UNSUPPORTED,
        "code_execution": _UNSUPPORTED,
        "context_management": {
            **_UNSUPPORTED,
            "clear_thinking_20251015": None,
            "clear_tool_uses_20250919": None,
            "compact_20260112": None,
        },
        "effort": {**_supports(bool(model.efforts)), **efforts},
        "image_input": _supports(model.takes_images),
        "pdf_input": _SUPPORTED,
        "server_tools": {**_UNSUPPORTED, "code_execution": _UNSUPPORTED, "web_search": _UNSUPPORTED},
        "structured_outputs": _SUPPORTED,
        "thinking": {**_SUPPORTED, "types": thinking_types},
    }


def _supports(is_supported: bool) -> dict[str, bool]:
    return _SUPPORTED if is_supported else _UNSUPPORTED


def _read_limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    limit = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_LIMIT)) else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidRequest(f"limit: Input should be an integer from 1 to {MAX_LIMIT}")
    return limit


def _wants_active(request: web.Request) -> bool:
    """Tells whether the client asks for active models. All models of the catalog are active."""
    values = [*request.query.getall("lifecycle", ()), *request.query.getall("lifecycle[]", ())]
    stages = {stage for value in values for stage in value.split(",")}
    if stages - _STAGES:
        raise InvalidRequest("lifecycle: Input should be 'active', 'deprecated' or 'retired'")
    return not stages or "active" in stages


def _find_place(ids: list[str], model_id: str, where: str) -> int:
    """Returns the place of a model. `where` names the query parameter for the error if there is no such model."""
    if model_id not in ids:
        raise InvalidRequest(f"{where}: there is no model with the id {model_id!r}")
    return ids.index(model_id)
