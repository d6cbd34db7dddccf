"""What the benchmark works out: its requests, figures, table and picture, and what it says of wrong arguments."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import command, picture, report
from bench.answer import Answer
from bench.conversation import Conversation
from bench.errors import BenchError, GatewayFault
from bench.figures import Summary, divide, find_quantile, summarize
from bench.gateways import OURS, make_environment, read_beside
from bench.load import FROM_START, NEW_SESSIONS, NEXT_TURN, Job, make_requests
from bench.results import Results, read_results
from bench.usage import subtract

ROOT = Path(__file__).resolve().parents[2]

RESULTS = Results(
    gateways=[OURS, "go", "b<c"],
    rounds=3,
    date="2026-01-31",
    machine="a processor, 2 cores, Linux 6",
    versions="Python 3",
    rows={
        "request-200k": {OURS: [2.0, 1.0, 3.0], "go": [4.0, 4.0, 4.0], "b<c": [1.0, 1.0, 1.0]},
        "first-byte": {OURS: [8.0, 8.0, 8.0], "go": [0.5, 0.25, -0.1], "b<c": [1.0, 1.0, 1.0]},
        "icon": {OURS: [0.5, 0.5, 0.5]},
    },
    direct={"first-byte": [0.1, 0.2, 0.3]},
    left_out=["stall: nothing is there."],
    faults=["event-fast: go was away."],
)


def read_messages(body: bytes) -> list[dict[str, object]]:
    messages: list[dict[str, object]] = json.loads(body)["messages"]
    return messages


def test_a_session_says_everything_again_and_one_turn_more() -> None:
    session = Conversation(7, 50_000)
    first, second = session.next_body(), session.next_body()
    assert 50_000 <= len(first) < 55_000
    earlier, later = read_messages(first), read_messages(second)
    assert later[: len(earlier) - 1] == earlier[:-1]
    assert len(later) == len(earlier) + 2
    assert [message["role"] for message in later[:3]] == ["user", "assistant", "user"]
    assert first == Conversation(7, 50_000).next_body() != Conversation(8, 50_000).next_body()


def test_each_result_answers_the_call_before_it() -> None:
    blocks = re.findall(rb'"(?:tool_use_id|id)":"(\w+)"', Conversation(1, 20_000).next_body())
    assert blocks
    assert blocks[::2] == blocks[1::2]


def test_only_the_newest_message_carries_the_mark_for_the_cache() -> None:
    messages = read_messages(Conversation(1, 20_000).next_body())
    assert ["cache_control" in json.dumps(message) for message in messages] == [False] * (len(messages) - 1) + [True]


@pytest.mark.parametrize(
    ("sessions", "sizes"), [(NEXT_TURN, "big big big"), (FROM_START, "small big big"), (NEW_SESSIONS, "small big big")]
)
def test_what_a_gateway_has_seen_before_is_chosen(sessions: str, sizes: str) -> None:
    requests = make_requests(Job(2, 4, 20_000, sessions, port=9), connection=1)
    assert " ".join("big" if len(request) > 20_000 else "small" for request in requests) == sizes
    bodies = [request.partition(b"\r\n\r\n")[2] for request in requests[1:]]
    same = read_messages(bodies[0])[0] == read_messages(bodies[1])[0]
    assert same is (sessions != NEW_SESSIONS)


def test_an_answer_is_read_in_any_pieces() -> None:
    stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
    stream += b'"text":" t100"\n\n"text":" t200 t300"\r\n0\r\n\r\n'
    for size in (1, 3, 7, len(stream)):
        answer = Answer()
        pieces = [stream[begin : begin + size] for begin in range(0, len(stream), size)]
        assert [answer.feed(piece, 1000) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
        assert answer.latencies_ns == [900, 800, 700]


def test_an_answer_ends_with_its_length() -> None:
    answer = Answer()
    assert not answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabc", 1)
    assert answer.feed(b"de", 2)
    assert answer.is_closing
    assert answer.first_ns is None


def test_a_refusal_is_quoted() -> None:
    with pytest.raises(GatewayFault, match="429 too many: wait"):
        Answer().feed(b"HTTP/1.1 429 Too Many\r\nContent-Length: 4\r\n\r\nwait", 1)


def test_quartiles() -> None:
    assert summarize([]) is None
    assert summarize([4.0]) == Summary(4, 4, 4)
    assert summarize([5.0, 1.0, 3.0, 2.0, 4.0]) == Summary(median=3, q1=2, q3=4)
    assert find_quantile([1, 2, 3, 4], 1) == 4
    assert find_quantile([], 0.5) == 0


def test_ratios_are_formed_within_a_round() -> None:
    assert divide([1.0, 6.0, 2.0], [2.0, 2.0, 0.0]) == [0.5, 3.0]


def test_processor_time_of_threads_that_began_meanwhile_counts() -> None:
    assert subtract({(1, 1): 50, (1, 2): 7}, {(1, 1): 20, (1, 3): 99}) == 37


def test_the_table_has_medians_with_quartiles_and_ratios() -> None:
    lines = report.write_table(RESULTS).splitlines()
    assert lines[0] == "| what | unit | Claude NVIDIA Tray | go | b<c | ratio to go | ratio to b<c |"
    figures = "| ms | 2.00 [1.50–2.50] | 4.00 [4.00–4.00] | 1.00 [1.00–1.00] | 0.500 [0.375–0.625] | 2.00 [1.50–2.50] |"
    assert lines[2].endswith(figures)
    assert lines[3].endswith("| 24.0 [20.0–28.0] | 8.00 [8.00–8.00] |")
    assert lines[4].endswith("| s | 0.500 [0.500–0.500] | – | – | – | – |")
    assert len(lines) == 5


def test_the_report_says_what_was_left_out_and_on_what_it_was_measured() -> None:
    text = report.write_report(RESULTS, "assets/bench.svg")
    assert text.startswith("![Ratios of Claude NVIDIA Tray to go and b<c](assets/bench.svg)\n")
    for words in (
        "median of 3 rounds",
        "- stall: nothing is there.",
        "- event-fast: go was away.",
        "a processor, 2 cores",
        "`first-byte` 0.200",
    ):
        assert words in text


def test_every_row_has_one_sentence_of_its_own() -> None:
    assert len({row.name for row in report.ROWS}) == len({row.sentence for row in report.ROWS}) == len(report.ROWS)


def test_the_picture_has_a_bar_for_each_ratio() -> None:
    drawing = ElementTree.fromstring(picture.draw(RESULTS))
    svg = "{http://www.w3.org/2000/svg}"
    bars = [rect for rect in drawing.iter(f"{svg}rect") if rect.get("height") != "10"]
    assert [bar.get("class") for bar in bars] == ["bar0", "bar1"] * 2
    texts = [text.text for text in drawing.iter(f"{svg}text")]
    assert {"request-200k", "first-byte", "0.50", "24.00", "1/2", "b<c"} <= set(texts)
    assert "icon" not in texts
    one, half, double = (picture.Scale(picture.collect_bars(RESULTS)).place(ratio) for ratio in (1, 0.5, 2))
    assert one - half == pytest.approx(double - one)


def test_there_is_no_picture_without_another_gateway() -> None:
    assert picture.draw(Results([OURS], 1, rows={"icon": {OURS: [1.0]}})) == ""


def test_results_are_read_as_they_were_saved(tmp_path: Path) -> None:
    RESULTS.save(tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == RESULTS


def test_missing_and_foreign_results_are_told(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no saved results"):
        read_results(tmp_path / "results.json")
    (tmp_path / "results.json").write_text('{"other": 1}', encoding="utf-8")
    with pytest.raises(BenchError, match="of this version"):
        read_results(tmp_path / "results.json")


def test_table_and_picture_are_put_where_they_belong(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        command.write_files(RESULTS, tmp_path)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{report.BEGIN}\n\n![")
    assert text.endswith(f"\n{report.END}\nafter\n")
    assert "old" not in text
    assert text.count("| what |") == 1
    assert (tmp_path / "assets" / "bench.svg").read_text(encoding="utf-8") == picture.draw(RESULTS)


def test_the_readme_has_the_marks() -> None:
    report.replace_section((ROOT / "README.md").read_text(encoding="utf-8"), "")
    with pytest.raises(BenchError, match="lacks the two marks"):
        report.replace_section("nothing", "")


def test_a_case_stands_for_all_its_rows() -> None:
    assert report.choose_rows("latency-1, icon") == {"latency-1-p50", "latency-1-p99", "icon"}
    assert report.choose_rows("latency-1-p50") == {"latency-1-p50"}


def test_another_gateway_is_told_where_to_listen() -> None:
    maker = read_beside("go=/opt/go --listen 127.0.0.1:{port} '{upstream}'")
    assert maker.fill(80, "http://up") == ["/opt/go", "--listen", "127.0.0.1:80", "http://up"]
    env = make_environment({"SERVER_API_KEY": "x", "PATH": "/bin"}, 80, "http://up")
    assert (env["ADDR"], env["UPSTREAM_URL"], env["PATH"]) == ("127.0.0.1:80", "http://up", "/bin")
    assert "SERVER_API_KEY" not in env


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--only request-200k,nothing", "There is no row 'nothing'. The rows are: request-200k, "),
        ("--only ,", "--only names no row."),
        ("--rounds 0", "--rounds wants a number of at least 1."),
        ("--rounds many", "Argument --rounds: invalid int value: 'many'. See"),
        ("--beside /path", "--beside wants NAME=COMMAND"),
        ("--beside a='", "The command of --beside a cannot be read"),
        ("--beside this=/path", "Two gateways are called 'this' (the name of this checkout's gateway)"),
        ("--beside a=/x --beside a=/y", "Two gateways are called 'a': give each"),
        ("--write --only icon", "--write puts the whole table into README.md"),
        ("--report --write", "--report measures nothing"),
        ("--swift", "Unrecognized arguments: --swift. See"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(words: str, sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert command.main(words.split()) == 1
    assert sentence in capfd.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark is for Linux")
def test_a_gateway_that_does_not_start_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "first-answer", "--beside", "no=/nowhere/gateway"]) == 1
    assert "no cannot be started: /nowhere/gateway: No such file or directory." in capfd.readouterr().err


def test_help_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--help"]) == 0
    assert "--beside NAME=COMMAND" in capfd.readouterr().out
