"""packaging/dev.py on scratch checkouts: no network, and no environment is really made."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "packaging" / "dev.py"
RUN_LOCK = "packaging/requirements.txt"
DEV_LOCK = "packaging/requirements-dev.txt"

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="links a Python into place, and hands over with execv")


class Checkout:
    """A folder with dev.py and two lock files. Commands are written down, and do no more than a test lets them do."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        (root / "packaging").mkdir(parents=True)
        shutil.copy(SOURCE, root / "packaging")
        self.write_lock(RUN_LOCK, "one==1\n")
        self.write_lock(DEV_LOCK, "one==1\ntools==1\n")
        self.dev = load(root / "packaging" / "dev.py")
        self.commands: list[str] = []
        self.failing: dict[str, int] = {}
        monkeypatch.setattr(self.dev, "run", self.run)
        monkeypatch.setattr(self.dev, "become", self.run)

    def write_lock(self, lock: str, text: str) -> None:
        (self.root / lock).write_text(text, encoding="utf-8")

    def run(self, command: list[str | Path], folder: Path | None = None) -> int:
        words = [str(word) for word in command]
        if "-m" not in words:
            assert words[1:3] == ["-P", str(self.root / "tray_app" / "__main__.py")]
            self.commands.append(" ".join(["tray_app", *words[3:]]))
            return self.failing.get("tray_app", 0)
        module = words[words.index("-m") + 1]
        if module == "venv":
            shutil.rmtree(words[-1], ignore_errors=True)
            python: Path = self.dev.venv_program(Path(words[-1]), "python")
            python.parent.mkdir(parents=True)
            python.touch()
        said = f"pip {Path(words[-1]).name}" if module == "pip" else " ".join(words[words.index("-m") + 1 :])
        self.commands.append("venv" if module == "venv" else said)
        return self.failing.get(module, 0)

    def do(self, *words: str) -> tuple[int, list[str]]:
        """The exit code and the commands of one call of dev.py."""
        self.commands = []
        return self.dev.main(list(words)), self.commands


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev_under_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return Checkout(tmp_path / "checkout", monkeypatch)


INSTALL_TO_RUN = ["venv", "pip requirements.txt"]
INSTALL_TO_TEST = ["venv", "pip requirements-dev.txt"]
OTHER_SYSTEMS = [
    f"mypy --platform {system} --cache-dir .mypy_cache/{system} tray_app"
    for system in ("linux", "win32", "darwin")
    if system != sys.platform
]
ALL_STEPS = ["ruff check .", "ruff format --check .", "mypy", *OTHER_SYSTEMS, "pytest"]


def test_first_run_installs_and_the_next_only_starts_the_program(checkout: Checkout) -> None:
    assert checkout.do("run", "--version") == (0, [*INSTALL_TO_RUN, "tray_app --version"])
    assert checkout.do("run", "--version") == (0, ["tray_app --version"])


def test_changed_lock_is_installed_into_the_same_venv(checkout: Checkout) -> None:
    checkout.do("run")
    checkout.write_lock(RUN_LOCK, "one==2\n")
    assert checkout.do("run") == (0, ["pip requirements.txt", "tray_app"])


def test_line_endings_of_a_lock_are_no_change(checkout: Checkout) -> None:
    checkout.do("run")
    (checkout.root / RUN_LOCK).write_bytes(b"one==1\r\n")
    assert checkout.do("run") == (0, ["tray_app"])


def test_run_keeps_what_test_installed(checkout: Checkout) -> None:
    checkout.do("run")
    assert checkout.do("test") == (0, ["pip requirements-dev.txt", *ALL_STEPS])
    assert checkout.do("run") == (0, ["tray_app"])
    assert checkout.do("test") == (0, ALL_STEPS)


def test_venv_of_a_failed_install_is_made_anew(checkout: Checkout, capfd: pytest.CaptureFixture[str]) -> None:
    checkout.failing = {"pip": 2}
    assert checkout.do("run") == (1, INSTALL_TO_RUN)
    assert "pip could not install packaging/requirements.txt" in capfd.readouterr().err
    checkout.failing = {}
    assert checkout.do("run") == (0, [*INSTALL_TO_RUN, "tray_app"])


def test_venv_of_a_failed_update_is_made_anew(checkout: Checkout) -> None:
    checkout.do("test")
    checkout.write_lock(DEV_LOCK, "one==2\n")
    checkout.failing = {"pip": 2}
    checkout.do("test")
    checkout.failing = {}
    assert checkout.do("check") == (0, [*INSTALL_TO_TEST, *ALL_STEPS[:-1]])


@pytest.mark.parametrize("stamp", ["", "[]", "null", "{}", '{"venv": ["?"]}'])
def test_venv_with_a_damaged_stamp_is_made_anew(checkout: Checkout, stamp: str) -> None:
    checkout.do("run")
    (checkout.root / ".venv" / "installed.json").write_text(stamp, encoding="utf-8")
    assert checkout.do("run") == (0, [*INSTALL_TO_RUN, "tray_app"])


