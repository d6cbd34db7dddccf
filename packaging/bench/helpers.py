"""The two kinds of processes that measure: the upstream and the clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from bench.errors import BenchError, GatewayFault
from bench.load import Job, Result
from bench.upstream import Plan

PACKAGING = Path(__file__).resolve().parents[1]


class Helper:
    """A module of this folder as a process, with which one talks in lines. It ends with its standard input."""

    module = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module],
            cwd=PACKAGING,
            env={**os.environ, "PYTHONPATH": str(PACKAGING)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the one that started it
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode().strip()
        if not line:
            raise BenchError(f"{self.module} has ended before its time; what it says is above.")
        return line


class UpstreamProcess(Helper):
    module = "bench.upstream"

    def __enter__(self) -> Self:
        super().__enter__()
        self.port = int(self.hear())
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/chat/completions"

    def follow(self, plan: Plan) -> None:
        self.say(plan.to_line())
        self.hear()


class LoadProcess(Helper):
    module = "bench.load"

    def prepare(self, job: Job) -> None:
        """Opens the connections, and sends what does not count."""
        self.say(job.to_line())
        line = self.hear()
        if line != "ready":
            raise GatewayFault(json.loads(line)["error"])

    def go(self) -> None:
        self.say(b"go\n")

    def finish(self) -> Result:
        values: dict[str, Any] = json.loads(self.hear())
        if "error" in values:
            raise GatewayFault(values["error"])
        return Result(**values)
