"""What can be seen of the Windows bundle without running it: Wine is more forgiving than Windows."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pefile
from freeze import BuildError

_X64 = 0x8664
_GUI, _CONSOLE = 2, 3  # IMAGE_SUBSYSTEM_WINDOWS_GUI, _CUI
_IMPORTS, _RESOURCES, _DELAYED_IMPORTS = 1, 2, 13  # indices of data directories
_GROUP_ICON, _MANIFEST = 14, 24  # RT_GROUP_ICON, RT_MANIFEST
_WINE_MARKS = b"Wine builtin DLL", b"Wine placeholder DLL"
_ICON_SIZES_PX = {16, 20, 24, 32, 40, 48, 64, 256}
"""100 % to 250 % of the small icon and the large one, and the largest that Explorer shows."""

# Those of Windows 10's own libraries that Python and its extensions use; api-ms-win-* are names for parts of them.
_IN_BOX = {
    f"{name}.dll"
    for name in (
        *("advapi32", "bcrypt", "bcryptprimitives", "cfgmgr32", "combase", "comctl32", "comdlg32", "crypt32"),
        *("dbghelp", "dwmapi", "gdi32", "imm32", "iphlpapi", "kernel32", "kernelbase", "msvcrt", "mswsock"),
        *("ncrypt", "netapi32", "normaliz", "ntdll", "ole32", "oleaut32", "pathcch", "powrprof", "propsys"),
        *("psapi", "rpcrt4", "secur32", "setupapi", "shcore", "shell32", "shlwapi", "ucrtbase", "user32"),
        *("userenv", "uxtheme", "version", "winhttp", "wininet", "winmm", "wintrust", "ws2_32", "wtsapi32"),
    )
}


def check_bundle(folder: Path, programs: dict[str, bool], version: str) -> str:
    """BuildError with all that is wrong with the bundle; else what was looked at.

    `programs`: the names of all of its programs, and whether each has a console.
    """
    images = {path: _load(path) for path in sorted(folder.rglob("*")) if path.suffix in (".exe", ".dll", ".pyd")}
    present = {path.name.lower() for path in images}
    faults = []
    for path, image in images.items():
        faults += [f"{path.name}: {fault}" for fault in _check_library(path, image, present)]
    found = {path.name for path in images if path.suffix == ".exe"}
    if found != set(programs):
        faults.append(f"the programs are {sorted(found)}, not {sorted(programs)}")
    for name in sorted(found & set(programs)):
        faults += [f"{name}: {fault}" for fault in _check_program(images[folder / name], programs[name], version)]
    for image in images.values():
        image.close()
    if faults:
        raise BuildError("\n".join(("the Windows bundle has faults:", *faults)))
    return f"{len(images)} programs and libraries"


def _load(path: Path) -> pefile.PE:
    """With the parts that are looked at here; all of them take several times as long."""
    image = pefile.PE(path, fast_load=True)
    wanted = [_IMPORTS, _DELAYED_IMPORTS, *([_RESOURCES] if path.suffix == ".exe" else [])]
    image.parse_data_directories(wanted, import_dllnames_only=True)
    return image


def _check_library(path: Path, image: pefile.PE, present: set[str]) -> Iterator[str]:
    """`present`: the names of the bundle's own files, in lower case."""
    if image.FILE_HEADER.Machine != _X64:
        yield f"for machine {image.FILE_HEADER.Machine:#x}, not x64"
    if any(mark in path.read_bytes()[:256] for mark in _WINE_MARKS):
        yield "a part of Wine"
    for attribute in ("DIRECTORY_ENTRY_IMPORT", "DIRECTORY_ENTRY_DELAY_IMPORT"):
        for entry in getattr(image, attribute, ()):
            name = entry.dll.decode("ascii").lower()
            if name not in present | _IN_BOX and not name.startswith("api-ms-win-"):
                yield f"imports {name}, which is neither in the bundle nor a part of Windows 10"


def _check_program(image: pefile.PE, has_console: bool, version: str) -> Iterator[str]:
    subsystem = image.OPTIONAL_HEADER.Subsystem
    if subsystem != (_CONSOLE if has_console else _GUI):
        yield f"subsystem {subsystem}, for a program that has {'a' if has_console else 'no'} console"
    yield from _check_manifest(image)
    yield from _check_version(image, version)
    if missing := _ICON_SIZES_PX - _icon_sizes(image):
        yield f"the icon lacks the sizes {sorted(missing)}"


def _check_manifest(image: pefile.PE) -> Iterator[str]:
    manifests = list(_resources(image, _MANIFEST))
    if len(manifests) != 1:
        yield f"{len(manifests)} manifests"
        return
    texts: dict[str, str] = {}
    for element in ElementTree.fromstring(manifests[0]).iter():
        texts[element.tag.rpartition("}")[2]] = element.get("level") or (element.text or "").strip()
    expected = {"requestedExecutionLevel": "asInvoker", "longPathAware": "true"}
    for name, value in expected.items():
        if texts.get(name) != value:
            yield f"the manifest says {name} {texts.get(name)}, not {value}"
    if not texts.get("dpiAwareness", "").startswith("PerMonitorV2"):
        yield f"the manifest says dpiAwareness {texts.get('dpiAwareness')}"


def _check_version(image: pefile.PE, version: str) -> Iterator[str]:
    told = {
        key.decode(): value.decode()
        for group in getattr(image, "FileInfo", ())
        for info in group
        for table in getattr(info, "StringTable", ())
        for key, value in table.entries.items()
    }
    for name in ("FileVersion", "ProductVersion"):
        if told.get(name) != version:
            yield f"{name} {told.get(name)}, not {version}"
    for fixed in getattr(image, "VS_FIXEDFILEINFO", ()):
        high, low = fixed.FileVersionMS, fixed.FileVersionLS
        numbers = f"{high >> 16}.{high & 0xFFFF}.{low >> 16}"
        if numbers != version:
            yield f"version {numbers} in numbers, not {version}"


def _icon_sizes(image: pefile.PE) -> set[int]:
    """The widths in its icon, in pixels. GRPICONDIR: three words, the last one the count; then 14 bytes for each."""
    sizes = set()
    for group in _resources(image, _GROUP_ICON):
        (count,) = struct.unpack_from("<4xH", group)
        sizes |= {group[6 + 14 * index] or 256 for index in range(count)}
    return sizes


def _resources(image: pefile.PE, kind: int) -> Iterator[bytes]:
    """The data of each resource of a kind, in any language."""
    root = getattr(image, "DIRECTORY_ENTRY_RESOURCE", None)
    for entry in root.entries if root else ():
        if entry.id == kind:
            for named in entry.directory.entries:
                for translated in named.directory.entries:
                    data = translated.data.struct
                    yield image.get_data(data.OffsetToData, data.Size)
