"""The view "Models": where each model is shown, who answers for it, and what corrects it."""

from __future__ import annotations

from typing import Any

from tray_app.page.views.models import show_models
from tray_app.settings.settings import Settings
from tray_app.status.board import Failing, Status
from tray_app.status.findings import Finding, Findings, LookProgress, ModelTrouble, Unavailability

GLM, MINIMAX, FLASH = "z-ai/glm4.7", "minimaxai/minimax-m2.1", "z-ai/glm-5.3-flash"
RETIRED = Finding(answers=False, refusal=ModelTrouble(Unavailability.RETIRED, "2026-05-14"))
NOT_SERVED = Finding(answers=False, refusal=ModelTrouble(Unavailability.NOT_SERVED), found_at=60.0)
GOOD = Finding(True, True, first_token_s=1.4, asked=120, succeeded=116, today=7, found_at=120.0)
STATUS = Status(
    findings=Findings(
        {
            GLM: RETIRED,
            FLASH: GOOD,
            "z-ai/glm-6": Finding(True, True),
            "x-lab/seer-2": Finding(True, None),
            "x-lab/gone-1": NOT_SERVED,
        }
    ),
    listed_models=frozenset({FLASH, "z-ai/glm-6", "x-lab/seer-2", "x-lab/gone-1", "x-lab/new-1"}),
    look=LookProgress(1, None, 180.0),
)


def show(settings: Settings = Settings(), status: Status = STATUS, entries: object = ()) -> Any:  # noqa: B008 (frozen)
    return show_models(status, settings, entries, 11)


def test_the_board_has_what_answers_by_family_with_the_best_first() -> None:
    shown = show()
    assert (shown["listed"], shown["answering"], shown["probes"]) == (5, 2, 11)
    assert shown["look"] == {"left": None, "ended_at": 180.0}
    families = [(family["name"], family["label"], family["ids"]) for family in shown["families"][:2]]
    assert families == [("z-ai/glm", "GLM", [FLASH, "z-ai/glm-6"]), ("x-lab/seer", "Seer", ["x-lab/seer-2"])]


def test_a_card_has_the_users_own_experience() -> None:
    card = show()["models"][FLASH]
    assert (card["asked"], card["succeeded"], card["today"], card["first_token_s"]) == (120, 116, 7, 1.4)
    assert (card["place"], card["stands_for"], card["answered_by"]) == ("board", ["MiniMax M2.1"], None)
    assert (card["takes_images"], card["efforts"]) == (True, ["low", "high", "max"])
    assert card["facts"]["context_tokens"] == 1_000_000


def test_a_model_that_answers_in_the_place_of_another_one_says_so() -> None:
    models = show()["models"]
    assert models["z-ai/glm-6"]["stands_for"] == ["GLM 4.7"]
    assert (models[GLM]["answered_by"], models[GLM]["place"]) == ("GLM 6", "absent")
    assert models[GLM]["absence"] == {"kind": "retired", "date": "2026-05-14"}


def test_what_does_not_answer_what_is_only_listed_and_what_is_hidden_are_apart() -> None:
    models = show(Settings(hidden_models=("x-lab/seer-2", GLM)))["models"]
    places = {name: models[name]["place"] for name in ("x-lab/gone-1", "x-lab/new-1", "x-lab/seer-2", GLM)}
    assert places == {"x-lab/gone-1": "absent", "x-lab/new-1": "listed", "x-lab/seer-2": "hidden", GLM: "absent"}
    assert models["x-lab/gone-1"]["found_at"] == 60.0
    assert models["x-lab/new-1"]["answers"] is None


def test_a_model_that_fails_now_says_why() -> None:
    status = Status(findings=Findings({FLASH: GOOD}), failing=(Failing(FLASH, "NVIDIA is overloaded"),))
    card = show(status=status)["models"][FLASH]
    assert (card["answers"], card["failing"], card["place"]) == (False, "NVIDIA is overloaded", "absent")


def test_the_users_choices_and_corrections_are_marked() -> None:
    settings = Settings(model=FLASH, background_model="x-lab/seer-2", model_order=(MINIMAX,))
    entries: list[Any] = [{"id": f"{FLASH}[1m]", "hidden": True, "label": "Flash"}, "damaged", {"id": 7}]
    shown = show(settings, entries=entries)
    card = shown["models"][FLASH]
    assert (card["is_selected"], card["is_background"], card["corrected"]) == (True, False, {"label": "Flash"})
    assert shown["models"]["x-lab/seer-2"]["is_background"]
    assert shown["menu"] == (MINIMAX, GLM, FLASH)
    assert show(entries="damaged")["models"][FLASH]["corrected"] == {}


def test_in_the_demo_every_model_of_the_program_may_be_chosen() -> None:
    shown = show(status=Status(is_demo=True))
    assert shown["listed"] is None
    assert {shown["models"][name]["place"] for name in (GLM, FLASH)} == {"board"}
