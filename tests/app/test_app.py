"""The whole app without an icon, in a real process, from its start to its end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.chunks import completion, finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, stream, whole
from tests.support.gateway import NVIDIA_KEY, Client, question
from tests.support.ports import free_port
from tests.support.running_app import ROOT, App
from tests.support.waiting import wait_for
from tray_app import APP_NAME, __version__
from tray_app.history.database import FILE_NAME
from tray_app.history.reader import read_page
from tray_app.sentences import NO_NVIDIA_KEY
from tray_app.settings.store import SettingsStore
from tray_app.shells import find_command, name_command

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

Launch = Callable[..., App]


@pytest.fixture
def launch(tmp_path: Path, upstream: FakeUpstream) -> Iterator[Launch]:
    """Returns a function that starts the app in front of the fake upstream. Its keywords are environment variables."""
    with ExitStack() as stack:

        def start(*arguments: str, prefix: tuple[str, ...] = (), **environment: str) -> App:
            defaults = {"ADDR": "127.0.0.1:0", "UPSTREAM_URL": upstream.url, "PROVIDER_API_KEY": NVIDIA_KEY}
            chosen = {name: value for name, value in {**defaults, **environment}.items() if value}
            app = App(tmp_path / "home", ("--no-tray", *arguments), chosen, list(prefix))
            stack.callback(app.close)
            return app

        yield start


def write_settings(home: Path, content: Any) -> Path:
    home.mkdir(exist_ok=True)
    path = home / "settings.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


# ---- the start


@posix_only
def test_the_app_says_where_it_listens_and_serves_until_a_signal_ends_it(
    launch: Launch, upstream: FakeUpstream
) -> None:
    app = launch(SHELL="/bin/bash")
    client = app.wait_listening()
    upstream.script(whole(completion("Hello!")))
    assert client.request("GET", "/health").status == 200
    assert client.ask().text == "Hello!"
    assert upstream.received[0].headers["Authorization"] == f"Bearer {NVIDIA_KEY}"
    app.send(signal.SIGTERM)
    assert app.wait_end() == 0
    assert app.lines == [
        f"{APP_NAME} {__version__}: listening on http://{client.host}",
        "There is no tray icon. Ctrl-C quits.",
        f"To start Claude Code in another terminal:  {name_command('claude')}",
        f'To set up that terminal for it instead:  eval "$({find_command("bash")} --print-exports bash)"',
    ]
    assert "listening on" in app.folder.log
    assert app.folder.log.splitlines()[-1].endswith("quit")
    with pytest.raises(ConnectionRefusedError):
        client.request("GET", "/health")


UNUSED = (
    "PIL",  # draws the icon
    "pystray",
    "jeepney",
    "keyring",  # on Linux another process reads it
    "cryptography",
    "pypdf",  # only worker processes read a PDF
    "json_repair",
    "imagesize",
    "difflib",
    "configparser",
    "unittest",
    "multiprocessing",
    "tray_app.tray.art",
    "tray_app.proxy.demo",
    "tray_app.app.page_desk",
    "tray_app.claude_code.all_sessions",
    "tray_app.page.actions",
    "tray_app.page.reads",
    "tray_app.page.views.models",
    "tray_app.commands.doctor",
    "tray_app.doctor",
    "tray_app.app.diagnostics",
    "tray_app.translate.refusal.overflow_wordings",
)
"""Modules that are imported when they are first needed, and that a plain answer does not need."""

ASK_AND_NAME = f"""
import json, os, signal, sys, threading, time, urllib.request

from tray_app import __main__ as program
from tray_app.app.instance import Instance
from tray_app.paths import find_paths


