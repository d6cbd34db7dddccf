"""The texts and the marks of the menu, and the tooltip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from tray_app.catalog import UNKNOWN
from tray_app.history.sums import DaySum
from tray_app.settings.settings import Settings
from tray_app.status.board import Failing, Phase, Status, Topic, Trouble
from tray_app.status.findings import Finding, Findings, ModelTrouble, Unavailability
from tray_app.status.progress import Delay, RequestProgress
from tray_app.tray.menu import SEPARATOR, Command, Item, Menu, MenuFacts, build_menu, build_tooltip

RUNNING = Status(phase=Phase.RUNNING, url="http://127.0.0.1:3001")
REFUSED_KEY = Trouble("NVIDIA refused the key – fix…", "NVIDIA refused your API key.")
WAITING = RequestProgress("nvidia", "z-ai/glm4.7", "GLM 4.7", delay=Delay.RATE_LIMIT, delayed_s=12)
NO_KEY = Trouble("Add your NVIDIA API key…", "There is no key.")
GLM_RETIRED = replace(RUNNING, model_troubles=(("z-ai/glm4.7", ModelTrouble(Unavailability.RETIRED, "2026-05-14")),))
UNFOLLOWED = Settings(follow_successors=False)
FACTS = MenuFacts("bash", PurePosixPath("/home/me"), {"fish": "fish", "undo": "Undo Line"})
GLM_NOT_LISTED = replace(RUNNING, listed_models=frozenset({"minimaxai/minimax-m2.1", "z-ai/glm-5.3"}))


def show(menu: Menu) -> list[str]:
    """Returns the menu as a user sees it: check marks in front, and texts without a command in brackets."""
    lines = []
    for item in filter(lambda item: item.is_visible, menu):
        has_command = item.command or item.children
        mark = {None: "", True: "● " if item.is_radio else "✓ ", False: "○ " if item.is_radio else "□ "}[item.checked]
        lines.append("---" if item is SEPARATOR else f"{mark}{item.label}" if has_command else f"({item.label})")
        lines += [f"    {line}" for line in show(item.children)]
    return lines


def test_the_whole_menu() -> None:
    assert show(build_menu(RUNNING, Settings(), FACTS)) == [
        "(Running on 127.0.0.1:3001)",
        "---",
        "● GLM 4.7",
        "○ MiniMax M2.1",
        "More Models",
        "    Look Again",
        "---",
        "Open Page",
        "Open Claude Code in Terminal",
        "Copy Claude Code Exports (bash)",
        "Copy Exports For",
        "    fish",
        "    Undo Line",
        "---",
        "□ Log Request Bodies",
        "More",
        "    □ Use for All Claude Code Sessions",
        "    □ Pause",
        "    □ Start at Login",
        "    □ Other Programs Choose Their Own Model",
        "    Open Log Folder",
        "---",
        "Quit",
    ]


@pytest.mark.parametrize(
    ("today", "lines"),
    [
        (None, []),
        (DaySum("2026-11-27"), []),
        (DaySum("2026-11-27", requests=1), ["(Today: 1 request)"]),
        (
            DaySum("2026-11-27", requests=14, tokens_in=182_000, tokens_out=9_000),
            ["(Today: 14 requests · 182k in · 9k out)"],
        ),
        (DaySum("2026-11-27", requests=1400, tokens_in=0), ["(Today: 1,400 requests · 0 in)"]),
    ],
)
def test_the_second_line_tells_of_today_once_there_was_a_request(today: DaySum | None, lines: list[str]) -> None:
    menu = show(build_menu(RUNNING, Settings(), replace(FACTS, today=today)))
    assert menu[1 : menu.index("---")] == lines


def test_a_click_on_the_icon_opens_the_page_unless_the_user_never_wants_it() -> None:
    for serve_page in ("local", "always"):
        menu = build_menu(RUNNING, Settings(serve_page=serve_page), FACTS)
        [default] = [item for item in flatten(menu) if item.is_default]
        assert (default.label, default.command, default.is_visible) == ("Open Page", Command.OPEN_PAGE, True)
    assert "Open Page" not in show(build_menu(RUNNING, Settings(serve_page="never"), FACTS))


def test_the_marks_follow_the_settings() -> None:
    settings = Settings(model="minimaxai/minimax-m2.1", clients_choose_model=True, log_bodies=True)
    lines = show(build_menu(RUNNING, settings, replace(FACTS, shell="fish")))
    assert lines[2:5] == ["○ GLM 4.7", "● MiniMax M2.1", "More Models"]
    assert "✓ Log Request Bodies" in lines
    assert "    ✓ Other Programs Choose Their Own Model" in lines
    assert "Copy Claude Code Exports (fish)" in lines


@pytest.mark.parametrize(
    ("status", "line", "tooltip"),
    [
        (Status(), "(Starting…)", "GLM 4.7 · starting…"),
        (RUNNING, "(Running on 127.0.0.1:3001)", "GLM 4.7 · running on 127.0.0.1:3001"),
        (
            replace(RUNNING, active_requests=2),
            "(Running on 127.0.0.1:3001 · 2 active)",
            "GLM 4.7 · running on 127.0.0.1:3001 · 2 active",
        ),
        (
            replace(RUNNING, is_demo=True),
            "(Demo: no model, running on 127.0.0.1:3001)",
            "GLM 4.7 · demo: no model, running on 127.0.0.1:3001",
        ),
        (replace(RUNNING, url="http://[::1]:3001"), "(Running on [::1]:3001)", "GLM 4.7 · running on [::1]:3001"),
        (
            replace(RUNNING, troubles=((Topic.KEY, NO_KEY),)),
            "Add your NVIDIA API key…",
            "GLM 4.7 · add your NVIDIA API key…",
        ),
        (
            replace(RUNNING, troubles=((Topic.REFUSED_KEY, REFUSED_KEY),)),
            "NVIDIA refused the key – fix…",
            "GLM 4.7 · NVIDIA refused the key – fix…",
        ),
        (GLM_RETIRED, "(Running on 127.0.0.1:3001)", "GLM 5.3 Flash · running on 127.0.0.1:3001"),
        (GLM_NOT_LISTED, "(Running on 127.0.0.1:3001)", "GLM 4.7 · running on 127.0.0.1:3001"),
        (
            replace(RUNNING, active_requests=3, requests=(WAITING,)),
            "Waiting for NVIDIA's rate limit, 12 s",
            "GLM 4.7 · waiting for NVIDIA's rate limit, 12 s",
        ),
        (
            replace(RUNNING, is_paused=True, troubles=((Topic.KEY, NO_KEY),), requests=(WAITING,)),
            "Paused – resume",
            "GLM 4.7 · paused – resume",
        ),
        (Status(phase=Phase.STOPPED, is_paused=True), "(Not running)", "GLM 4.7 · not running"),
        (Status(phase=Phase.STOPPED), "(Not running)", "GLM 4.7 · not running"),
        (
            Status(phase=Phase.QUITTING, troubles=((Topic.KEY, NO_KEY),)),
            "(Quitting…)",
            "GLM 4.7 · add your NVIDIA API key…",
        ),
    ],
    ids=[
        "starting",
        "running",
        "active",
        "demo",
        "IPv6",
        "trouble",
        "name",
        "retired and followed",
        "not listed",
        "waiting",
        "paused",
        "paused and stopped",
        "stopped",
        "quitting",
    ],
)
def test_the_first_line_shows_the_state(status: Status, line: str, tooltip: str) -> None:
    assert show(build_menu(status, Settings(), FACTS))[0] == line
    assert build_tooltip(status, Settings()) == tooltip


@pytest.mark.parametrize(
    ("active", "label"), [(0, "Quit"), (1, "Quit (1 request active)"), (2, "Quit (2 requests active)")]
)
def test_quit_says_how_many_requests_it_would_end(active: int, label: str) -> None:
    assert build_menu(replace(RUNNING, active_requests=active), Settings(), FACTS)[-1].label == label


def test_items_do_not_move_while_one_of_the_defaults_is_set() -> None:
    statuses = [
        Status(),
        replace(RUNNING, active_requests=3, troubles=((Topic.KEY, NO_KEY),)),
        Status(phase=Phase.QUITTING),
        GLM_RETIRED,
        GLM_NOT_LISTED,
    ]
    settings = [Settings(), Settings(model="minimaxai/minimax-m2.1", log_bodies=True, clients_choose_model=True)]
    shapes = {
        tuple((item is SEPARATOR, item.is_radio and item.argument) for item in build_menu(status, chosen, FACTS))
        for status in statuses
        for chosen in settings
    }
    assert len(shapes) == 1


def test_a_model_beside_the_defaults_is_offered_while_it_is_set() -> None:
    lines = show(build_menu(RUNNING, Settings(model="moonshotai/kimi-k3"), FACTS))
    assert lines[2:6] == ["○ GLM 4.7", "○ MiniMax M2.1", "● Kimi K3", "More Models"]


def test_the_users_own_models_follow_the_defaults_and_hidden_ones_are_gone() -> None:
    own = replace(UNKNOWN, id="lab/own", label="Own", letter="O", in_menu=True)
    glm, minimax = Settings().catalog.offered(Settings().selected_model)
    settings = Settings(models=(own, replace(minimax, in_menu=False), replace(glm, label="GLM")))
    assert show(build_menu(RUNNING, settings, FACTS))[2:5] == ["● GLM", "○ Own", "More Models"]


def test_models_that_the_user_has_hidden_are_in_no_part_of_the_menu() -> None:
    found = Findings({"x-lab/seer-2": Finding(True, True), "x-lab/seer-3": Finding(True, True)})
    settings = Settings(hidden_models=("minimaxai/minimax-m2.1", "x-lab/seer-2"), model_order=("x-lab/seer-3",))
    lines = show(build_menu(replace(RUNNING, findings=found), settings, FACTS))
    assert lines[2:6] == ["● GLM 4.7", "More Models", "    ○ Seer 3", "    ---"]


@pytest.mark.parametrize(
    ("status", "settings", "lines"),
    [
        (GLM_RETIRED, UNFOLLOWED, ["Switch to GLM 5.3 Flash", "---", "● GLM 4.7 (retired)", "○ MiniMax M2.1"]),
        (GLM_RETIRED, Settings(), ["---", "● GLM 4.7 (retired): GLM 5.3 Flash", "○ MiniMax M2.1"]),
        (GLM_NOT_LISTED, Settings(), ["Switch to GLM 5.3", "---", "● GLM 4.7 (retired)", "○ MiniMax M2.1"]),
        (
            replace(RUNNING, model_troubles=(("z-ai/glm4.7", ModelTrouble(Unavailability.NOT_SERVED)),)),
            Settings(model="minimaxai/minimax-m2.1"),
            ["---", "○ GLM 4.7 (not served): GLM 5.3 Flash", "● MiniMax M2.1"],
        ),
        (
            GLM_RETIRED,
            Settings(model="z-ai/glm-5.2"),
            ["---", "○ GLM 4.7 (retired): GLM 5.3 Flash", "○ MiniMax M2.1", "● GLM 5.2"],
        ),
        (
            GLM_RETIRED,
            Settings(aliases={"z-ai/glm4.7": "z-ai/glm-5.2"}),
            ["---", "● GLM 5.2", "○ MiniMax M2.1"],
        ),
    ],
    ids=["retired", "retired and followed", "not listed", "another one", "switched", "replaced by an alias"],
)
def test_a_model_that_is_unavailable_says_so_and_its_successor_is_one_click_away(
    status: Status, settings: Settings, lines: list[str]
) -> None:
    assert show(build_menu(status, settings, FACTS))[1 : len(lines) + 1] == lines


def test_more_models_are_those_that_answer_best_first_with_their_figures() -> None:
    found = {
        "poolside/laguna-xs-2.1": Finding(answers=True, calls_tools=True, first_token_s=2.0),
        "nvidia/nemotron-3-ultra-550b-a55b": Finding(True, True, first_token_s=1.4, asked=120, succeeded=116),
        "x-lab/seer-2": Finding(answers=True, calls_tools=False),
        "z-ai/glm4.7": Finding(answers=True, calls_tools=True, today=1234),
        "z-ai/glm-5.2": Finding(answers=False),
    }
    status = replace(RUNNING, findings=Findings(found), listed_models=frozenset(found))
    [more] = [item for item in build_menu(status, Settings(), FACTS) if item.label == "More Models"]
    assert show(more.children) == [
        "○ Nemotron 3 Ultra · 97 % of 120, 1.4 s",
        "○ Laguna XS 2.1 · 2.0 s",
        "○ Seer 2 · no tools",
        "---",
        "Look Again",
    ]
    assert [item.argument for item in more.children[:3]] == [
        "nvidia/nemotron-3-ultra-550b-a55b",
        "poolside/laguna-xs-2.1",
        "x-lab/seer-2",
    ]
    assert build_tooltip(status, Settings()) == "GLM 4.7 · running on 127.0.0.1:3001 · 1,234 of about 10,000 today"


def test_the_click_chooses_the_successor() -> None:
    item = build_menu(GLM_RETIRED, UNFOLLOWED, FACTS)[1]
    assert (item.command, item.argument) == (Command.CHOOSE_MODEL, "z-ai/glm-5.3-flash")


def flatten(menu: Menu) -> list[Item]:
    """Returns all items, each submenu after the item that opens it."""
    return [line for item in menu for line in (item, *flatten(item.children))]


def test_the_marks_in_the_submenu_follow_the_machine() -> None:
    facts = replace(FACTS, starts_at_login=True, covers_all_sessions=True)
    lines = show(build_menu(RUNNING, Settings(), facts))
    assert {"    ✓ Use for All Claude Code Sessions", "    ✓ Start at Login"} <= set(lines)


def test_a_form_of_the_exports_is_copied_by_its_key() -> None:
    items = flatten(build_menu(RUNNING, Settings(), FACTS))
    copies = [(item.label, item.argument) for item in items if item.command is Command.COPY_EXPORTS]
    assert copies == [("Copy Claude Code Exports (bash)", ""), ("fish", "fish"), ("Undo Line", "undo")]


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("/home/me", "~"),
        ("/home/me/shop", "~/shop"),
        ("/home/mean", "/home/mean"),
        ("/", "/"),
        ("/home/me/work/clients/north/2026/web/shop/checkout", "~/…/clients/north/2026/web/shop/checkout"),
        ("/srv/a/very/long/way/down/to/a/certain/folder", "/…/long/way/down/to/a/certain/folder"),
        ("/srv/" + "x" * 50, "…" + "x" * 39),
    ],
)
def test_a_recent_folder_is_shown_by_its_ends_and_opened_by_its_path(folder: str, label: str) -> None:
    menu = build_menu(RUNNING, Settings(), replace(FACTS, recent_folders=(PurePosixPath(folder),)))
    [item] = next(item for item in menu if item.label == "Open Claude Code In").children
    assert (item.command, item.argument) == (Command.OPEN_CLAUDE_CODE, folder)
    assert item.label == label


def test_no_submenu_has_a_submenu() -> None:
    menu = build_menu(RUNNING, Settings(), replace(FACTS, recent_folders=(PurePosixPath("/srv"),)))
    assert not [line for item in menu for line in item.children if line.children]


def test_every_command_can_be_reached() -> None:
    menu = build_menu(replace(RUNNING, troubles=((Topic.KEY, NO_KEY),)), Settings(), FACTS)
    assert {item.command for item in flatten(menu)} - {None} == set(Command)


def test_labels_fit_a_menu() -> None:
    busy = replace(RUNNING, active_requests=99, is_demo=True)
    for status in (busy, GLM_RETIRED):
        menu = build_menu(status, Settings(), replace(FACTS, shell="powershell"))
        assert all(len(item.label) <= 60 for item in flatten(menu))


def test_one_click_leads_to_another_model_while_the_selected_one_keeps_failing() -> None:
    failing = replace(RUNNING, failing=(Failing("z-ai/glm4.7", "NVIDIA is overloaded"),))
    assert show(build_menu(failing, Settings(), FACTS))[:2] == [
        "GLM 4.7 keeps failing – choose a model…",
        "Switch to GLM 5.3 Flash",
    ]
    retried = replace(WAITING, delay=Delay.RETRIES, failure="NVIDIA is overloaded", tries=4, delayed_s=110)
    assert show(build_menu(replace(failing, requests=(retried,)), Settings(), FACTS))[:2] == [
        "NVIDIA is overloaded, try 4, 110 s",
        "Switch to GLM 5.3 Flash",
    ]
    assert build_tooltip(replace(failing, requests=(retried,)), Settings()) == (
        "GLM 4.7 · NVIDIA is overloaded, try 4, 110 s"
    )
