"""Asks NVIDIA's server for a sign of life: how long it takes, and whether its clock agrees with this one's."""

from __future__ import annotations

import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from tray_app.doctor.findings import Finding, Level, Remedy
from tray_app.proxy.upstream.model_list import find_list

_TIMEOUT_S = 4.0
"""Longest wait for each step of the connection, in seconds."""
_DEADLINE_S = 6.0
"""Longest wait for all of it. Looking up a name may take longer than any time limit that can be set for it."""
_SLOW_S = 2.0
_CLOCK_TOLERANCE_S = 120.0
"""So much may a clock be wrong before certificates and keys are in danger. The header has whole seconds."""
_TOPIC = "NVIDIA"


@dataclass(frozen=True, slots=True)
class _Sign:
    """What upstream answered."""

    took_s: float
    date: str
    """The header Date; empty if there was none."""
    now_s: float
    """The time of this machine at that moment, in seconds since 1970."""


def check_upstream(chat_url: str, make_tls_context: Callable[[], ssl.SSLContext]) -> list[Finding]:
    """Asks for the list of models, without a key. Any answer will do. Takes at most six seconds."""
    host = urlsplit(chat_url).hostname or chat_url
    answer = _ask(find_list(chat_url) or chat_url, make_tls_context)
    if answer is None:
        sentence = f"{host} has not answered within {_DEADLINE_S:g} s."
        fix = "Look whether this machine is online, and whether a proxy is needed."
        return [Finding(Level.FAIL, _TOPIC, sentence, fix, Remedy.EXAMINE_AGAIN)]
    if isinstance(answer, Exception):
        return [_explain(host, answer)]
    is_slow = answer.took_s > _SLOW_S
    sentence = f"{host} answers after {answer.took_s * 1000:.0f} ms (connection, TLS, first answer)."
    fix = "The connection is slow. Answers of a model take longer still." if is_slow else ""
    level, remedy = (Level.NOTE, Remedy.EXAMINE_AGAIN) if is_slow else (Level.OK, Remedy.NONE)
    return [Finding(level, _TOPIC, sentence, fix, remedy), *_check_clock(answer)]


def _ask(url: str, make_tls_context: Callable[[], ssl.SSLContext]) -> _Sign | Exception | None:
    """Returns what came, or the error; None if there was neither in time."""
    answers: list[_Sign | Exception] = []

    def ask() -> None:
        try:
            answers.append(_fetch(url, make_tls_context()))
        except (OSError, ValueError, HTTPException) as error:
            answers.append(error)

    thread = threading.Thread(target=ask, name="doctor", daemon=True)  # it may hang in looking up the name
    thread.start()
    thread.join(_DEADLINE_S)
    return answers[0] if answers else None


def _fetch(url: str, tls_context: ssl.SSLContext) -> _Sign:
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls_context))
    began_s = time.monotonic()
    response: Any
    try:
        response = opener.open(url, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:  # an answer without a key may be a refusal
        response = error
    with closing(response):
        return _Sign(time.monotonic() - began_s, response.headers.get("Date", ""), time.time())


def _explain(host: str, error: Exception) -> Finding:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return Finding(
            Level.FAIL,
            _TOPIC,
            f"The certificate of {host} is not accepted: {reason.verify_message}.",
            "Look at the clock of this machine, and whether a proxy or virus scanner opens encrypted connections.",
            Remedy.EXAMINE_AGAIN,
        )
    text = getattr(reason, "strerror", None) or reason
    return Finding(
        Level.FAIL,
        _TOPIC,
        f"{host} cannot be reached: {text}.",
        "Look whether this machine is online, and whether it needs a proxy (HTTPS_PROXY).",
        Remedy.EXAMINE_AGAIN,
    )


def _check_clock(sign: _Sign) -> list[Finding]:
    try:
        theirs_s = parsedate_to_datetime(sign.date).timestamp()
    except ValueError:
        return []
    ahead_s = sign.now_s - theirs_s
    if abs(ahead_s) <= _CLOCK_TOLERANCE_S:
        return [Finding(Level.OK, "Clock", "The clock of this machine agrees with NVIDIA's.")]
    direction = "ahead of" if ahead_s > 0 else "behind"
    sentence = f"The clock of this machine is {abs(ahead_s):.0f} s {direction} NVIDIA's."
    fix = "Let the system set its clock by the network."
    return [Finding(Level.NOTE, "Clock", sentence, fix, Remedy.EXAMINE_AGAIN)]
