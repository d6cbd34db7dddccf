"""The real Claude Code and web search: what its model is told, and the set-up that does not offer it at all."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEYS
from tests.support import kit
from tests.support.chunks import finish, text, usage, whole_call
from tests.support.fake_upstream import FakeUpstream, Reply, stream
from tests.support.gateway import RunningGateway
from tests.support.kit import GLM
from tests.support.recorder import Passage, Recorder
from tests.support.stage import Stage, check_answer, set_stage
from tests.support.tray_app import APP
from tray_app.catalog import AS_IN_TRAY, GLM_4_7
from tray_app.claude_code.exports import render_exports
from tray_app.settings.settings import Address, Settings
from tray_app.translate.answer.web_search import SearchResult

pytestmark = [pytest.mark.desktop, pytest.mark.kit]

LOOK_FOR = {"query": "rare words", "allowed_domains": ["a.org"]}
ALLOW = ("--allowedTools", "WebSearch")


def search_once(body: dict[str, Any]) -> Reply:
    """A model that loads Claude Code's WebSearch tool, calls it, and is done."""
    calls = (
        whole_call("ToolSearch", {"query": "select:WebSearch"}, "call_0"),
        whole_call("WebSearch", LOOK_FOR, "call_1"),
    )
    step = sum(message["role"] == "assistant" for message in body["messages"])
    if step < len(calls):
        return stream(calls[step], finish("tool_calls"), usage(10, 3))
    return stream(text("I HAVE SEARCHED"), finish(), usage(10, 3))


def say_hello(_: dict[str, Any]) -> Reply:
    return stream(text("HELLO FROM UPSTREAM"), finish(), usage(10, 3))


def base_of(upstream: FakeUpstream) -> dict[str, str]:
    return {GLM: f"http://127.0.0.1:{upstream.port}"}


def find_search(front: Recorder) -> Passage:
    """The request that Claude Code's WebSearch tool made of its own."""
    asked = [passage for passage in front.passages if passage.path == "/v1/messages"]
    (search,) = [p for p in asked if [tool["name"] for tool in p.request.get("tools", ())] == ["web_search"]]
    return search


def read_result(upstream: FakeUpstream) -> str:
    """What Claude Code told its model of the search."""
    result = upstream.received[-1].body["messages"][-1]
    assert (result["role"], result["tool_call_id"]) == ("tool", "call_1")
    return str(result["content"])


def test_a_model_that_searches_is_told_what_works_instead(upstream: FakeUpstream, tmp_path: Path) -> None:
    upstream.default = search_once
    with set_stage(tmp_path, upstreams=base_of(upstream)) as stage:
        done = stage.session.run(stage.exports(), "Search the web.", *ALLOW)
        assert "I HAVE SEARCHED" in done.stdout, stage.explain(done)
        search = find_search(stage.front)
        assert search.request["tools"][0]["type"].startswith("web_search_")
        assert "rare words" in search.answer.decode()
        assert len(stage.back.passages) == 3, "the search itself went upstream"
    told = read_result(upstream)
    assert "Web search error: unavailable" in told
    assert "has no web search" in told
    assert "WebFetch" in told


