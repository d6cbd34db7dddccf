"""Makes arguments with one kind of fault that models make, together with the object that was meant."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

LINES = (
    *('print("hello", name)', "print(f\"{x['a']}: {y}\")", 'data = {"a": 1, "b": "two", "c": [1, 2]}', "if a == 'b':"),
    *(
        'raise ValueError("it\'s no number")',
        'x = d["key"]',
        'names = ["a", "b", "c"]',
        '"""A docstring."""',
        'say("")',
    ),
    *(
        'const a = require("fs");',
        "const b = `${a}`;",
        'console.log("x: " + x, {y: "z"});',
        'import {a} from "b";',
        "}",
    ),
    *('<div class="a" id="b">text</div>', '<a href="/x">it\'s</a>', "<p>", "</p>", '<input value="">', "/* } */"),
    *(
        'echo "hello $USER" | grep -v "x"',
        "sed -e 's/\"//g' file",
        'if [ "$a" = "b" ]; then',
        "fi",
        'git commit -m "x"',
    ),
    *('fmt.Printf("%d\\n", n)', 'type A struct { B string `json:"b"` }', "func main() {", "\treturn nil", "}", "", ""),
    *('{"name": "x", "version": "1.0",', '"scripts": {"test": "pytest"}}', '"a": true,', '"b": [1, 2],', "[", "]", "{"),
    *(
        'printf("%s: %d\\n", "x", 1);',
        "char c = '\"';",
        '#include "x.h"',
        "int main(void) {",
        're.compile(r"\\d+\\s\\"")',
    ),
)
NAMES = {
    "Write": ("file_path", "content"),
    "Edit": ("file_path", "old_string", "new_string", "replace_all"),
    "Bash": ("command", "description", "timeout"),
    "MultiEdit": ("file_path", "edits"),
}


@dataclass(frozen=True, slots=True)
class Broken:
    tool: str
    text: str
    meant: dict[str, Any]

    def is_parameter(self, key: str) -> bool:
        return key in NAMES[self.tool]

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {name: {} for name in NAMES[self.tool]}}


def make_broken(fault: str, count: int) -> Iterator[Broken]:
    """Returns random texts, which are the same in every run."""
    source = random.Random(fault)
    for _ in range(count):
        tool, meant = _make_meant(source)
        text = json.dumps(meant, ensure_ascii=False, indent=source.choice((None, None, 2)))
        broken = FAULTS[fault](source, text, meant)
        if broken is not None and not _is_json(broken[0]):
            yield Broken(tool, *broken)


def _make_meant(source: random.Random) -> tuple[str, dict[str, Any]]:
    tool = source.choice(tuple(NAMES))
    path = source.choice(("/home/a/x.py", "/tmp/b c.txt"))
    if tool == "Write":
        return tool, {"file_path": path, "content": _make_code(source)}
    if tool == "Bash":
        return tool, {"command": _make_code(source, 2), "description": "Says hello", "timeout": 1000}
    edit = {"old_string": _make_code(source, 4), "new_string": _make_code(source, 4)}
    if tool == "Edit":
        return tool, {"file_path": path, **edit, "replace_all": source.choice((True, False))}
    return tool, {"file_path": path, "edits": [edit, {"old_string": "a", "new_string": _make_code(source, 2)}]}


def _make_code(source: random.Random, most: int = 12) -> str:
    return "\n".join("    " * source.randrange(3) + source.choice(LINES) for _ in range(source.randint(1, most)))


Fault = Callable[[random.Random, str, dict[str, Any]], "tuple[str, dict[str, Any]] | None"]


def _unescape_one_quote(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    places = [place for place in range(len(text)) if _is_escaped_quote(text, place)]
    if not places:
        return None
    place = source.choice(places)
    return text[:place] + text[place + 1 :], meant


def _unescape_all_quotes(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    parts = [part for place, part in enumerate(text) if not _is_escaped_quote(text, place)]
    return "".join(parts), meant


def _write_raw_line_ends(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    return _replace_escapes(text, {"\\n": "\n", "\\t": "\t"}), meant


def _write_raw_line_ends_and_quotes(
    source: random.Random, text: str, meant: dict[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    return _replace_escapes(text, {"\\n": "\n", "\\t": "\t", '\\"': '"'}), meant


def _escape_apostrophes(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    return text.replace("'", "\\'"), meant


def _forget_backslashes(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    r"""Writes the backslash of regular expressions once: `\d`, although JSON needs two backslashes."""
    return text.replace("\\\\d", "\\d").replace("\\\\s", "\\s"), meant


def _forget_the_end(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    closers = len(text) - len(text.rstrip("]} \n"))
    return text[: len(text) - source.randint(1, closers)], meant


def _forget_the_last_quote(
    source: random.Random, text: str, meant: dict[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    end = text.rstrip("]} \n")
    return (end[:-1], meant) if end.endswith('"') else None


def _cut(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Cuts the text in its last string. Only the rest of that string may be lost."""
    if "content" not in meant:
        return None
    head, content = json.dumps(meant["file_path"]), meant["content"]
    content = content[: source.randint(1, len(content))]
    begun = json.dumps(content, ensure_ascii=False)[:-1]
    return f'{{"file_path": {head}, "content": {begun}', {**meant, "content": content}


def _cut_behind_a_quote(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    if (cut := _cut(source, text, meant)) is None:
        return None
    return _unescape_one_quote(source, *cut)


def _add_commas(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    end = text.rstrip("} \n")
    return f"{end},{text[len(end) :]}", meant


def _write_python(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    return repr(meant), meant


def _add_words(source: random.Random, text: str, meant: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    return text + source.choice(("}", "\n```", "</tool_call>", " done")), meant


def _quote_one_and_add_a_brace(
    source: random.Random, text: str, meant: dict[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    broken = _unescape_one_quote(source, text, meant)
    return broken and (broken[0] + "}", meant)


FAULTS: dict[str, Fault] = {
    "one quote that is not escaped": _unescape_one_quote,
    "no quote that is escaped": _unescape_all_quotes,
    "raw line ends": _write_raw_line_ends,
    "raw line ends, and no quote that is escaped": _write_raw_line_ends_and_quotes,
    "escaped apostrophes": _escape_apostrophes,
    "single backslashes": _forget_backslashes,
    "no closing brace": _forget_the_end,
    "no closing quote": _forget_the_last_quote,
    "a cut": _cut,
    "a cut and a quote that is not escaped": _cut_behind_a_quote,
    "a trailing comma": _add_commas,
    "Python": _write_python,
    "something behind the object": _add_words,
    "a quote that is not escaped, and a brace too many": _quote_one_and_add_a_brace,
}


def _is_escaped_quote(text: str, place: int) -> bool:
    """Tells whether a backslash at `place` escapes a quote."""
    before = len(text[:place]) - len(text[:place].rstrip("\\"))
    return text[place : place + 2] == '\\"' and before % 2 == 0


def _replace_escapes(text: str, escapes: dict[str, str]) -> str:
    pairs, place = [], 0
    while place < len(text):
        size = 2 if text[place] == "\\" else 1
        pairs.append(escapes.get(text[place : place + size], text[place : place + size]))
        place += size
    return "".join(pairs)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
