"""The log file: its lines, its size and its permissions."""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import LogFile
from tray_app.app.log_file import FILE_NAME, RedactingFormatter, close_log, open_log

log = logging.getLogger("tray_app.somewhere")

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="file modes, links and pipes of POSIX")


def test_a_line_has_a_time_and_a_level(log_file: LogFile) -> None:
    log.info("hello")
    log.debug("too much")
    assert log_file.text.endswith(" INFO    hello\n")


def test_a_key_reaches_neither_a_line_nor_a_traceback(log_file: LogFile) -> None:
    log_file.formatter.secrets = frozenset({"my-server-key"})
    try:
        raise ValueError("my-server-key and nvapi-0123456789")
    except ValueError:
        log.exception("failed with %s", "my-server-key")
    assert "ValueError: [hidden] and nvapi-[hidden]" in log_file.text
    assert "my-server-key" not in log_file.text


LINE = "2026-01-01 00:00:00,000 INFO    forged"
FORGING = [f"{end}{LINE}" for end in ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029")]


@pytest.mark.parametrize("text", FORGING, ids=ascii)
def test_no_text_can_forge_a_line_of_the_log(log_file: LogFile, text: str) -> None:
    log.info("upstream said: %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("failed with %s", text)
    lines = log_file.text.splitlines()
    assert sum(LINE in line for line in lines) >= 3
    assert not any(line.startswith(LINE) for line in lines)


def test_no_text_can_move_the_cursor_or_hide_other_text(log_file: LogFile) -> None:
    log.info("a\x1b[1A\x9b2K\x08\u202eb\u200bc\tand Grüße")
    assert log_file.text.endswith("INFO    a\\x1b[1A\\x9b2K\\x08\\u202eb\\u200bc\\tand Grüße\n")


def test_a_traceback_keeps_its_lines(log_file: LogFile) -> None:
    try:
        raise ValueError("wrong")
    except ValueError:
        log.exception("a fault")
    lines = log_file.text.splitlines()
    assert lines[0].endswith("ERROR   a fault")
    assert lines[1] == "    Traceback (most recent call last):"
    assert lines[-1] == "    ValueError: wrong"


def test_a_key_that_is_split_or_encoded_does_not_reach_the_log(log_file: LogFile) -> None:
    log_file.formatter.secrets = frozenset({"my-server-key"})
    log.info("%s, %r, %s", "my-\nserver-\u200bkey", "my-server\t-key", b"my-server-key".hex())
    assert log_file.text.endswith("INFO    [hidden], '[hidden]', [hidden]\n")


@pytest.mark.parametrize("name", ["aiohttp.server", "asyncio"])
def test_what_the_libraries_report_goes_into_the_file_and_not_on_the_terminal(
    log_file: LogFile, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger(name).error("a bad request with Bearer 0123456789")
    assert "a bad request with Bearer [hidden]" in log_file.text
    assert capsys.readouterr() == ("", "")


def test_half_of_a_surrogate_pair_can_be_logged(log_file: LogFile) -> None:
    log.info("half %s", "\ud83d")
    assert "half \\ud83d" in log_file.text


def test_a_new_file_begins_when_the_log_has_its_full_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tray_app.app.log_file._FILE_BYTES", 1_000)
    handler = open_log(tmp_path, RedactingFormatter())
    for _ in range(100):
        log.info("x" * 200)
    close_log(handler)
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == [FILE_NAME, *(f"{FILE_NAME}.{n}" for n in (1, 2, 3))]
    line_bytes = len("2026-01-01 00:00:00,000 INFO    \n") + 200
    assert all(file.stat().st_size < 1_000 + line_bytes for file in tmp_path.iterdir())


def test_no_line_is_lost_while_somebody_reads_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses to rename a file that is open. On other systems the test makes the renaming fail."""
    monkeypatch.setattr("tray_app.app.log_file._FILE_BYTES", 1_000)
    handler = open_log(tmp_path, RedactingFormatter())
    log.info("line 0")
    with (tmp_path / FILE_NAME).open(), monkeypatch.context() as patch:
        if sys.platform != "win32":
            patch.setattr(os, "rename", refuse)
        for number in range(1, 30):
            log.info("line %d %s", number, "x" * 100)
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]
    log.info("line 30")
    close_log(handler)
    text = "".join((tmp_path / name).read_text(encoding="utf-8") for name in (f"{FILE_NAME}.1", FILE_NAME))
    assert [int(number) for number in re.findall(r"line (\d+)", text)] == list(range(31))


def refuse(*_: object) -> None:
    raise PermissionError(13, "The process cannot access the file because it is being used by another process")


def test_a_folder_that_cannot_be_written_means_no_log(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    handler = open_log(tmp_path / "logs", RedactingFormatter())
    assert handler is None
    close_log(handler)


@posix_only
def test_only_the_owner_can_read_the_log_even_after_a_new_file_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.app.log_file._FILE_BYTES", 1_000)
    folder = tmp_path / "a" / "logs"
    before = os.umask(0)
    try:
        handler = open_log(folder, RedactingFormatter())
        for _ in range(30):
            log.info("x" * 200)
    finally:
        os.umask(before)
        close_log(handler)
    assert [path.stat().st_mode & 0o777 for path in (folder.parent, folder)] == [0o700] * 2
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600] * 4


@posix_only
def test_a_log_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    files = [tmp_path / FILE_NAME, tmp_path / f"{FILE_NAME}.1", tmp_path / "somebody's notes"]
    for file in files:
        file.touch()
        file.chmod(0o644)
    tmp_path.chmod(0o777)
    close_log(open_log(tmp_path, RedactingFormatter()))
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600, 0o644]


@posix_only
def test_nothing_is_written_through_a_link_or_into_a_pipe(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / FILE_NAME).symlink_to(precious)
    assert open_log(tmp_path, RedactingFormatter()) is None
    assert precious.read_text() == "precious"
    (tmp_path / FILE_NAME).unlink()
    os.mkfifo(tmp_path / FILE_NAME)
    reader = os.open(tmp_path / FILE_NAME, os.O_RDONLY | os.O_NONBLOCK)
    assert open_log(tmp_path, RedactingFormatter()) is None
    os.close(reader)
