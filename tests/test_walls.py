"""The walls between the rooms: who may import whom, and what stays in its one room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "tray_app"
FILES = sorted(PACKAGE.rglob("*.py"))

# what a room may import of this program, beside itself; the ground floor is everything that knows no room
GROUND = {
    "",
    "catalog",
    "checks",
    "control",
    "errors",
    "instance",
    "keys",
    "logs",
    "model_list",
    "paths",
    "private_files",
    "printable",
    "redaction",
    "settings",
    "settings_store",
    "settings_text",
    "state_file",
    "status",
    "system_keyring",
    "troubles",
    "whole_file",
}
MAY_IMPORT = {
    "translate": {"", "catalog", "errors", "printable", "redaction"},
    "claude_code": GROUND,
    "proxy": GROUND | {"translate"},
    "tray": GROUND,
    "desktop": GROUND | {"tray"},  # which icon class to use depends on the system
    "self_check": GROUND | {"desktop", "proxy", "tray"},
    "listening": GROUND | {"proxy"},
    "app": GROUND | {"claude_code", "desktop", "listening", "proxy", "tray"},
    "__main__": GROUND | {"app", "claude_code", "desktop", "proxy", "self_check"},
    **dict.fromkeys(GROUND, GROUND),
}
ONLY_IN = {
    "asyncio": {"proxy", "self_check"},
    "aiohttp": {"proxy", "self_check"},
    "PIL": {"tray"},
    "pystray": {"tray", "desktop"},
    "jeepney": {"tray"},
    "pypdf": {"proxy", "self_check"},
    "keyring": {"system_keyring"},
    "filelock": {"instance", "settings_store"},
    "imagesize": {"translate"},
}


def room_of(file: Path) -> str:
    first = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports say where from"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])
def test_imports_point_down_and_each_library_stays_in_its_room(file: Path) -> None:
    room = room_of(file)
    for name in imports(file):
        package, _, rest = name.partition(".")
        if package == "tray_app":
            target = rest.partition(".")[0]
            target = "" if target.isupper() or target.startswith("__v") else target
            assert target == room or target in MAY_IMPORT[room], f"{room or 'tray_app'} imports {name}"
        else:
            assert room in ONLY_IN.get(package, {room}), f"{package} has no place in {room}"


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])
def test_only_the_desktop_asks_which_system_this_is(file: Path) -> None:
    if room_of(file) == "desktop":
        return
    source = ast.unparse(ast.parse(file.read_text(encoding="utf-8")))
    for question in ("sys.platform", "os.name", "os.uname", "platform.system", "import platform\n"):
        assert question not in source, question


TRANSLATE = sorted((PACKAGE / "translate").glob("*.py"))


@pytest.mark.parametrize("file", TRANSLATE, ids=[file.name for file in TRANSLATE])
def test_translation_is_pure(file: Path) -> None:
    """No I/O, clock, randomness or logging; and nothing at module level that a function could change."""
    forbidden = {"io", "logging", "os", "pathlib", "random", "secrets", "socket", "sys", "threading", "time", "uuid"}
    # bytes in memory are no I/O
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
