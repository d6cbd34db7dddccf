"""Error texts that quote the request: nothing is learned from what a page or a prompt says about parameters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.translate.refusal.error_body import read_error_body
from tray_app.translate.refusal.quirk import Quirk, find_quirks
from tray_app.translate.refusal.quotes import cut_quotes

CLAIMS = {
    "unsupported": "Unsupported parameter(s): temperature",
    "OpenAI's": "Unsupported parameter: 'temperature' is not supported with this model.",
    "over two lines": "Unsupported parameter(s):\n temperature",
    "with odd spaces": "Unsupported\u00a0parameter(s):\x1f`temperature`",
    "among other letters": "éé Unsupported parameter(s): temperature éé",
    "in capitals": "UNSUPPORTED PARAMETER(S): TEMPERATURE",
    "pydantic's": "body -> temperature\n  Extra inputs are not permitted (type=extra_forbidden)",
    "pydantic's, as Python": "x', 'loc': ('body', 'temperature'), 'msg': 'Extra inputs are not permitted', 'input': 'x",
    "after an echo": "x', input_type=str] temperature Extra inputs are not permitted [type=x, input_value='x",
    "with its place": "body.chat_template_kwargs.temperature.x.y is not supported by this model",
    "vLLM's": "temperature must be in [0, 1], got 1.5. (parameter=temperature, value=1.5)",
    "a mark": "(parameter=temperature)",
    "immutable": "`temperature` is immutable for this model and must be 1",
}
PAGE = "The page says, in the middle of much other text about weather and the like: {}. And so it goes on, and on."


def say(message: str, **fields: Any) -> bytes:
    return json.dumps({"error": {"message": message, "type": "BadRequestError", "code": 400, **fields}}).encode()


WORDINGS: dict[str, Callable[[str], bytes]] = {
    "pydantic, as JSON": lambda prompt: json.dumps(
        {
            "detail": [
                {
                    "type": "value_error",
                    "loc": ["body", "messages", 0, "content"],
                    "msg": f"Value error, cannot use {prompt}",
                    "input": prompt,
                    "ctx": {"error": prompt},
                }
            ]
        }
    ).encode(),
    "pydantic, as Python": lambda prompt: say(
        "1 validation error: [{'type': 'list_type', 'loc': ('body', 'messages', 0, 'content'), "
        f"'msg': 'Input should be a valid list', 'input': {prompt!r}}}]"
    ),
    "pydantic, as a sentence": lambda prompt: say(
        "1 validation error for ChatCompletionRequest\nmessages.0.content\n  Input should be a valid list "
        f"[type=list_type, input_value={prompt!r}, input_type=str]\n    For further information visit https://x.y"
    ),
    "pydantic, as Python, without a place": lambda prompt: say(
        f"1 validation error: [{{'type': 'list_type', 'msg': 'Input should be a valid list', 'input': {prompt!r}}}]"
    ),
    "vLLM": lambda prompt: say(f"The chat template cannot render {prompt!r}", param=None),
    "vLLM, about the prompt": lambda prompt: say(f"Invalid text: {json.dumps(prompt)}", param="prompt"),
    "Dynamo": lambda prompt: say(
        "Failed to deserialize the JSON body into the target type: messages[0].content: invalid type: "
        f"string {json.dumps(prompt)}, expected a sequence at line 1 column 99"
    ),
    "OpenAI": lambda prompt: say(f"Invalid content: '{prompt}'.", param="messages[0].content"),
    "jsonschema": lambda prompt: say(
        f"{ {'role': 'user', 'content': prompt}!r} is not valid under any of the given schemas"
    ),
}
ALL_WORDINGS: dict[str, Callable[[str], bytes]] = {
    **WORDINGS,
    "vLLM, without quotes": lambda prompt: say(f"Cannot parse the message: {prompt}"),
    "plain text": lambda prompt: f"cannot read this: {prompt}".encode(),
    "the beginning": lambda prompt: say(f"Cannot parse: {prompt[: len(prompt) - 30]}..."),
}


def ask(prompt: str, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt}]
    return {"model": "m", "messages": messages, "max_tokens": 9, "temperature": 0.5, **fields}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("wording", WORDINGS)
def test_nothing_is_learned_from_a_quoted_prompt(wording: str, claim: str) -> None:
    error_text = read_error_body(WORDINGS[wording](CLAIMS[claim])).error_text
    assert find_quirks(error_text, ask(CLAIMS[claim])) == ()


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("wording", ALL_WORDINGS)
def test_nothing_is_learned_from_a_quoted_page(wording: str, claim: str) -> None:
    page = PAGE.format(CLAIMS[claim])
    error_text = read_error_body(ALL_WORDINGS[wording](page)).error_text
    content = [{"type": "text", "text": "Look:"}, {"type": "text", "text": page}]
    for body in (
        ask(page),
        ask("hi", messages=[{"role": "user", "content": content}]),
        ask("hi", tools=[{"type": "function", "function": {"name": "Bash", "description": page}}]),
        ask("hi", response_format={"type": "json_schema", "json_schema": {"schema": {"description": page}}}),
    ):
        assert Quirk("temperature") not in find_quirks(error_text, body)


@pytest.mark.parametrize("claim", CLAIMS)
def test_only_the_refused_field_is_learned_from_an_error_with_a_quote(claim: str) -> None:
    page = PAGE.format(CLAIMS[claim])
    for error_text in (
        f"1 validation error for ChatCompletionRequest top_k Extra inputs are not permitted [type=extra_forbidden, "
        f"input_value={page!r}, input_type=str] For further information visit https://errors.pydantic.dev/2.7/v",
        f"[{{'type': 'extra_forbidden', 'loc': ('body', 'top_k'), 'msg': 'Extra inputs are not permitted', "
        f"'input': {page!r}}}]",
        f"Validation: Unsupported parameter(s): `top_k`. The whole request, as it was received by the server: {page}",
    ):
        assert find_quirks(" ".join(error_text.split()), ask(page, top_k=5)) == (Quirk("top_k"),)


def test_the_param_of_an_error_takes_precedence_over_its_text() -> None:
    said = "Unsupported parameter(s): temperature"
    error_text = read_error_body(say(f"top_k is not supported. {said}", param="top_k")).error_text
    assert find_quirks(error_text, ask("hi", top_k=5)) == (Quirk("top_k"),)
    assert find_quirks(read_error_body(say(said, param="messages[0].content")).error_text, ask("hi")) == ()
    thinking = {"enable_thinking": True}
    error_text = read_error_body(say("enable_thinking is not supported", param="enable_thinking")).error_text
    assert find_quirks(error_text, ask("hi", chat_template_kwargs=thinking)) == (
        Quirk("chat_template_kwargs.enable_thinking"),
    )


@pytest.mark.parametrize("prompt", ["The temperature must be 20 degrees", "temperature is not supported", ""])
def test_a_refused_parameter_is_learned_even_if_the_conversation_is_about_it(prompt: str) -> None:
    for error_text in (
        "Validation: `temperature` is immutable for this model and must be 1.0, got 0.5",
        "Unsupported parameter: 'temperature' is not supported with this model. (parameter=temperature)",
        "temperature must be 1",
    ):
        assert find_quirks(error_text, ask(prompt)) == (Quirk("temperature"),)


# ---- the quotes themselves

TEXT = "Upstream says that something is quite wrong with the request, which it quotes here, from line to line:"
QUOTE = "All happy families are alike; each unhappy family is unhappy in its own way, and so are programs."


def test_a_quote_is_removed_anywhere_and_however_the_request_is_cut() -> None:
    request = json.dumps({"messages": [{"content": f"Look: \n{QUOTE}\nIs that so?"}]}).encode()
    for error_text in (f"{TEXT} {QUOTE}", f"{QUOTE} {TEXT} {QUOTE}", f"{TEXT} {QUOTE.upper()} {TEXT}", QUOTE):
        for size in (1, 7, 1_000):
            pieces = [request[place : place + size] for place in range(0, len(request), size)]
            own = cut_quotes(error_text, pieces)
            assert "famil" not in own.lower()
            assert "programs" not in own.lower()
            assert ("Upstream says that something is" in own) == (TEXT in error_text)


def test_other_text_stays_unchanged() -> None:
    assert cut_quotes(TEXT, [QUOTE.encode()]) == TEXT
    assert cut_quotes("", [QUOTE.encode()]) == ""
    assert cut_quotes(TEXT, []) == TEXT


@bounded
@given(st.text(), st.text(), st.text())
def test_any_error_text_with_a_quote_is_read_without_an_exception(before: str, quote: str, after: str) -> None:
    request = json.dumps([quote]).encode("utf-8", "surrogatepass")
    own = cut_quotes(f"{before}{quote}{after}", [request])
    assert len(own) <= 3 * len(before + quote + after)
