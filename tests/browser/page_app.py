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

_IS_THERE = "document.querySelector('main h1') && !document.querySelector('[aria-busy=true]')"


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
        self.chromium.wait_for(f"return document.querySelector('nav') && {_IS_THERE}")
        self.chromium.wait_drawn()
        if view != "now":
            self.go(view)

    def go(self, view: str) -> None:
        """Goes to another view, as a link does, and returns as soon as it is there and its heading has the focus."""
        self.chromium.run("location.hash = '#/' + arguments[0]", view)
        if view in TITLES:
            self.chromium.wait_for("return document.querySelector(`nav a[href='#/${values}'][aria-current]`)", view)
        else:
            self.chromium.wait_for("return !document.querySelector('nav a[aria-current]')")
        self.wait_there()

    def wait_there(self) -> None:
        """Returns as soon as the heading of a view has the focus, and no part of the view is still to come."""
        self.chromium.wait_for(f"return document.activeElement.matches('main h1') && {_IS_THERE}")


@contextmanager
def open_app(
    home: Path,
    chromium: Chromium,
    upstream_url: str,
    *words: str,
    key: str = NVIDIA_KEY,
    port: int = 0,
    **settings: Any,
) -> Iterator[PageApp]:
    """Starts the program, without a limit of requests unless a setting says so. `words` are its arguments.

    Without a `key` it has none, and keeps one that it is given in a file. `port` 0 is a free one.
    """
    AppFolder(home).edit_settings(**{"requests_per_minute": 0, "follow_successors": False, **settings})
    environment = {"ADDR": f"127.0.0.1:{port}", "UPSTREAM_URL": upstream_url, "SHELL": "/bin/bash"}
    if key:
        environment["PROVIDER_API_KEY"] = key
    else:
        environment |= {"PYTHON_KEYRING_BACKEND": "tests.support.keyrings.FileKeyring", "TEST_KEYRING": f"{home}/keys"}
    app = App(home, ("--no-tray", *words), environment, [])
    try:
        yield PageApp(app, chromium, app.wait_listening())
        chromium.open("about:blank")  # else the page would complain that the program has ended
    finally:
        app.close()
