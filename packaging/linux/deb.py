"""The Debian package: the frozen program below /usr/lib, and what makes it a command and a place in the menu.

It has no scripts: the desktop's own triggers refresh menu and icons, the settings are the user's, and a program that is
replaced while it runs goes on as the old one until it is quit (see launch.py).
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from freeze import EPOCH_S, ROOT, BuildError
from linux.elf import find_elf_files, find_glibc, find_needed
from linux.share import HERE, copy, write_share

from tray_app import APP_ID, APP_NAME, __version__

METAINFO = HERE / "io.github.claude_nvidia_tray.metainfo.xml"

OF_GLIBC = {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"} | {
    f"lib{name}" for name in ("c.so.6", "dl.so.2", "m.so.6", "pthread.so.0", "rt.so.1", "util.so.1")
}
PACKAGES = {"libgcc_s.so.1": "libgcc-s1", "libstdc++.so.6": "libstdc++6"}
"""Debian's names for the libraries that are not bundled."""

RECOMMENDED = (
    "ca-certificates",  # NVIDIA is reached by TLS
    "gnome-keyring | libkf5wallet-bin | keepassxc",  # a secret service, for the API key
    "xclip | wl-clipboard | xsel",  # a copy that outlives the program
    "xdg-utils",  # Open Log Folder
)

CONTROL = """\
Package: {name}
Version: {version}
Architecture: {architecture}
Maintainer: The {title} authors
Installed-Size: {size_kib}
Depends: {depends}
Recommends: {recommends}
Suggests: gnome-shell-extension-appindicator
Section: net
Priority: optional
Description: gateway that lets Claude Code work with models hosted by NVIDIA
 An icon in the panel runs a small gateway on this machine. Claude Code talks
 to it as it would to Anthropic, and NVIDIA's hosted models answer. The model
 is switched with a click, also in the middle of a running session.
 .
 The program brings its own Python.
"""

COPYRIGHT = """\
{licence}

What follows is about the Python and the libraries that the package carries in
/usr/lib/{name}, each under its own licence.

{notices}"""


def write_deb(program: Path, work: Path, folder: Path) -> Path:
    """Packs the frozen `program` into `folder`; the same bytes from the same files. `work` is emptied first."""
    shutil.rmtree(work, ignore_errors=True)
    usr = work / "usr"
    shutil.copytree(program, usr / "lib" / APP_ID, symlinks=True)
    (usr / "bin").mkdir()
    (usr / "bin" / APP_ID).symlink_to(f"../lib/{APP_ID}/{APP_ID}")
    write_share(usr / "share")
    copy(METAINFO, usr / "share" / "metainfo")
    write_docs(usr / "share" / "doc" / APP_ID, program / "_internal" / "THIRD-PARTY.txt")
    architecture = _read("dpkg", "--print-architecture")
    write_control(work, program, architecture)
    for path in (work, *work.rglob("*")):
        if not path.is_symlink():
            is_program = path.is_dir() or (path.stat().st_mode & 0o100 and ".so" not in path.name)
            path.chmod(0o755 if is_program else 0o644)
        os.utime(path, (EPOCH_S, EPOCH_S), follow_symlinks=False)
    target = folder / f"{APP_ID}_{__version__}_{architecture}.deb"
    # one thread, since what xz makes depends on their number; xz, since older systems know nothing newer
    same = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH_S), "DPKG_DEB_THREADS_MAX": "1"}
    command = ["dpkg-deb", "-Zxz", "--root-owner-group", "--build", str(work), str(target)]
    if subprocess.call(command, env=same, stdout=subprocess.DEVNULL):
        raise BuildError("dpkg-deb failed (its message is above).")
    return target


def list_dependencies(program: Path) -> str:
    """The packages with what the program's native files need and do not bring along. BuildError if one is not known."""
    files = find_elf_files(program)
    missing = find_needed(files) - {path.name for path in program.rglob("*")} - OF_GLIBC
    if unknown := missing - PACKAGES.keys():
        raise BuildError(f"no Debian package is named for {', '.join(sorted(unknown))}.")
    return ", ".join([f"libc6 (>= {find_glibc(files)})", *sorted(PACKAGES[name] for name in missing)])


def write_docs(folder: Path, notices: Path) -> None:
    folder.mkdir(parents=True)
    text = COPYRIGHT.format(
        name=APP_ID,
        licence=(ROOT / "LICENSE").read_text(encoding="utf-8").rstrip(),
        notices=notices.read_text(encoding="utf-8"),
    )
    (folder / "copyright").write_text(text, encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_bytes()
    (folder / "changelog.gz").write_bytes(gzip.compress(changes, 9, mtime=0))


def write_control(root: Path, program: Path, architecture: str) -> None:
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    control = root / "DEBIAN"
    control.mkdir()
    sums = (f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files)
    (control / "md5sums").write_text("".join(sums), encoding="utf-8")
    text = CONTROL.format(
        name=APP_ID,
        title=APP_NAME,
        version=__version__,
        architecture=architecture,
        size_kib=sum(-(-path.stat().st_size // 1024) for path in files),
        depends=list_dependencies(program),
        recommends=", ".join(RECOMMENDED),
    )
    (control / "control").write_text(text, encoding="utf-8")


def _read(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
