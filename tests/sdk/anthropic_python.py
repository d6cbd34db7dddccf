"""Anthropic's own SDK for Python. It plays the scenarios of anthropic.mjs, a line of JSON being a dictionary here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from anthropic import Anthropic, APIError, APIStatusError, beta_tool
from anthropic.lib.tools import BetaBuiltinFunctionTool
from anthropic.tools.memory import BetaLocalFilesystemMemoryTool
from pydantic import BaseModel

from tests.support.fake_upstream import TIMEOUT_S

MODEL = "z-ai/glm4.7"
MAX_TOKENS = 2000
THINKING_TOKENS = 1024

Line = dict[str, Any]


def play(scenario: str, url: str, **options: Any) -> Generator[Line, None, None]:
    """What happens in a scenario, as it happens; an error of the SDK is the last line."""
    # strict: an answer that is not what the SDK's types say is an error
    with Anthropic(base_url=url, api_key="any", timeout=TIMEOUT_S, _strict_response_validation=True) as client:
        try:
            yield from SCENARIOS[scenario](client, **options)
        except APIError as error:
            yield {"error": explain(error)}


def explain(error: APIError) -> Line:
    explained: Line = {"name": type(error).__name__, "message": error.message}
    if isinstance(error, APIStatusError):
        explained |= {"status": error.status_code, "type": error.type, "request_id": error.request_id}
    return explained


def question(prompt: str = "Hello", fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "model": MODEL,
        "max_tokens": MAX_TOKENS,
        "thinking": {"type": "enabled", "budget_tokens": THINKING_TOKENS},
        "messages": [{"role": "user", "content": prompt}],
        **(fields or {}),
    }


def summarize(message: Any) -> Line:
    whole = message.to_dict()
    return {"message": {name: whole[name] for name in ("id", "content", "stop_reason", "stop_sequence", "usage")}}


def follow(stream: Any) -> Iterator[Line]:
    """Each piece as it comes, then the message that the SDK made of them."""
    for event in stream:
        if event.type in ("thinking", "text"):
            yield {event.type: getattr(event, event.type)}
        elif event.type == "input_json":
            yield {"input_json": event.partial_json}
    yield summarize(stream.get_final_message())


def plain(client: Anthropic, **options: Any) -> Iterator[Line]:
    yield summarize(client.messages.create(**question(**options)))


def stream(client: Anthropic, **options: Any) -> Iterator[Line]:
    with client.messages.stream(**question(**options)) as answer:
        yield from follow(answer)


def chat(client: Anthropic, prompts: list[str], **options: Any) -> Iterator[Line]:
    messages: list[Any] = []
    for prompt in prompts:
        messages.append({"role": "user", "content": prompt})
        with client.messages.stream(**{**question(**options), "messages": messages}) as answer:
            yield from follow(answer)
            messages.append({"role": "assistant", "content": answer.get_final_message().content})


def loop(client: Anthropic, stream: bool, **options: Any) -> Iterator[Line]:
    ran: list[Line] = []

    @beta_tool
    def get_weather(city: str) -> str:
        """Weather of a city"""
        ran.append({"ran": {"city": city}})
        return f"{city}: 3 degrees"

    for answer in client.beta.messages.tool_runner(**question(**options), tools=[get_weather], stream=stream):
        yield from follow(answer) if stream else [summarize(answer)]
    yield from ran


def leave(client: Anthropic, **options: Any) -> Iterator[Line]:
    with client.messages.stream(**question(**options)) as answer:
        next(answer.text_stream)
    yield {"left": True}


def count(client: Anthropic, **options: Any) -> Iterator[Line]:
    asked = question(**options)
    yield client.messages.count_tokens(model=asked["model"], messages=asked["messages"]).to_dict()


def models(client: Anthropic, **limits: Any) -> Iterator[Line]:
    for model in client.models.list(**limits):
        yield {"model": [model.id, model.display_name, model.lifecycle]}


def retrieve(client: Anthropic, model: str) -> Iterator[Line]:
    found = client.models.retrieve(model)
    yield {"model": [found.id, found.display_name, found.lifecycle]}


class Forecast(BaseModel):
    city: str
    degrees: int


def parse(client: Anthropic, stream: bool, **options: Any) -> Iterator[Line]:
    asked = question(**options)
    if not stream:
        message = client.messages.parse(**asked, output_format=Forecast)
    else:
        with client.messages.stream(**asked, output_format=Forecast) as answer:
            for piece in answer.text_stream:
                yield {"text": piece}
            message = answer.get_final_message()
    assert message.parsed_output is not None
    yield {"parsed": message.parsed_output.model_dump()}


def notes(client: Anthropic, folder: str, stream: bool, **options: Any) -> Iterator[Line]:
    """The SDK's own memory tool, which keeps notes in a folder."""
    memory = BetaLocalFilesystemMemoryTool(base_path=folder)
    for answer in client.beta.messages.tool_runner(**question(**options), tools=[memory], stream=stream):
        yield from follow(answer) if stream else [summarize(answer)]


class KnownTool(BetaBuiltinFunctionTool):
    """A tool that is offered by its type alone, as the API knows its schema."""

    def __init__(self, definition: Any, ran: list[Line]) -> None:
        self._definition = definition
        self._ran = ran

    def to_dict(self) -> Any:
        return self._definition

    def call(self, input: object) -> str:
        self._ran.append({"ran": [self.name, input]})
        return "done"


def known(client: Anthropic, tools: list[Any], stream: bool, **options: Any) -> Iterator[Line]:
    ran: list[Line] = []
    offered = [KnownTool(tool, ran) for tool in tools]
    for answer in client.beta.messages.tool_runner(**question(**options), tools=offered, stream=stream):
        yield from follow(answer) if stream else [summarize(answer)]
    yield from ran


SCENARIOS: Mapping[str, Callable[..., Iterator[Line]]] = {
    scenario.__name__: scenario
    for scenario in (plain, stream, chat, loop, leave, count, models, retrieve, parse, notes, known)
}
