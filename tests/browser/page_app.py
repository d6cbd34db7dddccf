"""The real program without an icon, and Chromium at its page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.app_folder import AppFolder
from tests.support.browser import Chromium
from tests.support.gateway import NVIDIA_KEY, Client
from tests.support.running_app import App
from tray_app.page.tokens import make_address, mint_token

TITLES = {
    "now": "Now",
    "history": "History",
    "models": "Models",
    "connect": "Connect",
    "settings": "Settings",
    "logs": "Logs",
}
"""What the navigation calls each view, by its name in the address."""
WELCOME = "welcome"


class PageApp:
    """A running program with its page, the browser, and a client that asks the gateway."""

    def __init__(self, app: App, chromium: Chromium, client: Client) -> None:
        self.app = app
        self.chromium = chromium
        self.client = client
        self.url = f"http://{client.host}"

    def mint(self) -> str:
        """Returns the address of the page with a new token, as the tray opens it."""
        return make_address(self.url, mint_token(self.app.folder.path / "state"))

    def enter(self, view: str = "now") -> None:
        """Opens the page with a new token, and goes to a view."""
        self.chromium.open("about:blank")  # else an address that differs only after the # would load nothing
        self.chromium.open(self.mint())
        self.chromium.wait_for("return document.querySelector('main h1')")
        self.go(view)

    def go(self, view: str) -> None:
        """Goes to a view, as a link does, and returns as soon as it is there with all its parts."""
        self.chromium.run("location.hash = '#/' + arguments[0]", view)
        if view in TITLES:
            self.chromium.wait_for("return document.querySelector(`nav a[href='#/${values}'][aria-current]`)", view)
        self.chromium.wait_for(
            "return document.querySelector('main h1') && !document.querySelector('[aria-busy=true]')"
        )


@contextmanager
def open_app(
    home: Path, chromium: Chromium, upstream_url: str, *words: str, key: str = NVIDIA_KEY, **settings: Any
) -> Iterator[PageApp]:
    """Starts the program on a free port, without a limit of requests unless a setting says so. `words`: its arguments.

    Without a `key` it has none.
    """
    AppFolder(home).edit_settings(**{"requests_per_minute": 0, "follow_successors": False, **settings})
    environment = {"ADDR": "127.0.0.1:0", "UPSTREAM_URL": upstream_url, "SHELL": "/bin/bash"}
    if key:
        environment["PROVIDER_API_KEY"] = key
    app = App(home, ("--no-tray", *words), environment, [])
    try:
        yield PageApp(app, chromium, app.wait_listening())
    finally:
        app.close()
