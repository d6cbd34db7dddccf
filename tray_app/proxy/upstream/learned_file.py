"""A small file that keeps what is learned of each model between starts."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

_Known = TypeVar("_Known")


class LearnedFile(Generic[_Known]):
    """Reads the file once and saves news in a thread. Belongs to one event loop. Without a folder it does nothing."""

    def __init__(
        self,
        folder: Path | None,
        name: str,
        read: Callable[[Path], dict[str, _Known]],
        write: Callable[[Path, dict[str, _Known]], None],
        is_news: Callable[[_Known, _Known | None], bool] = operator.ne,
    ) -> None:
        """`is_news` gets what is known of a model and what was saved last, or None. It tells whether to save again.

        `read` and `write` must not raise. `write` runs in a thread, one call at a time.
        """
        self._path = folder / name if folder else None
        self._write = write
        self._is_news = is_news
        self.known = read(self._path) if self._path else {}
        """What is known, by model id. The owner of this object changes it and then calls `save`."""
        self._saved = dict(self.known)
        self._saving: asyncio.Task[None] | None = None

    def save(self) -> None:
        """Begins to write the file if there is news. A running write takes later news with it."""
        if self._path and self._has_news() and (self._saving is None or self._saving.done()):
            self._saving = asyncio.create_task(self._save_news(self._path))

    async def close(self) -> None:
        """Writes what has not been saved, and returns when the file is complete."""
        if self._saving is not None:
            await self._saving
        if self._path and self.known != self._saved:
            await self._save_all(self._path)

    def _has_news(self) -> bool:
        return any(self._is_news(known, self._saved.get(model_id)) for model_id, known in self.known.items())

    async def _save_news(self, path: Path) -> None:
        while self._has_news():  # more may have been learned during the last write
            await self._save_all(path)

    async def _save_all(self, path: Path) -> None:
        self._saved = dict(self.known)  # even if writing fails; the next news write the file again
        await asyncio.to_thread(self._write, path, self._saved)
