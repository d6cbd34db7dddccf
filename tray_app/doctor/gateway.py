"""Looks at the gateway: its port, and the keys."""

from __future__ import annotations

import socket

from tray_app.doctor.findings import Finding, Level, Remedy
from tray_app.sentences import WHERE_TO_SET_ADDR
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address
from tray_app.shells import name_command

_TIMEOUT_S = 1.0


def check_port(addr: Address, running_url: str | None, *, answers: bool, is_demo: bool) -> Finding:
    """Looks whether the gateway listens, or could.

    `running_url` is the URL of the running app, empty if it does not listen; None: no app is running. `answers` tells
    whether the gateway at this URL answers.
    """
    topic = "Gateway"
    if running_url and answers:
        demo = " It is a demo, so its answers are canned." if is_demo else ""
        fix = f"`{name_command('set-key')}` leads to real answers." if is_demo else ""
        level, remedy = (Level.NOTE, Remedy.NEW_KEY) if is_demo else (Level.OK, Remedy.NONE)
        return Finding(level, topic, f"The gateway answers on {running_url}.{demo}", fix, remedy)
    if running_url:
        sentence = f"The app is running, but its gateway on {running_url} does not answer."
        fix = f"Start it anew: `{name_command('stop')}`, `{name_command('start')}`."
        return Finding(Level.FAIL, topic, sentence, fix, Remedy.RESTART_GATEWAY)
    is_taken = _is_taken(addr)
    if running_url is not None and not is_taken:
        sentence = "The app is running, but its gateway does not listen."
        fix = "Look at the first line of its menu, which says what it needs."
        return Finding(Level.FAIL, topic, sentence, fix, Remedy.RESTART_GATEWAY)
    if is_taken:
        sentence = f"Another program listens on {addr}, so that the gateway cannot."
        fix = f"End that program, or choose another port ({WHERE_TO_SET_ADDR})."
        return Finding(Level.FAIL, topic, sentence, fix, Remedy.CHOOSE_PORT)
    sentence = f"The app is not running. Its port is free ({addr})."
    fix = f"Start it with `{name_command('start')}`, or with Claude Code: `{name_command('claude')}`."
    return Finding(Level.NOTE, topic, sentence, fix)


def check_keys(keys: Keys) -> list[Finding]:
    """Looks whether there are the keys. It never shows one."""
    fix = f"Get one on build.nvidia.com, then run `{name_command('set-key')}`."
    if keys.nvidia:
        findings = [Finding(Level.OK, "NVIDIA API key", "There is an NVIDIA API key. It is not tried here.")]
    elif keys.is_nvidia_unknown:
        sentence = "The keyring does not answer, so that nobody knows whether there is a key."
        unlock = "Unlock the keyring of this system, and try again."
        findings = [Finding(Level.FAIL, "NVIDIA API key", sentence, unlock, Remedy.ASK_KEYRING)]
    else:
        findings = [Finding(Level.FAIL, "NVIDIA API key", "There is no NVIDIA API key.", fix, Remedy.NEW_KEY)]
    if keys.is_guarded:
        sentence = "Clients must send the server key."
        fix = (
            "For the exports, set SERVER_API_KEY to it first; the command `claude` of this program sends it by itself."
        )
        findings.append(Finding(Level.NOTE, "Server key", sentence, fix))
    return findings


def _is_taken(addr: Address) -> bool:
    host = addr.host if addr.host not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104 (it recognises the address)
    try:
        socket.create_connection((host, addr.port), _TIMEOUT_S).close()
    except OSError:
        return False
    return True
