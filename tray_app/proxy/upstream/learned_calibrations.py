"""The calibration of each model, which a small file keeps between starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from tray_app.files.json_file import read_json, write_json
from tray_app.proxy.upstream.learned_file import LearnedFile
from tray_app.translate.request.calibration import LEAST_RATIO, MOST_RATIO, UNCALIBRATED, WINDOW, Calibration
from tray_app.translate.request.tokens import Estimate

FILE_NAME = "token_calibration.json"
_WORTH_SAVING = 0.01
"""The file is written when a factor has changed by this share."""

_Ratio = Annotated[float, msgspec.Meta(ge=LEAST_RATIO, le=MOST_RATIO)]
_File = dict[str, Annotated[list[_Ratio], msgspec.Meta(min_length=1, max_length=WINDOW)]]
"""Maps a model id to its ratios."""


class Calibrations:
    """Learns how each model counts tokens. Belongs to one event loop. Without a folder nothing is kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = LearnedFile(folder, FILE_NAME, _read, _replace, _has_moved)

    def of(self, model_id: str) -> Calibration:
        """Returns the calibration of a model, which is neutral if nothing has been learned."""
        return self._file.known.get(model_id, UNCALIBRATED)

    @property
    def known(self) -> Mapping[str, Calibration]:
        """The learned calibrations by model id. This is a live view."""
        return self._file.known

    def learn(self, model_id: str, estimate: Estimate, reported: int | None) -> None:
        """Learns from the prompt tokens that upstream reported for an answer. None means that it reported none."""
        if reported is None or reported < 1 or not estimate.is_calibrating:
            return
        self._file.known[model_id] = self.of(model_id).learn(estimate.text, reported)
        self._file.save()

    async def close(self) -> None:
        """Saves what was learned."""
        await self._file.close()


def _has_moved(known: Calibration, saved: Calibration | None) -> bool:
    """Tells whether a factor differs enough from the one in the file to be saved."""
    return abs(known.factor / (saved or UNCALIBRATED).factor - 1) >= _WORTH_SAVING


def _read(path: Path) -> dict[str, Calibration]:
    """Returns the content of the file, or nothing if it cannot be used. A few answers make up for it."""
    known = read_json(path, _File) or {}
    return {model_id: Calibration(tuple(ratios)) for model_id, ratios in known.items()}


def _replace(path: Path, known: Mapping[str, Calibration]) -> None:
    rounded = {model_id: [round(ratio, 4) for ratio in calibration.ratios] for model_id, calibration in known.items()}
    write_json(path, rounded)
