"""The commands of the program as a user gives them, with a home folder of their own, and a `claude` that tells all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_for
from tray_app.app.instance import Instance, Whereabouts
from tray_app.shells import find_program

TELLING_CLAUDE = f"""#!{sys.executable}
import json, os, sys
settings = {{}}
for index, word in enumerate(sys.argv):
    if word.startswith("--settings") and not settings:
        name = word.partition("=")[2] or sys.argv[index + 1]
        settings = json.load(open(name)) | {{"_file": name, "_mode": os.stat(name).st_mode & 0o777}}
told = {{"words": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd(), "settings": settings,
        "input": sys.stdin.read(), "umask": os.umask(0)}}
json.dump(told, open(os.environ["TELLS"], "w"))
print("the answer")
sys.exit(int(os.environ.get("EXIT_CODE", "0")))
"""


USERS_UMASK = 0o027


class Launcher:
    """A user with an empty home, whose `claude` writes down how it was started."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.home = folder / "home"
        self.app_home = folder / "app"
        self.state = self.app_home / "state"
        self.work = folder / "my work"
        self._tells = folder / "told.json"
        tools = folder / "tools"
        for place in (self.home / ".claude", self.work, tools):
            place.mkdir(parents=True)
        (tools / "claude").write_text(TELLING_CLAUDE, encoding="utf-8")
        (tools / "claude").chmod(0o755)
        self.environment = {
            **os.environ,
            "HOME": str(self.home),
            "PATH": f"{tools}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "CLAUDE_NVIDIA_TRAY_HOME": str(self.app_home),
            "ADDR": "127.0.0.1:0",
            "TELLS": str(self._tells),
            **environment,
        }

    def run(self, *words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Gives a command without a terminal. The folder is the user's, so that it is not the one of the program."""
        done = subprocess.run(
            [*find_program(), *words],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.work,
            env={**self.environment, **environment},
            timeout=60,
            umask=USERS_UMASK,
            start_new_session=True,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    @property
    def told(self) -> Any:
        """What the telling `claude` has told last."""
        return json.loads(self._tells.read_text(encoding="utf-8"))

    def write_claude_settings(self, **settings: Any) -> None:
        """Writes the user's settings for all sessions of Claude Code."""
        (self.home / ".claude" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")

    @property
    def running(self) -> Whereabouts | None:
        return Instance(self.state).find_running()

    def end(self) -> None:
        """Ends the app if one is running."""
        if self.running is not None:
            Instance(self.state).ask_to_quit()
            wait_for(lambda: self.running is None, "the end of the app")
