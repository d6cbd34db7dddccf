"""The page of a gateway, as a browser that was let in uses it, and an app that only notes what it is asked for."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.fake_upstream import TIMEOUT_S
from tests.support.gateway import Answer
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.claude_code.claude_settings import Setup
from tray_app.page.actions import Action, PageFacts
from tray_app.page.tokens import mint_token
from tray_app.page.views.settings import SettingsFacts


class NotingDesk:
    """An app that does nothing but note the actions. `results` are what they lead to; an error is raised."""

    def __init__(self) -> None:
        self.facts = PageFacts("in the panel", shell="bash", log_file=Path("there-is-no-log"))
        self.settings_facts = SettingsFacts()
        self.setup = Setup("http://127.0.0.1:3001", GLM_4_7, (GLM_4_7, MINIMAX_M2_1))
        self.actions: list[Action] = []
        self.results: list[object] = []

    def carry_out(self, action: Action) -> Future[Any]:
        self.actions.append(action)
        done: Future[Any] = Future()
        result = self.results.pop(0) if self.results else {}
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result(result)
        return done


class Browser:
    """A browser at the page. It is let in with a token that it mints itself, as the tray does."""

    def __init__(self, url: str, state: Path) -> None:
        self.host = url.removeprefix("http://")
        self.origin = url
        self.cookie = ""
        self.proof = ""
        self._state = state

    def enter(self) -> Answer:
        """Shows a new token."""
        answer = self.request("POST", "/page/session", {"token": mint_token(self._state)}, Origin=self.origin)
        assert answer.status == 200, answer.raw
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        self.proof = answer.body["proof"]
        return answer

    def read(self, path: str) -> Any:
        answer = self.request("GET", path)
        assert answer.status == 200, answer.raw
        return answer.body

    def act(self, **action: Any) -> Answer:
        return self.request("POST", "/page/actions", action, Origin=self.origin)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Any request with the cookie and the proof; `Last_Event_ID="..."` becomes a header."""
        with self._send(method, path, body, headers) as response:
            return Answer(response.status, dict(response.headers), response.read())

    @contextmanager
    def listen(self, **headers: str) -> Iterator[Iterator[tuple[str, str, Any]]]:
        """The events as they come: name, id and data of each."""
        with self._send("GET", "/page/events", None, headers) as response:
            assert response.status == 200, response.read()
            yield _read_events(response)

    @contextmanager
    def _send(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self.host, timeout=TIMEOUT_S)
        own = {"Cookie": self.cookie, "X-Page-Proof": self.proof} if self.proof else {}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            if data is not None:
                own["Content-Type"] = "application/json"
            sent = {**own, **{name.replace("_", "-"): value for name, value in headers.items()}}
            connection.request(method, path, data, sent)
            yield connection.getresponse()
        finally:
            connection.close()


def _read_events(response: http.client.HTTPResponse) -> Iterator[tuple[str, str, Any]]:
    fields: dict[str, str] = {}
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if line != b"\n":
            fields[name] = value
            continue
        if "data" in fields:
            yield fields["event"], fields.get("id", ""), json.loads(fields["data"])
        fields = {}
