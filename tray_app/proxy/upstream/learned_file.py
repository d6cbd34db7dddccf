"""What is learned of each model, kept in a small file from one start to the next."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

_Known = TypeVar("_Known")


class LearnedFile(Generic[_Known]):
    """Use it in one event loop, and close it there. Without a folder nothing is read or written."""

    def __init__(
        self,
        folder: Path | None,
        name: str,
        read: Callable[[Path], dict[str, _Known]],
        write: Callable[[Path, dict[str, _Known]], None],
        is_news: Callable[[_Known, _Known | None], bool] = operator.ne,
    ) -> None:
        """`is_news` says whether what is known of a model is worth saving; it also gets what was saved last, if any.

        `read` and `write` must not raise. `write` runs in a thread, one call at a time.
        """
        self._path = folder / name if folder else None
        self._write = write
        self._is_news = is_news
        self.known = read(self._path) if self._path else {}
        """By model id. The owner changes it, and then calls `save`."""
        self._saved = dict(self.known)
        self._saving: asyncio.Task[None] | None = None

    def save(self) -> None:
        """Begins to write what is known, if there is news and it is not being written already."""
        if self._path and self._has_news() and (self._saving is None or self._saving.done()):
            self._saving = asyncio.create_task(self._save_news(self._path))

    async def close(self) -> None:
        """Returns when all that is known is written."""
        if self._saving is not None:
            await self._saving
        if self._path and self.known != self._saved:
            await self._save_all(self._path)

    def _has_news(self) -> bool:
        return any(self._is_news(known, self._saved.get(model_id)) for model_id, known in self.known.items())

    async def _save_news(self, path: Path) -> None:
        while self._has_news():  # more may have been learned during the last writing
            await self._save_all(path)

    async def _save_all(self, path: Path) -> None:
        self._saved = dict(self.known)  # also if writing fails: the next news try it again
        await asyncio.to_thread(self._write, path, self._saved)
