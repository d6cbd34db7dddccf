"""The SDKs that people use, as players of scenarios: what happens comes out as lines, the same for all of them."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.sdk import anthropic_python
from tests.sdk.anthropic_python import Line
from tests.support.fake_upstream import TIMEOUT_S
from tests.support.parts import fail_or_skip, need

FOLDER = Path(__file__).parent

_LONGEST_S = 3 * TIMEOUT_S
"""For a scenario: the test's own patience ends first, so that this end is not taken for what it waits for."""


class Sdk(Protocol):
    @property
    def name(self) -> str: ...

    def need(self) -> None:
        """Skips the test where the SDK is not installed; under CI it fails."""

    def play(self, scenario: str, url: str, **options: Any) -> Generator[Line, None, None]:
        """What happens in a scenario against the gateway at `url`, as it happens."""


@dataclass(frozen=True)
class PythonSdk:
    """In this very process, where a warning is an error."""

    name: str

    def need(self) -> None:
        pass  # one of the development requirements

    def play(self, scenario: str, url: str, **options: Any) -> Generator[Line, None, None]:
        return anthropic_python.play(scenario, url, **options)


@dataclass(frozen=True)
class NodeSdk:
    """A script of this folder, in a Node of its own for each scenario. It must not say a word on standard error."""

    name: str
    script: str

    def need(self) -> None:
        need("node")
        if _keep_required("node_modules/.package-lock.json") != _keep_required("package-lock.json"):
            fail_or_skip("the JavaScript SDKs are not installed as locked (npm ci --prefix tests/sdk)")

    def play(self, scenario: str, url: str, **options: Any) -> Generator[Line, None, None]:
        command = ["node", self.script, scenario, json.dumps({"url": url, **options})]
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as complaints,
            subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=complaints, encoding="utf-8") as node,
        ):
            assert node.stdout is not None
            overdue = threading.Timer(_LONGEST_S, node.kill)
            overdue.start()
            try:
                yield from map(json.loads, node.stdout)
                node.wait()
            finally:
                overdue.cancel()
                node.kill()
            complaints.seek(0)
            assert (node.returncode, complaints.read()) == (0, "")


def read_packages(lock: str) -> dict[str, Any]:
    """Package -> its version and hash. What npm installed it notes in a lock file of its own; nothing without one."""
    path = FOLDER / lock
    packages: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["packages"] if path.exists() else {}
    packages.pop("", None)  # this folder itself
    return packages


def _keep_required(lock: str) -> dict[str, Any]:
    """The packages without the optional ones, which .npmrc has npm leave out."""
    return {name: package for name, package in read_packages(lock).items() if not package.get("optional")}


ANTHROPIC: tuple[Sdk, ...] = (PythonSdk("anthropic for Python"), NodeSdk("@anthropic-ai/sdk", "anthropic.mjs"))
ALL: tuple[Sdk, ...] = (*ANTHROPIC, NodeSdk("ai", "ai.mjs"))
