"""The command line: `claude-nvidia-tray` and `python -m tray_app`. Each command has a module in `commands`."""

from __future__ import annotations

import sys

if sys.stdout is None or sys.stderr is None:  # a program without a terminal has none, and printing would fail
    import os

    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123 (open for as long as the program runs)
    sys.stderr = sys.stderr or sys.stdout

if not __package__:  # started by the path of this file, as `shells.find_program` says; pathlib would take longer
    import os.path

    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

if sys.argv[1:2] == ["status-line"]:  # Claude Code starts this once a second, so it must not import the rest
    from tray_app.commands import status_line

    sys.exit(status_line.print_status_line(sys.argv[2:]))

if sys.argv[1:2] == ["--read-keyring"]:  # the app waits for this, so it must not import the rest, either
    from tray_app.settings import keyring_process

    sys.exit(keyring_process.main(sys.argv[2:]))

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # Ctrl-C during the imports would print a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import logging
import os
from collections.abc import Mapping, Sequence

from tray_app import APP_ID, __version__
from tray_app.app.background import StartFailed
from tray_app.claude_code.exports import SHELLS
from tray_app.claude_code.launch import MANUAL
from tray_app.commands.print_exports import SETTINGS, print_exports
from tray_app.commands.run import run
from tray_app.commands.status_line import print_status_line
from tray_app.commands.terminal import FAILED, OK, USAGE, complain, end_line, say
from tray_app.desktop import find_desktop
from tray_app.errors import AppError
from tray_app.paths import Paths, find_paths
from tray_app.shells import NO_WELCOME_OPTION, STATUS_LINE, WORKER_OPTION

if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
    signal.signal(signal.SIGINT, signal.default_int_handler)

CLAUDE = "claude"
"""The command that starts Claude Code."""

_PRIVATE_UMASK = 0o077
"""Only the user may read the files of this program, because keys and prompts may be in them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns the exit code: 0 done, 1 failed, 2 wrong usage or unusable settings."""
    users_umask = os.umask(_PRIVATE_UMASK)
    words = sys.argv[1:] if arguments is None else list(arguments)
    is_for_claude = words[:1] == [CLAUDE]  # the other words are not ours, so that no parser may see them
    options = _parser().parse_args(words[:1] if is_for_claude else words)
    if options.worker:
        return work()
    logging.getLogger("tray_app").addHandler(logging.NullHandler())  # the terminal gets messages, never log lines
    try:
        if is_for_claude:
            from tray_app.commands.claude import claude

            return claude(words[1:], find_paths(os.environ), os.environ, users_umask)
        return _carry_out(options, os.environ, users_umask)
    except StartFailed as error:
        complain(str(error))
        return FAILED
    except AppError as error:
        complain(str(error))
        return USAGE
    except BrokenPipeError:  # the program that reads the output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python writes at its end
        return FAILED
    except OSError as error:
        reason = error.strerror or str(error)
        complain(f"{error.filename} cannot be used ({reason})." if error.filename else f"{reason}.")
        return FAILED
    except KeyboardInterrupt:
        end_line()
        return 130


def _carry_out(options: argparse.Namespace, environ: Mapping[str, str], users_umask: int) -> int:
    if options.verb == STATUS_LINE:
        return print_status_line([options.folder] if options.folder else [])
    paths = find_paths(environ)
    match options.verb:
        case "set-key":
            from tray_app.commands.set_key import set_key

            return set_key(paths, environ, users_umask, is_server=options.server, removes=options.remove)
        case "start":
            from tray_app.commands.start import start

            return start(paths, is_demo=options.demo, wants_tray=not options.no_tray, users_umask=users_umask)
        case "stop":
            from tray_app.commands.start import stop

            return stop(paths)
        case "page":
            from tray_app.commands.page import page

            return page(paths, find_desktop(environ, users_umask), only_prints=options.print)
        case "doctor":
            from tray_app.commands.doctor import doctor

            return doctor(paths, environ, find_desktop(environ), as_json=options.json)
        case "undo":
            from tray_app.commands.undo import undo

            return undo(paths)
        case "history":
            from tray_app.commands.history import Wishes, history
            from tray_app.commands.open_settings import open_settings

            wishes = Wishes(options.days, options.csv, options.details, options.delete, options.yes)
            return history(paths, open_settings(paths, environ).current, wishes)
        case "models":
            from tray_app.commands.models import models

            return models(paths, environ, probes=options.probe, as_json=options.json)
        case "model":
            from tray_app.commands.models import model

            return model(paths, environ, options.name)
        case "status":
            from tray_app.commands.status import status

            return status(paths, environ, as_json=options.json)
    return _run_without_command(options, paths, environ, users_umask)


