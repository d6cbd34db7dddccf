"""What the desktop of macOS writes. What macOS makes of it is not tried here."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest

from tray_app.desktop.macos import MacDesktop, render_agent
from tray_app.shells import find_background_program


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the launch agent, in a home of its own."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path / "Library" / "LaunchAgents" / "io.github.claude-nvidia-tray.plist"


def test_start_at_login_is_a_launch_agent(agent: Path) -> None:
    desktop = MacDesktop({})
    assert not desktop.starts_at_login()
    desktop.set_start_at_login(True)
    assert desktop.starts_at_login()
    written = plistlib.loads(agent.read_bytes())
    assert written["Label"] == agent.stem
    assert written["ProgramArguments"] == find_background_program()
    assert written["RunAtLoad"] is True
    desktop.set_start_at_login(False)
    desktop.set_start_at_login(False)
    assert not desktop.starts_at_login()


def test_a_program_that_has_moved_is_renewed(agent: Path) -> None:
    agent.parent.mkdir(parents=True)
    agent.write_bytes(render_agent(["/gone/claude-nvidia-tray"]))
    MacDesktop({}).renew_start_at_login()
    assert MacDesktop({}).find_login_program() == Path(find_background_program()[0])


@pytest.mark.parametrize("content", [b"", b"<plist>", plistlib.dumps({}), plistlib.dumps({"ProgramArguments": []})])
def test_a_damaged_agent_is_none(agent: Path, content: bytes) -> None:
    agent.parent.mkdir(parents=True)
    agent.write_bytes(content)
    assert not MacDesktop({}).starts_at_login()
