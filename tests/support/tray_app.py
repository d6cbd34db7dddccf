"""The app as its user sees it on a desktop: an icon with its menu, a URL, and a folder of its own."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.support.app_folder import AppFolder
from tests.support.desktop_harness import Desktop, TrayItem
from tests.support.validators import check_body, check_error
from tray_app.catalog import find_model

APP = (sys.executable, "-m", "tray_app")
QUESTION = {"model": "claude-x", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]}


class TrayApp:
    """The app as its user sees it: an icon, a URL and a settings file."""

    def __init__(self, desktop: Desktop, item: TrayItem) -> None:
        self.desktop = desktop
        self.item = item
        self.folder = AppFolder(Path(desktop.env["CLAUDE_NVIDIA_TRAY_HOME"]))

    @property
    def url(self) -> str:
        self.desktop.wait_log("app", "listening on http://")
        return self.desktop.read_log("app").split("listening on http://")[1].split()[0]

    @contextmanager
    def open_answer(self, **more: Any) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self.url, timeout=20)
        with closing(connection):
            connection.request("POST", "/v1/messages", json.dumps({**QUESTION, **more}))
            yield connection.getresponse()

    def ask(self, **more: Any) -> dict[str, Any]:
        with self.open_answer(**more) as answer:
            body: dict[str, Any] = json.loads(answer.read())
            (check_body if answer.status == 200 else check_error)(body)
            return body

    def choose(self, model: str) -> None:
        """Clicks the model in the menu, if another one is chosen."""
        row = find_model(model)
        assert row is not None
        if not self.item.menu().find(row.label).is_checked:
            self.item.click(row.label)
            self.item.wait_menu(lambda menu: menu.find(row.label).is_checked, "the model is chosen")
