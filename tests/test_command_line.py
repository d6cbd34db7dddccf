"""The command line in real processes: their output, their errors and their exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, refusal, whole
from tests.support.parts import need
from tray_app import APP_ID, __version__
from tray_app.app.instance import Instance
from tray_app.shells import name_command

ROOT = Path(__file__).resolve().parents[1]
KEPT = "kept in {settings} (this system has no usable keyring). A running app uses it from now on."

CHECKING = "Checking the key with NVIDIA …\n"
UNCHECKED = (
    f"{APP_ID}: The key could not be checked: NVIDIA cannot be reached: 127.0.0.1:9 does not answer. "
    "Check the internet connection. It is saved all the same.\n"
)

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal, or a shell of POSIX")


class Program:
    """The command `claude-nvidia-tray`, with a home folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = home / "settings.json"
        self.environment = {**os.environ, "CLAUDE_NVIDIA_TRAY_HOME": str(home), "PYTHONUTF8": "1"}

    def run(self, *arguments: str, stdin: str | bytes = "", **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "tray_app", *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=ROOT,
            env={**self.environment, **environment},
            timeout=30,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        out, err = (text.decode().replace("\r\n", "\n") for text in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    @property
    def file(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.settings.read_text(encoding="utf-8"))
        return content


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "home")


def test_the_version_is_printed(program: Program) -> None:
    done = program.run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{APP_ID} {__version__}\n", "")
    assert not program.home.exists(), "asking changes nothing"


def test_a_start_imports_nothing_that_only_the_gateway_needs() -> None:
    """A worker process starts in the same way, and must not pay for it."""
    heavy = ("aiohttp", "asyncio", "ssl", "PIL", "pystray", "keyring", "urllib.request")
    script = f"import sys, tray_app.__main__; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_help_names_everything(program: Program) -> None:
    done = program.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for word in (
        "--no-tray",
        "--demo",
        "--print-exports",
        "--version",
        "set-key",
        "undo",
        "doctor",
        "bash, zsh, fish, powershell, cmd; or settings",
    ):
        assert word in " ".join(done.stdout.split())
    assert "--remove" in program.run("set-key", "--help").stdout


def test_the_command_is_installed_under_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {APP_ID: "tray_app.__main__:main"}


@pytest.mark.parametrize(
    ("arguments", "error_text"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["--print-exports"], "expected one argument"),
        (["--print-exports", "csh"], "invalid choice: 'csh'"),
        (["set-key", "nvapi-typed-by-mistake"], "unrecognized arguments"),
    ],
    ids=["option", "verb", "no shell", "unknown shell", "key as argument"],
)
def test_wrong_usage_is_explained(program: Program, arguments: list[str], error_text: str) -> None:
    done = program.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: claude-nvidia-tray")
    assert error_text in done.stderr


@pytest.mark.parametrize("arguments", [["--no-tray"], ["set-key"], ["--print-exports", "bash"]])
def test_a_wrong_variable_is_named(program: Program, arguments: list[str]) -> None:
    done = program.run(*arguments, stdin="nvapi-x\n", UPSTREAM_TIMEOUT_SECONDS="soon")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"{APP_ID}: The environment variable UPSTREAM_TIMEOUT_SECONDS must be "
        "a whole number of seconds, 1 or more, not 'soon'.\n"
    )


def test_a_password_in_a_variable_is_not_shown(program: Program) -> None:
    done = program.run("--print-exports", "bash", UPSTREAM_URL="https://me:password@host/v1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{APP_ID}: The environment variable UPSTREAM_URL must not hold a user name or password.\n"


def test_a_home_that_cannot_be_used_is_named(program: Program) -> None:
    program.home.write_text("in the way")
    done = program.run("--no-tray")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{APP_ID}: {program.home}")


# ---- set-key


@pytest.mark.parametrize("ending", ["\n", "\r\n", "", "\nsecond line\n"], ids=["LF", "CR LF", "none", "more lines"])
def test_a_key_is_read_from_a_line_and_only_its_owner_can_read_it(program: Program, ending: str) -> None:
    done = program.run("set-key", stdin=f"  nvapi-of-the-test {ending}")
    assert (done.returncode, done.stderr) == (0, UNCHECKED)
    assert done.stdout == f"{CHECKING}The NVIDIA API key is {KEPT.format(settings=program.settings)}\n"
    assert program.file["nvidia_key"] == "nvapi-of-the-test"
    if sys.platform != "win32":
        assert program.settings.stat().st_mode & 0o777 == 0o600


def test_a_key_that_nvidia_accepts_is_kept(program: Program, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion("Hi")))
    done = program.run("set-key", stdin="nvapi-of-the-test\n", UPSTREAM_URL=upstream.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{CHECKING}NVIDIA accepts the key: z-ai/glm4.7 answers.\n"
        f"The NVIDIA API key is {KEPT.format(settings=program.settings)}\n"
    )


