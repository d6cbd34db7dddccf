"""The lines that point Claude Code at the gateway, evaluated by real shells."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.support.parts import need
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1, Model
from tray_app.claude_code.exports import NO_KEY_TOKEN, SHELLS, render_exports

URL = "http://127.0.0.1:3001"

# The name of this model would do harm in a shell if it were quoted wrongly.
HOSTILE = Model(
    id="""it's "a" $(touch pwned) `touch pwned` \\ %PATH% \\'""",
    label="Hostile",
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
    found = evaluate(shell, exports, tmp_path, ANTHROPIC_API_KEY="sk-ant-of-the-user")
    ours = {name: value for name, value in found.items() if name.startswith(("ANTHROPIC_", "CLAUDE_", "API_"))}
    assert ours == {
        "ANTHROPIC_BASE_URL": URL,
        "ANTHROPIC_AUTH_TOKEN": NO_KEY_TOKEN,
        **{f"ANTHROPIC_DEFAULT_{tier}_MODEL": model.id for tier in ("OPUS", "SONNET", "HAIKU", "FABLE")},
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(model.context_tokens),
        "CLAUDE_CODE_AUTO_COMPACT_WINDOW": str(min(model.context_tokens, 200_000)),
        "CLAUDE_CODE_DISABLE_1M_CONTEXT": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_AUTO_MODE_SERVER": "0",
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
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


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_every_variable(shell: str) -> None:
    lines = render_exports(shell, URL, GLM_4_7, needs_server_key=False).splitlines()
    text = "\n".join(lines)
    for name in ("ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY", "API_TIMEOUT_MS", "NO_PROXY"):
        assert name in text
    assert lines[0].lstrip("# rem") == "Claude Code through Claude NVIDIA Tray, GLM 4.7"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_first_line_mentions_a_demo_and_a_server_key(shell: str) -> None:
    first = render_exports(shell, URL, GLM_4_7, needs_server_key=True, is_demo=True).splitlines()[0]
    assert "DEMO: canned answers, no model" in first
    assert first.endswith("; set SERVER_API_KEY to the gateway's server key first")


def test_the_command_prompts_lines() -> None:
    """The lines are compared as text, because there is no cmd.exe here to evaluate them."""
    lines = render_exports("cmd", URL, GLM_4_7, needs_server_key=True).splitlines()
    assert lines[0].startswith("rem Claude Code through ")
    assert lines[1:5] == [
        'set "ANTHROPIC_API_KEY="',
        'set "ANTHROPIC_AUTH_TOKEN=%SERVER_API_KEY%"',
        f'set "ANTHROPIC_BASE_URL={URL}"',
        'set "ANTHROPIC_DEFAULT_OPUS_MODEL=z-ai/glm4.7"',
    ]
    assert lines[-1] == (
        'if defined NO_PROXY (set "NO_PROXY=127.0.0.1,localhost,%NO_PROXY%") else (set "NO_PROXY=127.0.0.1,localhost")'
    )
