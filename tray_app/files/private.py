"""Creates files and folders that only their owner may read, closes existing ones to others, and opens them safely.

Windows has no such modes. Other users cannot read a user's own folders there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_OTHERS = 0o077
"""The permissions of everybody but the owner."""
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600

_HAS_MODES = hasattr(os, "geteuid")

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
"""Opens without waiting. Otherwise opening a pipe that nobody writes to would wait for ever."""
_AS_BYTES = getattr(os, "O_BINARY", 0)

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class NotAFile(OSError):
    """The path leads to something that cannot be a file of this program. `strerror` says what it is."""


def open_private(path: str | Path, flags: int, *, follows_links: bool = False) -> int:
    """Opens a regular file and returns its descriptor, which the caller closes. Only the owner can read a new file.

    NotAFile if the path leads to a folder, pipe, device or socket. OSError if it is a link and links are not followed.
    It can be the `opener` of `open`.
    """
    try:
        descriptor = os.open(path, flags | _NO_WAIT | _AS_BYTES | (0 if follows_links else _NO_FOLLOW), _FILE_MODE)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            _refuse_other_kinds(Path(path).stat(), path)  # sockets, and folders on Windows, cannot be opened at all
        raise
    try:
        # The descriptor is asked, because another program may put something else at the path at any moment.
        _refuse_other_kinds(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def make_private_folder(folder: Path) -> None:
    """Creates the folder and missing folders above it, for their owner only. Existing folders stay as they are."""
    try:
        folder.mkdir(_FOLDER_MODE, exist_ok=True)
    except FileNotFoundError:
        make_private_folder(folder.parent)
        folder.mkdir(_FOLDER_MODE, exist_ok=True)


def claim_folder(folder: Path, patterns: Iterable[str]) -> None:
    """Creates the program's own folder, or closes an existing one to other users, with its files that match `patterns`.

    The user's home folder, the root of the file system and folders that all users share (such as /tmp) stay as they
    are, even if the user chose one of them for this program.
    """
    make_private_folder(folder)
    if not _HAS_MODES:
        return
    with contextlib.suppress(OSError), _opened(folder) as descriptor:
        found = os.fstat(descriptor)
        if not found.st_mode & stat.S_ISVTX and not any(os.path.samestat(found, other) for other in _landmarks()):
            _tighten(descriptor)
    for pattern in patterns:
        for path in folder.glob(pattern):
            tighten_file(path)


def tighten_file(path: Path) -> bool:
    """Closes the file to everybody but its owner. Returns True if that was needed and has worked.

    A link, a file of another user, and a file on a disk without modes stay as they are.
    """
    if not _HAS_MODES:
        return False
    try:
        with _opened(path) as descriptor:
            return stat.S_ISREG(os.fstat(descriptor).st_mode) and _tighten(descriptor)
    except OSError:
        return False


def is_private(path: Path) -> bool:
    """Tells whether only the user can have made the file or folder: it is the user's, is closed to others, and no link.

    Where there are no modes, it is enough that it is no link.
    """
    try:
        found = path.lstat()
    except OSError:
        return False
    if not _HAS_MODES:
        return not stat.S_ISLNK(found.st_mode)
    posix: Any = os
    is_usual = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return is_usual and found.st_uid == posix.geteuid() and not found.st_mode & _OTHERS


def _tighten(descriptor: int) -> bool:
    posix: Any = os  # the types of Windows lack what is called only where there are modes
    found = os.fstat(descriptor)
    if found.st_uid != posix.geteuid() or not found.st_mode & _OTHERS:
        return False
    posix.fchmod(descriptor, stat.S_IMODE(found.st_mode) & ~_OTHERS)
    return not os.fstat(descriptor).st_mode & _OTHERS


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | _NO_WAIT | _NO_FOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _landmarks() -> Iterator[os.stat_result]:
    for place in ("~", os.sep):
        with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: this user has no home
            yield Path(place).expanduser().stat()


def _refuse_other_kinds(found: os.stat_result, path: str | Path) -> None:
    if kind := _KINDS.get(stat.S_IFMT(found.st_mode)):
        raise NotAFile(errno.EINVAL, f"it is {kind}, not a file", str(path))
