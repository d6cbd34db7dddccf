"""The real Claude Code, bare of all variables, after "Use for all sessions" has changed its user's settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sessions.claude_run import says
from tests.support import kit
from tests.support.fake_upstream import FakeUpstream
from tests.support.gateway import RunningGateway
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.claude_code.all_sessions import switch_off, switch_on
from tray_app.claude_code.claude_settings import Setup

pytestmark = pytest.mark.kit

MINE = {
    "env": {"CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_MODEL": "claude-mine"},
    "permissions": {"deny": ["Read(.env)"]},
}


def test_a_session_uses_the_gateway_whatever_else_its_user_has_set(
    gateway: RunningGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.default = lambda _: says("HELLO FROM UPSTREAM")
    session = kit.Session(tmp_path / "home", tmp_path / "work")
    file = session.home / ".claude" / "settings.json"
    file.parent.mkdir()
    file.write_text(json.dumps(MINE))
    before = file.read_bytes()
    setup = Setup(gateway.address.url, GLM_4_7, (GLM_4_7, MINIMAX_M2_1))
    switch_on(tmp_path / "state", {"CLAUDE_CONFIG_DIR": str(file.parent)}, setup)
    done = session.run("export ANTHROPIC_API_KEY=sk-ant-of-the-user", "Say hello.", "--output-format", "json")
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["result"] == "HELLO FROM UPSTREAM", done.stderr
    assert list(result["modelUsage"]) == ["nvidia"]
    assert "sk-ant" not in str([request.headers for request in upstream.received])
    switch_off(tmp_path / "state")
    assert file.read_bytes() == before
