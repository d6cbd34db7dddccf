"""Keyrings as systems have them: working, forgetful, locked, broken."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import keyring.backend
import keyring.errors


class MemoryKeyring(keyring.backend.KeyringBackend):
    """Keeps passwords for as long as a test runs."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.passwords:
            raise keyring.errors.PasswordDeleteError
        del self.passwords[service, username]


class ForgetfulKeyring(MemoryKeyring):
    """Takes what it is given, and does not keep it: some systems' backends are like that."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class LockedKeyring(MemoryKeyring):
    """Waits for somebody to type a password, for as long as the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.unlocked = threading.Event()
        self.is_dismissed = False
        """Whether the user closes the prompt instead."""
        self.asked = 0
        """How many questions it was asked."""

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.unlocked.wait()
        if self.is_dismissed:
            raise keyring.errors.KeyringLocked
        return super().get_password(service, username)


class FailingKeyring(MemoryKeyring):
    """Raises `error` when it is asked for a password, as long as there is one."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        if self.error:
            raise self.error
        return super().get_password(service, username)


class BrokenKeyring(FailingKeyring):
    def __init__(self) -> None:
        super().__init__(RuntimeError("D-Bus is not what it was"))


class FileKeyring(MemoryKeyring):
    """For other processes: keeps passwords in the file that $TEST_KEYRING names.

    It is locked for as long as there is a pipe of that name with ".lock" after it, and nobody has written into it.
    """

    def get_password(self, service: str, username: str) -> str | None:
        self._load()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._load()
        super().set_password(service, username, password)
        rows = [[*names, kept] for names, kept in self.passwords.items()]
        self._path.write_text(json.dumps(rows), encoding="utf-8")

    @property
    def _path(self) -> Path:
        return Path(os.environ["TEST_KEYRING"])

    def _load(self) -> None:
        lock = self._path.with_name(f"{self._path.name}.lock")
        if lock.exists():
            lock.read_bytes()
        if self._path.exists():
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            self.passwords = {(service, username): kept for service, username, kept in rows}