def test_a_key_that_nvidia_refuses_is_not_kept(program: Program, upstream: FakeUpstream) -> None:
    program.run("set-key", stdin="nvapi-of-the-test\n")
    upstream.model_list = refusal(401)
    done = program.run("set-key", stdin="nvapi-mistyped\n", UPSTREAM_URL=upstream.url)
    assert (done.returncode, done.stdout) == (1, CHECKING)
    assert done.stderr == (
        f"{APP_ID}: NVIDIA refuses this key. Copy it again from build.nvidia.com; a new key there makes the one before "
        "invalid. It is not saved.\n"
    )
    assert program.file["nvidia_key"] == "nvapi-of-the-test"


def test_a_server_key_is_kept_beside_the_nvidia_key(program: Program) -> None:
    program.run("set-key", stdin="nvapi-of-the-test\n")
    done = program.run("set-key", "--server", stdin="sixteen-letters-\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The server key is kept in ")
    assert (program.file["nvidia_key"], program.file["server_api_key"]) == (
        "nvapi-of-the-test",
        "sixteen-letters-",
    )


def test_a_short_server_key_is_accepted_for_this_machine_only(program: Program) -> None:
    done = program.run("set-key", "--server", stdin="15-characters-x\n")
    assert (done.returncode, program.file["server_api_key"]) == (0, "15-characters-x")
    assert done.stderr == (
        f"{APP_ID}: Note: the key has 15 characters, which is enough on this machine only. To open the gateway to "
        "your network, a key needs 16 or more.\n"
    )


def test_a_short_server_key_is_refused_if_the_network_can_reach_the_gateway(program: Program) -> None:
    program.run("set-key", "--server", stdin="sixteen-letters-\n", ADDR=":3001")
    done = program.run("set-key", "--server", stdin="15-characters-x\n", ADDR=":3001")
    assert (done.returncode, done.stdout, program.file["server_api_key"]) == (1, "", "sixteen-letters-")
    assert done.stderr == (
        f"{APP_ID}: The key has 15 characters; nothing is changed. Listening on :3001 would open the gateway to your "
        f"network. Set a server key of 16 or more characters first (`{name_command('set-key', '--server')}`, or "
        "SERVER_API_KEY), or use 127.0.0.1 as the address.\n"
    )


def test_a_key_is_removed(program: Program) -> None:
    program.run("set-key", stdin="nvapi-of-the-test\n")
    done = program.run("set-key", "--remove")
    assert (done.returncode, done.stdout, done.stderr) == (0, "The NVIDIA API key is removed.\n", "")
    assert "nvapi" not in program.settings.read_text()
    assert program.run("set-key", "--remove", "--server").stdout == "The server key is removed.\n"


@pytest.mark.parametrize("typed", ["", "\n", "   \n"], ids=["end of file", "empty", "blank"])
def test_no_key_changes_nothing(program: Program, typed: str) -> None:
    program.run("set-key", stdin="nvapi-of-the-test\n")
    done = program.run("set-key", stdin=typed)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{APP_ID}: No key was given; nothing is changed. "
        f"`{name_command('set-key', '--remove')}` removes the present key.\n"
    )
    assert program.file["nvidia_key"] == "nvapi-of-the-test"


@pytest.mark.parametrize(
    "typed", ["two words\n", "schlüssel\n", "a\x07bell\n", b"\xff\xfe\n"], ids=["space", "accent", "bell", "no UTF-8"]
)
def test_a_text_that_cannot_be_a_key_is_refused(program: Program, typed: str | bytes) -> None:
    done = program.run("set-key", stdin=typed)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{APP_ID}: That is no key: a key has no spaces and only ASCII characters. Nothing is changed.\n"
    )
    assert "nvidia_key" not in program.file


def test_a_key_that_is_too_long_for_a_key_store_is_refused(program: Program) -> None:
    done = program.run("set-key", stdin="n" * 1281)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == f"{APP_ID}: That is no key: it has 1281 characters, and the limit is 1280. Nothing is changed.\n"
    )
    assert "nvidia_key" not in program.file
    assert program.run("set-key", stdin="n" * 1280).returncode == 0


