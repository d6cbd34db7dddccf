"""The command line: `claude-nvidia-tray` and `python -m tray_app`. Each command has a module in `commands`."""

from __future__ import annotations

import sys

if sys.stdout is None or sys.stderr is None:  # a program without a terminal has none, and printing would fail
    import os

    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123 (open for as long as the program runs)
    sys.stderr = sys.stderr or sys.stdout

if sys.argv[1:2] == ["status-line"]:  # Claude Code starts this once a second, so it must not import the rest
    from tray_app.commands import status_line

    sys.exit(status_line.print_status_line(sys.argv[2:]))

import argparse
import logging
import os
from collections.abc import Mapping, Sequence

from tray_app import APP_ID, __version__
from tray_app.claude_code.exports import SHELLS
from tray_app.commands.print_exports import SETTINGS, print_exports
from tray_app.commands.run import run
from tray_app.commands.set_key import set_key
from tray_app.commands.status_line import print_status_line
from tray_app.commands.terminal import FAILED, OK, USAGE, complain, say
from tray_app.desktop import find_desktop
from tray_app.errors import AppError
from tray_app.paths import find_paths
from tray_app.shells import STATUS_LINE, WORKER_OPTION

_PRIVATE_UMASK = 0o077
"""Only the user may read the files of this program, because keys and prompts may be in them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns the exit code: 0 done, 1 failed, 2 wrong usage or unusable settings."""
    users_umask = os.umask(_PRIVATE_UMASK)
    options = _parser().parse_args(arguments)
    if options.worker:
        return work()
    logging.getLogger("tray_app").addHandler(logging.NullHandler())  # the terminal gets messages, never log lines
    try:
        return _carry_out(options, os.environ, users_umask)
    except AppError as error:
        complain(str(error))
        return USAGE
    except OSError as error:
        complain(f"{error.filename or APP_ID}: {error.strerror or error}")
        return FAILED
    except KeyboardInterrupt:
        return 130


def _carry_out(options: argparse.Namespace, environ: Mapping[str, str], users_umask: int) -> int:
    if options.verb == STATUS_LINE:
        return print_status_line([options.folder] if options.folder else [])
    paths = find_paths(environ)
    if options.verb == "set-key":
        return set_key(paths, environ, is_server=options.server, removes=options.remove)
    if options.self_check:
        return self_check(environ)
    if options.print_exports:
        return print_exports(options.print_exports, paths, environ, is_demo=options.demo)
    desktop = find_desktop(environ, users_umask)
    return run(paths, environ, desktop, is_demo=options.demo, wants_tray=not options.no_tray)


def work() -> int:
    """Runs as a worker process of the gateway, until the gateway closes the standard input."""
    from tray_app.proxy.workers.process import main

    main()
    return OK


def self_check(environ: Mapping[str, str]) -> int:
    """Checks whether this copy of the program is complete."""
    from tray_app.app.self_check import run_self_check

    return OK if run_self_check(find_desktop(environ), say) else FAILED


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
    line = verbs.add_parser(STATUS_LINE, help="print the line that Claude Code shows below its prompt")
    line.add_argument("folder", nargs="?", help="the state folder of the app, which is looked for if it is not given")
    return parser


if __name__ == "__main__":
    sys.exit(main())