def ask():
    note = find_paths(os.environ).state / "instance.json"
    while not note.exists() or not json.loads(note.read_bytes())["url"]:
        time.sleep(0.01)
    url = json.loads(note.read_bytes())["url"]
    question = {{"model": "claude", "max_tokens": 9, "messages": [{{"role": "user", "content": "Hello"}}]}}
    request = urllib.request.Request(url + "/v1/messages", json.dumps(question).encode())
    request.add_header("Content-Type", "application/json")
    print("HTTP", urllib.request.urlopen(request).status)
    print("LOADED", [name for name in {UNUSED!r} if name in sys.modules])
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=ask, daemon=True).start()
sys.exit(program.main(["--no-tray"]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the app reads the keyring itself")
def test_until_its_first_answer_it_loads_nothing_that_only_others_need(upstream: FakeUpstream, tmp_path: Path) -> None:
    upstream.script(whole(completion("Hello!")))
    environment = {"ADDR": "127.0.0.1:0", "UPSTREAM_URL": upstream.url, "PROVIDER_API_KEY": NVIDIA_KEY}
    done = subprocess.run(
        [sys.executable, "-c", ASK_AND_NAME],
        cwd=ROOT,
        env={**os.environ, "CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path / "home"), **environment},
        capture_output=True,
        text=True,
    )
    assert "HTTP 200" in done.stdout, done.stderr
    assert "LOADED []" in done.stdout


def test_without_a_display_it_runs_without_an_icon_and_says_so(launch: Launch, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("elsewhere there is always a tray")
    environment = {**os.environ, "CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path / "home"), "ADDR": "127.0.0.1:0"}
    app = App(tmp_path / "home", (), environment, [])
    try:
        assert app.read_until("tray").startswith("Running without a tray icon. ")
        assert app.wait_listening().request("GET", "/health").status == 200
    finally:
        app.close()


def test_without_a_key_it_starts_and_both_the_terminal_and_the_client_are_told(
    launch: Launch, upstream: FakeUpstream
) -> None:
    app = launch(PROVIDER_API_KEY="")
    client = app.wait_listening()
    answer = client.ask()
    assert answer.outcome == (400, "billing_error")
    assert name_command("set-key") in answer.sentence
    assert app.read_until("NVIDIA API key yet") == NO_NVIDIA_KEY
    assert client.request("GET", "/health").body["has_nvidia_key"] is False


def test_the_demo_needs_no_key_and_is_labelled(launch: Launch) -> None:
    app = launch("--demo", PROVIDER_API_KEY="")
    client = app.wait_listening()
    assert app.lines[-1].endswith(" (DEMO: canned answers, no model)")
    assert client.ask().text.startswith("[demo] ")


def test_a_damaged_settings_file_is_reported_even_if_a_key_is_missing(launch: Launch, tmp_path: Path) -> None:
    write_settings(tmp_path / "home", "{damage")
    app = launch(PROVIDER_API_KEY="")
    client = app.wait_listening()
    said = app.read_until("The settings file ")
    (kept,) = (tmp_path / "home").glob("settings.damaged-*.json")
    where = "line 1, column 2 (a name in double quotes belongs here)"
    assert said == f"The settings file is not valid JSON, {where}. It was kept as {kept.name}; the defaults are in use."
    assert kept.read_text() == "{damage"
    assert NO_NVIDIA_KEY in app.lines
    assert client.request("GET", "/health").status == 200
    assert "The settings file is not valid JSON" in app.folder.log


def test_a_settings_file_that_cannot_be_read_is_reported(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "home" / "settings.json").mkdir(parents=True)
    app = launch()
    assert app.wait_listening().request("GET", "/health").status == 200
    path = tmp_path / "home" / "settings.json"
    assert app.read_until("settings file").startswith(f"The settings file {path} cannot be used (")


def test_a_wrong_setting_is_named_and_the_rest_is_used(launch: Launch, tmp_path: Path) -> None:
    write_settings(tmp_path / "home", {"version": 1, "model": "minimaxai/minimax-m2.1", "log_bodies": "yes"})
    app = launch()
    client = app.wait_listening()
    assert app.read_until("settings.json").endswith(": \"log_bodies\" must be true or false, not 'yes'.")
    assert client.request("GET", "/health").body["model"] == "minimaxai/minimax-m2.1"


def test_a_taken_port_ends_the_app_with_a_sentence(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        app = launch(ADDR=f"127.0.0.1:{port}")
        assert app.wait_end() == 1
    assert app.lines == [
        f"Port {port} is in use by another program. Quit that program, or choose another port: "
        '"addr" in the settings file, or the environment variable ADDR.'
    ]
    assert app.folder.log.splitlines()[-1].endswith("quit")


def test_listening_on_the_network_without_a_server_key_ends_the_app_with_a_sentence(launch: Launch) -> None:
    app = launch(ADDR=":3001")
    assert app.wait_end() == 1
    assert app.lines == [
        "Listening on :3001 would open the gateway to your network. Set a server key first "
        f"(`{name_command('set-key', '--server')}`, or SERVER_API_KEY), or use 127.0.0.1 as the address."
    ]


def test_the_app_listens_on_the_network_if_there_is_a_server_key(launch: Launch) -> None:
    app = launch(ADDR=f":{free_port()}", SERVER_API_KEY="key-of-this-gateway")
    client = app.wait_listening()
    assert client.ask().outcome == (401, "authentication_error")
    assert client.request("GET", "/v1/models", Authorization="Bearer key-of-this-gateway").status == 200


def test_on_its_first_start_it_takes_the_next_port_if_its_own_is_taken(launch: Launch, tmp_path: Path) -> None:
    """Port 3001 is taken here, by this test or by another program, so the app must use another port.

    The settings file is there already, as after `set-key`, or after `claude` has asked for the key.
    """
    SettingsStore(tmp_path / "home" / "settings.json", {}).update(nvidia_key="nvapi-secret")
    with ExitStack() as stack:
        with suppress(OSError):  # another program has the port already
            stack.enter_context(socket.create_server(("127.0.0.1", 3001)))
        app = launch(ADDR="")
        client = app.wait_listening()
        port = int(client.host.rpartition(":")[2])
        assert 3001 < port < 3021
        assert f"Port 3001 is taken; port {port} is used from now on." in app.lines
        settings = json.loads((tmp_path / "home" / "settings.json").read_text())
        assert settings["addr"] == f"127.0.0.1:{port}"
        assert settings["nvidia_key"] == "nvapi-secret"
        assert client.request("GET", "/health").status == 200


def test_a_log_folder_that_cannot_be_written_is_reported(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "logs").write_text("in the way")
    app = launch()
    assert app.wait_listening().request("GET", "/health").status == 200
    assert app.lines[0] == (f"The log folder {tmp_path / 'home' / 'logs'} cannot be written, so there is no log.")


# ---- who may read its files, and which files it reads


@posix_only
def test_only_the_user_can_read_what_the_app_writes_whatever_the_umask(
    launch: Launch, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.script(whole(completion("Hello!")))
    app = launch(prefix=("sh", "-c", 'umask 000; exec "$0" "$@"'), LOG_BODY_MAX_CHARS="1000")
    assert app.wait_listening().ask().text == "Hello!"
    app.send(signal.SIGTERM)
    assert app.wait_end() == 0
    home = tmp_path / "home"
    modes = {str(path.relative_to(home)): path.stat().st_mode & 0o777 for path in (home, *home.rglob("*"))}
    assert set(modes) >= {".", "settings.json", "logs", "logs/claude-nvidia-tray.log", "state", "state/instance.lock"}
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}


@posix_only
def test_files_that_others_could_read_are_closed_to_them_at_the_start(launch: Launch, tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = write_settings(home, {"version": 1, "server_api_key": "key-of-this-gateway"})
    log_file = home / "logs" / "claude-nvidia-tray.log"
    log_file.parent.mkdir()
    log_file.touch()
    for place, mode in ((home, 0o777), (path, 0o644), (log_file.parent, 0o777), (log_file, 0o644)):
        place.chmod(mode)
    app = launch()
    app.wait_listening()
    assert [place.stat().st_mode & 0o077 for place in (home, path, log_file.parent, log_file)] == [0] * 4
    note = f"Other users could read the settings file {path}, and a key is in it. Now only you can. "
    assert app.lines[0].startswith(note)
    assert note in app.folder.log


@posix_only
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_pipe_in_place_of_a_file_does_not_delay_the_start(launch: Launch, tmp_path: Path, kind: str) -> None:
    path = Path("/dev/zero") if kind == "device" else tmp_path / "settings"
    if kind == "pipe":
        os.mkfifo(path)
    app = launch(CONFIG_PATH=str(path))
    assert app.wait_listening().request("GET", "/health").status == 200
    said = app.read_until("settings file")
    assert said == f"The settings file {path} cannot be used (it is a {kind}, not a file); the defaults are in use."


def test_another_programs_file_that_is_named_by_mistake_is_left_as_it_is(launch: Launch, tmp_path: Path) -> None:
    path = tmp_path / "bashrc"
    path.write_text("export SECRET=word\n")
    app = launch(CONFIG_PATH=str(path))
    assert app.wait_listening().request("GET", "/health").status == 200
    assert "It is left as it is" in app.read_until("settings file")
    assert path.read_text() == "export SECRET=word\n"
    assert "word" not in app.folder.log


def test_a_password_in_the_address_of_upstream_is_shown_nowhere(launch: Launch, tmp_path: Path) -> None:
    write_settings(tmp_path / "home", {"version": 1, "nvidia_url": "https://me:password@host/v1"})
    app = launch()
    app.wait_listening()
    said = app.read_until("settings.json")
    assert said.endswith(': "nvidia_url" must not hold a user name or password.')
    assert "password@" not in "".join((*app.lines, app.folder.log))


@posix_only
def test_a_keyring_that_hangs_at_the_start_keeps_everybody_out_until_it_is_unlocked(
    launch: Launch, upstream: FakeUpstream, tmp_path: Path
) -> None:
    backend = {
        "PYTHON_KEYRING_BACKEND": "tests.support.keyrings.FileKeyring",
        "TEST_KEYRING": str(tmp_path / "keyring"),
    }
    subprocess.run(
        [sys.executable, "-m", "tray_app", "set-key", "--server"],
        input=b"key-of-this-gateway\n",
        env={**os.environ, "CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path / "home"), **backend},
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    lock = tmp_path / "keyring.lock"
    os.mkfifo(lock)
    app = launch(**backend)
    client = app.wait_listening()
    assert app.read_until("keyring").startswith("The system keyring does not answer, and the server key may be in it: ")
    assert client.ask().outcome == (400, "billing_error")
    assert client.ask(x_api_key="key-of-this-gateway").outcome == (400, "billing_error")
    with lock.open("w"):  # a writer ends the wait of the keyring, which then answers
        lock.unlink()
    while client.ask().outcome == (400, "billing_error"):
        threading.Event().wait(0.05)  # between two looks
    assert client.ask().outcome == (401, "authentication_error")
    upstream.script(whole(completion("Hello!")))
    assert client.ask(x_api_key="key-of-this-gateway").text == "Hello!"


# ---- one app


def test_a_second_launch_ends_well_and_says_where_the_first_one_runs(launch: Launch) -> None:
    client = launch().wait_listening()
    second = launch()
    assert second.wait_end() == 0
    (line,) = second.lines
    assert line.startswith(f"{APP_NAME} is already running. It listens on http://{client.host}. ")
    assert client.request("GET", "/health").status == 200


@posix_only
def test_after_a_crash_it_starts_again(launch: Launch) -> None:
    first = launch()
    first.wait_listening()
    first.send(signal.SIGKILL)
    first.wait_end()
    assert launch().wait_listening().request("GET", "/health").status == 200


# ---- settings that change while it runs


def test_a_changed_settings_file_is_used_while_requests_are_running(
    launch: Launch, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.default = lambda body: whole(completion(body["model"]))
    client = launch().wait_listening()
    write_settings(tmp_path / "home", {"version": 1, "model": "minimaxai/minimax-m2.1"})
    while client.ask().text != "minimaxai/minimax-m2.1":
        pass


def test_a_key_set_while_it_runs_is_used(launch: Launch, upstream: FakeUpstream, tmp_path: Path) -> None:
    app = launch(PROVIDER_API_KEY="")
    client = app.wait_listening()
    subprocess.run(
        [sys.executable, "-m", "tray_app", "set-key"],
        input=b"nvapi-set-later\n",
        env={**os.environ, "CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path / "home")},
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    while not client.request("GET", "/health").body["has_nvidia_key"]:
        threading.Event().wait(0.05)
    upstream.script(whole(completion("Hello!")))
    assert client.ask().text == "Hello!"
    assert upstream.received[0].headers["Authorization"] == "Bearer nvapi-set-later"
    upstream.wait_listed()
    assert [asked["Authorization"] for asked in upstream.list_requests] == ["Bearer nvapi-set-later"]


@posix_only
def test_the_next_run_knows_what_this_one_learned_about_tokens(launch: Launch, upstream: FakeUpstream) -> None:
    def count(client: Client) -> int:
        return int(client.request("POST", "/v1/messages/count_tokens", asked).body["input_tokens"])

    asked = question("All work and no play makes Jack a dull boy. " * 400)
    app = launch()
    client = app.wait_listening()
    counted = count(client)
    reported = {**completion("Hello!"), "usage": {"prompt_tokens": 2 * counted, "completion_tokens": 3}}
    upstream.script(*[whole(reported)] * 2)
    for _ in range(2):
        client.ask(asked)
    app.send(signal.SIGTERM)
    assert app.wait_end() == 0
    assert count(launch().wait_listening()) == pytest.approx(2 * counted, rel=0.01)


def test_no_key_is_written_into_the_log(launch: Launch, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion(f"{NVIDIA_KEY} key-of-this-gateway")))
    app = launch(SERVER_API_KEY="key-of-this-gateway", LOG_BODY_MAX_CHARS="100000")
    client = app.wait_listening()
    client.ask(question(f"{NVIDIA_KEY} key-of-this-gateway"), x_api_key="key-of-this-gateway")
    assert '"content":"[hidden] [hidden]"' in app.folder.log
    assert "key-of" not in app.folder.log


def test_bytes_that_are_not_http_leave_no_traceback_on_the_terminal(launch: Launch) -> None:
    app = launch()
    client = app.wait_listening()
    host, _, port = client.host.rpartition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST /v1/messages HTTP/1.1\r\nAuthorization\x00: Bearer 0123456789\r\n\r\n")
        while connection.recv(4096):
            pass
    assert client.request("GET", "/health").status == 200
    if sys.platform != "win32":
        app.send(signal.SIGTERM)
        assert app.wait_end() == 0
        assert not any("Traceback" in line for line in app.lines)
    assert "0123456789" not in app.folder.log


# ---- the end


def with_fault(fault: str) -> tuple[str, ...]:
    """Returns the arguments that start Python with a change to the app's code, before those of the app."""
    program = 'import runpy, sys; sys.argv[1:] = sys.argv[4:]; runpy.run_module("tray_app", run_name="__main__")'
    return (sys.executable, "-c", f"{fault}\n{program}")


DIES = """
from tray_app.proxy.exchange.gateway import Gateway
def die(self, session_id): raise SystemExit(1)  # no handler catches it, so the thread ends
Gateway.serve = die
"""
FAILS_TO_STOP = """
from tray_app.proxy.service import ProxyService
def fail(self, drain_s): raise RuntimeError("a fault of the program")
ProxyService.stop = fail
"""


@posix_only
def test_it_quits_after_its_gateway_has_died(launch: Launch) -> None:
    app = launch(prefix=with_fault(DIES))
    with suppress(ConnectionError, http.client.HTTPException):
        app.wait_listening().ask()
    app.send(signal.SIGTERM)
    assert app.wait_end() == 0
    assert "the gateway's thread ended" in app.folder.log
    assert app.folder.log.splitlines()[-1].endswith("quit")


@posix_only
def test_it_quits_even_if_its_gateway_cannot_be_stopped(launch: Launch) -> None:
    app = launch(prefix=with_fault(FAILS_TO_STOP))
    app.wait_listening()
    app.send(signal.SIGTERM)
    assert app.wait_end() == 0
    assert "RuntimeError: a fault of the program" in app.folder.log
    assert launch().wait_listening().request("GET", "/health").status == 200, "the next one can start"


@posix_only
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_lets_a_running_answer_finish(launch: Launch, upstream: FakeUpstream, name: str) -> None:
    app = launch()
    client = app.wait_listening()
    upstream.script(stream(text("one "), gate := Gate(), text("two"), finish()))
    with client.stream() as answer:
        answer.read_until("content_block_delta")
        app.send(signal.Signals[name])
        wait_for_log(app, "quitting: 1 requests")
        gate.open()
        assert answer.read_rest().text == "one two"
    assert app.wait_end() == 0


@posix_only
def test_a_second_signal_ends_it_at_once_and_tells_the_client(launch: Launch, upstream: FakeUpstream) -> None:
    app = launch()
    client = app.wait_listening()
    upstream.script(stream(text("one "), Gate()))
    with client.stream() as answer:
        answer.read_until("content_block_delta")
        app.send(signal.SIGINT)
        wait_for_log(app, "quitting: 1 requests")
        app.send(signal.SIGINT)
        end = answer.read_rest()
    assert end.story == ["start text#0", "+one ", "error api_error"]
    assert end.sentence == "Claude NVIDIA Tray was quit while it answered."
    assert app.wait_end() == 0
    upstream.received[0].wait_left()


@posix_only
def test_a_signal_ends_the_app_in_time_if_an_answer_does_not_finish(launch: Launch, upstream: FakeUpstream) -> None:
    """A running answer has two seconds to finish, as much as log-off and service managers allow."""
    app = launch()
    client = app.wait_listening()
    upstream.script(stream(text("one "), Gate()))
    with client.stream() as answer:
        answer.read_until("content_block_delta")
        app.send(signal.SIGTERM)
        assert answer.read_rest().story == ["start text#0", "+one ", "error api_error"]
    assert app.wait_end() == 0


@posix_only
def test_under_nohup_it_outlives_its_terminal(launch: Launch) -> None:
    app = launch(prefix=("sh", "-c", 'trap "" HUP; exec "$0" "$@"'))
    client = app.wait_listening()
    app.send(signal.SIGHUP)
    for _ in range(50):  # it would have ended in this time
        assert client.request("GET", "/health").status == 200
    app.send(signal.SIGTERM)
    assert app.wait_end() == 0
    assert app.folder.log.count("quit") == 1


def wait_for_log(app: App, words: str) -> None:
    while words not in app.folder.log:
        threading.Event().wait(0.01)  # between two looks


# ---- the history


@posix_only
def test_the_history_survives_a_kill_and_can_be_read_and_deleted_while_the_app_runs(
    launch: Launch, upstream: FakeUpstream
) -> None:
    app = launch()
    upstream.script(whole(completion("Hello!")), whole(completion("Hello!")))
    app.wait_listening().ask()
    file = app.folder.path / "data" / FILE_NAME
    wait_for(lambda: len(read_page(file, 9)) == 1, "the request is in the history")
    app.send(signal.SIGKILL)
    app.wait_end()
    app = launch()
    app.wait_listening().ask()
    wait_for(lambda: len(read_page(file, 9)) == 2, "both requests are in the history")
    environment = {**os.environ, "CLAUDE_NVIDIA_TRAY_HOME": str(app.folder.path)}
    command = [sys.executable, "-m", "tray_app", "history"]
    assert b" 2     100 %" in subprocess.check_output(command, cwd=ROOT, env=environment)
    subprocess.check_output([*command, "--delete", "--yes"], cwd=ROOT, env=environment)
    assert not read_page(file, 9)
    upstream.script(whole(completion("Hello!")))
    Client(app.lines[0].partition("listening on ")[2]).ask()
    app.send(signal.SIGTERM)
    assert app.wait_end() == 0
    assert len(read_page(file, 9)) == 1
