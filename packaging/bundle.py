"""Builds everything that is published for the system it runs on, into dist/. Called by `dev.py bundle`.

Everywhere: the wheel and the sdist. Linux: a tarball, and a .deb where dpkg-deb is. Windows and macOS: a zip.
"""

from __future__ import annotations

import gzip
import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from freeze import EPOCH_S, ROOT, SAME_EVERY_TIME, BuildError, check_itself, freeze, run_here

sys.path.insert(0, str(ROOT))  # a script's own folder is on the path, not the checkout
from tray_app import APP_ID, APP_NAME, __version__

WORK = ROOT / ".build"
DIST = ROOT / "dist"
ZIP_DATE = (2026, 1, 1, 0, 0, 0)


def say(line: str) -> None:
    print(f"bundle: {line}", file=sys.stderr, flush=True)


def main() -> int:
    DIST.mkdir(exist_ok=True)
    try:
        for path in (*build_packages(), *build_bundle()):
            say(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB")
        write_sums()
    except BuildError as error:
        say(str(error))
        return 1
    return 0


def build_packages() -> list[Path]:
    """The wheel and the sdist, by the hatchling that is installed here: nothing is fetched."""
    say("wheel and sdist")
    made = [DIST / f"claude_nvidia_tray-{__version__}{ending}" for ending in ("-py3-none-any.whl", ".tar.gz")]
    for target, path in (("wheel", made[0]), ("sdist", made[1])):
        path.unlink(missing_ok=True)
        if run_here([sys.executable, "-m", "hatchling", "build", "-d", str(DIST), "-t", target], SAME_EVERY_TIME):
            raise BuildError(f"the {target} could not be made (see above).")
    return made


def build_bundle() -> list[Path]:
    say("freezing the program")
    folder = freeze(sys.executable, WORK / "bundle")
    program = folder / (f"{APP_ID}.exe" if sys.platform == "win32" else APP_ID)
    check_itself(program)
    machine = platform.machine().lower().replace("amd64", "x64")
    name = f"{APP_ID}-{__version__}"
    if sys.platform == "win32":
        return [write_zip(folder, DIST / f"{name}-windows-{machine}.zip", APP_NAME)]
    if sys.platform == "darwin":
        return [zip_mac_app(folder.with_name(f"{APP_NAME}.app"), DIST / f"{name}-macos-{machine}.zip")]
    return build_for_linux(folder, DIST / f"{name}-linux-{machine}.tar.gz")


def build_for_linux(program: Path, target: Path) -> list[Path]:
    """The .deb, and the tarball with what makes its folder a place in the menu."""
    from linux.deb import write_deb
    from linux.elf import find_elf_files, find_glibc
    from linux.share import write_share

    say(f"it needs glibc {find_glibc(find_elf_files(program))} or newer")
    made = [write_deb(program, WORK / "deb", DIST)] if shutil.which("dpkg-deb") else []
    write_share(program / "share")
    shutil.copy(ROOT / "packaging" / "linux" / "install.sh", program)
    return [*made, write_tarball(program, target)]


def write_sums() -> None:
    """SHA256SUMS, of all that lies in dist/: what a user compares a download with."""
    files = sorted(
        path for path in DIST.iterdir() if path.name.startswith(("claude-nvidia-tray", "claude_nvidia_tray"))
    )
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (DIST / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")


def write_tarball(folder: Path, target: Path) -> Path:
    """The same bytes from the same files."""

    def without_traces(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = EPOCH_S, 0, 0, "", ""
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", mtime=EPOCH_S, fileobj=file) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        archive.add(folder, f"{APP_ID}-{__version__}", recursive=False, filter=without_traces)
        for path in sorted(folder.rglob("*")):
            name = f"{APP_ID}-{__version__}/{path.relative_to(folder).as_posix()}"
            archive.add(path, name, recursive=False, filter=without_traces)
    return target


def write_zip(folder: Path, target: Path, root: str) -> Path:
    """The files below a folder `root`; the same bytes from the same files."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{root}/{path.relative_to(folder).as_posix()}", ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return target


def zip_mac_app(app: Path, target: Path) -> Path:
    """By macOS's own tool, which keeps links, modes and signatures."""
    if subprocess.call(["/usr/bin/ditto", "-c", "-k", "--keepParent", str(app), str(target)]):
        raise BuildError(f"{app.name} could not be packed (see above).")
    return target


if __name__ == "__main__":
    sys.exit(main())
