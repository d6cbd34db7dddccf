"""The real Claude Code, while NVIDIA retires its models: on the first day, and in the middle of a conversation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import KEYS
from tests.support.client import read_events
from tests.support.gateway import RunningGateway
from tests.support.kit import Session
from tests.support.nvidia_catalogue import Offer, read_day
from tests.support.recorder import Recorder
from tests.support.simulated_nvidia import NvidiaThread
from tests.support.stage import check_answer
from tray_app.catalog import GLM_4_7, GLM_5_3_FLASH, MINIMAX_M3_1_FLASH
from tray_app.claude_code.exports import render_exports
from tray_app.settings.settings import Address, Settings

pytestmark = [pytest.mark.desktop, pytest.mark.kit]

FLASH, NEXT = GLM_5_3_FLASH.id, MINIMAX_M3_1_FLASH.id


def order(word: str) -> str:
    """Returns a prompt that has the simulated model append a word to a file."""
    command = {"command": f"echo {word} >> steps", "description": "A step"}
    return f"Call the tool Bash with {json.dumps(command)}"


def test_the_first_prompt_is_answered_and_a_retirement_in_mid_session_is_followed(tmp_path: Path) -> None:
    """Both models of the menu are retired, and nothing is known yet. Nobody clicks."""
    day = read_day("first_day")
    with NvidiaThread(day) as nvidia:
        settings = Settings(nvidia_url=nvidia.url, addr=Address("127.0.0.1", 0))
        gateway = RunningGateway(settings, KEYS)
        with Recorder(lambda _: gateway.address.url) as front:
            exports = render_exports("bash", front.url, GLM_4_7, needs_server_key=False)
            session = Session(tmp_path / "home", tmp_path / "work")
            first = session.run(exports, order("one"))
            asked_first = len(nvidia.asked)
            nvidia.catalogue = day.replace(Offer(FLASH, "retired", retired_on="2026-11-28"))
            second = session.run(exports, order("two"), "--continue")
            answers = [passage for passage in front.passages if passage.path == "/v1/messages"]
        gateway.stop()
    assert first.stdout.strip() == f"{FLASH} answers.", first.stderr
    assert second.stdout.strip() == f"{NEXT} answers.", second.stderr
    assert (tmp_path / "work" / "steps").read_text() == "one\ntwo\n"
    assert nvidia.asked[:2] == [GLM_4_7.id, FLASH], "the first request found the way"
    assert nvidia.asked[asked_first:].count(FLASH) == 1, "a retired model is asked once"
    assert set(nvidia.asked) == {GLM_4_7.id, FLASH, NEXT}
    models = []
    for answer in answers:
        check_answer(answer)
        assert answer.status == 200
        if answer.content_type == "text/event-stream":
            models.append(read_events(answer.answer)[0]["message"]["model"])
    assert set(models) == {FLASH, NEXT}, "each answer says by which model"