def test_a_key_that_looks_wrong_is_kept_with_a_note(program: Program) -> None:
    done = program.run("set-key", stdin="sk-something-else\n")
    assert done.returncode == 0
    assert done.stderr == (
        f'{UNCHECKED}{APP_ID}: Note: keys of build.nvidia.com begin with "nvapi-", and this one does not.\n'
    )
    assert program.file["nvidia_key"] == "sk-something-else"


def test_a_variable_that_is_used_instead_of_the_key_is_named(program: Program) -> None:
    done = program.run("set-key", stdin="nvapi-of-the-test\n", NVIDIA_API_KEY="nvapi-another")
    assert done.returncode == 0
    note = f"{APP_ID}: Note: the environment variable NVIDIA_API_KEY is set, and is used instead of it.\n"
    assert done.stderr == UNCHECKED + note


def test_a_key_that_cannot_be_kept_is_a_failure(program: Program) -> None:
    program.settings.mkdir(parents=True)
    done = program.run("set-key", stdin="nvapi-of-the-test\n")
    assert (done.returncode, done.stdout) == (2, CHECKING)
    assert done.stderr.splitlines()[-1].startswith(
        f"{APP_ID}: The key is not saved: this system has no usable keyring. The settings file {program.settings} "
    )


def test_a_damaged_settings_file_is_reported_and_kept(program: Program) -> None:
    program.home.mkdir()
    program.settings.write_text("damage")
    done = program.run("set-key", stdin="nvapi-of-the-test\n")
    assert done.returncode == 0
    (kept,) = program.home.glob("settings.damaged-*.json")
    assert kept.read_text() == "damage"
    assert done.stderr == (
        f"{APP_ID}: The settings file is not valid JSON, line 1, column 1. It was kept as {kept.name}; "
        f"the defaults are in use.\n{UNCHECKED}"
    )
    assert program.file["nvidia_key"] == "nvapi-of-the-test"


