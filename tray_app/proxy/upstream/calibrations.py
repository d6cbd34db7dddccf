"""The calibration of each model, kept in a small file from one start to the next."""

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
"""How much a factor moves before it is written."""

_Ratio = Annotated[float, msgspec.Meta(ge=LEAST_RATIO, le=MOST_RATIO)]
_File = dict[str, Annotated[list[_Ratio], msgspec.Meta(min_length=1, max_length=WINDOW)]]
"""Model id -> ratios."""


class Calibrations:
    """Use it in one event loop, and close it there. Without a folder nothing is kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = LearnedFile(folder, FILE_NAME, _read, _replace, _has_moved)

    def of(self, model_id: str) -> Calibration:
        return self._file.known.get(model_id, UNCALIBRATED)

    @property
    def known(self) -> Mapping[str, Calibration]:
        """What was learned, by model id. It changes with what is learned afterwards."""
        return self._file.known

    def learn(self, model_id: str, estimate: Estimate, reported: int | None) -> None:
        """Takes the prompt tokens that upstream reported for a complete answer, if it did and they tell something."""
        if reported is None or reported < 1 or not estimate.is_calibrating:
            return
        self._file.known[model_id] = self.of(model_id).learn(estimate.text, reported)
        self._file.save()

    async def close(self) -> None:
        """Returns when what was learned is written."""
        await self._file.close()


def _has_moved(known: Calibration, saved: Calibration | None) -> bool:
    """Whether a factor is so far from the one in the file that it is worth saving."""
    return abs(known.factor / (saved or UNCALIBRATED).factor - 1) >= _WORTH_SAVING


def _read(path: Path) -> dict[str, Calibration]:
    """What the file holds; nothing where there is none that can be used: a few answers replace it."""
    known = read_json(path, _File) or {}
    return {model_id: Calibration(tuple(ratios)) for model_id, ratios in known.items()}


def _replace(path: Path, known: Mapping[str, Calibration]) -> None:
    rounded = {model_id: [round(ratio, 4) for ratio in calibration.ratios] for model_id, calibration in known.items()}
    write_json(path, rounded)
