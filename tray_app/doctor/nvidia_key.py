"""Has NVIDIA judge the key. It asks up to three models for one token each."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence

from tray_app.doctor.findings import Finding, Level
from tray_app.proxy.key_check import Verdict, check_key
from tray_app.shells import name_command

_LEVELS = {Verdict.VALID: Level.OK, Verdict.BUSY: Level.NOTE, Verdict.UNREACHABLE: Level.NOTE}


def check_nvidia_key(
    key: str, chat_url: str, model_ids: Sequence[str], make_tls_context: Callable[[], ssl.SSLContext]
) -> Finding:
    """Returns what NVIDIA says about the key. Takes up to a minute if NVIDIA is slow."""
    check = check_key(key, chat_url, model_ids, make_tls_context)
    fix = f"Set another key with `{name_command('set-key')}`." if check.verdict is Verdict.REFUSED else ""
    return Finding(_LEVELS.get(check.verdict, Level.FAIL), "NVIDIA key", check.sentence, fix)
