"""The file from which the status line is made."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

from tray_app.app.status_file import STATUS_FILE, StatusFile, describe
from tray_app.settings.settings import Settings
from tray_app.status.board import Status, Topic, Trouble
from tray_app.status.findings import ModelTrouble, Unavailability
from tray_app.status.progress import Delay, Pace, RequestPhase, RequestProgress, SessionModel

GLM, MINIMAX = "z-ai/glm4.7", "minimaxai/minimax-m2.1"
RETRIED = RequestProgress(
    "claude-sonnet-5",
    GLM,
    "GLM 4.7",
    "session",
    RequestPhase.PAUSING,
    tries=4,
    failure="NVIDIA is overloaded",
    delay=Delay.RETRIES,
    delayed_since=1000,
    delayed_s=110,
)


def test_the_file_names_what_a_line_says() -> None:
    status = Status(
        is_demo=True,
        requests=(RequestProgress("nvidia"), RETRIED, replace(RETRIED, delay=Delay.SILENCE, session_id="")),
        paces=(Pace("GLM 4.7", 40, (1, 2)),),
    )
    assert describe(status, Settings(), "http://127.0.0.1:3001/") == {
        "model": "GLM 4.7",
        "is_demo": True,
        "page": "http://127.0.0.1:3001/",
        "trouble": "",
        "note": "",
        "paces": {"GLM 4.7": {"limit": 40, "starts_at": (1, 2)}},
        "sessions": {},
        "delays": [
            {"session": "session", "text": "NVIDIA is overloaded, try 4,", "since": 1000, "concerns_all": True},
            {"session": "", "text": "no word for", "since": 1000, "concerns_all": False},
        ],
    }


def test_troubles_lose_what_only_a_menu_can_do() -> None:
    troubles = ((Topic.REFUSED_KEY, Trouble("NVIDIA refused the key – fix…", "It did.")),)
    assert describe(Status(troubles=troubles), Settings())["trouble"] == "NVIDIA refused the key"
    retired = Status(model_troubles=((GLM, ModelTrouble(Unavailability.RETIRED)),))
    assert describe(retired, Settings(follow_successors=False))["trouble"] == "GLM 4.7 was retired by NVIDIA"
    assert describe(Status(is_paused=True), Settings())["trouble"] == "Paused"
    followed = describe(retired, Settings())
    assert (followed["model"], followed["trouble"]) == ("GLM 5.3 Flash", "")
    assert followed["note"] == "for GLM 4.7, retired"


def test_a_fallback_that_answers_is_no_trouble_but_a_note() -> None:
    status = Status(troubles=((Topic.FALLBACK, Trouble("MiniMax M2.1 answers for GLM 4.7", "It does.")),))
    described = describe(status, Settings())
    assert (described["trouble"], described["note"]) == ("", "MiniMax M2.1 answers for GLM 4.7")


def test_a_session_names_what_it_asked_for_only_if_it_gets_something_else() -> None:
    def asked(name: str, model: str, *, follows_tray: bool = True) -> str:
        described = describe(Status(sessions=(SessionModel("session", name, model, follows_tray),)), Settings())
        assert described["sessions"]["session"]["model"] == model
        return str(described["sessions"]["session"]["asked"])

    assert asked("nvidia", "GLM 4.7") == ""
    assert asked(f"{GLM}[1m]", "GLM 4.7") == ""
    assert asked(GLM, "MiniMax M2.1", follows_tray=False) == "GLM 4.7"
    assert asked("claude-sonnet-5", "GLM 4.7") == "claude-sonnet-5"


def test_a_click_changes_the_model_of_a_session_at_once_if_the_tray_decides() -> None:
    def answers(*, follows_tray: bool) -> dict[str, str]:
        status = Status(sessions=(SessionModel("session", GLM, "GLM 4.7", follows_tray),))
        session: dict[str, str] = describe(status, Settings(model=MINIMAX))["sessions"]["session"]
        return session

    assert answers(follows_tray=True) == {"picked": GLM, "asked": "GLM 4.7", "model": "MiniMax M2.1"}
    assert answers(follows_tray=False) == {"picked": GLM, "asked": "", "model": "GLM 4.7"}


def test_the_file_is_private_and_written_only_if_it_changes(tmp_path: Path) -> None:
    file, path = StatusFile(tmp_path / "state"), tmp_path / "state" / STATUS_FILE
    file.show(Status(requests=(RETRIED,)), Settings())
    first = path.stat()
    if os.name == "posix":
        assert stat.S_IMODE(first.st_mode) == 0o600
    file.show(Status(requests=(replace(RETRIED, delayed_s=111),)), Settings())
    assert path.stat().st_ino == first.st_ino, "only the second has changed, which the line computes by itself"
    file.show(Status(), Settings())
    assert json.loads(path.read_text())["delays"] == []
    file.remove()
    file.remove()
    assert not path.exists()


def test_a_file_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the place of the folder")
    StatusFile(tmp_path / "state").show(Status(), Settings())