def test_venv_of_another_python_is_made_anew(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout.do("run")
    monkeypatch.setattr(sys, "base_prefix", "another")
    assert checkout.do("run") == (0, [*INSTALL_TO_RUN, "tray_app"])


def test_venv_of_a_moved_checkout_is_made_anew(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.do("run")
    moved = Checkout(tmp_path / "moved", monkeypatch)
    (checkout.root / ".venv").rename(moved.root / ".venv")
    assert moved.do("run") == (0, [*INSTALL_TO_RUN, "tray_app"])


@pytest.mark.parametrize("failing", range(len(ALL_STEPS)))
def test_steps_run_in_order_up_to_the_first_that_fails(checkout: Checkout, failing: int) -> None:
    checkout.do("check")
    steps: list[str] = []

    def run(command: list[str | Path], folder: Path) -> int:
        steps.append(" ".join(str(word) for word in command[2:]))
        return 3 if len(steps) == failing + 1 else 0

    checkout.dev.run = run  # type: ignore[attr-defined]
    assert checkout.dev.main(["test"]) == 3
    assert steps == ALL_STEPS[: failing + 1]


def test_the_quick_part_runs_folders_and_files_that_exist(checkout: Checkout) -> None:
    checkout.do("check")
    code, [command] = checkout.do("test", "--quick", "-x")
    program, *parts, option = command.split()
    assert (code, program, option) == (0, "pytest", "-x")
    assert parts
    assert [part for part in parts if not (ROOT / part).exists()] == []


def test_cover_measures_the_tests_and_reports_what_they_do_not_reach(checkout: Checkout) -> None:
    checkout.do("check")
    code, commands = checkout.do("cover", "tests/files")
    assert [command.split()[1] for command in commands] == ["erase", "run", "combine", "report"]
    assert commands[1].endswith(" tests/files")
    assert code == 0
    checkout.failing = {"coverage": 2}
    assert checkout.do("cover")[0] == 2


def test_arguments_of_test_go_to_pytest_alone(checkout: Checkout) -> None:
    checkout.do("check")
    assert checkout.do("test", "-k", "name") == (0, ["pytest -k name"])


@pytest.mark.parametrize("words", [[], ["fly"], ["check", "tests"]])
def test_unknown_words_get_the_usage(checkout: Checkout, words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert checkout.do(*words) == (2, [])
    assert "usage: python packaging/dev.py VERB" in capfd.readouterr().err


def test_python_without_venv_is_told_what_to_install(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    find_spec: Callable[..., object] = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find_spec(name))
    assert checkout.do("run") == (1, [])
    assert "apt install python3-venv" in capfd.readouterr().err


def test_too_old_python_is_told_which_is_needed() -> None:
    as_if = f"import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path({str(SOURCE)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", as_if], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "dev.py: Python 3.11 or newer is needed, and this is 3.9.\n"


def test_old_pythons_can_parse_it_as_far_as_to_say_so() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 6))


@posix_only
def test_program_gets_its_arguments_and_gives_the_exit_code(checkout: Checkout) -> None:
    process = start(checkout, "import sys; print(*sys.argv[1:], flush=True); sys.exit(7)", "run", "--port", "1")
    assert process.communicate(timeout=30) == ("--port 1\n", "")
    assert process.returncode == 7


@posix_only
def test_ctrl_c_reaches_the_program_and_nothing_else_speaks(checkout: Checkout) -> None:
    program = (
        "import time\n"
        "try:\n    print('up', flush=True); time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('bye'); raise SystemExit(5)"
    )
    process = start(checkout, program, "run")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=30) == ("bye\n", "")
    assert process.returncode == 5


@posix_only
def test_ctrl_c_in_the_tests_leaves_the_last_word_to_pytest(checkout: Checkout) -> None:
    (checkout.root / "pytest.py").write_text(
        "import time\n"
        "try:\n    print('up', flush=True); time.sleep(60)\n"
        "except KeyboardInterrupt:\n    time.sleep(0.3); print('2 passed'); raise SystemExit(2)",
        encoding="utf-8",
    )
    process = start(checkout, "", "test", "-x")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=30) == ("2 passed\n", "")
    assert process.returncode == 2


@posix_only
def test_the_program_runs_in_the_users_folder_and_takes_no_module_from_there(
    checkout: Checkout, tmp_path: Path
) -> None:
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / "json.py").write_text("raise SystemExit('a module of the user was imported')", encoding="utf-8")
    process = start(checkout, "import json, os; print(os.getcwd())", "run", folder=folder)
    assert process.communicate(timeout=30) == (f"{folder}\n", "")


def start(checkout: Checkout, program: str, *words: str, folder: Path | None = None) -> subprocess.Popen[str]:
    """The real dev.py in a process group of its own, on a venv that is this Python."""
    checkout.do("check")
    python = checkout.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(sys.executable)
    (checkout.root / "tray_app").mkdir()
    (checkout.root / "tray_app" / "__main__.py").write_text(program, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, checkout.root / "packaging" / "dev.py", *words],
        cwd=folder or checkout.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def pins_in(lock: str) -> set[str]:
    return set(re.findall(r"^\w\S*==\S+", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


def test_dev_lock_has_every_pin_of_the_runtime_lock() -> None:
    assert pins_in(RUN_LOCK)
    assert pins_in(RUN_LOCK) <= pins_in(DEV_LOCK)


def test_locks_have_every_dependency_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for lock, asked in (
        (RUN_LOCK, project["project"]["dependencies"]),
        (DEV_LOCK, project["dependency-groups"]["dev"]),
    ):
        locked = {pin.split("==")[0] for pin in pins_in(lock)}
        assert {re.split(r"[^\w.-]", requirement)[0] for requirement in asked} <= locked


@pytest.mark.parametrize("lock", [RUN_LOCK, DEV_LOCK])
def test_locks_name_no_host_and_no_place_on_a_disk(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.findall(r"^.*(?:://|--(?:extra-)?index|--find-links|file:|[# ]/\w).*$", text, re.MULTILINE)
