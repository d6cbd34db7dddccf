"""The log file: one line per request, never a key, and prompt text only where the user switched it on."""

from __future__ import annotations

import logging
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tray_app.private_files import claim_folder, open_private
from tray_app.redaction import hide_secrets

FILE_NAME = "claude-nvidia-tray.log"
_FILE_BYTES = 2_000_000
_OLD_FILES = 3
_LOGGERS = {
    "tray_app": logging.INFO,
    "aiohttp": logging.WARNING,
    "asyncio": logging.WARNING,
    "pypdf": logging.CRITICAL,  # its warnings quote the document
}
"""Ours, and those of the libraries that would print tracebacks on the terminal."""


class RedactingFormatter(logging.Formatter):
    """Hides secrets in the finished line, so that neither a message nor a traceback can carry one to disk."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")
        self.secrets: frozenset[str] = frozenset()

    def format(self, record: logging.LogRecord) -> str:
        return hide_secrets(super().format(record), self.secrets)


class _LogFile(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        """For its owner only, and never through a link that somebody put in its place."""
        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=open_private)

    def doRollover(self) -> None:  # noqa: N802 (the base class's name)
        """Grows on in the same file while it cannot be renamed: on Windows, for as long as a program reads it."""
        try:
            super().doRollover()
        except OSError:
            if self.stream is None:
                self.stream = self._open()


def open_log(folder: Path, formatter: RedactingFormatter) -> logging.Handler | None:
    """Sends the program's log to a rotating file in `folder`; None (and no file) where the folder cannot be written."""
    try:
        claim_folder(folder, (f"{FILE_NAME}*",))
        handler = _LogFile(
            folder / FILE_NAME,
            maxBytes=_FILE_BYTES,
            backupCount=_OLD_FILES,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError:
        return None
    handler.setFormatter(formatter)
    for name, level in _LOGGERS.items():
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = False  # nothing of it belongs on the terminal
        logger.addHandler(handler)
    return handler


def close_log(handler: logging.Handler | None) -> None:
    if handler is not None:
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.removeHandler(handler)
            logger.propagate = True
        handler.close()
