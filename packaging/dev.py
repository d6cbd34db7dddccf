"""The one way to run, test and lock this checkout; needs nothing but Python.

usage: python packaging/dev.py VERB [ARGUMENTS]

  run [ARGUMENTS]          start the program with these arguments, in the folder that you are in
  test [PYTEST ARGUMENTS]  lint, types and all tests; with arguments (-k name, a path) only those tests
  test --quick             only the tests that need no server, no process and no desktop: under 30 seconds
  check                    lint and types only
  cover [PYTEST ARGUMENTS] all tests but those with the real Claude Code or a desktop, and what they do not reach
  format                   put the source in its normal form
  lock [UV ARGUMENTS]      make packaging/requirements*.txt anew from pyproject.toml (--upgrade: newest versions)
  bench [ARGUMENTS]        measure this checkout's gateway, and others beside it (bench --help says how); on Linux
  screenshot               make the pictures in assets/ anew
  bundle                   build the program with its own Python, for this system, into dist/, and try it
  windows [ARGUMENTS]      on Debian, under Wine: build the Windows program and its installer into dist/, and try them

Each makes or updates .venv by itself (the last two .build/venv, too), from the hash-locked packaging/requirements*.txt.
"""

# All of this must parse on Python 3.6, and run there down to the version check: it gets a sentence, not a SyntaxError.
import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

OLDEST_PYTHON = (3, 11)
if sys.version_info < OLDEST_PYTHON:
    wanted, found = (".".join(map(str, version[:2])) for version in (OLDEST_PYTHON, sys.version_info))
    sys.exit("dev.py: Python %s or newer is needed, and this is %s." % (wanted, found))  # noqa: UP031 (see above)

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BUNDLE_VENV = ROOT / ".build" / "venv"  # without the tools: what is not there cannot get into a bundle
RUN_LOCK = "packaging/requirements.txt"
DEV_LOCK = "packaging/requirements-dev.txt"  # all of RUN_LOCK, and the tools
BUNDLE_LOCK = "packaging/requirements-bundle.txt"  # all of RUN_LOCK, and what builds bundles
UV = "uv==0.13.9"  # pinned, so that the same pyproject.toml gives the same lock files everywhere

Command = Sequence[str | Path]


class DevError(Exception):
    """One sentence for the person at the terminal: what went wrong and what to do."""


def say(line: str) -> None:
    print(f"dev.py: {line}", file=sys.stderr, flush=True)


def venv_program(venv: Path, name: str) -> Path:
    return venv / "Scripts" / f"{name}.exe" if sys.platform == "win32" else venv / "bin" / name


def describe_python(venv: Path) -> dict[str, str]:
    """What an environment depends on: where it stands, the Python behind it, and which wheels fit."""
    return {"venv": str(venv), "python": sys.base_prefix, "abi": str(sysconfig.get_config_var("EXT_SUFFIX"))}


def find_stamp(venv: Path) -> Path:
    return venv / "installed.json"


def read_stamp(venv: Path) -> dict[str, str]:
    """What the last finished install left, or nothing if it did not finish or was for another place or Python."""
    try:
        stamp = json.loads(find_stamp(venv).read_text(encoding="utf-8"))
        fits = describe_python(venv).items() <= stamp.items() and venv_program(venv, "python").exists()
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
    return stamp if fits else {}


def digest_of(lock: str) -> str:
    # By lines: a checkout with CRLF endings has the same packages.
    return hashlib.sha256("\n".join((ROOT / lock).read_text(encoding="utf-8").splitlines()).encode()).hexdigest()


def prepare_venv(lock: str, venv: Path = VENV) -> Path:
    """The Python of an environment with at least what `lock` names; does nothing if that is so already."""
    stamp = read_stamp(venv)
    if stamp.get("lock") == DEV_LOCK:  # never step down: the tools would only have to come back for the next test
        lock = DEV_LOCK
    digest = digest_of(lock)
    python = venv_program(venv, "python")
    if (stamp.get("lock"), stamp.get("digest")) == (lock, digest):
        return python
    if stamp:
        find_stamp(venv).unlink()  # until the install is through, this is a half-made environment
    else:
        make_venv(venv)
    say(f"installing {lock}")
    # Isolated (-I): a PYTHONPATH or user site must not make pip believe that something is there already.
    # Only wheels: nothing from outside gets to run code while it is installed.
    pip: Command = [python, "-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    if run([*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", ROOT / lock]) != 0:
        raise DevError(
            f"pip could not install {lock} (its message is above); "
            "check the network, proxy or package index settings and start this again."
        )
    find_stamp(venv).write_text(json.dumps({**describe_python(venv), "lock": lock, "digest": digest}), encoding="utf-8")
    return python


def make_venv(venv: Path) -> None:
    if not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        raise DevError("this Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv.")
    say(f"making {venv.name} with Python {sys.version_info.major}.{sys.version_info.minor}")
    # The Python behind an active environment: one that is about to be cleared cannot make its own successor.
    if run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", venv]) != 0:
        raise DevError(f"could not make {venv} (see above); if a program started from it is still running, quit that.")


def run(command: Command, folder: Path | None = ROOT) -> int:
    """Runs to the end in this folder (None: the user's), with this terminal; returns the exit code as a shell would."""
    code = subprocess.call(command, cwd=folder)
    return code if code >= 0 else 128 - code


