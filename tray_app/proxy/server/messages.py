"""POST /v1/messages and its neighbours: the request read, the model chosen, the answer left to an Exchange."""

from __future__ import annotations

from aiohttp import web

from tray_app.catalog import Model
from tray_app.proxy.exchange.empty_answer import answer_with_nothing
from tray_app.proxy.exchange.exchange import Exchange
from tray_app.proxy.exchange.gateway import GATEWAY, Gateway
from tray_app.proxy.exchange.search import answer_search
from tray_app.settings.config import GatewayConfig
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.question import Rules


async def post_messages(request: web.Request) -> web.StreamResponse:
    """Answers with a message, or with its events if the body says `stream`."""
    gateway = request.app[GATEWAY]
    config = gateway.config
    rules = _make_rules(gateway, config)
    async with gateway.bodies.read(request, gateway.timeouts.upload_s) as body:
        with gateway.serve():
            # only a fallback model needs the body once more
            keeps_body = bool(config.settings.fallback_models)
            question = await gateway.translator.translate(body, rules, request.headers, keeps_body=keeps_body)
            if question.chat.wants_nothing:
                return answer_with_nothing(question.chat)
            if question.search:
                return await answer_search(question.search, question.chat, gateway.search_backend)

            async def translate_for(model: Model) -> ChatRequest:
                other = await gateway.translator.translate(body, rules, request.headers, model, keeps_body=True)
                return other.chat

            return await Exchange(request, gateway, config, question, translate_for).answer()


async def count_tokens(request: web.Request) -> web.Response:
    """An estimate made here, without upstream: clients ask for dozens at once."""
    gateway = request.app[GATEWAY]
    async with gateway.bodies.read(request, gateway.timeouts.upload_s) as body:
        tokens = await gateway.translator.count_tokens(body, _make_rules(gateway, gateway.config))
    return web.json_response({"input_tokens": tokens})


def _make_rules(gateway: Gateway, config: GatewayConfig) -> Rules:
    settings = config.settings
    return Rules(settings.catalog, settings.selected_model, settings.clients_choose_model, gateway.calibrations.known)