@posix_only
def test_a_key_from_a_device_without_an_end_is_refused(program: Program) -> None:
    with Path("/dev/zero").open("rb") as zeros:
        done = subprocess.run(
            [sys.executable, "-m", "tray_app", "set-key"],
            stdin=zeros,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=program.environment,
            timeout=30,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{APP_ID}: That is no key")


@posix_only
def test_a_settings_file_with_a_key_that_others_could_read_is_closed_and_reported_once(program: Program) -> None:
    program.home.mkdir()
    program.settings.write_text(json.dumps({"version": 1, "nvidia_key": "nvapi-of-the-test"}))
    program.settings.chmod(0o644)
    assert "Now only you can." in program.run("--print-exports", "bash").stderr
    assert program.settings.stat().st_mode & 0o777 == 0o600
    assert program.run("--print-exports", "bash").stderr == ""


@posix_only
def test_a_key_typed_at_a_terminal_does_not_show(program: Program) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tray_app", "set-key"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=program.environment,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"(it is not shown): " not in shown:
        shown += os.read(ours, 1000)
    os.write(ours, b"nvapi-of-the-test\n")
    while b"from now on." not in shown:
        shown += os.read(ours, 1000)
    assert process.wait(30) == 0
    os.close(ours)
    assert shown.startswith(b"NVIDIA API key (it is not shown): ")
    assert b"nvapi" not in shown
    assert program.file["nvidia_key"] == "nvapi-of-the-test"


# ---- --print-exports


@posix_only
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_printed_exports_can_be_evaluated(program: Program, shell: str) -> None:
    need(shell)
    python = f"'{sys.executable}'"
    command = f"{python} -m tray_app --print-exports {shell}"
    evaluate = f"{command} | source" if shell == "fish" else f'eval "$({command})"'
    show = f"{python} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    environment = {**program.environment, "ANTHROPIC_API_KEY": "sk-ant-of-the-user", "NO_PROXY": "intranet"}
    done = subprocess.run(
        [shell, "-c", f"{evaluate}\n{show}"], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:3001"
    assert found["ANTHROPIC_AUTH_TOKEN"] == APP_ID
    assert found["ANTHROPIC_DEFAULT_SONNET_MODEL"] == "z-ai/glm4.7"
    assert found["NO_PROXY"] == found["no_proxy"] == "127.0.0.1,localhost,intranet"
    assert "ANTHROPIC_API_KEY" not in found


@pytest.mark.parametrize("shell", ["powershell", "cmd"])
def test_exports_are_printed_for_windows_shells_too(program: Program, shell: str) -> None:
    done = program.run("--print-exports", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "http://127.0.0.1:3001" in done.stdout


def test_the_settings_for_claude_code_offer_the_models_of_the_menu(program: Program) -> None:
    program.home.mkdir()
    program.settings.write_text(json.dumps({"version": 1, "model": "z-ai/glm-5.3", "addr": ":4000"}))
    done = program.run("--print-exports", "settings", NO_PROXY="not-this-one", no_proxy="intranet")
    assert (done.returncode, done.stderr) == (0, "")
    printed = json.loads(done.stdout)
    assert printed["env"]["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:4000"
    assert printed["env"]["no_proxy"] == "127.0.0.1,localhost,intranet"
    assert printed["model"] == "nvidia"
    choices = [option["model"] for option in printed["modelPicker"]["options"]]
    assert choices == ["nvidia", "z-ai/glm4.7", "minimaxai/minimax-m2.1", "z-ai/glm-5.3"]


def test_manual_mode_is_a_setting(program: Program) -> None:
    program.home.mkdir()
    program.settings.write_text(json.dumps({"version": 1, "manual_mode": True}))
    printed = json.loads(program.run("--print-exports", "settings").stdout)
    assert printed["permissions"]["disableAutoMode"] == "disable"
    assert "disableAutoMode" not in json.loads(Program(program.home / "b").run("--print-exports", "settings").stdout)


def test_the_settings_for_claude_code_say_that_the_server_key_is_missing(program: Program) -> None:
    done = program.run("--print-exports", "settings", SERVER_API_KEY="key-of-this-gateway")
    assert "ANTHROPIC_AUTH_TOKEN" not in done.stdout
    assert done.stderr == (
        f"{APP_ID}: Note: these settings do not contain the server key. "
        "Start claude with ANTHROPIC_AUTH_TOKEN set to it.\n"
    )
    assert "key-of-this-gateway" not in done.stdout


def test_the_exports_show_a_server_key_that_cannot_be_read_now(program: Program) -> None:
    program.home.mkdir()
    program.settings.write_text(json.dumps({"version": 1, "needs_server_key": True}))
    done = program.run("--print-exports", "bash")
    assert "SERVER_API_KEY" in done.stdout
    assert done.stderr == (f"{APP_ID}: Note: the server key cannot be read now, so the gateway may refuse requests.\n")


def test_the_exports_follow_the_settings(program: Program) -> None:
    program.home.mkdir()
    program.settings.write_text(json.dumps({"version": 1, "model": "minimaxai/minimax-m2.1", "addr": ":4000"}))
    done = program.run("--print-exports", "bash", "--demo")
    assert " ANTHROPIC_BASE_URL=http://127.0.0.1:4000 " in done.stdout
    assert " ANTHROPIC_DEFAULT_OPUS_MODEL=minimaxai/minimax-m2.1 " in done.stdout
    assert "Demo: canned answers" in done.stdout
    assert done.stdout.count("\n") == 1, "it is one line, and the last one that the terminal shows ends"


def test_the_exports_name_the_address_of_the_running_app(program: Program) -> None:
    running = Instance(program.home / "state")
    assert running.acquire()
    running.publish("http://127.0.0.1:4711")
    assert "ANTHROPIC_BASE_URL=http://127.0.0.1:4711" in program.run("--print-exports", "bash").stdout
    running.release()
    assert "ANTHROPIC_BASE_URL=http://127.0.0.1:3001" in program.run("--print-exports", "bash").stdout


@pytest.mark.parametrize("shell", ["bash", "fish", "powershell", "cmd"])
def test_no_key_is_ever_printed(program: Program, shell: str) -> None:
    environment = {"SERVER_API_KEY": "key-of-this-gateway", "PROVIDER_API_KEY": "nvapi-of-the-test"}
    done = program.run("--print-exports", shell, **environment)
    assert "SERVER_API_KEY" in done.stdout
    assert not re.search("key-of-this-gateway|nvapi", done.stdout + done.stderr)


# ---- a second launch


def test_a_second_launch_says_where_the_first_one_runs(program: Program) -> None:
    first = Instance(program.home / "state")
    assert first.acquire()
    first.publish("http://127.0.0.1:4711")
    done = program.run("--no-tray")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Claude NVIDIA Tray is already running. It listens on http://127.0.0.1:4711. "
        f"`{name_command('claude')}` starts Claude Code through it, `{name_command('stop')}` ends it.\n"
    )
    first.publish("")
    assert "is already running. Its icon is in the tray. `" in program.run().stdout
    first.publish("http://127.0.0.1:4711", is_demo=True)
    told = program.run("--demo").stdout
    assert told.startswith(
        "Claude NVIDIA Tray is already running as a demo, with canned answers. It listens on http://"
    )
    assert told.endswith(f"`{name_command('set-key')}` asks for your NVIDIA API key and replaces the demo.\n")
    first.release()
