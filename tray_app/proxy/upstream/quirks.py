"""What each model was found to refuse, kept in a small file from one start to the next, and forgotten after a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tray_app.files.json_file import read_json, write_json
from tray_app.proxy.upstream.learned_file import LearnedFile
from tray_app.translate.refusal.quirk import Quirk, adapt, find_quirks

log = logging.getLogger(__name__)

FILE_NAME = "model_quirks.json"
KEPT_DAYS = 14
"""After that a model is asked for everything again, and one more retry shows whether upstream was mended meanwhile."""
_MOST_PER_MODEL = 32
"""More would be values that clients vary, each refused anew."""

_ROW_FIELDS = {
    "top_k": "takes_top_k",
    "response_format": "takes_json_schema",
    "tool_choice": "takes_required_tool_choice",
    "reasoning_effort": "efforts",
    "chat_template_kwargs": "thinking_on and thinking_off",
}
"""Request field -> what says in a catalog row that it is not to be sent."""


@dataclass(frozen=True, slots=True)
class _Known:
    quirk: Quirk
    learned: date


_File = dict[str, tuple[_Known, ...]]
"""Model id -> what is known, the newest last."""


def _today() -> date:
    return datetime.now(UTC).date()


class Trial:
    """What one request was taught by refusals of it. It is true if the request is answered without what was refused."""

    def __init__(self, quirks: Quirks, model_id: str) -> None:
        self._quirks = quirks
        self._model_id = model_id
        self.lessons: tuple[Quirk, ...] = ()

    async def learn(self, error_text: str, body: dict[str, Any]) -> bool:
        """Learns from upstream's reason for refusing `body`, which is the request as it was sent.

        Returns whether `adapt` now makes another request of it, so that it is worth sending again.
        """
        return self.take(await asyncio.to_thread(self.read, error_text, body), body)

    def read(self, error_text: str, body: dict[str, Any]) -> tuple[Quirk, ...]:
        """Understands upstream's reason for refusing `body` (as it was sent) with HTTP 400 or 422.

        Changes nothing, so that a thread may do it: a large request takes some milliseconds for each megabyte.
        """
        return find_quirks(error_text, self._quirks.adapt(self._model_id, body))

    def take(self, found: tuple[Quirk, ...], body: dict[str, Any]) -> bool:
        """Heeds what was found. True if `adapt` makes another request of `body` now.

        That may also be by what others learned while the request was on its way.
        """
        adapted = self._quirks.adapt(self._model_id, body)
        new = tuple(quirk for quirk in found if adapt(adapted, [quirk]) != adapted)
        self.lessons += new
        self._quirks.add(self._model_id, new)
        return self._quirks.adapt(self._model_id, body) != body


class Quirks:
    """Use it in one event loop, and close it there. Without a folder nothing outlives it."""

    def __init__(self, folder: Path | None = None, today: Callable[[], date] = _today) -> None:
        self._today = today
        self._file = LearnedFile(folder, FILE_NAME, _read, write_json)
        self._tried: dict[str, tuple[Quirk, ...]] = {}
        """Model id -> what is on trial, the newest last."""

    def adapt(self, model_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """The request as the model takes it, as far as that is known; `body` itself stays as it is."""
        if model_id not in self._file.known and model_id not in self._tried:
            return body
        known = (known.quirk for known in self._remembered(model_id))
        return adapt(body, (*known, *self._tried.get(model_id, ())))

    @contextmanager
    def trial(self, model_id: str) -> Iterator[Trial]:
        """For one request and its retries. What it learns meanwhile is kept if the request is answered in the end.

        Otherwise it is forgotten: what was refused was something else, and upstream only mentioned the field.
        """
        trial = Trial(self, model_id)
        try:
            yield trial
        except BaseException:
            self._end_trial(model_id, trial.lessons)
            raise
        self._end_trial(model_id, trial.lessons)
        self._keep(model_id, trial.lessons)

    def add(self, model_id: str, quirks: tuple[Quirk, ...]) -> None:
        """Heeds the quirks, on trial."""
        if quirks:
            self._tried[model_id] = (*self._tried.get(model_id, ()), *quirks)

    def _end_trial(self, model_id: str, quirks: tuple[Quirk, ...]) -> None:
        if rest := tuple(quirk for quirk in self._tried.get(model_id, ()) if quirk not in quirks):
            self._tried[model_id] = rest
        else:
            self._tried.pop(model_id, None)

    def _keep(self, model_id: str, quirks: tuple[Quirk, ...]) -> None:
        if not quirks:
            return
        new = (_Known(quirk, self._today()) for quirk in quirks)
        self._file.known[model_id] = (*self._remembered(model_id), *new)[-_MOST_PER_MODEL:]
        for quirk in quirks:
            log.info("%s: %s", model_id, _describe(quirk))
        self._file.save()

    async def close(self) -> None:
        """Returns when what was learned is written."""
        await self._file.close()

    def _remembered(self, model_id: str) -> list[_Known]:
        today = self._today()
        # both ways, in case the clock was wrong when it was learned
        return [known for known in self._file.known.get(model_id, ()) if abs((today - known.learned).days) <= KEPT_DAYS]


def _read(path: Path) -> _File:
    """What the file holds; nothing if there is none that can be used."""
    return read_json(path, _File) or {}


def _describe(quirk: Quirk) -> str:
    """Names only: a value may be the client's."""
    what = f"a value of {quirk.field}" if quirk.refused is not None else quirk.field
    instead = "something else is sent" if quirk.instead else "it is left out"
    row_field = _ROW_FIELDS.get(quirk.field.partition(".")[0])
    hint = f" (for the model's row: {row_field})" if row_field else ""
    return f"{what} is refused, so {instead} for {KEPT_DAYS} days{hint}"
