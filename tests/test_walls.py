"""The rules of tray_app/ARCHITECTURE.md: which room may import which, and which libraries stay in one room."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "tray_app"
FILES = sorted(PACKAGE.rglob("*.py"))

ARCHITECTURE = (PACKAGE / "ARCHITECTURE.md").read_text(encoding="utf-8")


def read_rooms() -> dict[str, set[str]]:
    """Returns the rooms that each room may import, without the room itself, from the table in ARCHITECTURE.md."""
    rows = re.findall(r"^\| `([\w.]+)` \|[^|]*\|(.*)\|$", ARCHITECTURE, re.MULTILINE)
    return {room: set(re.findall(r"`([\w.]+)`", may_import)) for room, may_import in rows}


def read_libraries() -> dict[str, set[str]]:
    """Returns the rooms that may import a library, for each library in the list of ARCHITECTURE.md."""
    rows = re.findall(r"^- `(\w+)` in (.*)$", ARCHITECTURE, re.MULTILINE)
    return {library: set(re.findall(r"`([\w.]+)`", rooms)) for library, rooms in rows}


MAY_IMPORT = read_rooms()
ONLY_IN = read_libraries()


def room_of(module: str) -> str:
    """Returns the room of a module, which is named without `tray_app.`; empty for the package itself."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in MAY_IMPORT), "")


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports say where from"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_module_is_in_a_room_and_every_room_exists() -> None:
    rooms = {room_of(module) for module in map(module_of, FILES) if module}
    assert rooms == MAY_IMPORT.keys()


def test_no_room_may_import_one_that_may_import_it() -> None:
    circles = [(room, other) for room, others in MAY_IMPORT.items() for other in others if room in MAY_IMPORT[other]]
    assert not circles


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])
def test_a_module_imports_only_what_its_room_may_import(file: Path) -> None:
    room = room_of(module_of(file))
    for name in imports(file):
        package, _, rest = name.partition(".")
        if package == "tray_app":
            target = room_of(rest)
            assert target in {"", room, *MAY_IMPORT.get(room, ())}, f"{room or 'tray_app'} imports {name}"
        else:
            allowed = ONLY_IN.get(package, {room})
            assert any(room == name or room.startswith(f"{name}.") for name in allowed), f"{room} imports {package}"


def test_the_linux_tray_backend_could_be_a_package_of_its_own() -> None:
    folder = PACKAGE / "desktop" / "linux" / "tray_backend"
    names = {name for file in folder.glob("*.py") for name in imports(file) if name.startswith("tray_app")}
    assert names
    assert all(name.startswith("tray_app.desktop.linux.tray_backend") for name in names)


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])
def test_only_the_desktop_asks_which_system_this_is(file: Path) -> None:
    if room_of(module_of(file)).startswith("desktop"):
        return
    source = ast.unparse(ast.parse(file.read_text(encoding="utf-8")))
    for question in ("sys.platform", "os.name", "os.uname", "platform.system", "import platform\n"):
        assert question not in source, question


TRANSLATE = sorted((PACKAGE / "translate").rglob("*.py"))


@pytest.mark.parametrize("file", TRANSLATE, ids=[str(file.relative_to(PACKAGE)) for file in TRANSLATE])
def test_translation_is_pure(file: Path) -> None:
    """Translation uses no I/O, clock, randomness or logging, and changes nothing at module level."""
    forbidden = {"io", "logging", "os", "pathlib", "random", "secrets", "socket", "sys", "threading", "time", "uuid"}
    # Bytes in memory are no I/O.
    assert not forbidden & {name.partition(".")[0] for name in imports(file) if name != "io.BytesIO"}
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global | ast.Nonlocal)]
    constants = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    changing = {"append", "add", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in constants:
            assert node.attr not in changing, f"{node.value.id} is changed"
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in constants:
            assert isinstance(node.ctx, ast.Load), f"{node.value.id} is changed"
        if isinstance(node, ast.FunctionDef):
            assert not [d for d in node.decorator_list if "cache" in ast.unparse(d)], f"{node.name} remembers"
