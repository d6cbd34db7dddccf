"""Keeps what was seen of each model with the key in use, in a private file, and publishes it on the board.

A request only changes counters in memory. A timer publishes them, at most every few seconds.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tray_app.files.json_file import read_json, write_json
from tray_app.proxy.upstream.learned_file import LearnedFile
from tray_app.proxy.upstream.records import KEPT_TIMES, SILENCE_HOLDS_S, Record, Refusal, find_findings, utc_date
from tray_app.status.board import StatusBoard
from tray_app.status.findings import NO_FINDINGS, Findings, ModelTrouble

log = logging.getLogger(__name__)

FILE_NAME = "model_evidence.json"
PUBLISH_S = 5.0
"""Counts reach the board after this time. A refusal reaches it at once."""
_WORTH_SAVING = 20
"""The file is written when so many requests to a model are not in it, or when a verdict on a model has changed."""
_OLD_S = 3600.0
"""The file is also written when the last answer in it is older than the newest by this time."""


class _Account(msgspec.Struct, frozen=True):
    """The address and the key that the records belong to. Neither can be found from it."""

    salt: str
    fingerprint: str

    @classmethod
    def of(cls, url: str, key: str, salt: str = "") -> _Account:
        salt = salt or secrets.token_hex(16)
        return cls(salt, hashlib.sha256(f"{salt}\n{url}\n{key}".encode()).hexdigest())


class _File(msgspec.Struct, frozen=True):
    account: _Account
    models: dict[str, Record]


class Evidence:
    """The records of all models for one key. Belongs to one event loop. Without a folder no file keeps them."""

    def __init__(self, board: StatusBoard, folder: Path | None = None, now: Callable[[], float] = time.time) -> None:
        """`now` returns the Unix time in seconds. Nothing is kept or published before the first call of `use`."""
        self.now = now
        self.look_due = asyncio.Event()
        """Set when a refused request shows that what is known of NVIDIA's models is out of date."""
        self._board = board
        self._folder = folder
        self._account: tuple[str, str] = ("", "")
        self._file = LearnedFile[Record](None, FILE_NAME, lambda _: {}, lambda _, __: None)
        self._timer: asyncio.TimerHandle | None = None

    def use(self, url: str, key: str) -> None:
        """Takes the records of this address and key. Those of others are forgotten. Without a key nothing is kept."""
        if (url, key) != self._account:
            self._account, self._file = (url, key), _open_file(self._folder, url, key, self.now())
        self.publish()

    def find(self, model_id: str) -> Record:
        """Returns the record of a model, which is empty if nothing was seen of it."""
        return self._file.known.get(model_id, _NOTHING)

    def count_probes(self) -> int:
        """Returns how many probes were sent today, to all models."""
        today = utc_date(self.now())
        return sum(record.on_day(today).probes for record in self._file.known.values())

    def count_today(self, model_id: str) -> int:
        """Returns how many requests and probes were sent to the model on this day of UTC."""
        return self.find(model_id).on_day(utc_date(self.now())).sent

    # ---- requests of clients

    def note_sent(self, model_id: str) -> None:
        """Notes that a request is being sent to the model."""
        self._change(model_id, self.find(model_id).with_day(utc_date(self.now()), sent=1))

    def note_answered(self, model_id: str, first_token_s: float) -> None:
        """Notes that the model began to answer a request of a client, after so many seconds."""
        record = self._answered(model_id).with_day(utc_date(self.now()), succeeded=1)
        times = (*record.first_token_s, round(first_token_s, 2))[-KEPT_TIMES:]
        self._change(model_id, msgspec.structs.replace(record, first_token_s=times))

    def note_called(self, model_id: str) -> None:
        """Notes that an answer of the model calls a tool."""
        self._change(model_id, msgspec.structs.replace(self.find(model_id), called_at=self.now(), uncalled=0))

    def note_failed(self, model_id: str) -> None:
        """Notes that the model, though it is served, did not answer a request of a client."""
        self._change(model_id, self.find(model_id).with_day(utc_date(self.now()), failed=1))

    def note_refused(self, model_id: str, trouble: ModelTrouble) -> None:
        """Notes that NVIDIA refuses every request to the model, in the answer to a request of a client."""
        record = self.find(model_id)
        is_news = record.answers(self.now()) is not False
        self._change(model_id, self._refused(record, trouble))
        self.publish()
        if is_news:
            self.look_due.set()

    # ---- probes

    def note_probe_sent(self, model_id: str) -> None:
        """Notes that a probe is being sent to the model."""
        self._change(model_id, self.find(model_id).with_day(utc_date(self.now()), sent=1, probes=1))

    def note_probe_answered(self, model_id: str, first_token_s: float, calls_tools: bool | None) -> None:
        """Notes that the model answered a probe. `calls_tools` is None if the answer ended before it could tell."""
        record, now_s = self._answered(model_id), self.now()
        record = msgspec.structs.replace(
            record,
            probed_s=round(first_token_s, 2),
            called_at=now_s if calls_tools else record.called_at,
            uncalled=0 if calls_tools else record.uncalled + (calls_tools is False),
        )
        self._change(model_id, record)

    def note_probe_refused(self, model_id: str, trouble: ModelTrouble) -> None:
        """Notes that NVIDIA refuses every request to the model, in the answer to a probe."""
        self._change(model_id, self._refused(self.find(model_id), trouble))

    def note_probe_silent(self, model_id: str) -> None:
        """Notes that a probe ended without an answer and without a verdict."""
        record, now_s = self.find(model_id), self.now()
        tries = record.silent if now_s < record.silent_at + SILENCE_HOLDS_S else 0
        self._change(model_id, msgspec.structs.replace(record, silent=tries + 1, silent_at=now_s))

    # ---- the board and the file

    def publish(self) -> None:
        """Publishes what is known now, and begins to write the file if it is worth it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._file.save()
        findings = find_findings(self._file.known, self.now())
        if findings != self._board.status.findings:
            self._board.publish(findings=findings)

    async def close(self) -> None:
        """Saves what was seen."""
        if self._timer is not None:
            self._timer.cancel()
        await self._file.close()

    def _answered(self, model_id: str) -> Record:
        return msgspec.structs.replace(
            self.find(model_id), answered_at=self.now(), refusal=None, silent=0, silent_at=0.0
        )

    def _refused(self, record: Record, trouble: ModelTrouble) -> Record:
        before, now_s = record.refusal, self.now()
        doublings = before.renew(now_s) if before and before.kind is trouble.kind else 0
        refusal = Refusal(trouble.kind, now_s, trouble.date, doublings)
        return msgspec.structs.replace(record, refusal=refusal, answered_at=0.0, silent=0, silent_at=0.0)

    def _change(self, model_id: str, record: Record) -> None:
        if not self._account[1]:
            return
        self._file.known[model_id] = record
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PUBLISH_S, self.publish)


_NOTHING = Record()


def read_findings(folder: Path, now_s: float) -> Findings:
    """Returns what the file in this folder says at a Unix time, for whichever key it is; nothing without a file."""
    stored = read_json(folder / FILE_NAME, _File)
    return find_findings(stored.models, now_s) if stored else NO_FINDINGS


def _open_file(folder: Path | None, url: str, key: str, now_s: float) -> LearnedFile[Record]:
    """Returns the file with the records of this account, which is empty if it holds those of another."""
    stored = read_json(folder / FILE_NAME, _File) if folder and key else None
    account = _Account.of(url, key, stored.account.salt if stored else "")
    models = stored.models if stored and stored.account == account else {}
    models = {model_id: record for model_id, record in models.items() if not record.is_stale(now_s)}
    return LearnedFile[Record](
        folder if key else None,
        FILE_NAME,
        lambda _: dict(models),
        lambda path, known: write_json(path, _File(account, known)),
        _is_news,
    )


def _is_news(record: Record, saved: Record | None) -> bool:
    """Tells whether a record is worth writing: a verdict is new, or many requests are."""
    saved = saved or _NOTHING
    verdict = (record.refusal, bool(record.answered_at), record.calls_tools, record.silent)
    if verdict != (saved.refusal, bool(saved.answered_at), saved.calls_tools, saved.silent):
        return True
    if record.answered_at > saved.answered_at + _OLD_S:
        return True
    sent, sent_before = (sum(day.sent for day in known.days) for known in (record, saved))
    return abs(sent - sent_before) >= _WORTH_SAVING
