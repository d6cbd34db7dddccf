"""The board where it stands what is going on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tray_app.status import Phase, Status, StatusBoard, Trouble, Wait

KEY, PORT = Trouble("Add a key…", "There is no key."), Trouble("Port taken…", "The port is taken.")


def test_subscribers_hear_of_a_change_and_only_of_a_change() -> None:
    board, heard = StatusBoard(), list[Status]()
    board.subscribe(heard.append)
    board.publish(phase=Phase.RUNNING, url="http://127.0.0.1:3001")
    board.publish(phase=Phase.RUNNING)
    assert heard == [Status(phase=Phase.RUNNING, url="http://127.0.0.1:3001")]
    assert board.status == heard[0]


def test_the_first_trouble_is_the_one_that_shows_until_it_is_over() -> None:
    board = StatusBoard()
    assert board.status.trouble is None
    board.report("key", KEY)
    board.report("start", PORT)
    assert board.status.trouble is KEY
    board.report("key", None)
    assert board.status.trouble is PORT
    board.report("start", None)
    board.report("start", None)
    assert board.status.trouble is None


def test_a_trouble_that_changes_keeps_its_rank() -> None:
    board = StatusBoard()
    board.report("key", KEY)
    board.report("start", PORT)
    board.report("key", other := Trouble("Refused…", "The key is refused."))
    assert [trouble for _, trouble in board.status.troubles] == [other, PORT]


def test_the_longest_wait_is_told_unless_there_is_trouble() -> None:
    wait = Wait("GLM 4.7", waiting=2, longest_s=12, used=31, limit=40)
    status = Status(waits=(wait, Wait("MiniMax M2.1", waiting=1, longest_s=3, used=40, limit=40)))
    assert status.trouble is None
    assert status.notice == Trouble(
        "Waiting for NVIDIA's rate limit, 12 s",
        "31 of 40 requests this minute went to GLM 4.7; 2 wait. Nothing is lost: they go on by themselves. "
        "Fewer agents at once wait less.",
    )
    assert Status(waits=(wait,), troubles=(("key", KEY),)).notice is KEY
    assert Status().notice is None
    assert "; 1 waits." in status.waits[1].notice.sentence


def test_requests_of_many_threads_are_all_counted() -> None:
    board = StatusBoard()
    with ThreadPoolExecutor(8) as pool:
        for step in [+1] * 500 + [-1] * 499:
            pool.submit(board.count_request, step)
    assert board.status.active_requests == 1