class Backend:
    """Finds one page, whatever is looked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def search(self, query: str, **limits: Any) -> Sequence[SearchResult]:
        self.asked.append((query, limits))
        return [SearchResult("https://a.org/rare", "Rare words", "Wit, held back.")]


def test_with_a_backend_the_model_gets_titles_addresses_and_snippets(upstream: FakeUpstream, tmp_path: Path) -> None:
    upstream.default = search_once
    backend = Backend()
    settings = Settings(nvidia_url=upstream.url, addr=Address("127.0.0.1", 0))
    gateway = RunningGateway(settings, KEYS, search_backend=backend)
    with Recorder(lambda _: gateway.address.url) as front:
        exports = render_exports("bash", front.url, GLM_4_7, needs_server_key=False)
        session = kit.Session(tmp_path / "home", tmp_path / "work")
        done = session.run(exports, "Search the web.", *ALLOW)
    gateway.stop()
    assert "I HAVE SEARCHED" in done.stdout, f"{done.stdout}\n{done.stderr}"
    check_answer(find_search(front))
    assert backend.asked[0][0] == "rare words"
    assert backend.asked[0][1]["allowed_domains"] == ("a.org",)
    told = read_result(upstream)
    for part in ("Rare words", "https://a.org/rare", "Wit, held back."):
        assert part in told


def run_with_settings(stage: Stage, folder: Path, environment: str = "") -> subprocess.CompletedProcess[str]:
    """`claude --settings` with what the app prints, in a shell with `environment` and nothing else."""
    printed = stage.app.desktop.run(*APP, "--print-exports", "settings")
    file = folder / "claude-settings.json"
    file.write_text(printed.replace(json.loads(printed)["env"]["ANTHROPIC_BASE_URL"], stage.front.url))
    return stage.session.run(environment, "Say hello.", "--settings", str(file))


def test_the_settings_alone_set_claude_code_up_without_web_search(upstream: FakeUpstream, tmp_path: Path) -> None:
    upstream.default = say_hello
    with set_stage(tmp_path, upstreams=base_of(upstream)) as stage:
        stage.session.run(stage.exports(), "Say hello.")
        offered = [json.dumps(passage.request) for passage in stage.front.passages]
        assert any("WebSearch" in request for request in offered), "the exports cannot deny a tool"

        done = run_with_settings(stage, tmp_path)
        assert "HELLO FROM UPSTREAM" in done.stdout, stage.explain(done)
        passages = stage.front.passages[len(offered) :]
        requests = [passage.request for passage in passages if passage.path == "/v1/messages"]
        assert {request["model"] for request in requests} == {AS_IN_TRAY}
        # neither among the tools nor among those that it names as to be loaded later
        assert not [request for request in requests if "WebSearch" in json.dumps(request)]
        assert "WebFetch" in json.dumps(requests)


def test_the_settings_hold_whatever_the_users_environment_is(upstream: FakeUpstream, tmp_path: Path) -> None:
    """A key for Anthropic, and a proxy that does not answer; both NO_PROXY and no_proxy lead past it."""
    upstream.default = say_hello
    environment = "export ANTHROPIC_API_KEY=sk-ant-of-the-user no_proxy=intranet NO_PROXY=intranet"
    proxies = " ".join(f"{name}=http://127.0.0.1:9" for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy"))
    with set_stage(tmp_path, upstreams=base_of(upstream)) as stage:
        done = run_with_settings(stage, tmp_path, f"{environment} {proxies}")
        assert "HELLO FROM UPSTREAM" in done.stdout, stage.explain(done)
        for passage in stage.front.passages:
            assert "sk-ant-of-the-user" not in str(passage.headers)


def test_the_exports_lead_past_a_proxy_whichever_list_the_user_has(upstream: FakeUpstream, tmp_path: Path) -> None:
    upstream.default = say_hello
    environment = "export HTTP_PROXY=http://127.0.0.1:9 no_proxy=intranet"
    with set_stage(tmp_path, upstreams=base_of(upstream)) as stage:
        done = stage.session.run(f"{environment}\n{stage.exports()}", "Say hello.")
        assert "HELLO FROM UPSTREAM" in done.stdout, stage.explain(done)


def test_with_a_server_key_the_settings_take_the_token_from_the_environment(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.default = say_hello
    with set_stage(tmp_path, upstreams=base_of(upstream)) as stage:
        stage.app.desktop.env["SERVER_API_KEY"] = "key-of-this-gateway"  # for --print-exports
        done = run_with_settings(stage, tmp_path, "export ANTHROPIC_AUTH_TOKEN=key-of-this-gateway")
        assert "HELLO FROM UPSTREAM" in done.stdout, stage.explain(done)
        assert {p.headers["Authorization"] for p in stage.front.passages} == {"Bearer key-of-this-gateway"}
