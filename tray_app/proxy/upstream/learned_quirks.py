"""The quirks of each model: parameters that it refuses. A small file keeps them between starts, for some days."""

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
"""Days until a learned quirk expires. The parameter is then sent again. If it is still refused, it is learned anew."""
_MOST_PER_MODEL = 32
"""The most quirks that are kept for a model. More would be single values of a field, each refused by itself."""

_ROW_FIELDS = {
    "top_k": "takes_top_k",
    "response_format": "takes_json_schema",
    "tool_choice": "takes_required_tool_choice",
    "reasoning_effort": "efforts",
    "chat_template_kwargs": "thinking_on and thinking_off",
}
"""Maps a request field to the field of a catalog row that keeps it from being sent."""


@dataclass(frozen=True, slots=True)
class _Known:
    quirk: Quirk
    learned: date


_File = dict[str, tuple[_Known, ...]]
"""Maps a model id to its quirks, the newest last."""


def _today() -> date:
    return datetime.now(UTC).date()


class Trial:
    """The quirks that refusals of one request suggest. They are true if it is answered without what was refused."""

    def __init__(self, quirks: Quirks, model_id: str) -> None:
        self._quirks = quirks
        self._model_id = model_id
        self.lessons: tuple[Quirk, ...] = ()
        self.is_answered = False
        """Set it when the client has the whole answer, since the request may still be cancelled after that."""

    async def learn(self, error_text: str, body: dict[str, Any]) -> bool:
        """Learns from upstream's reason for refusing `body`, which is the request as it was sent.

        Returns whether `adapt` now makes another request of it, so that it is worth sending again.
        """
        return self.take(await asyncio.to_thread(self.read, error_text, body), body)

    def read(self, error_text: str, body: dict[str, Any]) -> tuple[Quirk, ...]:
        """Finds quirks in upstream's reason for refusing `body`, as it was sent, with HTTP 400 or 422.

        This takes some milliseconds for each megabyte of the request. It changes nothing, so it may run in a thread.
        """
        return find_quirks(error_text, self._quirks.adapt(self._model_id, body))

    def take(self, found: tuple[Quirk, ...], body: dict[str, Any]) -> bool:
        """Heeds the quirks that were found. Returns whether `adapt` now makes another request of `body`.

        It may do so because of a quirk that another request found meanwhile.
        """
        adapted = self._quirks.adapt(self._model_id, body)
        new = tuple(quirk for quirk in found if adapt(adapted, [quirk]) != adapted)
        self.lessons += new
        self._quirks.add(self._model_id, new)
        return self._quirks.adapt(self._model_id, body) != body


class Quirks:
    """Knows the quirks of all models. Belongs to one event loop. Without a folder no file keeps them."""

    def __init__(self, folder: Path | None = None, today: Callable[[], date] = _today) -> None:
        self._today = today
        self._file = LearnedFile(folder, FILE_NAME, _read, write_json)
        self._tried: dict[str, tuple[Quirk, ...]] = {}
        """Maps a model id to its quirks that are on trial, the newest last."""

    def adapt(self, model_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Returns the request without what the model is known to refuse. Does not change `body`."""
        if model_id not in self._file.known and model_id not in self._tried:
            return body
        known = (known.quirk for known in self._remembered(model_id))
        return adapt(body, (*known, *self._tried.get(model_id, ())))

    @contextmanager
    def trial(self, model_id: str) -> Iterator[Trial]:
        """Encloses one request and its retries. The quirks that it finds are kept if the request is answered.

        Otherwise they are forgotten, because upstream refused something else and only mentioned the field.
        """
        trial = Trial(self, model_id)
        try:
            yield trial
            trial.is_answered = True
        finally:
            self._end_trial(model_id, trial.lessons)
            if trial.is_answered:
                self._keep(model_id, trial.lessons)

    def add(self, model_id: str, quirks: tuple[Quirk, ...]) -> None:
        """Puts quirks on trial. From now on `adapt` heeds them."""
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
        """Saves what was learned."""
        await self._file.close()

    def _remembered(self, model_id: str) -> list[_Known]:
        today = self._today()
        # The difference counts in both directions, in case the clock was wrong when the quirk was learned.
        return [known for known in self._file.known.get(model_id, ()) if abs((today - known.learned).days) <= KEPT_DAYS]


def _read(path: Path) -> _File:
    """Returns the content of the file, or nothing if it cannot be used."""
    return read_json(path, _File) or {}


def _describe(quirk: Quirk) -> str:
    """Describes a quirk for the log by names only, since a value may come from the client."""
    what = f"a value of {quirk.field}" if quirk.refused is not None else quirk.field
    instead = "something else is sent" if quirk.instead else "it is left out"
    row_field = _ROW_FIELDS.get(quirk.field.partition(".")[0])
    hint = f" (for the model's row: {row_field})" if row_field else ""
    return f"{what} is refused, so {instead} for {KEPT_DAYS} days{hint}"