def run_to_its_own_end(command: Command, folder: Path | None = ROOT) -> int:
    """Like run, but Ctrl-C is left to the command, which gets it from the terminal too."""
    # A handler, not SIG_IGN, which the command would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return run(command, folder)
    finally:
        signal.signal(signal.SIGINT, before)


def become(command: Command) -> int:
    """Hands the process over to the command, in the user's folder, as far as the system knows how."""
    if sys.platform != "win32":  # whose execv returns to the shell at once
        os.execv(command[0], [str(word) for word in command])
    return run_to_its_own_end(command, folder=None)


def run_app(arguments: list[str]) -> int:
    # With -P, no module of the user's folder is taken for one of ours.
    return become([prepare_venv(RUN_LOCK), "-P", ROOT / "tray_app" / "__main__.py", *arguments])


def run_steps(steps: Sequence[Sequence[str]]) -> int:
    """Runs modules of the dev environment one after another, up to the first that fails."""
    python = prepare_venv(DEV_LOCK)
    for step in steps:
        if len(steps) > 1:
            say(" ".join(step))
        code = run_to_its_own_end([python, "-m", *step])
        if code:
            return code
    return 0


# Code within `if sys.platform == ...` is only checked by a mypy that believes to be on that system.
FOREIGN_TYPES = tuple(
    ("mypy", "--platform", platform, "--cache-dir", f".mypy_cache/{platform}", "tray_app")
    for platform in ("linux", "win32", "darwin")
    if platform != sys.platform
)
CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), *FOREIGN_TYPES)
QUICK = (
    *("catalog", "claude_code", "files", "settings", "status", "translate", "tray"),
    *("test_mirror.py", "test_paths.py", "test_printable.py", "test_redaction.py"),
    *("test_shells.py", "test_walls.py"),
)


def test(arguments: list[str]) -> int:
    if arguments and arguments[0] == "--quick":
        arguments = [*(f"tests/{part}" for part in QUICK), *arguments[1:]]
    return run_steps([("pytest", *arguments)] if arguments else [*CHECKS, ("pytest",)])


def cover(arguments: list[str]) -> int:
    tests = ("pytest", "-m", "not kit and not desktop", *arguments)
    code = run_steps([("coverage", "erase"), ("coverage", "run", "-m", *tests)])
    return run_steps([("coverage", "combine", "--quiet"), ("coverage", "report")]) or code


def check(_: list[str]) -> int:
    return run_steps(CHECKS)


def format_source(_: list[str]) -> int:
    return run_steps([("ruff", "check", "--fix-only", "."), ("ruff", "format", ".")])


def lock(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        venv = Path(scratch) / "uv"
        make_venv(venv)
        code = run([venv_program(venv, "python"), "-I", "-m", "pip", "install", "--quiet", UV])
        # A file for all systems and Pythons, without anything of this machine's own settings.
        uv: Command = [venv_program(venv, "uv"), "pip", "compile", "--no-config", "--quiet", "pyproject.toml"]
        portable = ["--universal", "--python-version", ".".join(map(str, OLDEST_PYTHON)), "--generate-hashes"]
        told = ["--annotation-style", "line", "--custom-compile-command", "python packaging/dev.py lock"]

        def tools(group: str) -> list[str]:
            return ["--group", group, "--constraint", RUN_LOCK]

        for target, group in ((RUN_LOCK, []), (DEV_LOCK, tools("dev")), (BUNDLE_LOCK, tools("bundle"))):
            if code == 0:
                say(f"locking {target}")
                code = run([*uv, *portable, *told, *group, *arguments, "--output-file", target])
    return code


def make_screenshot(_: list[str]) -> int:
    return run_to_its_own_end([prepare_venv(DEV_LOCK), "packaging/screenshot.py", "assets"])


def bench(arguments: list[str]) -> int:
    # In the user's folder, against which --beside and --json name their files.
    return run_to_its_own_end([prepare_venv(DEV_LOCK), ROOT / "packaging" / "bench", *arguments], folder=None)


def bundle(_: list[str]) -> int:
    python = prepare_venv(DEV_LOCK)
    code = run_to_its_own_end([prepare_venv(BUNDLE_LOCK, BUNDLE_VENV), "packaging/bundle.py"])
    os.environ["CLAUDE_NVIDIA_TRAY_BUNDLE"] = str(ROOT / "dist")
    return code or run_to_its_own_end([python, "-m", "pytest", "tests/bundle"])


def bundle_for_windows(arguments: list[str]) -> int:
    prepare_venv(DEV_LOCK)
    return run_to_its_own_end([prepare_venv(BUNDLE_LOCK, BUNDLE_VENV), "packaging/wine", *arguments])


VERBS: dict[str, Callable[[list[str]], int]] = {
    "run": run_app,
    "test": test,
    "check": check,
    "cover": cover,
    "format": format_source,
    "lock": lock,
    "bench": bench,
    "screenshot": make_screenshot,
    "bundle": bundle,
    "windows": bundle_for_windows,
}
WITHOUT_ARGUMENTS = {"check", "format", "screenshot", "bundle"}


def main(words: list[str]) -> int:
    verb, arguments = (words[0], words[1:]) if words else ("", [])
    if verb in {"-h", "--help", "help"}:
        print(__doc__)
        return 0
    if verb not in VERBS or (arguments and verb in WITHOUT_ARGUMENTS):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return VERBS[verb](arguments)
    except DevError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
