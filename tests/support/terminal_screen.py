"""A terminal with a shell or Claude Code in it, as its user sees and types it: tmux keeps the screen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.support.parts import need
from tests.support.waiting import wait_for

COLUMNS, ROWS = 140, 50
_TIMEOUT_S = 90.0
"""Claude Code takes seconds for a step on a machine that is busy with other tests."""


class Screen:
    """One terminal. Leaving the `with` ends what runs in it."""

    def __init__(self, folder: Path, command: Sequence[str], environment: Mapping[str, str], socket: Path) -> None:
        """`folder` is where the command starts, `environment` is all that it gets, and `socket` is a file to make."""
        need("tmux")
        self._tmux = ["tmux", "-S", str(socket), "-f", os.devnull]
        size = ["-x", str(COLUMNS), "-y", str(ROWS)]
        variables = [f"{name}={value}" for name, value in environment.items()]
        self._run("new-session", "-d", *size, "-c", str(folder), "env", "-i", *variables, *command)
        self._run("set-option", "-g", "remain-on-exit", "on")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True)

    @property
    def text(self) -> str:
        """Everything on the screen, without the blanks at the ends of lines."""
        lines = [line.rstrip() for line in self._run("capture-pane", "-p").splitlines()]
        return "\n".join(lines).rstrip()

    def type(self, text: str) -> None:
        """Types a text, key by key."""
        self._run("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Presses keys by tmux's names for them, such as Enter, Escape and Up."""
        self._run("send-keys", *keys)

    def paste(self, text: str) -> None:
        """Pastes a text as terminals do, marked as pasted if the program in the terminal wants that."""
        subprocess.run([*self._tmux, "load-buffer", "-"], input=text.encode(), check=True)
        self._run("paste-buffer", "-p")

    def wait(self, *words: str) -> str:
        """Returns the screen as soon as all of these words are on it."""

        def look() -> str | None:
            text = self.text
            return text if all(word in text for word in words) else None

        try:
            return wait_for(look, f"{words} on the screen", _TIMEOUT_S)
        except TimeoutError:
            self.show(f"{words} did not come")
            raise

    def wait_one_of(self, *words: str) -> str:
        """Returns the screen as soon as one of these words is on it."""
        return wait_for(lambda: text if any(word in (text := self.text) for word in words) else None, f"one of {words}")

    def answer(self, question: str, key: str) -> None:
        """Types a key until the question is gone, because Claude Code does not listen as soon as it asks."""

        def try_it() -> bool:
            self.type(key)
            with suppress(TimeoutError):
                wait_for(lambda: question not in self.text, "the question is gone", timeout_s=1)
                return True
            return False

        self.wait(question)
        wait_for(try_it, f"an end of {question!r}")

    def show(self, title: str) -> None:
        """Prints the screen into the output of the test."""
        print(f"---- {title}\n{self.text}\n----")

    def _run(self, *words: str) -> str:
        return subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True).stdout
