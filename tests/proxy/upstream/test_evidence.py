"""The evidence of real requests: what is counted, who sees it, and where it is kept."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import completion, finish, text, whole_call
from tests.support.fake_upstream import FakeUpstream, Reply, refusal, stream, whole
from tests.support.gateway import WEATHER, RunningGateway, question
from tests.support.virtual_time import run_virtually
from tray_app.proxy.upstream.evidence import FILE_NAME, PUBLISH_S, Evidence
from tray_app.settings.keys import Keys
from tray_app.status.board import StatusBoard
from tray_app.status.findings import Finding, Findings, ModelTrouble, Unavailability

GLM = "z-ai/glm4.7"
URL, KEY = "https://nvidia.example/v1/chat/completions", "nvapi-of-these-tests"
NOW_S = 1_795_780_800.0
RETIRED = ModelTrouble(Unavailability.RETIRED, "2026-05-14")


def make(folder: Path | None = None, board: StatusBoard | None = None) -> Evidence:
    """Returns evidence whose clock is that of the virtual loop."""
    evidence = Evidence(board or StatusBoard(), folder, lambda: NOW_S + asyncio.get_running_loop().time())
    evidence.use(URL, KEY)
    return evidence


def test_counts_reach_the_board_together_after_some_seconds() -> None:
    async def story() -> list[tuple[float, Finding]]:
        board, seen = StatusBoard(), []
        loop = asyncio.get_running_loop()
        board.subscribe(lambda status: seen.append((loop.time(), status.findings.find(GLM))))
        evidence = make(board=board)
        for _ in range(100):
            evidence.note_sent(GLM)
            evidence.note_answered(GLM, 1.5)
            await asyncio.sleep(0.01)
        await asyncio.sleep(60)
        return seen

    [(time_s, finding)] = run_virtually(story())
    assert time_s == PUBLISH_S
    assert (finding.asked, finding.succeeded, finding.today, finding.first_token_s) == (100, 100, 100, 1.5)
    assert (finding.answers, finding.calls_tools) == (True, None)


def test_a_refusal_reaches_the_board_at_once_and_calls_for_a_look_once() -> None:
    async def story() -> tuple[Findings, list[bool]]:
        board = StatusBoard()
        evidence, looks = make(board=board), []
        for _ in range(2):
            evidence.note_refused(GLM, RETIRED)
            looks.append(evidence.look_due.is_set())
            evidence.look_due.clear()
        return board.status.findings, looks

    findings, looks = run_virtually(story())
    assert findings.find(GLM).refusal == RETIRED
    assert looks == [True, False]


def test_a_request_of_a_client_beats_what_probes_found() -> None:
    async def story() -> Evidence:
        evidence = make()
        for _ in range(3):
            evidence.note_probe_answered(GLM, 1.0, calls_tools=False)
        assert evidence.find(GLM).calls_tools is False
        evidence.note_called(GLM)
        evidence.note_probe_silent(GLM)
        return evidence

    record = run_virtually(story()).find(GLM)
    assert record.calls_tools is True
    assert record.answers(NOW_S) is True


def test_an_answer_ends_a_refusal_and_a_silence() -> None:
    async def story() -> Evidence:
        evidence = make()
        evidence.note_refused(GLM, RETIRED)
        for _ in range(3):
            evidence.note_probe_silent(GLM)
        evidence.note_answered(GLM, 1.0)
        return evidence

    record = run_virtually(story()).find(GLM)
    assert (record.refusal, record.silent) == (None, 0)


def test_silences_long_ago_do_not_count() -> None:
    async def story() -> int:
        evidence = make()
        evidence.note_probe_silent(GLM)
        await asyncio.sleep(24 * 3600)
        evidence.note_probe_silent(GLM)
        return evidence.find(GLM).silent

    assert run_virtually(story()) == 1


def test_a_private_file_keeps_the_evidence_without_the_key(tmp_path: Path) -> None:
    async def first() -> None:
        evidence = make(tmp_path)
        evidence.note_sent(GLM)
        evidence.note_probe_sent("z-ai/glm-6")
        evidence.note_answered(GLM, 1.5)
        evidence.note_called(GLM)
        evidence.note_refused("z-ai/glm-6", RETIRED)
        await evidence.close()

    async def second() -> Findings:
        board = StatusBoard()
        evidence = make(tmp_path, board)
        assert evidence.count_probes() == 1
        return board.status.findings

    asyncio.run(first())
    file = tmp_path / FILE_NAME
    assert KEY not in file.read_text()
    assert URL not in file.read_text()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    findings = asyncio.run(second())
    assert (findings.find(GLM).answers, findings.find(GLM).calls_tools, findings.find(GLM).asked) == (True, True, 1)
    assert findings.find("z-ai/glm-6").refusal == RETIRED


@pytest.mark.parametrize(("url", "key"), [(URL, "nvapi-another"), (f"{URL}?other", KEY)], ids=["key", "address"])
def test_another_key_or_address_forgets(tmp_path: Path, url: str, key: str) -> None:
    async def story() -> None:
        board = StatusBoard()
        evidence = make(tmp_path, board)
        evidence.note_refused(GLM, RETIRED)
        evidence.use(url, key)
        assert evidence.find(GLM).refusal is None
        assert board.status.findings == Findings()
        evidence.note_refused("m", RETIRED)
        await evidence.close()
        again = make(tmp_path)
        assert again.find("m").refusal is None
        await again.close()

    asyncio.run(story())


def test_without_a_key_nothing_is_kept_or_published(tmp_path: Path) -> None:
    async def story() -> None:
        board = StatusBoard()
        evidence = make(tmp_path, board)
        evidence.use(URL, "")
        evidence.note_refused(GLM, RETIRED)
        assert board.status.findings == Findings()
        await evidence.close()

    asyncio.run(story())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"account": 5}', "\x00"])
def test_a_file_that_cannot_be_used_counts_for_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)

    async def story() -> None:
        evidence = make(tmp_path)
        evidence.note_refused(GLM, RETIRED)
        await evidence.close()

    asyncio.run(story())
    assert GLM in json.loads((tmp_path / FILE_NAME).read_text())["models"]


# ---- in a gateway


def finding_of(gateway: RunningGateway, model_id: str = GLM) -> Finding:
    return gateway.board.status.findings.find(model_id)


def test_requests_leave_evidence_of_answers_and_tool_calls(
    gateway: RunningGateway, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.proxy.upstream.evidence.PUBLISH_S", 0.01)
    upstream.script(
        whole(completion("Hello!")),
        stream(whole_call("get_weather", {"city": "Paris"}), finish("tool_calls")),
        stream(text("Hi"), finish()),
        refusal(503),
    )
    gateway.ask()
    gateway.ask(question(tools=[WEATHER], stream=True))
    gateway.ask(question(tools=[WEATHER], stream=True))
    gateway.ask()
    gateway.wait_status(lambda status: status.findings.find(GLM).asked == 4)
    finding = finding_of(gateway)
    assert (finding.asked, finding.succeeded, finding.today) == (4, 3, 4)
    assert (finding.answers, finding.calls_tools) == (True, True)
    assert finding.first_token_s is not None


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal(404, {"detail": "Function 'abc': Not found for account 'xyz'"}), Unavailability.NOT_SERVED),
        (refusal(403, {"title": "Forbidden"}), Unavailability.NOT_ALLOWED),
    ],
    ids=["404", "403"],
)
def test_a_refused_request_is_evidence(
    gateway: RunningGateway, upstream: FakeUpstream, reply: Reply, kind: Unavailability
) -> None:
    upstream.script(reply)
    gateway.ask()
    finding = finding_of(gateway)
    assert (finding.answers, finding.refusal) == (False, ModelTrouble(kind))


def test_a_wrong_request_of_the_client_is_no_evidence(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(refusal(400, {"error": {"message": "no"}}))
    gateway.ask()
    gateway.stop()
    assert finding_of(gateway).asked == 0


def test_another_key_forgets_while_the_gateway_runs(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway()
    upstream.script(refusal(404))
    gateway.ask()
    assert finding_of(gateway).refusal
    gateway.configure(Keys(nvidia="nvapi-another"))
    gateway.wait_status(lambda status: status.findings == Findings())
