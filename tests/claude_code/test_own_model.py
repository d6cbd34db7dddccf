"""The model in the user's own settings before and after a session in which another one was picked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tray_app.claude_code.own_model import own_model_kept

OURS = ("nvidia", "z-ai/glm4.7")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{\n  "model": "opus",\n  "theme": "dark"\n}\n', '{\n  "model": "z-ai/glm4.7",\n  "theme": "dark"\n}\n'),
        ('{\n  "theme": "dark"\n}\n', '{\n  "theme": "dark",\n  "model": "nvidia"\n}\n'),
        ("{}\n", '{\n  "model": "nvidia"\n}\n'),
    ],
)
def test_what_was_picked_in_a_session_is_taken_back(file: Path, tmp_path: Path, before: str, after: str) -> None:
    file.write_text(before)
    with own_model_kept(tmp_path / "state", file, OURS):
        file.write_text(after)
    assert file.read_text() == before


def test_a_file_that_only_holds_what_was_picked_is_removed(file: Path, tmp_path: Path) -> None:
    with own_model_kept(tmp_path / "state", file, OURS):
        file.write_text('{"model": "nvidia"}')
    assert not file.exists()


def test_what_a_crashed_run_left_is_taken_back_by_the_next_one(file: Path, tmp_path: Path) -> None:
    file.write_text('{"model": "opus"}')
    crashed = own_model_kept(tmp_path / "state", file, OURS)
    crashed.__enter__()
    file.write_text('{"model": "nvidia"}')
    with own_model_kept(tmp_path / "state", file, OURS):
        assert file.read_text() == '{"model": "opus"}'


@pytest.mark.parametrize("model", ["sonnet", "z-ai/glm4.7"], ids=["Anthropic's", "ours"])
def test_a_model_that_the_user_chose_stays(file: Path, tmp_path: Path, model: str) -> None:
    text = f'{{"model": "{model}", "theme": "dark"}}'
    file.write_text(text)
    for _ in range(2):
        with own_model_kept(tmp_path / "state", file, OURS):
            pass
    assert file.read_text() == text


def test_a_model_that_the_user_chose_during_a_session_stays(file: Path, tmp_path: Path) -> None:
    with own_model_kept(tmp_path / "state", file, OURS):
        file.write_text('{"model": "opus"}')
    with own_model_kept(tmp_path / "state", file, OURS):
        file.write_text('{"model": "nvidia"}')
    assert file.read_text() == '{"model": "opus"}'


@pytest.mark.parametrize("damage", ["damage", "[1]"])
def test_a_damaged_file_stays_as_it_is(file: Path, tmp_path: Path, damage: str) -> None:
    file.write_text(damage)
    with own_model_kept(tmp_path / "state", file, OURS):
        pass
    assert file.read_text() == damage
