"""What the page changes about models: each change is in the settings file, and nothing else in it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.gateway import Client
from tests.support.page import Browser
from tests.support.running_app import App
from tests.support.waiting import wait_for

GLM, MINIMAX, STEP = "z-ai/glm4.7", "minimaxai/minimax-m2.1", "stepfun-ai/step-5-preview"
DONE = {"errors": {}, "problem": ""}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One app for all tests of this module. Each of them begins with a settings file of its own."""
    app = App(tmp_path_factory.mktemp("app"), ("--no-tray", "--demo"), {"ADDR": "127.0.0.1:0"}, [])
    yield app
    app.close()


@pytest.fixture(scope="module")
def client(app: App) -> Client:
    return app.wait_listening()


@pytest.fixture
def browser(app: App, client: Client) -> Browser:
    found = Browser(f"http://{client.host}", app.folder.path / "state")
    found.enter()
    app.folder.edit_settings(models=[], hidden_models=[], model_order=[], background_model="", mine={"kept": True})
    wait_for(lambda: offered(found) == [GLM, MINIMAX], "the menu as it is at first")
    return found


def offered(browser: Browser) -> list[str]:
    return [choice["id"] for choice in browser.read("/page/state")["model"]["choices"]]


def saved(app: App, name: str) -> Any:
    assert app.folder.settings["mine"] == {"kept": True}
    return app.folder.settings[name]


def test_a_model_is_corrected_in_the_file_and_in_the_gateway(app: App, client: Client, browser: Browser) -> None:
    facts = {"context_tokens": 64_000, "takes_images": True, "label": None}
    assert browser.act(do="correct_model", model_id=STEP, facts=facts).body == DONE
    assert saved(app, "models") == [{"id": STEP, "hidden": True, "context_tokens": 64_000, "takes_images": True}]
    assert client.request("GET", f"/v1/models/{STEP}").body["max_input_tokens"] == 64_000


def test_wrong_facts_are_named_and_change_nothing(app: App, browser: Browser) -> None:
    facts = {"context_tokens": "many", "max_output_tokens": 5}
    answer = browser.act(do="correct_model", model_id=GLM, facts=facts).body
    assert answer["errors"] == {"context_tokens": "This must be a whole number of tokens, 1 or more."}
    unknown = browser.act(do="correct_model", model_id=GLM, facts={"successor": "no/body"})
    assert unknown.status == 400
    assert "successor" in unknown.sentence
    assert browser.act(do="correct_model", model_id=GLM, facts={"colour": "red"}).status == 400
    assert saved(app, "models") == []


def test_a_model_is_put_into_the_menu_ordered_hidden_and_taken_out(app: App, browser: Browser) -> None:
    assert browser.act(do="put_in_menu", model_id=STEP, is_in=True).body == DONE
    assert offered(browser) == [GLM, MINIMAX, STEP]
    assert browser.act(do="order_models", model_ids=[STEP, MINIMAX, GLM]).body == DONE
    assert offered(browser) == [STEP, MINIMAX, GLM]
    assert browser.act(do="hide_model", model_id=MINIMAX, is_hidden=True).body == DONE
    assert offered(browser) == [STEP, GLM]
    assert saved(app, "hidden_models") == [MINIMAX]
    assert browser.act(do="hide_model", model_id=MINIMAX, is_hidden=False).body == DONE
    assert browser.act(do="put_in_menu", model_id=STEP, is_in=False).body == DONE
    assert offered(browser) == [MINIMAX, GLM]
    assert (saved(app, "models"), saved(app, "model_order")) == ([], [STEP, MINIMAX, GLM])


def test_a_change_keeps_what_an_editor_has_written_just_before(app: App, browser: Browser) -> None:
    app.folder.edit_settings(models=[{"id": "lab/own", "label": "Own"}])
    assert browser.act(do="put_in_menu", model_id=STEP, is_in=True).body == DONE
    assert saved(app, "models") == [{"id": "lab/own", "label": "Own"}, {"id": STEP}]


def test_a_model_answers_in_the_background(app: App, browser: Browser) -> None:
    assert browser.act(do="use_in_background", model_id=STEP).body == DONE
    assert saved(app, "background_model") == STEP
    assert browser.act(do="use_in_background", model_id="no id").status == 400
    assert browser.act(do="use_in_background", model_id="").body == DONE
    assert saved(app, "background_model") == ""
