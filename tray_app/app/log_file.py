"""The log file: one line per request, never a key, and prompts only if the user has switched that on."""

from __future__ import annotations

import logging
import os
import stat
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tray_app.files.private import claim_folder, open_private
from tray_app.printable import escape
from tray_app.redaction import hide_secrets

FILE_NAME = "claude-nvidia-tray.log"
_FILE_BYTES = 2_000_000
"""The size at which a new file is begun."""
_OLD_FILES = 3
"""How many earlier files are kept."""
_LOGGERS = {
    "tray_app": logging.INFO,
    "aiohttp": logging.WARNING,
    "asyncio": logging.WARNING,
    "pypdf": logging.CRITICAL,  # its warnings quote the document
}
"""The loggers that write to the file: ours, and those of libraries that would print to the terminal otherwise."""


class RedactingFormatter(logging.Formatter):
    """Formats records so that no message or traceback can write a key to disk or forge a line of the log.

    A record is one line, and the lines of its traceback are indented. Characters that would end a line, or control the
    terminal that shows the file, are escaped.
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
        """Opens the file for its owner only, and never through a link."""
        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=open_private)

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802, ARG002 (as the base class has it)
        """Tells whether the file has its size. The base class would format each record for this a second time."""
        if self.stream is None:
            return False
        file = os.fstat(self.stream.fileno())
        return stat.S_ISREG(file.st_mode) and file.st_size >= self.maxBytes

    def doRollover(self) -> None:  # noqa: N802 (the name that the base class uses)
        """Begins a new file. On Windows the old one keeps growing while another program reads it."""
        try:
            super().doRollover()
        except OSError:
            if self.stream is None:
                self.stream = self._open()


def open_log(folder: Path, formatter: RedactingFormatter) -> logging.Handler | None:
    """Sends the log to a rotating file in `folder`. Returns None if the folder cannot be written: no log then."""
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
        logger.propagate = False  # so that it is not printed on the terminal
        logger.addHandler(handler)
    return handler


def close_log(handler: logging.Handler | None) -> None:
    """Takes the handler off the loggers and closes its file. None: there is nothing to close."""
    if handler is not None:
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.removeHandler(handler)
            logger.propagate = True
        handler.close()
