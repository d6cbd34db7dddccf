"""Requests for a web search are answered by a backend if there is one, and by a refusal if not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import KEYS, LogFile, StartGateway
from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, Gate, whole
from tests.support.gateway import WEATHER, RunningGateway, both_ways, question
from tray_app.errors import SearchFailed
from tray_app.proxy.exchange.search import MAX_RESULTS
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address, Settings
from tray_app.translate.answer.web_search import SearchResult

TOOL = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
ASKS = "Perform a web search for the query: rare words"


def search_question(*, is_stream: bool = False, prompt: str = ASKS, **tool: Any) -> dict[str, Any]:
    return question(prompt, tools=[{**TOOL, **tool}], tool_choice={"type": "auto"}, stream=is_stream)


@dataclass
class Backend:
    """A backend that finds fixed pages, and records what it was asked."""

    find: Callable[[], Sequence[SearchResult]] = tuple
    gate: Gate | None = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def search(self, query: str, **limits: Any) -> Sequence[SearchResult]:
        self.asked.append((query, limits))
        if self.gate:
            await self.gate.pass_through()
        return self.find()


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def searching(backend: Backend) -> Iterator[RunningGateway]:
    """A gateway with a backend and without an upstream."""
    gateway = RunningGateway(Settings(addr=Address("127.0.0.1", 0)), KEYS, search_backend=backend)
    yield gateway
    gateway.stop()


@both_ways
def test_without_a_backend_the_model_is_told_what_works_instead(
    start_gateway: StartGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    answer = start_gateway(Keys()).ask(search_question(is_stream=is_stream))
    assert (answer.status, answer.is_stream) == (200, is_stream)
    assert answer.headers["request-id"].startswith("req_")
    call, result, text = answer.content
    assert call["input"] == {"query": "rare words"}
    assert result["content"] == {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    assert "has no web search" in text["text"]
    assert "WebFetch" in text["text"]
    assert not upstream.received


@both_ways
def test_a_backend_answers_in_anthropics_shape(searching: RunningGateway, backend: Backend, is_stream: bool) -> None:
    backend.find = lambda: [SearchResult("https://a.org/", "A page", "It says so.")]
    call, result, text = searching.ask(search_question(is_stream=is_stream, allowed_domains=["a.org"])).content
    assert backend.asked == [
        ("rare words", {"allowed_domains": ("a.org",), "blocked_domains": (), "max_results": MAX_RESULTS})
    ]
    assert call["input"] == {"query": "rare words"}
    assert [page["url"] for page in result["content"]] == ["https://a.org/"]
    for part in ("A page", "https://a.org/", "It says so."):
        assert part in text["text"]


def test_the_pages_of_a_backend_are_cut_at_the_limit(searching: RunningGateway, backend: Backend) -> None:
    backend.find = lambda: [SearchResult(f"https://a.org/{n}", "A page") for n in range(MAX_RESULTS + 5)]
    _, result, text = searching.ask(search_question()).content
    assert len(result["content"]) == MAX_RESULTS
    assert f"https://a.org/{MAX_RESULTS}" not in text["text"]


def fail(error: Exception) -> Callable[[], Sequence[SearchResult]]:
    def find() -> Sequence[SearchResult]:
        raise error

    return find


@both_ways
@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (SearchFailed("A hundred a day.", "too_many_requests"), "too_many_requests", "A hundred a day."),
        (OSError("no route"), "unavailable", "The web search failed."),
        (TimeoutError(), "unavailable", "The web search took too long"),
    ],
    ids=["on purpose", "by accident", "too slow"],
)
def test_a_failed_search_is_an_answer(
    searching: RunningGateway, backend: Backend, is_stream: bool, error: Exception, code: str, sentence: str
) -> None:
    backend.find = fail(error)
    _, result, text = searching.ask(search_question(is_stream=is_stream)).content
    assert result["content"]["error_code"] == code
    assert text["text"].startswith(sentence)


def test_a_backend_that_hangs_is_given_up(
    searching: RunningGateway, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.proxy.exchange.search._TIMEOUT_S", 0)
    backend.gate = Gate()
    _, result, _ = searching.ask(search_question()).content
    assert result["content"]["error_code"] == "unavailable"


def test_a_search_counts_as_active_and_ends_with_its_client(searching: RunningGateway, backend: Backend) -> None:
    backend.gate = Gate()
    with searching.send_only(search_question()):
        backend.gate.wait_reached()
        searching.wait_active(1)
    searching.wait_active(0)


def test_a_request_without_text_never_reaches_the_backend(searching: RunningGateway, backend: Backend) -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://a.org/a.png"}}
    answer = searching.ask({**search_question(), "messages": [{"role": "user", "content": [image]}]})
    assert answer.content[1]["content"]["error_code"] == "invalid_tool_input"
    assert not backend.asked


def test_beside_tools_of_the_client_web_search_is_left_out(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion("Hello!")))
    assert start_gateway().ask(question(ASKS, tools=[TOOL, WEATHER])).text == "Hello!"
    assert [tool["function"]["name"] for tool in upstream.received[0].body["tools"]] == ["get_weather"]


def test_a_malformed_search_is_refused_like_any_request(gateway: RunningGateway) -> None:
    answer = gateway.ask({**search_question(), "messages": []})
    assert answer.outcome == (400, "invalid_request_error")


def test_the_log_tells_the_result_of_a_search_but_not_its_query(
    searching: RunningGateway, backend: Backend, log_file: LogFile
) -> None:
    searching.ask(search_question())
    for error in (SearchFailed("no rare words", "query_too_long"), OSError("no rare words")):
        backend.find = fail(error)
        searching.ask(search_question())
    for line in ("0 pages", "query_too_long", "unavailable", "the search backend failed: OSError"):
        assert line in log_file.text
    assert "rare words" not in log_file.text
