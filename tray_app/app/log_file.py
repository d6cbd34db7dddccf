"""The log file: one line per request, never a key, and prompt text only where the user switched it on."""

from __future__ import annotations

import logging
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tray_app.files.private import claim_folder, open_private
from tray_app.printable import escape
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
    """Makes every line fit for the file: neither a message nor a traceback carries a key to disk or forges a line.

    A record is one line, and the lines of its traceback are indented. What stands in them is escaped where it would
    end a line or move the cursor of the terminal that shows the file.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")
        self.secrets: frozenset[str] = frozenset()

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        lines = [hide_secrets(self.formatMessage(record), self.secrets)]
        if record.exc_info:
            lines += hide_secrets(self.formatException(record.exc_info), self.secrets).split("\n")
        return "\n    ".join(map(escape, lines))


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
