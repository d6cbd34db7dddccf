"""The forms of the set-up that the menu copies."""

from __future__ import annotations

import json

import pytest

from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.claude_code.claude_settings import Setup
from tray_app.claude_code.exports import SHELLS, render_exports, render_undo
from tray_app.claude_code.forms import FORMS, render_form
from tray_app.shells import find_command

SETUP = Setup("http://127.0.0.1:3001", GLM_4_7, (GLM_4_7, MINIMAX_M2_1), needs_server_key=True)


@pytest.mark.parametrize("form", SHELLS)
def test_the_form_of_a_shell_is_its_exports(form: str) -> None:
    assert render_form(form, SETUP, "fish") == render_exports(form, SETUP.url, GLM_4_7, needs_server_key=True)


def test_the_other_forms_are_for_the_users_shell() -> None:
    assert json.loads(render_form("settings", SETUP, "bash"))["model"] == "nvidia"
    assert render_form("launcher", SETUP, "powershell") == f"{find_command('powershell')} claude"
    assert render_form("undo", SETUP, "fish") == render_undo("fish", GLM_4_7)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_a_short_label_and_a_text(form: str) -> None:
    assert 0 < len(FORMS[form]) <= 40
    assert render_form(form, SETUP, "bash")


def test_an_unknown_form_is_an_error() -> None:
    with pytest.raises(KeyError, match="csh"):
        render_form("csh", SETUP, "bash")
