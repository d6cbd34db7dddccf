"""GET /v1/models, which answers in pages, and GET /v1/models/{id}."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

import pytest

from tests.conftest import StartGateway
from tests.support.gateway import RunningGateway
from tray_app.catalog import GLM_5_3, LISTED_AS_IN_TRAY, MODELS, NEMOTRON_3_SUPER, UNKNOWN
from tray_app.printable import make_sentence

IDS = [*(model.id for model in MODELS), LISTED_AS_IN_TRAY]


def page(gateway: RunningGateway, query: str) -> dict[str, Any]:
    answer = gateway.request("GET", f"/v1/models?{query}")
    assert answer.status == 200
    body: dict[str, Any] = answer.body
    ids = ids_of(body)
    assert (body["first_id"], body["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
    return body


def ids_of(body: dict[str, Any]) -> list[str]:
    return [model["id"] for model in body["data"]]


@pytest.mark.parametrize(
    ("query", "ids", "has_more"),
    [
        ("", IDS, False),
        ("beta=true&limit=1000", IDS, False),
        ("limit=1", IDS[:1], True),
        (f"limit={len(IDS)}", IDS, False),
        (f"limit=2&after_id={IDS[0]}", IDS[1:3], True),
        (f"after_id={IDS[0].replace('/', '%2F')}", IDS[1:], False),
        (f"after_id={IDS[-1]}", [], False),
        (f"limit=2&before_id={IDS[4]}", IDS[2:4], True),
        (f"limit=2&before_id={IDS[2]}", IDS[:2], False),
        (f"before_id={IDS[0]}", [], False),
        ("after_id=&before_id=", IDS, False),
        ("lifecycle=active", IDS, False),
        ("lifecycle[]=deprecated&lifecycle[]=active", IDS, False),
        ("lifecycle=deprecated,retired", [], False),
    ],
)
def test_a_page_holds_the_models_that_are_asked_for(
    gateway: RunningGateway, query: str, ids: list[str], has_more: bool
) -> None:
    body = page(gateway, query)
    assert (ids_of(body), body["has_more"]) == (ids, has_more)


def test_a_page_has_twenty_models_by_default(start_gateway: StartGateway) -> None:
    own = tuple(replace(UNKNOWN, id=f"lab/own-{n}", label=f"Own {n}") for n in range(30))
    gateway = start_gateway(models=own)
    body = page(gateway, "")
    assert (len(body["data"]), body["has_more"]) == (20, True)
    rest = page(gateway, f"after_id={body['last_id']}&limit=100")
    assert len(body["data"]) + len(rest["data"]) == len(MODELS) + 31


def test_hidden_models_are_not_listed_but_can_be_named(start_gateway: StartGateway) -> None:
    gateway = start_gateway(hidden_models=(IDS[1],), model_order=(IDS[3],))
    assert ids_of(page(gateway, "limit=1000"))[:4] == [IDS[3], IDS[0], IDS[2], IDS[4]]
    assert gateway.request("GET", f"/v1/models/{IDS[1]}").body["id"] == IDS[1]


def test_claude_code_discovers_the_model_of_the_tray(start_gateway: StartGateway) -> None:
    """Claude Code takes only names with "claude" or "anthropic", and shows their display name and description."""
    gateway = start_gateway(model=GLM_5_3.id)
    (found,) = [model for model in page(gateway, "limit=1000")["data"] if "claude" in model["id"]]
    shown = (found["id"], found["display_name"], found["description"])
    assert shown == (
        "claude-nvidia-tray",
        "NVIDIA (as in the tray)",
        f"{GLM_5_3.context_tokens:,} tokens, through Claude NVIDIA Tray",
    )
    assert gateway.request("GET", "/v1/models/claude-nvidia-tray").body == found


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many", "", "1.5", "٣", "1" * 5000], ids=lambda text: text[:8])
def test_an_invalid_limit_is_refused(gateway: RunningGateway, limit: str) -> None:
    answer = gateway.request("GET", f"/v1/models?limit={limit.encode().hex() if not limit.isascii() else limit}")
    assert (answer.outcome, answer.sentence) == (
        (400, "invalid_request_error"),
        "limit: Input should be an integer from 1 to 1000",
    )


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("after_id=nobody", "after_id: there is no model with the id 'nobody'"),
        ("before_id=nobody", "before_id: there is no model with the id 'nobody'"),
        (
            f"after_id={IDS[0]}&before_id={IDS[1]}",
            "before_id: Input should be left out if there is an after_id",
        ),
        ("lifecycle=young", "lifecycle: Input should be 'active', 'deprecated' or 'retired'"),
    ],
)
def test_a_page_that_cannot_exist_is_refused(gateway: RunningGateway, query: str, sentence: str) -> None:
    answer = gateway.request("GET", f"/v1/models?{query}")
    assert (answer.outcome, answer.sentence) == ((400, "invalid_request_error"), sentence)


@pytest.mark.parametrize("write", [str, lambda name: name.replace("/", "%2F")], ids=["as it is", "encoded"])
def test_a_model_is_found_by_its_id(gateway: RunningGateway, write: Callable[[str], str]) -> None:
    listed = page(gateway, "limit=1000")["data"]
    for model in listed:
        answer = gateway.request("GET", f"/v1/models/{write(model['id'])}?beta=true")
        assert (answer.status, answer.body) == (200, model)


def test_a_model_is_found_by_an_alias(start_gateway: StartGateway) -> None:
    gateway = start_gateway(aliases={"claude-opus-5-5": GLM_5_3.id})
    assert gateway.request("GET", "/v1/models/claude-opus-5-5").body["id"] == GLM_5_3.id


@pytest.mark.parametrize("name", ["nobody", "lab/nobody", "lab%2Fnobody", "z-ai", "z-ai/glm4.7/more", "%00"])
def test_an_unknown_model_is_not_found(gateway: RunningGateway, name: str) -> None:
    answer = gateway.request("GET", f"/v1/models/{name}")
    assert answer.outcome == (404, "not_found_error")
    assert answer.sentence == make_sentence(f"model: {unquote(name)}")


def test_a_model_tells_what_is_known_of_it(gateway: RunningGateway) -> None:
    model = gateway.request("GET", f"/v1/models/{NEMOTRON_3_SUPER.id}").body
    assert model["max_input_tokens"] == NEMOTRON_3_SUPER.context_tokens
    assert model["max_tokens"] == NEMOTRON_3_SUPER.max_output_tokens
    assert model["capabilities"]["image_input"] == {"supported": False}
    efforts = gateway.request("GET", f"/v1/models/{GLM_5_3.id}").body["capabilities"]["effort"]
    known = {name for name, support in efforts.items() if isinstance(support, dict) and support["supported"]}
    assert (efforts["supported"], known) == (True, set(GLM_5_3.efforts))


def test_the_pages_do_not_overlap(gateway: RunningGateway) -> None:
    pages = [page(gateway, "limit=2")]
    while pages[-1]["has_more"]:
        pages.append(page(gateway, f"limit=2&after_id={pages[-1]['last_id']}"))
    assert [name for body in pages for name in ids_of(body)] == IDS
    assert all(first["last_id"] != second["first_id"] for first, second in pairwise(pages))
