"""The calibration of each model, kept in a small file from one start to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from tray_app.files.json_file import read_json, write_json
from tray_app.translate.request.calibration import LEAST_RATIO, MOST_RATIO, UNCALIBRATED, WINDOW, Calibration
from tray_app.translate.request.tokens import Estimate

FILE_NAME = "token_calibration.json"
_WORTH_SAVING = 0.01
"""How much a factor moves before it is written."""

_Ratio = Annotated[float, msgspec.Meta(ge=LEAST_RATIO, le=MOST_RATIO)]
_File = dict[str, Annotated[list[_Ratio], msgspec.Meta(min_length=1, max_length=WINDOW)]]
"""Model id -> ratios."""


class Calibrations:
    """Use it in one event loop, and close it there. Without a folder nothing is kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self._path = folder / FILE_NAME if folder else None
        self._known: dict[str, Calibration] = _read(self._path) if self._path else {}
        self._saved = dict(self._known)
        self._saving: asyncio.Task[None] | None = None

    def of(self, model_id: str) -> Calibration:
        return self._known.get(model_id, UNCALIBRATED)

    @property
    def known(self) -> Mapping[str, Calibration]:
        """What was learned, by model id. It changes with what is learned afterwards."""
        return self._known

    def learn(self, model_id: str, estimate: Estimate, reported: int | None) -> None:
        """Takes the prompt tokens that upstream reported for a complete answer, if it did and they tell something."""
        if reported is None or reported < 1 or not estimate.is_calibrating:
            return
        self._known[model_id] = self.of(model_id).learn(estimate.text, reported)
        if self._path and self._has_moved() and (self._saving is None or self._saving.done()):
            self._saving = asyncio.create_task(self._save(self._path))

    async def close(self) -> None:
        """Returns when what was learned is written."""
        if self._saving is not None:
            await self._saving
        if self._path and self._known != self._saved:
            await self._write(self._path)

    def _has_moved(self) -> bool:
        return any(
            abs(known.factor / self._saved.get(model_id, UNCALIBRATED).factor - 1) >= _WORTH_SAVING
            for model_id, known in self._known.items()
        )

    async def _save(self, path: Path) -> None:
        while self._has_moved():  # again, if more was learned meanwhile
            await self._write(path)

    async def _write(self, path: Path) -> None:
        self._saved = dict(self._known)  # also if writing fails, which is not tried again for every answer
        await asyncio.to_thread(_replace, path, self._saved)


def _read(path: Path) -> dict[str, Calibration]:
    """What the file holds; nothing where there is none that can be used: a few answers replace it."""
    known = read_json(path, _File) or {}
    return {model_id: Calibration(tuple(ratios)) for model_id, ratios in known.items()}


def _replace(path: Path, known: Mapping[str, Calibration]) -> None:
    rounded = {model_id: [round(ratio, 4) for ratio in calibration.ratios] for model_id, calibration in known.items()}
    write_json(path, rounded)
