"""The command `claude`: starts Claude Code through the gateway, for this run only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace

from tray_app import APP_NAME
from tray_app.app.background import start_in_background, wait_listening
from tray_app.app.claude_setup import make_setup
from tray_app.app.health import read_health, wait_for_key
from tray_app.app.instance import Instance, Whereabouts
from tray_app.catalog import AS_IN_TRAY
from tray_app.claude_code.find_claude import HOW_TO_INSTALL, find_claude, make_command
from tray_app.claude_code.journal_file import is_on
from tray_app.claude_code.launch import (
    MANUAL,
    has_status_line,
    make_environment,
    make_run_settings,
    read_arguments,
)
from tray_app.claude_code.own_model import own_model_kept
from tray_app.claude_code.recent_folders import note_folder
from tray_app.claude_code.run_file import run_file
from tray_app.claude_code.settings_files import find_settings_files, find_user_settings, read_settings_file
from tray_app.commands.open_settings import open_settings
from tray_app.commands.set_key import save_given_key
from tray_app.commands.terminal import FAILED, ask_secret, complain, find_folder
from tray_app.desktop.foreground import run_child
from tray_app.paths import Paths
from tray_app.settings.keys import NVIDIA_KEY, Keys, read_keys
from tray_app.settings.store import SettingsStore
from tray_app.shells import name_command

_NOTICE_KEY_S = 10.0
"""Longest wait until a running app has noticed a new key. It looks once a second."""


def claude(words: Sequence[str], paths: Paths, environ: Mapping[str, str], users_umask: int) -> int:
    """Runs Claude Code with these arguments, and returns its exit code. Starts the app if it is not running.

    FAILED if Claude Code cannot be started: it is not installed, there is no key and nobody to ask, or the app does not
    start.
    """
    is_manual = bool(words) and words[0] == MANUAL
    folder = find_folder()
    arguments = read_arguments(words[1:] if is_manual else words, folder)
    program = find_claude(environ)
    if program is None:
        complain(HOW_TO_INSTALL)
        return FAILED
    shell = environ.get("COMSPEC", "cmd.exe")
    if arguments.is_question:
        return run_child(make_command(program, arguments.words, shell), environ, users_umask)
    store = open_settings(paths, environ)
    keys = read_keys(store, environ)
    running = _find_app(paths, environ, store, keys, users_umask)
    if running is None:
        return FAILED
    if keys.is_server_unknown:
        complain("Note: the server key cannot be read now, so the gateway may refuse requests.")
    note_folder(paths.state, folder)
    files = [read_settings_file(file) for file in find_settings_files(environ, folder)]
    setup = replace(make_setup(running.url, store.current, keys, environ, paths.state), folder=str(folder))
    if is_manual:
        setup = replace(setup, is_manual=True)
    if has_status_line(files):
        setup = replace(setup, status_line="")
    settings = json.dumps(make_run_settings(setup, files, arguments.settings or {}))
    variables = make_environment(environ, keys.server)
    names = [AS_IN_TRAY, *(model.id for model in store.current.catalog.models)]
    own_model = nullcontext() if is_on(paths.state) else own_model_kept(paths.state, find_user_settings(environ), names)
    if arguments.is_background:  # the session reads its settings again after this run has ended, so a file is no use
        return run_child(make_command(program, arguments.with_settings(settings), shell), variables, users_umask)
    with own_model, run_file(paths.state / "claude-code", settings) as file:
        return run_child(make_command(program, arguments.with_settings(str(file)), shell), variables, users_umask)


def _find_app(
    paths: Paths, environ: Mapping[str, str], store: SettingsStore, keys: Keys, users_umask: int
) -> Whereabouts | None:
    """Returns where the app listens. Asks for a key and starts the app first if needed; None if there is no key."""
    instance = Instance(paths.state)
    running = instance.find_running()
    if running is not None and not running.url:
        running = wait_listening(instance)
    if running is not None and running.is_demo:
        complain(f"Note: a demo is running, so the answers are canned. `{name_command('set-key')}` leads to real ones.")
        return running
    health = read_health(running.url) if running else None
    app_has_key = health is not None and health.has_nvidia_key  # perhaps from its own environment
    is_key_known = bool(keys.nvidia) or keys.is_nvidia_unknown
    if not (is_key_known or app_has_key or _ask_for_key(store, environ)):
        return None
    if running is None:
        started = start_in_background(
            paths.state, is_demo=False, wants_tray=True, shows_welcome=False, umask=users_umask
        )
        complain(f"{APP_NAME} runs in the background from now on. `{name_command('stop')}` ends it.")
        return started
    if not is_key_known and not app_has_key:
        wait_for_key(running.url, _NOTICE_KEY_S)
    elif keys.nvidia and not app_has_key:
        complain(
            "Note: the running app has no NVIDIA API key, because it was started without the variables of this "
            f"terminal. `{name_command('set-key')}` saves a key for all."
        )
    return running


def _ask_for_key(store: SettingsStore, environ: Mapping[str, str]) -> bool:
    """Asks for the key at the terminal, and saves it. Returns False, and says why, if that is not possible."""
    # The standard input may be a question for Claude Code.
    key = ask_secret("NVIDIA API key of build.nvidia.com")
    if key is None:
        complain(
            f"There is no NVIDIA API key yet, and no terminal to ask for it. Run `{name_command('set-key')}` first."
        )
        return False
    return save_given_key(NVIDIA_KEY, key, store, environ, complain)
