"""The benchmark measures this checkout, and a gateway beside it: figures exist, and nothing is asked of their size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import report, rounds, starts
from bench.cases import CASES, Case
from bench.errors import BenchError
from bench.gateways import OURS, Gateway, Maker, make_own
from bench.helpers import UpstreamProcess
from bench.load import Job
from bench.results import Results, begin_results
from bench.rounds import run_rounds
from bench.upstream import Plan
from tests.support.parts import need

if sys.platform != "linux":
    pytest.skip("the benchmark is for Linux", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]


def shrink(case: Case) -> Case:
    """The case with one connection, two short requests and few events."""
    job = Job(1, 2, min(case.job.body_bytes, 5_000), case.job.sessions, events=min(case.job.events, 2))
    heavy = Job(1, 1, 5_000) if case.heavy else None
    return Case(case.name, job, Plan(job.events, case.plan.events_per_s), case.figures, heavy)


@pytest.fixture(autouse=True)
def _nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures become worthless, and nobody looks at them."""
    for module, name in ((rounds, "QUIET_S"), (rounds, "IDLE_S"), (rounds, "WARM_UP_IDLE_S"), (starts, "SETTLE_S")):
        monkeypatch.setattr(module, name, 0)


def test_each_row_has_its_figures(tmp_path: Path) -> None:
    rows = {row.name for row in report.ROWS} - {"icon", "idle-cpu-tray"}
    results = begin_results([OURS], rounds=1)
    run_rounds([make_own()], rows, results, tmp_path, [shrink(case) for case in CASES])
    assert results.rows.keys() == rows
    assert all(len(values[OURS]) == 1 for values in results.rows.values())
    assert all(len(values) == 1 for values in results.direct.values())


def test_the_command_measures_and_keeps_what_it_measured(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    command = [sys.executable, str(ROOT / "packaging" / "bench"), "--rounds", "1", "--only", "first-answer"]
    done = subprocess.run([*command, "--json", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "bench: round 1 of 1: first-answer\n" in done.stderr
    assert "`first-answer`: from the start" in done.stdout
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert len(kept["rows"]["first-answer"][OURS]) == 1


@pytest.mark.parametrize("floor", ["aiohttp", "asyncio"])
def test_a_program_that_passes_bytes_through_has_figures_too(floor: str, tmp_path: Path) -> None:
    maker = Maker(floor, (sys.executable, str(ROOT / "packaging" / "bench" / "floors.py"), floor))
    results = begin_results([floor], rounds=1)
    rows = {"request-200k", "event-paced", "first-byte", "memory-idle"}
    run_rounds([maker], rows, results, tmp_path, [shrink(case) for case in CASES])
    assert results.rows.keys() == rows
    assert all(len(values[floor]) == 1 for values in results.rows.values())


@pytest.mark.desktop
def test_the_icon_has_its_figures(tmp_path: Path) -> None:
    need("dbus-daemon")
    results = begin_results([OURS], rounds=1)
    run_rounds([make_own()], {"icon", "idle-cpu-tray"}, results, tmp_path)
    assert results.rows.keys() == {"icon", "idle-cpu-tray"}


def test_a_gateway_that_ends_at_its_start_is_quoted(tmp_path: Path) -> None:
    maker = Maker("other", (sys.executable, "-c", "raise SystemExit('no {port} for me')"))
    with Gateway(maker, tmp_path, "http://127.0.0.1:9") as gateway, pytest.raises(BenchError) as caught:
        gateway.wait_answer()
    assert str(caught.value).endswith(f"exit code 1. It said last: no {gateway.port} for me")


def test_a_gateway_that_refuses_is_quoted(tmp_path: Path) -> None:
    script = (
        "import http.server as h\n"
        "class No(h.BaseHTTPRequestHandler):\n"
        "    def do_POST(self): self.send_error(403, 'never')\n"
        "h.HTTPServer(('127.0.0.1', {port}), No).serve_forever()"
    )
    maker = Maker("other", (sys.executable, "-c", script))
    told = pytest.raises(BenchError, match="other answers the first request with status 403")
    with Gateway(maker, tmp_path, "http://127.0.0.1:9") as gateway, told:
        gateway.wait_answer()


def test_after_a_fault_a_gateway_is_asked_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import http.server as h\n"
        "class Short(h.BaseHTTPRequestHandler):\n"
        "    def do_POST(self):\n"
        "        self.rfile.read(int(self.headers['Content-Length']))\n"
        "        self.send_response(200)\n"
        "        self.send_header('Content-Length', '2')\n"
        "        self.end_headers()\n"
        "        self.wfile.write(b'{}')\n"
        "h.HTTPServer(('127.0.0.1', {port}), Short).serve_forever()"
    )
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    results = Results(["other"], 1)
    case = next(case for case in CASES if case.name == "event-fast")
    maker = Maker("other", (sys.executable, "-c", script))
    with pytest.raises(
        BenchError, match=r"^event-fast: other passed on 0 of the 2 events of an answer, which is kept in "
    ):
        run_rounds([maker], {"event-fast"}, results, tmp_path, [shrink(case)])
    assert len(results.faults) == 1
    kept = Path(results.faults[0].rpartition(" ")[2].removesuffix("."))
    assert kept.read_bytes().endswith(b"{}")


def test_the_upstream_ends_with_its_input() -> None:
    with UpstreamProcess() as upstream:
        process = upstream._process  # noqa: SLF001
    assert process.returncode == 0
