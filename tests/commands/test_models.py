"""The commands models and model: the table, the choice by any name, and a look that the running app is asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.launcher import Launcher
from tests.support.nvidia_catalogue import Catalogue, Offer
from tests.support.simulated_nvidia import NvidiaThread
from tray_app.catalog import Catalog
from tray_app.commands.models import describe_rows, find_named, list_rows
from tray_app.errors import SettingsError
from tray_app.settings.settings import Settings
from tray_app.status.board import Status
from tray_app.status.findings import Finding, Findings, ModelTrouble, Unavailability

RETIRED = Finding(answers=False, refusal=ModelTrouble(Unavailability.RETIRED, "2026-05-14"))
GOOD = Finding(True, True, first_token_s=1.4, asked=120, succeeded=116)
DAY = Catalogue(
    models=(
        Offer("z-ai/glm4.7", "retired", retired_on="2026-05-14"),
        Offer("z-ai/glm-5.3-flash", "answers", calls_tools=True),
        Offer("z-ai/glm-6", "answers", calls_tools=True),
    )
)


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    user = Launcher(tmp_path)
    yield user
    user.end()


def test_the_table_has_what_answers_first_and_counts_what_nobody_knows() -> None:
    status = Status(
        findings=Findings({"z-ai/glm4.7": RETIRED, "z-ai/glm-5.3-flash": GOOD}),
        listed_models=frozenset({"z-ai/glm-5.3-flash", "x-lab/seer-2", "x-lab/seer-3"}),
    )
    lines = [line.split("  ") for line in describe_rows(list_rows(status, Settings()), Settings().catalog)]
    cells = [[cell.strip() for cell in line if cell] for line in lines]
    assert cells[0] == ["NAME", "ANSWERS", "TOOLS", "IMAGES", "FIRST TOKEN", "WINDOW", "SUCCESSES", "RETIRED ON"]
    assert cells[1] == ["GLM 5.3 Flash", "yes", "yes", "yes", "1.4 s", "1,000,000", "116 of 120"]
    assert ["GLM 4.7", "retired", "?", "no", "131,072", "2026-05-14"] in cells
    assert cells[-1][0].startswith("2 more that NVIDIA lists")


def test_hidden_models_are_only_counted() -> None:
    settings = Settings(hidden_models=("z-ai/glm-5.3-flash", "minimaxai/minimax-m2.1"))
    rows = list_rows(Status(findings=Findings({"z-ai/glm-5.3-flash": GOOD})), settings)
    assert [row.name for row in rows if row.is_hidden] == ["GLM 5.3 Flash", "MiniMax M2.1"]
    lines = list(describe_rows(rows, settings.catalog))
    assert not any("MiniMax M2.1" in line or line.startswith("GLM 5.3 Flash") for line in lines)
    assert lines[-1] == '2 more that you have hidden ("hidden_models" in the settings).'


def test_the_table_says_if_nothing_is_known() -> None:
    lines = list(describe_rows(list_rows(Status(), Settings()), Settings().catalog))
    assert "models --probe" in lines[-1]
    assert "has the running app ask each model" in lines[-1]


@pytest.mark.parametrize("name", ["z-ai/glm-5.3-flash", "GLM 5.3 Flash", "glm 5.3 flash", "flash"])
def test_a_model_is_found_by_its_id_its_label_or_an_alias(name: str) -> None:
    catalog = Catalog(aliases={"flash": "z-ai/glm-5.3-flash"})
    assert find_named(name, catalog).id == "z-ai/glm-5.3-flash"


def test_a_name_of_no_model_is_answered_with_names_like_it() -> None:
    with pytest.raises(SettingsError, match=r'There is no model "glm 5\.3 flush"\. Did you mean glm 5\.3 flash'):
        find_named("glm 5.3 flush", Catalog())


def test_a_choice_is_saved_and_stays_in_the_menu_when_it_was_left(launcher: Launcher) -> None:
    assert launcher.run("model").stdout == "GLM 4.7\n"
    assert launcher.run("model", "step 5 preview").stdout == "Step 5 Preview\n"
    assert launcher.run("model", "MiniMax M2.1").stdout == "MiniMax M2.1\n"
    saved = json.loads((launcher.app_home / "settings.json").read_text(encoding="utf-8"))
    assert (saved["model"], saved["models"]) == ("minimaxai/minimax-m2.1", [{"id": "stepfun-ai/step-5-preview"}])
    wrong = launcher.run("model", "nobody")
    assert (wrong.returncode, 'There is no model "nobody"' in wrong.stderr) == (2, True)


@pytest.mark.skipif(sys.platform == "win32", reason="sessions and signals of POSIX")
def test_the_running_app_looks_again_and_the_table_is_kept_for_when_it_has_ended(launcher: Launcher) -> None:
    assert launcher.run("models", "--probe").returncode == 1, "no app is running"
    with NvidiaThread(DAY) as nvidia:
        launcher.environment |= {"UPSTREAM_URL": nvidia.url, "NVIDIA_API_KEY": "nvapi-of-the-test"}
        assert launcher.run("start", "--no-tray").returncode == 0
        lists = nvidia.list_requests
        rows = {row["id"]: row for row in json.loads(launcher.run("models", "--probe", "--json").stdout)}
        assert nvidia.list_requests > lists
        assert (rows["z-ai/glm-6"]["answers"], rows["z-ai/glm-6"]["calls_tools"]) == (True, True)
        assert (rows["z-ai/glm4.7"]["absence"], rows["z-ai/glm4.7"]["retired_on"]) == ("retired", "2026-05-14")
        assert launcher.run("model").stdout == "GLM 4.7 (retired): GLM 6\n"
        assert "z-ai/glm4.7, for which z-ai/glm-6 answers" in launcher.run("status").stdout
        launcher.run("stop")
    assert launcher.run("model").stdout == "GLM 4.7 (retired): GLM 6\n"
