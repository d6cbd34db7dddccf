"""The command line: `claude-nvidia-tray` and `python -m tray_app`."""

from __future__ import annotations

import sys

if sys.stdout is None or sys.stderr is None:  # a program without a terminal has none, and printing would fail
    import os

    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123 (open for as long as the program runs)
    sys.stderr = sys.stderr or sys.stdout

import argparse
import getpass
import logging
import os
from collections.abc import Mapping, Sequence

from tray_app import APP_ID, APP_NAME, __version__
from tray_app.app.instance import Instance
from tray_app.claude_code.claude_settings import render_settings
from tray_app.claude_code.exports import SHELLS, render_exports
from tray_app.desktop import Desktop, find_desktop
from tray_app.errors import AppError
from tray_app.paths import Paths, find_paths
from tray_app.settings.keys import (
    MAX_KEY_CHARACTERS,
    MIN_NETWORK_KEY_CHARACTERS,
    NVIDIA_KEY,
    SERVER_KEY,
    explain_exposure,
    read_keys,
    remove_key,
    save_key,
)
from tray_app.settings.store import SettingsStore
from tray_app.shells import WORKER_OPTION

OK, FAILED, USAGE = 0, 1, 2
_PRIVATE_UMASK = 0o077
"""Only the user may read the files of this program, because keys and prompts may be in them."""
_MAX_LINE_CHARS = 65_536
"""Longest line that is read for a key, in characters. A device that was given by mistake may never end its line."""
SETTINGS = "settings"
"""The word that --print-exports accepts besides the shells: it prints settings of Claude Code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns the exit code: 0 done, 1 failed, 2 wrong usage or unusable settings."""
    users_umask = os.umask(_PRIVATE_UMASK)
    options = _parser().parse_args(arguments)
    if options.worker:
        return work()
    logging.getLogger("tray_app").addHandler(logging.NullHandler())  # the terminal gets messages, never log lines
    environ = os.environ
    paths = find_paths(environ)
    try:
        if options.verb == "set-key":
            return set_key(paths, environ, is_server=options.server, removes=options.remove)
        if options.self_check:
            return self_check(environ)
        if options.print_exports:
            return print_exports(options.print_exports, paths, environ, is_demo=options.demo)
        desktop = find_desktop(environ, users_umask)
        return run(paths, environ, desktop, is_demo=options.demo, wants_tray=not options.no_tray)
    except AppError as error:
        _complain(str(error))
        return USAGE
    except OSError as error:
        _complain(f"{error.filename or APP_ID}: {error.strerror or error}")
        return FAILED
    except KeyboardInterrupt:
        return 130


def run(paths: Paths, environ: Mapping[str, str], desktop: Desktop, *, is_demo: bool, wants_tray: bool) -> int:
    """Runs the app. If it is already running, says where instead."""
    from tray_app.app.app import App

    instance = Instance(paths.state)
    if not instance.acquire():
        _tell_where(instance, desktop)
        return OK
    try:
        return App(paths, environ, desktop, instance, _say, is_demo=is_demo, wants_tray=wants_tray).run()
    finally:
        instance.release()


def work() -> int:
    """Runs as a worker process of the gateway, until the gateway closes the standard input."""
    from tray_app.proxy.workers.process import main

    main()
    return OK


def self_check(environ: Mapping[str, str]) -> int:
    """Checks whether this copy of the program is complete."""
    from tray_app.app.self_check import run_self_check

    return OK if run_self_check(find_desktop(environ), _say) else FAILED


