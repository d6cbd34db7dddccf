"""The user's own settings file of Claude Code keeps its form."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tray_app.claude_code.user_settings import read_settings, write_settings
from tray_app.errors import ClaudeSettingsError

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="file modes and links of POSIX")

FORMS = {
    "two spaces": '{\n  "a": {\n    "b": 1\n  }\n}\n',
    "four spaces, no final newline": '{\n    "a": {\n        "b": 1\n    }\n}',
    "tabs": '{\n\t"a": {\n\t\t"b": 1\n\t}\n}\n\n',
    "CR LF": '{\r\n  "a": {\r\n    "b": 1\r\n  }\r\n}\r\n',
    "one line": '{"a": {"b": 1}}',
    "compact": '{"a":{"b":1}}\n',
    "BOM": '\ufeff{\n  "a": "é"\n}\n',
    "escapes": '{\n  "a": "\\u00e9 \\ud83d\\ude00"\n}\n',
    "half a pair beside a letter": '{\n  "a": "\\u00e9 \\ud83d"\n}\n',
    "empty object": "{}\n",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_the_form_of_the_file_is_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(text.encode())
    found = read_settings(path)
    assert found.render(found.value) == text.encode()
    more = {**found.value, "z": "é\ud83d"}
    path.write_bytes(found.render(more))
    assert read_settings(path).value == more


def test_a_missing_or_empty_file_holds_no_settings(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    assert read_settings(path).raw is None
    assert read_settings(path).render({"a": 1}) == b'{\n  "a": 1\n}\n'
    path.write_bytes(b" \n")
    assert read_settings(path).value == {}
    assert json.loads(read_settings(path).render({"a": 1})) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": 1,}', "it is not valid JSON"),
        (b'{"a": "\xff"}', "it is not valid JSON"),
        (b"[" * 100_000, "it is not valid JSON"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"env": {"a": 1, "a": 2}}', 'it names "a" twice'),
        (b"[]", "it does not hold a JSON object"),
        (b"null", "it does not hold a JSON object"),
    ],
)
def test_a_file_that_cannot_be_written_again_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    with pytest.raises(ClaudeSettingsError) as caught:
        read_settings(path)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClaudeSettingsError, match="cannot be read"):
        read_settings(tmp_path)


@posix_only
def test_a_link_stays_a_link_and_the_mode_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "dotfiles" / "claude.json", tmp_path / "settings.json"
    target.parent.mkdir()
    target.write_text("{}")
    target.chmod(0o640)
    link.symlink_to(target)
    write_settings(link, b'{"a": 1}')
    assert link.is_symlink()
    assert target.read_text() == '{"a": 1}'
    assert target.stat().st_mode & 0o7777 == 0o640


@posix_only
def test_only_the_owner_can_read_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.json"
    write_settings(path, b"{}")
    assert path.stat().st_mode & 0o7777 == 0o600


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "in the way").touch()
    path = tmp_path / "in the way" / "settings.json"
    with pytest.raises(ClaudeSettingsError, match="cannot be written"):
        write_settings(path, b"{}")
