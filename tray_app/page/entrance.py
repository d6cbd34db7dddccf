"""The way into the page for the user's own browser, and why there may be none."""

from __future__ import annotations

from pathlib import Path

from tray_app.page.tokens import make_address, mint_token


def make_entrance(url: str, state_folder: Path, view: str = "") -> str:
    """Returns an address of the page that lets one browser in, within two minutes. OSError: no token can be noted.

    `url` is that of the gateway. `view` is the part of the page to show, such as "models"; empty: the first one.
    """
    return make_address(url, mint_token(state_folder), view)


def explain_switched_off(settings_file: Path) -> str:
    """Returns why a gateway that listens has no page, and how the user gets it."""
    return (
        "The page is switched off. It is so by itself if there is a server key, or if other machines can reach the "
        f'gateway. To have it all the same, set "serve_page" to "always" in {settings_file}.'
    )
