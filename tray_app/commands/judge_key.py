"""Has NVIDIA judge a key before it is saved, and tells the user the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tray_app.commands.terminal import complain
from tray_app.desktop import find_desktop
from tray_app.settings.settings import Settings


def judge_key(key: str, settings: Settings, environ: Mapping[str, str], tell: Callable[[str], None]) -> bool:
    """Returns False if NVIDIA refuses the key. Any other verdict is told, too, and is no reason against saving it.

    `tell` prints a line for the user. The check takes a second, or up to a minute if NVIDIA is slow.
    """
    from tray_app.proxy.key_check import Verdict, check_key  # it imports aiohttp, which most commands never need

    tell("Checking the key with NVIDIA …")
    check = check_key(key, settings.nvidia_url, list_judges(settings), find_desktop(environ).make_tls_context)
    if check.verdict is Verdict.VALID:
        tell(check.sentence)
    elif check.verdict is Verdict.REFUSED:
        complain(f"{check.sentence} It is not saved.")
    else:
        complain(f"{check.sentence} It is saved all the same.")
    return check.verdict is not Verdict.REFUSED


def list_judges(settings: Settings) -> list[str]:
    """Returns the ids of the models that may judge a key, the selected one first."""
    chosen = settings.selected_model.id
    return [chosen, *(model.id for model in settings.catalog.models if model.id != chosen)]
