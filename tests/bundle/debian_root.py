"""A Debian with nothing but what every Debian has, in a folder: what the host has cannot help a program there."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bundle.built import CACHE
from tests.support.desktop_harness import Desktop
from tests.support.parts import fail_or_skip, need

USER = "somebody"
SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))

_ENTER = """
mount -t proc proc "$0/proc"
if [ -n "$1" ]; then
  mkdir -p "$0/run/desktop"
  touch "$0/run/desktop/bus"
  mount --bind "$1" "$0/run/desktop/bus"
fi
root=$0 user=$2; shift 2
exec chroot --userspec="$user" "$root" "$@"
"""


class DebianRoot:
    """The folder, and how programs are started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home" / USER
        self.pristine: set[str] = set()

    def run(self, *command: str, user: str = USER) -> str:
        """The output of a program that ends by itself and successfully."""
        done = subprocess.run(
            self.enter(*command, user=user), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def enter(self, *command: str, user: str = USER, desktop: Desktop | None = None, **environ: str) -> list[str]:
        """The command as one for the host, which needs root. With a desktop, the program finds its session bus."""
        variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "SHELL": "/bin/bash", **environ}
        variables["HOME"] = "/root" if user == "root" else f"/home/{user}"
        bus = ""
        if desktop is not None:
            bus = desktop.bus.removeprefix("unix:path=").partition(",")[0]
            variables["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/run/desktop/bus"
        # a namespace of its own for the mounts: they end with the program
        unshare = ["unshare", "--mount", "env", "-i", *(f"{name}={value}" for name, value in variables.items())]
        return [*unshare, "/bin/sh", "-ec", _ENTER, str(self.folder), bus, user, *command]

    def list_files(self) -> set[str]:
        """The system's paths, without those where dpkg and apt keep their notes."""
        others = ("home/", "tmp/", "var/lib/dpkg/", "var/lib/apt/", "var/log/", "var/cache/", "proc/", "run/")
        paths = (str(path.relative_to(self.folder)) for path in self.folder.rglob("*"))
        return {path for path in paths if not path.startswith(others)}


@contextmanager
def make_debian_root(folder: Path) -> Iterator[DebianRoot]:
    """A fresh one in `folder`, of the host's own release. The first time, packages come from the host's apt sources."""
    need("mmdebstrap", "unshare", "tar")
    if os.geteuid() != 0:
        fail_or_skip("a root of its own needs root")
    archive = _find_archive()
    folder.mkdir()
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", folder], check=True)
    root = DebianRoot(folder)
    root.run("useradd", "--create-home", "--shell", "/bin/bash", USER, user="root")
    root.pristine = root.list_files()
    yield root
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)


def _find_archive() -> Path:
    suite = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    sources = [path for path in SOURCES if path.is_file() and suite in path.read_text(encoding="utf-8")]
    command = ["mmdebstrap", "--variant=minbase", "--mode=root", suite]
    key = hashlib.sha256("\0".join([*command, *(path.read_text() for path in sources)]).encode()).hexdigest()[:16]
    archive = CACHE / f"debian-{suite}-{key}.tar"
    if not archive.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        half = archive.with_suffix(f".{os.getpid()}.tar")
        subprocess.run([*command, half, *sources], check=True, stdin=subprocess.DEVNULL)
        half.rename(archive)
    return archive
