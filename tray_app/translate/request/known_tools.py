"""Descriptions of the tools that clients name by their type alone, because Anthropic's models know them from training.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview. The client runs these tools itself. Tools that
run on Anthropic's servers are not described here. The descriptions were written for this program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

MOST_KNOWN_TOOLS = 20
"""Most tools of one request that may be named by their type. There are fewer types.

The limit exists because a short definition of the client becomes a long one upstream.
"""


@dataclass(frozen=True, slots=True)
class KnownTool:
    """The description of a tool for a model. `name` is used if the client gives the tool no name."""

    name: str
    description: str
    schema: Schema


def find_known(tool: dict[str, Any]) -> KnownTool | None:
    """Returns the tool of a definition's type, such as `bash_20250124`; None if the type is unknown.

    An unknown version counts as the newest.
    """
    family, _, version = str(tool.get("type")).rpartition("_")
    make = _FAMILIES.get(family)
    return make(tool, version) if make is not None and version.isdecimal() else None


def _make_bash(_: Schema, __: str) -> KnownTool:
    return KnownTool(
        "bash",
        "Runs a command in a bash shell and returns what it prints. The shell lives on between calls: "
        "its folder, variables and background jobs stay. Commands that wait for input do not work.",
        _object(
            command=_string("The command to run. Required unless `restart` is true."),
            restart={"type": "boolean", "description": "True starts a new shell in the place of this one."},
        ),
    )


_UNDO_VERSIONS = ("20241022", "20250124")
_NEW_STR_VERSIONS = (*_UNDO_VERSIONS, "20250429")
"""Versions whose `insert` takes its text in `new_str`, as `str_replace` does. Later ones take it in `insert_text`."""


def _make_text_editor(tool: Schema, version: str) -> KnownTool:
    has_undo, has_insert_text = version in _UNDO_VERSIONS, version not in _NEW_STR_VERSIONS
    commands = ["view", "create", "str_replace", "insert", *(["undo_edit"] if has_undo else [])]
    new_text = "With `str_replace`: what stands there afterwards; nothing if it is left out."
    parameters = {
        "command": _string("What to do.", commands),
        "path": _string("The absolute path of the file; `view` takes a folder as well."),
        "file_text": _string("With `create`, required: the content of the file."),
        "old_str": _string("With `str_replace`, required: the text to replace, exactly as it stands, and only once."),
        "new_str": _string(new_text if has_insert_text else f"{new_text} With `insert`, required: the text to insert."),
        "insert_line": _integer("With `insert`, required: the line to insert after; 0: at the beginning."),
        "view_range": _VIEW_RANGE,
    }
    if has_insert_text:
        parameters["insert_text"] = _string("With `insert`, required: the text to insert.")
    return KnownTool(
        "str_replace_editor" if has_undo else "str_replace_based_edit_tool",
        "Views, creates and edits text files." + _limit(tool),
        _object("command", "path", **parameters),
    )


def _limit(tool: Schema) -> str:
    limit_chars = tool.get("max_characters")
    return f" `view` shows at most {limit_chars} characters." if isinstance(limit_chars, int) else ""


def _make_memory(_: Schema, __: str) -> KnownTool:
    commands = ["view", "create", "str_replace", "insert", "delete", "rename"]
    return KnownTool(
        "memory",
        "Keeps notes in files below /memories, which stay from one conversation to the next. View that folder before "
        "you begin, and write down what will be needed later.",
        _object(
            "command",
            command=_string("What to do.", commands),
            path=_string("The file or folder, such as /memories/notes.md. Required by all commands but `rename`."),
            view_range=_VIEW_RANGE,
            file_text=_string("With `create`, required: the content of the file."),
            old_str=_string("With `str_replace`, required: the text to replace, exactly as it stands, and only once."),
            new_str=_string("With `str_replace`, required: what stands there afterwards."),
            insert_line=_integer("With `insert`, required: the line to insert after; 0: at the beginning."),
            insert_text=_string("With `insert`, required: the text to insert."),
            old_path=_string("With `rename`, required: the file or folder to rename."),
            new_path=_string("With `rename`, required: its new path."),
        ),
    )


_FIRST_ACTIONS = (
    *("key", "type", "mouse_move", "left_click", "left_click_drag", "right_click", "middle_click", "double_click"),
    *("screenshot", "cursor_position"),
)
_LATER_ACTIONS = ("left_mouse_down", "left_mouse_up", "triple_click", "scroll", "hold_key", "wait")


def _make_computer(tool: Schema, version: str) -> KnownTool:
    is_first, has_zoom = version == "20241022", tool.get("enable_zoom") is True
    actions = [*_FIRST_ACTIONS, *(() if is_first else _LATER_ACTIONS), *(("zoom",) if has_zoom else ())]
    parameters = {
        "action": _string("What to do.", actions),
        "coordinate": _integers("x and y in pixels from the top left: where to click, move, scroll or drag to.", 2),
        "text": _string("With `type`: the text. With `key` and `hold_key`: keys, such as ctrl+s. Else keys to hold."),
    }
    if not is_first:
        parameters["start_coordinate"] = _integers("With `left_click_drag`, required: where it begins.", 2)
        parameters["scroll_direction"] = _string("With `scroll`, required.", ["up", "down", "left", "right"])
        parameters["scroll_amount"] = _integer("With `scroll`, required: by how many clicks of the wheel.")
        parameters["duration"] = {"type": "number", "description": "With `wait` and `hold_key`, required: the seconds."}
    if has_zoom:
        parameters["region"] = _integers("With `zoom`, required: x0, y0, x1, y1 of what to show larger.", 4)
    width, height = tool.get("display_width_px"), tool.get("display_height_px")
    size = f" Its screen has {width} x {height} pixels." if width and height else ""
    return KnownTool(
        "computer",
        f"Uses the mouse and the keyboard of a computer.{size} Take a screenshot to see where things are before you "
        "click, and again to see what an action did.",
        _object("action", **parameters),
    )


def _object(*required: str, **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _string(description: str, values: list[str] | None = None) -> Schema:
    schema = {"type": "string", "description": description}
    return {**schema, "enum": values} if values else schema


def _integer(description: str) -> Schema:
    return {"type": "integer", "description": description}


def _integers(description: str, count: int) -> Schema:
    items = {"type": "integer"}
    return {"type": "array", "items": items, "minItems": count, "maxItems": count, "description": description}


_VIEW_RANGE = _integers("With `view` of a file: the first and the last line to show, from 1; -1 is the end.", 2)

_FAMILIES: dict[str, Callable[[Schema, str], KnownTool]] = {
    "bash": _make_bash,
    "text_editor": _make_text_editor,
    "memory": _make_memory,
    "computer": _make_computer,
}
