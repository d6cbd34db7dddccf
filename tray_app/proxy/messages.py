"""POST /v1/messages and its neighbours: the request read, the model chosen, the answer left to an Exchange."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from tray_app.catalog import Model
from tray_app.errors import InvalidRequest, RequestTooSlow
from tray_app.proxy.exchange import Exchange, Question
from tray_app.proxy.gateway import GATEWAY, GatewayConfig
from tray_app.proxy.search import answer_search
from tray_app.translate import json_text
from tray_app.translate.background import is_background
from tray_app.translate.request import ChatRequest, read_model_name, to_chat
from tray_app.translate.tokens import estimate_body
from tray_app.translate.web_search import read_search


async def post_messages(request: web.Request) -> web.StreamResponse:
    """Answers with a message, or with its events if the body says `stream`."""
    gateway = request.app[GATEWAY]
    config = gateway.config
    body = await read_object(request)
    asked = read_model_name(body)
    model = _choose_model(asked, config)
    with gateway.serve():
        await gateway.pdfs.inline(body)

        def translate(model: Model) -> ChatRequest:
            return to_chat(body, model, gateway.calibrations.of(model.id))

        chat = translate(model)
        if search := read_search(body):
            return await answer_search(search, chat, gateway.search_backend)
        question = Question(asked, chat, translate, is_background(body, request.headers))
        return await Exchange(request, gateway, config, question).answer()


async def count_tokens(request: web.Request) -> web.Response:
    """An estimate made here, without upstream: clients ask for dozens at once."""
    gateway = request.app[GATEWAY]
    body = await read_object(request)
    model = _choose_model(read_model_name(body), gateway.config)
    if not isinstance(body.get("messages"), list):
        raise InvalidRequest("messages: Field required")
    await gateway.pdfs.inline(body)
    tokens = estimate_body(body).tokens(gateway.calibrations.of(model.id).factor)
    return web.json_response({"input_tokens": tokens})


async def list_models(request: web.Request) -> web.Response:
    """The catalogue in Anthropic's shape."""
    models = [
        {
            "type": "model",
            "id": model.id,
            "display_name": model.label,
            "created_at": "1970-01-01T00:00:00Z",
            "lifecycle": "active",
        }
        for model in request.app[GATEWAY].config.settings.catalogue.models
    ]
    return web.json_response(
        {"data": models, "has_more": False, "first_id": models[0]["id"], "last_id": models[-1]["id"]}
    )


def _choose_model(asked: str, config: GatewayConfig) -> Model:
    settings = config.settings
    return settings.catalogue.resolve(asked, settings.selected_model, client_chooses=settings.clients_choose_model)


async def read_object(request: web.Request) -> dict[str, Any]:
    """The request's body, which must be a JSON object and come in time."""
    upload_s = request.app[GATEWAY].patience.upload_s
    try:
        async with asyncio.timeout(upload_s):
            data = await request.read()
        body = json_text.decode(data)
    except TimeoutError:
        raise RequestTooSlow(f"The request did not arrive within {upload_s:.0f} s.") from None
    except web.RequestPayloadError:
        raise InvalidRequest("The request body cannot be read: it is not encoded as its headers say.") from None
    except (ValueError, RecursionError):
        raise InvalidRequest("The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise InvalidRequest("The request body must be a JSON object.")
    return body
