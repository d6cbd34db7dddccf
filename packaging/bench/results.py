"""The figures of a measurement, and on what they were taken; kept as JSON."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from tray_app import __version__

Values = dict[str, list[float]]
"""By the name of the gateway: one figure for each round."""


@dataclass(slots=True)
class Results:
    gateways: list[str]
    rounds: int
    date: str = ""
    machine: str = ""
    versions: str = ""
    rows: dict[str, Values] = field(default_factory=dict)
    """By the name of the row."""
    direct: dict[str, list[float]] = field(default_factory=dict)
    """By the name of the row: the time in ms of the same job without a gateway, for each round."""
    left_out: list[str] = field(default_factory=list)
    """A sentence for each row that could not be measured here."""
    faults: list[str] = field(default_factory=list)
    """A sentence for each wrong answer of a gateway, after which it was asked once more."""

    def note(self, row: str, gateway: str, value: float) -> None:
        self.rows.setdefault(row, {}).setdefault(gateway, []).append(value)

    def save(self, path: Path) -> None:
        try:
            path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise BenchError(f"The results cannot be written to {path}: {error.strerror}.") from None


def read_results(path: Path) -> Results:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Results(**values)
    except OSError as error:
        raise BenchError(f"There are no saved results in {path} ({error.strerror}): measure with --write.") from None
    except (ValueError, TypeError):
        raise BenchError(f"{path} does not hold results of this version: measure anew with --write.") from None


def begin_results(gateways: list[str], rounds: int) -> Results:
    return Results(
        gateways=gateways,
        rounds=rounds,
        date=datetime.now(UTC).date().isoformat(),
        machine=describe_machine(),
        versions=f"Claude NVIDIA Tray {__version__}, Python {platform.python_version()}, aiohttp {version('aiohttp')}",
    )


def describe_machine() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    return f"{models[0] if models else platform.machine()}, {cores} cores, Linux {platform.release()}"
