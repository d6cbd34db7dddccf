"""Has NVIDIA judge the key. It asks up to three models for one token each."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence

from tray_app.doctor.findings import Finding, Level, Remedy
from tray_app.proxy.key_check import Verdict, check_key
from tray_app.shells import name_command

_LEVELS = {Verdict.VALID: Level.OK, Verdict.BUSY: Level.NOTE, Verdict.UNREACHABLE: Level.NOTE}
_REMEDIES = {
    Verdict.VALID: Remedy.NONE,
    Verdict.REFUSED: Remedy.NEW_KEY,
    Verdict.NO_PERMISSION: Remedy.NEW_KEY,
    Verdict.NOT_SERVED: Remedy.LOOK_AGAIN,
    Verdict.BUSY: Remedy.EXAMINE_AGAIN,
    Verdict.UNREACHABLE: Remedy.EXAMINE_AGAIN,
}


def check_nvidia_key(
    key: str, chat_url: str, model_ids: Sequence[str], make_tls_context: Callable[[], ssl.SSLContext]
) -> Finding:
    """Returns what NVIDIA says about the key. Takes up to a minute if NVIDIA is slow."""
    check = check_key(key, chat_url, model_ids, make_tls_context)
    fix = f"Set another key with `{name_command('set-key')}`." if check.verdict is Verdict.REFUSED else ""
    level = _LEVELS.get(check.verdict, Level.FAIL)
    return Finding(level, "NVIDIA key", check.sentence, fix, _REMEDIES[check.verdict])