def _run_without_command(
    options: argparse.Namespace, paths: Paths, environ: Mapping[str, str], users_umask: int
) -> int:
    if options.self_check:
        return self_check(environ)
    if options.print_exports:
        return print_exports(options.print_exports, paths, environ, is_demo=options.demo)
    desktop = find_desktop(environ, users_umask)
    return run(
        paths,
        environ,
        desktop,
        is_demo=options.demo,
        wants_tray=not options.no_tray,
        shows_welcome=not options.no_welcome,
    )


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
    _add_run_options(parser, False)
    parser.add_argument(
        "--print-exports",
        metavar="SHELL",
        choices=(*SHELLS, SETTINGS),
        help=f"print the set-up of Claude Code for {', '.join(SHELLS)}; or {SETTINGS}, for `claude --settings`",
    )
    parser.add_argument("--self-check", action="store_true", help="check whether this copy of the program is complete")
    parser.add_argument(NO_WELCOME_OPTION, dest="no_welcome", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(WORKER_OPTION, dest="worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"{APP_ID} {__version__}")
    verbs = parser.add_subparsers(dest="verb", title="commands", metavar="COMMAND")
    verbs.add_parser(
        CLAUDE,
        add_help=False,
        help="start Claude Code through NVIDIA's models, for this run only; all words behind it go to Claude Code, "
        f"except {MANUAL} directly behind it: Claude Code then asks you before each risky command",
    )
    background = verbs.add_parser("start", help="start the app in the background, where it outlives the terminal")
    _add_run_options(background, argparse.SUPPRESS)  # a value here would replace that of an option before `start`
    verbs.add_parser("stop", help="end the running app")
    shown = verbs.add_parser(
        "page", help="show the app's page in the browser: what goes on, the history, every setting"
    )
    shown.add_argument("--print", action="store_true", help="only print its address, which lets one browser in")
    overview = verbs.add_parser(
        "status", help="tell whether the app is running, and how it is (exit code 1: it is not)"
    )
    overview.add_argument("--json", action="store_true", help="as JSON, for programs")
    table = verbs.add_parser("models", help="list the models that answer you, best first")
    table.add_argument("--probe", action="store_true", help="have the running app ask the models again before that")
    table.add_argument("--json", action="store_true", help="as JSON, for programs")
    choice = verbs.add_parser("model", help="show which model is chosen, or choose another one")
    choice.add_argument("name", metavar="NAME", nargs="?", help="the id, the label or an alias of a model")
    key = verbs.add_parser("set-key", help="save the NVIDIA API key in the system keyring")
    key.add_argument(
        "--server", action="store_true", help="save the server key instead, which clients of the gateway must send"
    )
    key.add_argument("--remove", action="store_true", help="remove the key")
    examination = verbs.add_parser("doctor", help="find out what stands in the way (exit code 1: something does)")
    examination.add_argument("--json", action="store_true", help="as JSON, for programs")
    past = verbs.add_parser("history", help="show the requests of the last days, by day and model")
    past.add_argument("--days", type=_count, default=30, metavar="N", help="so many days, today among them (30)")
    past.add_argument("--csv", action="store_true", help="as CSV, for a spreadsheet: the sums per day")
    past.add_argument("--details", action="store_true", help="each request, instead of the sums")
    past.add_argument("--delete", action="store_true", help="delete the whole history")
    past.add_argument("--yes", action="store_true", help="do not ask before deleting")
    verbs.add_parser("undo", help="take this program out of Claude Code's own settings")
    line = verbs.add_parser(STATUS_LINE, help="print the line that Claude Code shows below its prompt")
    line.add_argument("folder", nargs="?", help="the state folder of the app, which is looked for if it is not given")
    return parser


def _count(text: str) -> int:
    """Reads a whole number, 1 or more. ArgumentTypeError if it is none."""
    if not (text.isascii() and text.isdecimal() and int(text[:9])):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return int(text[:9])


def _add_run_options(parser: argparse.ArgumentParser, default: bool | str) -> None:
    parser.add_argument("--no-tray", action="store_true", default=default, help="run without a tray icon")
    parser.add_argument(
        "--demo", action="store_true", default=default, help="give canned answers, without a key, a network or a model"
    )


if __name__ == "__main__":
    sys.exit(main())
