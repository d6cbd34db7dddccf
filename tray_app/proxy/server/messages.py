"""The handlers of POST /v1/messages and /v1/messages/count_tokens."""

from __future__ import annotations

from aiohttp import web

from tray_app.catalog import NAMED_MODEL_HEADER
from tray_app.proxy.exchange.empty_answer import answer_with_nothing
from tray_app.proxy.exchange.exchange import Exchange
from tray_app.proxy.exchange.gateway import GATEWAY, Gateway
from tray_app.proxy.exchange.notes import NOTES
from tray_app.proxy.exchange.search import answer_search
from tray_app.proxy.exchange.translator import Incoming
from tray_app.settings.config import GatewayConfig
from tray_app.translate.request.question import Rules


async def post_messages(request: web.Request) -> web.StreamResponse:
    """Answers with a message, or with a stream of frames if the body asks for one."""
    gateway = request.app[GATEWAY]
    config = gateway.config
    notes, rules = request[NOTES], _make_rules(gateway, config, request)
    async with gateway.bodies.read(request, gateway.timeouts.upload_s) as body:
        with gateway.serve(notes) as progress:
            keeps_body = bool(config.settings.fallback_models) or config.settings.follow_successors
            incoming = Incoming(body, rules, request.headers, keeps_body)
            question = await gateway.translator.translate(incoming)
            notes.read(question)
            gateway.repeats.refuse(progress.session_id, question)
            gateway.check_pause(config)
            if question.chat.wants_nothing:
                return answer_with_nothing(question.chat)
            if question.search:
                return await answer_search(question.search, question.chat, gateway.search_backend)
            return await Exchange(request, gateway, config, question, incoming, progress).answer()


async def count_tokens(request: web.Request) -> web.Response:
    """Answers with an estimate. Upstream is not asked, because clients send dozens of these requests at once."""
    gateway = request.app[GATEWAY]
    async with gateway.bodies.read(request, gateway.timeouts.upload_s) as body:
        tokens = await gateway.translator.count_tokens(body, _make_rules(gateway, gateway.config, request))
    return web.json_response({"input_tokens": tokens})


def _make_rules(gateway: Gateway, config: GatewayConfig, request: web.Request) -> Rules:
    settings = config.settings
    client_chooses = settings.clients_choose_model or NAMED_MODEL_HEADER in request.headers
    stand_ins, background = gateway.stand_ins.find(gateway.board.status, settings)
    return Rules(
        settings.catalog,
        settings.selected_model,
        client_chooses,
        stand_ins,
        background,
        gateway.calibrations.known,
    )
