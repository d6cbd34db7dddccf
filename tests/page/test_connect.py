"""The ways from Claude Code to the gateway: texts to copy, all sessions with a preview, and the doctor."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.page.test_welcome import run, wait_state
from tests.support.page import Browser
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.claude_code.all_sessions import Preview
from tray_app.claude_code.claude_settings import Setup
from tray_app.claude_code.exports import render_exports
from tray_app.page.views.connect import show_connect, show_preview
from tray_app.shells import name_command

SETUP = Setup("http://127.0.0.1:3001", GLM_4_7, (GLM_4_7, MINIMAX_M2_1))


def shown(preview: Preview) -> list[str]:
    return [line["sign"] + line["text"] for line in show_preview(preview)["lines"]]


def test_each_shell_has_its_exports_and_the_line_that_undoes_them(browser: Browser) -> None:
    found = browser.read("/page/connections")
    assert found["launcher"] == name_command("claude")
    assert [shell["name"] for shell in found["shells"]] == ["bash", "fish", "powershell", "cmd"]
    assert [shell["name"] for shell in found["shells"] if shell["is_yours"]] == ["bash"]
    for shell in found["shells"]:
        assert SETUP.url in shell["exports"]
        assert SETUP.url not in shell["undo"]
        assert shell["launcher"].endswith(" claude")
    assert json.loads(found["settings"])["env"]["ANTHROPIC_BASE_URL"] == SETUP.url


def test_the_exports_of_a_demo_say_that_it_is_one() -> None:
    (bash, *_) = show_connect(SETUP, "zsh", is_demo=True)["shells"]
    assert bash["is_yours"]
    assert bash["exports"] == render_exports("bash", SETUP.url, GLM_4_7, needs_server_key=False, is_demo=True)


def test_a_preview_shows_the_lines_that_change_and_those_around_them() -> None:
    before, after = (
        '{\n  "a": 1,\n  "b": 2,\n  "c": 3,\n  "d": 4\n}\n',
        '{\n  "a": 1,\n  "b": 2,\n  "c": 3,\n  "d": 5\n}\n',
    )
    assert shown(Preview(Path("f"), before, after)) == ['   "c": 3,', '-  "d": 4', '+  "d": 5', " }"]


def test_a_preview_hides_the_secrets_of_the_user_and_not_the_token_that_opens_nothing() -> None:
    before = '{\n  "ANTHROPIC_API_KEY": "mine-alone",\n  "X": "sk-ant-0123456789abcdef"\n}'
    after = '{\n  "ANTHROPIC_API_KEY": "",\n  "ANTHROPIC_AUTH_TOKEN": "claude-nvidia-tray"\n}'
    lines = "\n".join(shown(Preview(Path("f"), before, after)))
    assert "mine-alone" not in lines
    assert "0123456789abcdef" not in lines
    assert '+  "ANTHROPIC_AUTH_TOKEN": "claude-nvidia-tray"' in lines


def test_a_preview_says_if_there_is_no_file_or_will_be_none() -> None:
    assert show_preview(Preview(Path("f"), "", "{}"))["is_new"]
    assert show_preview(Preview(Path("f"), "{}", ""))["is_removed"]
    assert show_preview(None) == {"file": "", "is_new": False, "is_removed": False, "lines": []}


def test_all_sessions_are_previewed_switched_on_and_back_in_the_real_app(tmp_path: Path) -> None:
    file = tmp_path / "claude" / "settings.json"
    file.parent.mkdir()
    file.write_text('{\n  "model": "opus"\n}\n')
    with run(tmp_path / "home", "--demo", CLAUDE_CONFIG_DIR=str(file.parent)) as (_, browser):
        preview = browser.act(do="preview_all_sessions", is_on=True).body
        assert preview["file"] == str(file)
        assert {"sign": "-", "text": '  "model": "opus"'} in preview["lines"]
        assert file.read_text() == '{\n  "model": "opus"\n}\n'

        assert browser.act(do="use_for_all_sessions", is_on=True).body["sentence"].startswith("All new sessions")
        wait_state(browser, lambda state: state["facts"]["covers_all_sessions"])
        assert json.loads(file.read_text())["env"]["ANTHROPIC_BASE_URL"] == browser.origin

        undo = browser.act(do="preview_all_sessions", is_on=False).body
        assert {"sign": "+", "text": '  "model": "opus"'} in undo["lines"]
        browser.act(do="use_for_all_sessions", is_on=False)
        assert file.read_text() == '{\n  "model": "opus"\n}\n'


def test_a_settings_file_that_cannot_be_used_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "claude" / "settings.json"
    file.parent.mkdir()
    file.write_text("{damage")
    with run(tmp_path / "home", "--demo", CLAUDE_CONFIG_DIR=str(file.parent)) as (_, browser):
        for action in ("preview_all_sessions", "use_for_all_sessions"):
            answer = browser.act(do=action, is_on=True)
            assert (answer.status, str(file) in answer.sentence) == (400, True)
        assert file.read_text() == "{damage"


def test_the_doctor_of_the_page_names_its_remedies(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    path = f"{tmp_path / 'bin'}{os.pathsep}/bin"
    nobody = "http://127.0.0.1:9/v1/chat/completions"
    with run(tmp_path / "home", UPSTREAM_URL=nobody, PATH=path, CLAUDE_CONFIG_DIR=str(tmp_path)) as (_, browser):
        found = browser.act(do="examine").body
    by_topic: dict[str, Any] = {finding["topic"]: finding for finding in found["findings"]}
    assert not found["is_healthy"]
    assert (by_topic["Gateway"]["level"], by_topic["Gateway"]["remedy"]) == ("ok", "")
    assert (by_topic["NVIDIA API key"]["level"], by_topic["NVIDIA API key"]["remedy"]) == ("fail", "new_key")
    assert (by_topic["NVIDIA"]["level"], by_topic["NVIDIA"]["remedy"]) == ("fail", "examine_again")
    assert "this program's environment" in by_topic["Environment"]["sentence"]