def set_key(paths: Paths, environ: Mapping[str, str], *, is_server: bool, removes: bool) -> int:
    """Asks for a key without showing it, or reads a line if the input is no terminal, and saves the key."""
    secret, name = (SERVER_KEY, "server key") if is_server else (NVIDIA_KEY, "NVIDIA API key")
    store = _open_settings(paths, environ)
    if removes:
        remove_key(secret, store)
        _say(f"The {name} is removed.")
        return OK
    value = _read_secret(name)
    if not value:
        _complain(f"No key was given; nothing is changed. `{APP_ID} set-key --remove` removes the present key.")
        return FAILED
    if not value.isascii() or not value.isprintable() or " " in value:
        _complain("That is no key: a key has no spaces and only ASCII characters. Nothing is changed.")
        return FAILED
    if len(value) > MAX_KEY_CHARACTERS:
        _complain(
            f"That is no key: it has {len(value)} characters, and the limit is {MAX_KEY_CHARACTERS}. "
            "Nothing is changed."
        )
        return FAILED
    if is_server and (reason := explain_exposure(store.current.addr, value)):
        _complain(f"The key has {len(value)} characters; nothing is changed. {reason}")
        return FAILED
    where = save_key(secret, value, store)
    if is_server and len(value) < MIN_NETWORK_KEY_CHARACTERS:
        _complain(
            f"Note: the key has {len(value)} characters, which is enough on this machine only. To open the gateway to "
            f"your network, a key needs {MIN_NETWORK_KEY_CHARACTERS} or more."
        )
    if not is_server and not value.startswith("nvapi-"):
        _complain('Note: keys of build.nvidia.com begin with "nvapi-", and this one does not.')
    _say(f"The {name} is kept in {where}. A running app uses it from now on.")
    for variable in secret.variables:
        if environ.get(variable):
            _complain(f"Note: the environment variable {variable} is set, and is used instead of it.")
    return OK


def print_exports(form: str, paths: Paths, environ: Mapping[str, str], *, is_demo: bool) -> int:
    """Prints the exports for the running gateway, or for the address that it will listen on."""
    store = _open_settings(paths, environ)
    settings = store.current
    running = Instance(paths.state).find_running()
    url = running.url if running and running.url else settings.addr.url
    keys = read_keys(store, environ)
    has_key = keys.is_guarded
    if keys.is_server_unknown:
        _complain("Note: the server key cannot be read now, so the gateway may refuse requests.")
    model = settings.selected_model
    if form == SETTINGS:
        choices = settings.catalog.models if settings.clients_choose_model else (model,)
        no_proxy = environ.get("no_proxy") or environ.get("NO_PROXY", "")
        text = render_settings(url, model, choices, needs_server_key=has_key, no_proxy=no_proxy)
        if has_key:
            _complain(
                "Note: these settings do not contain the server key. Start claude with ANTHROPIC_AUTH_TOKEN set to it."
            )
    else:
        text = render_exports(form, url, model, needs_server_key=has_key, is_demo=is_demo)
    sys.stdout.write(text)
    return OK


def _open_settings(paths: Paths, environ: Mapping[str, str]) -> SettingsStore:
    store = SettingsStore(paths.settings, environ, owns_folder=paths.owns_settings_folder)
    for sentence in (store.problem, store.note):
        if sentence:
            _complain(sentence)
    return store


def _read_secret(name: str) -> str:
    try:
        if sys.stdin.isatty():
            return getpass.getpass(f"{name} (it is not shown): ").strip()
        return sys.stdin.readline(_MAX_LINE_CHARS).strip()
    except UnicodeDecodeError:
        return "\N{REPLACEMENT CHARACTER}"  # no key contains this character


def _tell_where(instance: Instance, desktop: Desktop) -> None:
    running = instance.find_running()
    where = f"It listens on {running.url}." if running and running.url else "Its icon is in the tray."
    sentence = f"{APP_NAME} is already running. {where}"
    has_terminal = sys.__stdout__ is not None and sys.stdout.isatty()  # Windows takes the null device for a terminal
    if has_terminal or not desktop.notify(APP_NAME, sentence):
        _say(sentence)


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    print(f"{APP_ID}: {line}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=APP_ID,
        description="A tray icon with a gateway, through which Claude Code works with NVIDIA's hosted models.",
    )
    parser.add_argument("--no-tray", action="store_true", help="run without a tray icon, until Ctrl-C")
    parser.add_argument("--demo", action="store_true", help="give canned answers, without a key, a network or a model")
    parser.add_argument(
        "--print-exports",
        metavar="SHELL",
        choices=(*SHELLS, SETTINGS),
        help=f"print the set-up of Claude Code for {', '.join(SHELLS)}; or {SETTINGS}, for `claude --settings`",
    )
    parser.add_argument("--self-check", action="store_true", help="check whether this copy of the program is complete")
    parser.add_argument(WORKER_OPTION, dest="worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"{APP_ID} {__version__}")
    verbs = parser.add_subparsers(dest="verb", title="commands", metavar="COMMAND")
    key = verbs.add_parser("set-key", help="save the NVIDIA API key in the system keyring")
    key.add_argument(
        "--server", action="store_true", help="save the server key instead, which clients of the gateway must send"
    )
    key.add_argument("--remove", action="store_true", help="remove the key")
    return parser


if __name__ == "__main__":
    sys.exit(main())
