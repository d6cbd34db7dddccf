"""The line that points Claude Code at the gateway, and the line that undoes it, evaluated by real shells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.support.parts import need
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1, Model
from tray_app.claude_code.conflicts import CONFLICTS, TIERS
from tray_app.claude_code.exports import NO_KEY_TOKEN, SHELLS, render_exports, render_undo

URL = "http://127.0.0.1:3001"
LONGEST_CMD_LINE_CHARS = 8191  # what the Command Prompt takes, by Microsoft's documentation

# The name of this model would do harm in a shell if it were quoted wrongly.
HOSTILE = Model(
    id="""it's "a" $(touch pwned) `touch pwned` \\ %PATH% \\'""",
    label="""A label! & 'q' "$(touch pwned)" \\""",
    letter="H",
    context_tokens=1000,
    max_output_tokens=1000,
)

SHELL_COMMANDS = {
    "bash": ["bash", "--norc", "-c"],
    "zsh": ["zsh", "-f", "-c"],
    "fish": ["fish", "--no-config", "-c"],
    "powershell": ["pwsh", "-NoProfile", "-NonInteractive", "-Command"],
}
PRINT = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"


posix_only = pytest.mark.skipif(sys.platform == "win32", reason="shells of POSIX")
INSTALLED = [name for name, command in SHELL_COMMANDS.items() if name == "bash" or shutil.which(command[0])]


@pytest.fixture(params=INSTALLED)
def shell(request: pytest.FixtureRequest) -> str:
    """Yields each shell that this machine has. It must have bash."""
    need("bash")
    return str(request.param)


def evaluate(shell: str, exports: str, tmp_path: Any, **environment: str) -> dict[str, str]:
    """Returns the environment of a program that is started after the lines."""
    done = subprocess.run(
        [*SHELL_COMMANDS[shell], f"{exports}\n{PRINT}"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    variables: dict[str, str] = json.loads(done.stdout)
    return variables


@posix_only
@pytest.mark.parametrize("model", [GLM_4_7, MINIMAX_M2_1, HOSTILE], ids=["GLM", "MiniMax", "hostile"])
def test_each_shell_sets_the_variables_that_the_exports_mean(shell: str, model: Model, tmp_path: Any) -> None:
    exports = render_exports(shell, URL, model, needs_server_key=False)
    found = evaluate(shell, exports, tmp_path, **dict.fromkeys(CONFLICTS, "of the user"))
    ours = {name: value for name, value in found.items() if name.startswith(("ANTHROPIC_", "CLAUDE_", "API_"))}
    label = f"{model.label} (the tray decides)"
    assert ours == {
        "ANTHROPIC_BASE_URL": URL,
        "ANTHROPIC_AUTH_TOKEN": NO_KEY_TOKEN,
        **{f"ANTHROPIC_DEFAULT_{tier}_MODEL": model.id for tier in TIERS},
        **{f"ANTHROPIC_DEFAULT_{tier}_MODEL_NAME": label for tier in TIERS},
        **{
            f"ANTHROPIC_DEFAULT_{tier}_MODEL_DESCRIPTION": "The model that is chosen in Claude NVIDIA Tray"
            for tier in TIERS
        },
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(model.context_tokens),
        "CLAUDE_CODE_AUTO_COMPACT_WINDOW": str(min(model.context_tokens, 200_000)),
        "CLAUDE_CODE_DISABLE_1M_CONTEXT": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_AUTO_MODE_SERVER": "0",
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        "CLAUDE_CODE_TOTAL_TOKENS_REMINDER": "off",
        "CLAUDE_STREAM_IDLE_TIMEOUT_MS": "900000",
        "API_TIMEOUT_MS": "1200000",
    }
    assert found["NO_PROXY"] == found["no_proxy"] == "127.0.0.1,localhost"
    assert not (tmp_path / "pwned").exists()


@posix_only
@pytest.mark.parametrize(
    ("large", "small", "is_large", "is_small"),
    [
        ("intranet,10.0.0.1", None, ",intranet,10.0.0.1", ",intranet,10.0.0.1"),
        (None, "intranet", ",intranet", ",intranet"),
        ("", "intranet", ",intranet", ",intranet"),
        ("one", "other", ",one", ",other"),
    ],
    ids=["NO_PROXY", "no_proxy", "an empty NO_PROXY", "both"],
)
def test_the_users_own_no_proxy_list_stays_in_both_variables(
    shell: str, tmp_path: Any, large: str | None, small: str | None, is_large: str, is_small: str
) -> None:
    exports = render_exports(shell, URL, GLM_4_7, needs_server_key=False)
    mine = {name: value for name, value in (("NO_PROXY", large), ("no_proxy", small)) if value is not None}
    found = evaluate(shell, exports, tmp_path, **mine)
    assert found["NO_PROXY"] == f"127.0.0.1,localhost{is_large}"
    if shell != "powershell":  # there both are one variable
        assert found["no_proxy"] == f"127.0.0.1,localhost{is_small}"


@posix_only
def test_the_server_key_comes_from_the_users_own_variable(shell: str, tmp_path: Any) -> None:
    exports = render_exports(shell, URL, GLM_4_7, needs_server_key=True)
    found = evaluate(shell, exports, tmp_path, SERVER_API_KEY='my key\'s "value"')
    assert found["ANTHROPIC_AUTH_TOKEN"] == 'my key\'s "value"'


@posix_only
@pytest.mark.parametrize("posix_shell", [name for name in ("bash", "zsh") if name in INSTALLED])
def test_a_missing_server_key_stops_the_shell_with_its_name(posix_shell: str) -> None:
    exports = render_exports(posix_shell, URL, GLM_4_7, needs_server_key=True)
    done = subprocess.run([*SHELL_COMMANDS[posix_shell], exports], capture_output=True, text=True, env={})
    assert done.returncode != 0
    assert "SERVER_API_KEY" in done.stderr


@posix_only
def test_a_missing_server_key_sets_nothing_in_fish(tmp_path: Any) -> None:
    need("fish")
    line = render_exports("fish", URL, GLM_4_7, needs_server_key=True)
    done = subprocess.run(
        [*SHELL_COMMANDS["fish"], f"{line}\nset -q ANTHROPIC_BASE_URL; and echo set"],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path)},
    )
    assert (done.stdout, done.stderr) == ("", "Set SERVER_API_KEY to the server key of the gateway first.\n")


@posix_only
@pytest.mark.parametrize(
    ("mine", "is_left"),
    [
        ({}, {}),
        ({"NO_PROXY": "intranet", "no_proxy": "other"}, {"NO_PROXY": "intranet", "no_proxy": "other"}),
        (
            {"NO_PROXY": "127.0.0.1,localhost.example"},
            dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost.example"),
        ),
    ],
    ids=["no hosts of the user", "hosts of the user", "a host that begins like ours"],
)
def test_the_undo_line_takes_away_what_two_pastes_have_set(
    shell: str, tmp_path: Any, mine: dict[str, str], is_left: dict[str, str]
) -> None:
    exports = render_exports(shell, URL, HOSTILE, needs_server_key=False)
    before = evaluate(shell, "true", tmp_path, OTHER="of the user", **mine)
    after = evaluate(
        shell, f"{exports}\n{exports}\n{render_undo(shell, GLM_4_7)}", tmp_path, OTHER="of the user", **mine
    )
    assert after == {**before, **is_left}


@posix_only
def test_the_undo_line_does_no_harm_where_nothing_was_set(shell: str, tmp_path: Any) -> None:
    mine = {"NO_PROXY": "intranet,127.0.0.1,localhost", "no_proxy": "intranet"}
    assert evaluate(shell, render_undo(shell, GLM_4_7), tmp_path, **mine) == evaluate(shell, "true", tmp_path, **mine)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("needs_server_key", [False, True], ids=["no server key", "server key"])
def test_what_is_pasted_is_one_line_without_a_line_end_or_a_comment(shell: str, needs_server_key: bool) -> None:
    exports = render_exports(shell, URL, GLM_4_7, needs_server_key=needs_server_key)
    for line in (exports, render_undo(shell, GLM_4_7)):
        assert line.isprintable()
        assert "#" not in line.replace("{NO_PROXY#", "").replace("{no_proxy#", "")
        assert len(line) < LONGEST_CMD_LINE_CHARS / 2  # half is left for the hosts of the user
    for name in ("ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "API_TIMEOUT_MS", "NO_PROXY", *CONFLICTS):
        assert name in exports


@pytest.mark.parametrize("shell", SHELLS)
def test_the_label_of_a_demo_says_that_no_model_answers(shell: str) -> None:
    assert "Demo: canned answers, no model" in render_exports(shell, URL, GLM_4_7, needs_server_key=False, is_demo=True)


@pytest.mark.skipif(sys.platform != "win32", reason="the Command Prompt is for Windows")
@pytest.mark.parametrize("hosts", ["", "intranet", "127.0.0.1,localhost"])
def test_the_command_prompt_sets_and_undoes_the_variables(tmp_path: Any, hosts: str) -> None:
    exports = render_exports("cmd", URL, GLM_4_7, needs_server_key=True)
    lines = ["@echo off", exports, exports, "set ANTHROPIC_", "set NO_PROXY", "echo ---", render_undo("cmd", GLM_4_7)]
    script = tmp_path / "lines.bat"
    script.write_text("\n".join([*lines, "set"]))
    others = {name: value for name, value in os.environ.items() if name.upper() != "NO_PROXY"}
    mine = {**others, **({"NO_PROXY": hosts} if hosts else {}), "ANTHROPIC_MODEL": "mine", "SERVER_API_KEY": "my key"}
    done = subprocess.run(["cmd", "/c", str(script)], env=mine, capture_output=True, text=True, timeout=30)
    before, _, after = done.stdout.partition("---")
    for line in (
        f"ANTHROPIC_BASE_URL={URL}",
        "ANTHROPIC_AUTH_TOKEN=my key",
        "ANTHROPIC_DEFAULT_OPUS_MODEL_NAME=GLM 4.7 (the tray decides)",
        "NO_PROXY=127.0.0.1,localhost" + (",intranet" if hosts == "intranet" else ""),
    ):
        assert line in before.splitlines()
    assert "ANTHROPIC_MODEL=" not in before
    assert "ANTHROPIC_" not in after
    assert ("NO_PROXY=intranet" in after.splitlines()) == (hosts == "intranet")
    assert "NO_PROXY=127" not in after


def test_the_command_prompts_line() -> None:
    """The line is compared as text, because most systems have no cmd.exe to evaluate it."""
    parts = render_exports("cmd", URL, HOSTILE, needs_server_key=False).split(" & set ")
    assert parts[0] == f'set "{CONFLICTS[0]}="'
    assert f'"ANTHROPIC_AUTH_TOKEN={NO_KEY_TOKEN}"' in parts
    assert f'"ANTHROPIC_BASE_URL={URL}"' in parts
    # The Command Prompt has no quoting for quotation marks and percent signs.
    assert """"ANTHROPIC_DEFAULT_OPUS_MODEL=it's a $(touch pwned) `touch pwned` \\ PATH \\'\"""" in parts
    assert parts[-1].endswith(
        'if not defined NO_PROXY (set "NO_PROXY=127.0.0.1,localhost") else if not "%NO_PROXY%"=="127.0.0.1,localhost" '
        '(set "NO_PROXY=127.0.0.1,localhost,%NO_PROXY:127.0.0.1,localhost,=%")'
    )
    with_key = render_exports("cmd", URL, GLM_4_7, needs_server_key=True)
    assert with_key.startswith("if not defined SERVER_API_KEY (echo Set SERVER_API_KEY ")
    assert ' & set "ANTHROPIC_AUTH_TOKEN=%SERVER_API_KEY%" & ' in with_key
