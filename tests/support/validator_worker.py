"""Asks the kit's validators, one JSON line per question, until standard input ends. Runs in the kit's own Python.

    {"check": "stream", "value": "...", "options": {"tools": ["Bash"]}}  ->  {"errors": [[rule, text]], "notes": [...]}

Nothing of the project is imported here: its packages are not in that Python.
"""

from __future__ import annotations

import functools
import json
import sys
import types
from typing import Any


def speed_up() -> None:
    """The validators read their schemas anew for every check, 20 to 90 ms each time: keep them instead."""
    import jsonschema  # type: ignore[import-untyped, import-not-found, unused-ignore]
    import pydantic  # type: ignore[import-not-found, unused-ignore]

    load, build = json.load, jsonschema.Draft202012Validator
    documents: dict[str, Any] = {}
    validators: dict[tuple[int, str], Any] = {}

    def load_once(file: Any) -> Any:
        with file:
            if file.name not in documents:
                documents[file.name] = load(file)
        return documents[file.name]

    def build_once(schema: Any) -> Any:
        key = id(schema["components"]), schema["$ref"]  # documents are kept for good, so that their id is theirs alone
        if key not in validators:
            validators[key] = build(schema)
        return validators[key]

    json.load = load_once  # type: ignore[assignment]
    jsonschema.Draft202012Validator = build_once
    pydantic.TypeAdapter = functools.cache(pydantic.TypeAdapter)  # type: ignore[misc, assignment, unused-ignore]


def answer(question: dict[str, Any], anthropic: types.ModuleType, openai: types.ModuleType) -> dict[str, Any]:
    value, options = question["value"], question["options"]
    if question["check"] == "chat request":
        errors, notes = openai.check(value, **options)
        return {"errors": errors, "notes": notes}
    if question["check"] == "stream":
        raw = value.encode("latin-1")  # a byte is a character here, as JSON holds no bytes
        report = anthropic.check_stream_sdk(raw, anthropic.check_stream(raw, **options))
    else:
        report = anthropic.check_body(value, **options)
    return {"errors": report.errors, "notes": report.notes}


def main() -> None:
    sys.dont_write_bytecode = True  # the kit may be read-only
    sys.path.insert(0, sys.argv[1])
    speed_up()
    import validate_anthropic_stream  # type: ignore[import-not-found]
    import validate_openai_request  # type: ignore[import-not-found]

    for line in sys.stdin:
        report = answer(json.loads(line), validate_anthropic_stream, validate_openai_request)
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
