"""The folder in which an app under test keeps its settings, its log and its state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_for


class AppFolder:
    """What `CLAUDE_NVIDIA_TRAY_HOME` names, as the user finds it. Every harness that runs the app has one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings_file = path / "settings.json"
        self.log_file = path / "logs" / "claude-nvidia-tray.log"

    @property
    def settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = json.loads(self.settings_file.read_text(encoding="utf-8"))
        return settings

    def edit_settings(self, **changes: Any) -> None:
        """Writes the settings file, as an editor does."""
        before = self.settings if self.settings_file.exists() else {}
        self.path.mkdir(parents=True, exist_ok=True)
        self.settings_file.write_text(json.dumps({**before, **changes}), encoding="utf-8")

    def wait_setting(self, name: str, value: object) -> None:
        wait_for(lambda: self.settings.get(name) == value, f"{name} = {value!r} in the settings file")

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8")
