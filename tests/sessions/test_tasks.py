"""The real Claude Code at work through the running app, its answers from the demo and from a real vLLM."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kit import GLM, MINIMAX, Turn, say, script, with_both_models
from tests.support.stage import NVIDIA_KEY, set_stage
from tests.support.tray_app import APP

pytestmark = [pytest.mark.desktop, pytest.mark.kit]


def work_through(work: Path) -> tuple[Turn, ...]:
    """Write, read, edit and run a file, a command that fails, two calls at once."""
    path = str(work / "hello.py")
    return (
        say("First I write it.", "Writing.", ("Write", {"file_path": path, "content": "print('hello')\n"})),
        say("Now I read it.", "", ("Read", {"file_path": path})),
        say("Change it.", "", ("Edit", {"file_path": path, "old_string": "hello", "new_string": "goodbye"})),
        say("Run it.", "Running.", ("Bash", {"command": f"python3 {path}", "description": "Run it"})),
        say("This fails.", "", ("Bash", {"command": "ls /no-such-folder", "description": "Fail"})),
        say(
            "Two at once.",
            "Both.",
            ("Bash", {"command": "echo first of two", "description": "One"}),
            ("Bash", {"command": "echo second of two", "description": "Two"}),
        ),
        say("All is done.", "THE TASK IS FINISHED"),
    )


def test_the_demo_answers_claude_code_with_the_copied_exports_alone(tmp_path: Path) -> None:
    with set_stage(tmp_path, "--demo", upstreams={}) as stage:
        printed = stage.run("say hello")
        assert "[demo]" in printed
        assert "The tool answered" in printed
        assert not stage.back.passages  # the demo goes nowhere


@with_both_models
def test_claude_code_works_through_a_task(model: str, vllms: dict[str, str], tmp_path: Path) -> None:
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        printed = stage.run(script("Please do the task.", *work_through(stage.work)))
        assert "THE TASK IS FINISHED" in printed
        assert (stage.work / "hello.py").read_text() == "print('goodbye')\n"

        assert {request["model"] for request in stage.chat_requests()} == {model}
        assert (results := stage.results())[3:] == ["goodbye", results[4], "first of two", "second of two"]
        assert "No such file" in results[4]
        # upstream got our key, never the client's
        assert {passage.headers["Authorization"] for passage in stage.back.passages} == {f"Bearer {NVIDIA_KEY}"}


def test_a_click_in_the_menu_moves_a_running_conversation_to_the_other_model(
    vllms: dict[str, str], tmp_path: Path
) -> None:
    with set_stage(tmp_path, upstreams=vllms, model=GLM) as stage:
        exports = stage.exports()
        first = stage.session.run(exports, script("Remember this.", say("Hm.", "I AM THE FIRST ANSWER")))
        assert "I AM THE FIRST ANSWER" in first.stdout, stage.explain(first)
        stage.app.choose(MINIMAX)
        second = stage.session.run(exports, script("Go on.", say("Hm.", "I AM THE SECOND ANSWER")), "--continue")
        assert "I AM THE SECOND ANSWER" in second.stdout, stage.explain(second)

        asked = {passage.request["model"] for passage in stage.answers()}
        assert asked == {GLM}, "Claude Code itself was not told of the switch"
        before, *_, after = stage.chat_requests()
        assert (before["model"], after["model"]) == (GLM, MINIMAX)
        assert any("I AM THE FIRST ANSWER" in str(message["content"]) for message in after["messages"])


def test_claude_code_shows_the_sentence_of_a_missing_key(tmp_path: Path) -> None:
    with set_stage(tmp_path, upstreams={}) as stage:
        del stage.app.desktop.env["PROVIDER_API_KEY"]
        stage.app.desktop.env["CLAUDE_NVIDIA_TRAY_HOME"] += "-2"
        stage.app.desktop.spawn(*APP, "--no-tray", log="keyless")
        stage.app.desktop.wait_log("keyless", "listening on http://")
        done = stage.session.run(stage.app.desktop.run(*APP, "--print-exports", "bash"), "hello")
    assert done.returncode != 0
    assert "has no NVIDIA API key yet" in done.stdout
    assert "set-key" in done.stdout
