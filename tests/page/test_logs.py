"""The log on the page: its end only, read from the end, and without keys."""

from __future__ import annotations

from pathlib import Path

from tests.support.page import Browser, NotingDesk
from tray_app.page.actions import PageFacts
from tray_app.page.views.logs import MOST_LINES, read_lines, show_log

SECRET = "key-that-nobody-may-see"


def line(text: str, level: str = "INFO") -> str:
    return f"2026-11-28 10:20:30,123 {level:<7} {text}\n"


def test_records_have_their_time_level_and_text_and_keep_their_tracebacks(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text(line("hello") + line("it failed", "ERROR") + "    Traceback\n    ValueError\n", encoding="utf-8")
    assert show_log(file, (), "")["records"] == [
        {"day": "2026-11-28", "time": "10:20:30", "level": "INFO", "text": "hello"},
        {
            "day": "2026-11-28",
            "time": "10:20:30",
            "level": "ERROR",
            "text": "it failed\n    Traceback\n    ValueError",
        },
    ]


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_bytes(line("hello").replace("\n", "\r\n").encode() * 2)
    assert [record["text"] for record in show_log(file, (), "")["records"]] == ["hello", "hello"]


def test_only_the_newest_lines_are_shown_also_if_a_new_file_was_begun(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.with_name("a.log.1").write_text("".join(line(f"old {number}") for number in range(600)), encoding="utf-8")
    file.write_text("".join(line(f"new {number}") for number in range(100)), encoding="utf-8")
    texts = [record["text"] for record in show_log(file, (), "")["records"]]
    assert len(texts) == MOST_LINES
    assert (texts[0], texts[399], texts[400], texts[-1]) == ("old 200", "old 599", "new 0", "new 99")


def test_of_a_file_with_very_long_lines_only_the_end_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text("".join(line("x" * 9_000) for _ in range(200)) + line("the end"), encoding="utf-8")
    lines = read_lines(file, MOST_LINES)
    assert sum(map(len, lines)) <= 512 * 1024
    assert lines[0].startswith("2026-11-28")  # a line that is cut is left out
    assert lines[-1].endswith("the end")


def test_if_nothing_was_logged_since_the_answer_is_short(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text(line("hello"), encoding="utf-8")
    mark = show_log(file, (), "")["mark"]
    assert show_log(file, (), mark)["records"] is None
    file.write_text(line("hello") + line("again"), encoding="utf-8")
    assert len(show_log(file, (), mark)["records"]) == 2


def test_without_a_log_there_are_no_records(tmp_path: Path) -> None:
    shown = show_log(tmp_path / "none.log", (), "")
    assert (shown["mark"], shown["records"]) == ("", [])


def test_a_key_in_the_log_is_hidden_and_markup_stays_text(browser: Browser, desk: NotingDesk, tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text(line("nvapi-abcdefghijkl") + line("<img src=x onerror=alert(1)>"), encoding="utf-8")
    desk.facts = PageFacts(log_file=file)
    records = browser.read("/page/log")["records"]
    assert [record["text"] for record in records] == ["nvapi-[hidden]", "<img src=x onerror=alert(1)>"]
    file.write_text(line(f"the key is {SECRET}"), encoding="utf-8")
    assert SECRET not in str(show_log(file, (SECRET,), ""))
