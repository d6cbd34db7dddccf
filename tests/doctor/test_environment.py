"""What the doctor says about environment variables."""

from __future__ import annotations

from tray_app.doctor.environment import check_environment
from tray_app.doctor.findings import Level

URL = "http://127.0.0.1:3001"


def test_an_ordinary_environment_is_well() -> None:
    (finding,) = check_environment({"PATH": "/bin", "ANTHROPIC_MODEL": ""}, URL)
    assert (finding.level, finding.fix) == (Level.OK, "")


def test_the_exports_of_this_gateway_are_well() -> None:
    exports = {
        "ANTHROPIC_BASE_URL": f"{URL}/",
        "ANTHROPIC_AUTH_TOKEN": "claude-nvidia-tray",
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "z-ai/glm4.7",
        "ANTHROPIC_DEFAULT_OPUS_MODEL_NAME": "GLM 4.7",
    }
    (finding,) = check_environment(exports, URL)
    assert finding.level is Level.OK
    assert "exports" in finding.sentence


def test_variables_that_conflict_are_named_but_not_their_values() -> None:
    (finding,) = check_environment({"ANTHROPIC_BASE_URL": "https://other", "ANTHROPIC_API_KEY": "sk-ant-secret"}, URL)
    assert finding.level is Level.NOTE
    assert "ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL" in finding.sentence
    assert "secret" not in finding.sentence + finding.fix
    (finding,) = check_environment({"ANTHROPIC_BASE_URL": URL, "CLAUDE_CODE_USE_VERTEX": "1"}, URL)
    assert finding.sentence.endswith(": CLAUDE_CODE_USE_VERTEX.")


def test_a_proxy_must_leave_out_this_machine() -> None:
    with_proxy = {"https_proxy": "http://proxy:8080"}
    assert check_environment(with_proxy, URL)[1].level is Level.NOTE
    assert check_environment({**with_proxy, "NO_PROXY": "intranet, 127.0.0.1"}, URL)[1].level is Level.OK
    assert check_environment({**with_proxy, "NO_PROXY": "127.0.0.1", "no_proxy": "other"}, URL)[1].level is Level.NOTE


def test_wsl_is_explained() -> None:
    finding = check_environment({"WSL_DISTRO_NAME": "Debian"}, URL)[1]
    assert (finding.level, finding.topic) == (Level.NOTE, "WSL")
