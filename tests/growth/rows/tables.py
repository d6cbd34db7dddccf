"""Rows for tables that each request asks: windows and queues, models and their quirks, refusals."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

from tests.growth.measure import Growth, Load
from tests.support.virtual_time import run_virtually

BODY: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Go on."}],
    "temperature": 0.5,
    "top_p": 0.9,
    "stream": True,
    "tool_choice": "required",
    "reasoning_effort": "high",
    "chat_template_kwargs": {"enable_thinking": True, "clear_thinking": False},
}


# ---- the window and the queue of one model


def start_and_end(load: Load, starts: int) -> object:
    """Starts requests as fast as the window allows. A tenth is refused, and some are taken back."""
    window = load("tray_app.proxy.upstream.window").RequestWindow()
    window.limit, now_s = 1_000_000, 0.0
    for n in range(starts):
        now_s = max(now_s, window.next_start_s(now_s))
        window.count_start(now_s)
        if n % 10 == 3:
            window.take_back(now_s)
        elif n % 10 == 7:
            window.note_refused(now_s)
        else:
            window.note_served(now_s)
        window.count_used(now_s)
    return window


def burst_and_leave(load: Load, starts: int) -> object:
    """Starts many requests at about the same time. Those that waited have left, because a queue holds 64."""
    window = load("tray_app.proxy.upstream.window").RequestWindow()
    window.limit = 1_000_000
    for n in range(starts):
        window.count_start(n / starts)
    for n in range(64):
        window.take_back(n / starts)
    return window


def wait_in_turn(load: Load, clients: int) -> object:
    """Lets a few clients at a time wait for their turn. Some leave."""
    model = load("tray_app.catalog").GLM_4_7
    pacing = load("tray_app.proxy.upstream.pacing")
    pacer, urgencies = pacing.Pacer(), [*pacing.Urgency]

    async def ask(n: int) -> None:
        await pacer.wait_turn(model, limit=40, urgency=urgencies[n % len(urgencies)])
        pacer.note_served(model)

    async def run() -> None:
        for first in range(0, clients, 20):
            tasks = [asyncio.create_task(ask(n)) for n in range(first, first + 20)]
            await asyncio.sleep(0)
            tasks[-1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return run_virtually(run())


# ---- models


def find_each(load: Load, names: list[str]) -> object:
    """Looks one name up in a catalog in which every name is an alias."""
    catalog = load("tray_app.catalog")
    aliased = catalog.Catalog(aliases=dict.fromkeys(names, "z-ai/glm4.7"))
    return aliased.resolve(names[-1], catalog.GLM_4_7, client_chooses=True), aliased.models


def choose(load: Load, names: list[str]) -> object:
    """Asks what the menu, a refused model and its fallbacks ask of a catalog with many rows."""
    catalog = load("tray_app.catalog")
    rows = [catalog.Model(name, name, "O", 1_000, 1_000) for name in names]
    filled = catalog.Catalog(catalog.join_rows(rows), fallback_ids=(names[-1],))
    filled.resolve(names[-1], rows[0], client_chooses=True)
    filled.offered(rows[-1])
    return filled.fallbacks(rows[0], set(names))


def list_models(load: Load, names: list[str]) -> object:
    """Gives each listed model a row like its family, and then asks which of them answers for a choice."""
    catalog = load("tray_app.catalog")
    row = catalog.row_by_family("z-ai/glm-6", [catalog.Model(f"z-ai/{name}", name, "O", 1, 1) for name in names])
    listed = frozenset(f"z-ai/glm-{name}" for name in names)
    filled = catalog.Catalog().with_listed(listed)
    return (
        row,
        filled,
        catalog.find_relative(catalog.GLM_4_7),
        catalog.family_of(names[-1]),
        catalog.find_model(names[-1]),
    )


def repeat_in_id(part: str, length: int) -> str:
    return "z-ai/glm-" + part * (length // len(part))


def read_id(load: Load, model_id: str) -> object:
    """Finds out what a long id says about its model."""
    catalog = load("tray_app.catalog")
    names = catalog.family_of(model_id), catalog.version_of(model_id), catalog.first_letter(model_id)
    return names, catalog.is_chat_model(model_id), catalog.row_by_family(model_id, catalog.MODELS)


def many_names(n: int) -> list[str]:
    return [f"lab/model-{k}" for k in range(n)]


# ---- what refusals say


def learn(load: Load, error_text: str) -> object:
    """Learns from a refusal about the fields of a request."""
    quirk = load("tray_app.translate.refusal.quirk")
    body = (
        load("tray_app.translate.refusal.error_body")
        .read_error_body(json.dumps({"detail": error_text}).encode())
        .error_text
    )
    return quirk.adapt(BODY, quirk.find_quirks(body, BODY))


def explain(load: Load, answer: bytes) -> object:
    refusal = load("tray_app.translate.refusal.refusal")
    return [
        str(refusal.explain_refusal(status, answer, load("tray_app.catalog").GLM_4_7)) for status in (400, 410, 500)
    ]


def remember(load: Load, asked: int) -> object:
    """Sends requests of which every one teaches something that the next one uses."""
    quirks = load("tray_app.proxy.upstream.learned_quirks").Quirks()
    for n in range(asked):
        body = {**BODY, "temperature": n}
        with quirks.trial("m") as trial:
            trial.take(trial.read(f"temperature: must be 1.0, got {n}", body), body)
        quirks.adapt("m", BODY)
    return quirks


def calibrate(load: Load, asked: int) -> object:
    calibrations = load("tray_app.proxy.upstream.learned_calibrations").Calibrations()
    estimate = load("tray_app.translate.request.tokens").Estimate(2_000.0, 0)
    for n in range(asked):
        calibrations.learn("m", estimate, 1_900 + n % 300)
    return calibrations.of("m").factor


def repeat(words: str, n: int) -> str:
    return words * (n // len(words))


REFUSALS = {
    "words": "word ",
    "names of fields": "temperature, top_p and stream are ",
    "a field and no objection": "temperature `'\"]]]]",
    "spaces": " " * 8,
    "dots": "temperature.a.",
    "arrows": "body -> chat_template_kwargs -> ",
    "numbers": "must be 1.0 or 2.0, ",
    "what is supported": "supported values are: low, ",
    "pydantic's errors": "{'loc': ('body', 'top_p'), 'msg': 'Input should be less', 'input': 3}, ",
    "pydantic's errors that have no end": "'loc': ('body', ",
    "echoes": "input_value='a', input_type=str ",
    "echoes that have no end": "input_value='a' ",
    "parameters": "unsupported parameter(s): a, b and ",
    "quotes": "'\"`",
    "digits": "maximum context length is 1",
    "keys": "Bearer nvapi-0123456789 ",
}

ROWS = [
    Growth("window: many starts", lambda n: n, start_and_end, small=500),
    Growth("window: some taken back of many", lambda n: n, burst_and_leave, small=500),
    Growth("queue: many clients that wait in turn", lambda n: n, wait_in_turn, small=100),
    Growth("catalog: many aliases", many_names, find_each, small=500),
    Growth("catalog: many rows", many_names, choose, small=200),
    Growth("catalog: many listed models", many_names, list_models, small=200),
    *(
        Growth(f"catalog: an id of {name}", partial(repeat_in_id, part), read_id, small=1_000)
        for name, part in {"digits": "1", "numbers": "1.2_", "sizes": "3b-", "words": "new-", "hyphens": "-"}.items()
    ),
    *(
        Growth(f"refusal that teaches: {name}", partial(repeat, words), learn, small=900)
        for name, words in REFUSALS.items()
    ),
    Growth("refusal: words", lambda n: json.dumps({"message": "word " * (n // 5)}).encode(), explain),
    Growth("refusal: a long number", lambda n: b"maximum context length is " + b"1" * n, explain),
    Growth("refusal: a web page", lambda n: b"<html>" + b"<p>word</p>\n" * (n // 12), explain),
    Growth("refusal: errors", lambda n: json.dumps([{"msg": "no", "loc": ["a"]}] * n).encode(), explain, small=800),
    Growth("quirks: many learned", lambda n: n, remember, small=20),
    Growth("calibrations: many learned", lambda n: n, calibrate, small=500),
]
