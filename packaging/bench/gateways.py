"""Starts the gateways that are measured, each in a scratch folder, and ends them."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.conversation import make_small_body
from bench.errors import BenchError
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 30
POLL_S = 0.002
OURS = "this"
"""The name of this checkout's gateway in the results."""
SETTINGS = {"requests_per_minute": 0, "probe_models": False}
"""Without NVIDIA's limit of requests, and without requests of the program's own."""
KEY = "nvapi-x"
UNSET = {
    *("SERVER_API_KEY", "PROVIDER_API_KEYS", "NVIDIA_API_KEY", "KEY_ROTATION", "UPSTREAM_TIMEOUT_SECONDS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
}


@dataclass(frozen=True, slots=True)
class Maker:
    """How a gateway is started. In the words of its command, `{port}` and `{upstream}` stand for their values."""

    name: str
    command: tuple[str, ...]

    def fill(self, port: int, upstream_url: str) -> list[str]:
        return [word.replace("{port}", str(port)).replace("{upstream}", upstream_url) for word in self.command]


def make_own() -> Maker:
    return Maker(OURS, (sys.executable, "-m", "tray_app", "--no-tray"))


def read_beside(words: str) -> Maker:
    """Reads NAME=COMMAND."""
    name, is_given, command = words.partition("=")
    if not is_given or not name.strip() or not command.strip():
        raise BenchError(f"--beside wants NAME=COMMAND, such as go=/path/gateway, and not {words!r}.")
    try:
        return Maker(name.strip(), tuple(shlex.split(command)))
    except ValueError as error:
        raise BenchError(f"The command of --beside {name} cannot be read: {error}.") from None


def make_environment(base: Mapping[str, str], port: int, upstream_url: str) -> dict[str, str]:
    return {name: value for name, value in base.items() if name not in UNSET} | {
        "ADDR": f"127.0.0.1:{port}",
        "UPSTREAM_URL": upstream_url,
        "PROVIDER_API_KEY": KEY,
        "LOG_BODY_MAX_CHARS": "0",
        "LOG_STREAM_TEXT_PREVIEW_CHARS": "0",
    }


def make_own_environment(home: Path) -> dict[str, str]:
    """What keeps the program of this checkout away from the user's settings and keyring."""
    (home / "settings.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    return {
        "CLAUDE_NVIDIA_TRAY_HOME": str(home),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "PYTHONPATH": str(ROOT),
    }


class Gateway:
    """A gateway that was started with a free port. Leaving the block ends it."""

    def __init__(
        self, maker: Maker, home: Path, upstream_url: str, environment: Mapping[str, str] = os.environ
    ) -> None:
        self.name = maker.name
        self.port = free_port()
        self._log = home / "output.log"
        env = make_environment(environment, self.port, upstream_url)
        if maker.name == OURS:
            env |= make_own_environment(home)
        else:
            config = home / "config.json"  # for a gateway that does not start without its file
            config.write_text("{}", encoding="utf-8")
            env["CONFIG_PATH"] = str(config)
        command = maker.fill(self.port, upstream_url)
        self.begin_s = time.monotonic()
        try:
            with self._log.open("wb") as output:
                self._process = subprocess.Popen(
                    command,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
        except OSError as error:
            raise BenchError(f"{self.name} cannot be started: {command[0]}: {error.strerror}.") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_answer(self) -> float:
        """Asks until there is an answer. Returns the seconds since the start."""
        body = make_small_body(is_stream=False)
        while True:
            self.check_running()
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_LIMIT_S)
            headers = {"Content-Type": "application/json", "anthropic-version": "2023-06-01", "x-api-key": "test"}
            try:
                connection.request("POST", "/v1/messages", body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except OSError:
                time.sleep(POLL_S)
                continue
            finally:
                connection.close()
            if answer.status != 200:
                told = text[:300].decode(errors="replace")
                raise BenchError(f"{self.name} answers the first request with status {answer.status}: {told}")
            return time.monotonic() - self.begin_s

    def check_running(self) -> None:
        code = self._process.poll()
        if code is not None:
            raise BenchError(f"{self.name} ended at its start with exit code {code}. {self._quote_log()}")
        if time.monotonic() - self.begin_s > START_LIMIT_S:
            raise BenchError(
                f"{self.name} does not answer on port {self.port} within {START_LIMIT_S} s of its start. "
                f"It must listen on the address in ADDR, or its command must name {{port}}. {self._quote_log()}"
            )

    def _quote_log(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f"It said last: {said[-1][:300]}" if said else "It said nothing."
