"""Tests the meter: it counts twice the work for twice the input of linear code, and more for other code."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

import pytest

from tests.growth.measure import Growth, Load, check, measure
from tests.growth.meter import METER
from tests.growth.modules import compile_counting, load_counting

QUADRATIC = {
    "a text that grows in an attribute": """
class Held:
    text = ""

def work(text):
    held = Held()
    for letter in text:
        held.text += letter
""",
    "a text that is built anew with a plus": """
def work(text):
    held = ""
    for letter in text:
        held = held + letter
""",
    "a text whose first letter is cut off": """
def work(text):
    while text:
        text = text[1:]
""",
    "a partition that copies the rest": """
def work(text):
    while text:
        _, _, text = text.partition(".")
""",
    "a find that begins at the start each time": """
def work(text):
    for n in range(len(text)):
        text.find("x")
""",
    "a test for a part of the text": """
def work(text):
    for n in range(len(text)):
        "x" in text
""",
    "a format that repeats the text": """
def work(text):
    held = ""
    for letter in text:
        held = f"{held}{letter}"
""",
    "a list that is searched for each item": """
def work(text):
    seen = []
    for n, letter in enumerate(text):
        if n not in seen:
            seen.append(n)
""",
    "a list whose first item is taken off": """
def work(text):
    items = list(text)
    while items:
        items.pop(0)
""",
    "a list whose first item is deleted": """
def work(text):
    items = list(text)
    while items:
        del items[0]
""",
    "a list whose first item is unpacked from the rest": """
def work(text):
    items = list(text)
    while items:
        _, *items = items
""",
    "a dict that is copied for each item": """
def work(text):
    known = {}
    for n, letter in enumerate(text):
        known = {**known, n: letter}
""",
    "a dict that is written anew for each item": """
def work(text):
    known = {}
    for n, letter in enumerate(text):
        known = {key: value for key, value in known.items()}
        known[n] = letter
""",
    "a join of all that came so far": """
def work(text):
    pieces = []
    for letter in text:
        pieces.append(letter)
        "".join(pieces)
""",
    "a sum of all that came so far": """
def work(text):
    sizes = []
    for letter in text:
        sizes.append(1)
        sum(sizes)
""",
    "an expression that searches a growing text": """
import re
PATTERN = re.compile("x")

def work(text):
    for n in range(len(text)):
        PATTERN.search(text[:n])
""",
    "an expression that matches from every place to the end": """
import re
PATTERN = re.compile("[a-z.]*")

def work(text):
    for n in range(len(text)):
        PATTERN.match(text, n)
""",
    "an expression that finds no end from any place": """
import re
PATTERN = re.compile("[a-z.]*x")

def work(text):
    for n in range(len(text)):
        PATTERN.match(text, n)
""",
    "an expression that finds no end from any place of a search": """
import re
PATTERN = re.compile("[(]?[a-z.]*x")

def work(text):
    PATTERN.search(text)
""",
    "a replacement whose expression finds no end": """
import re

def work(text):
    return re.sub("a[a-z.]*x", "", text)
""",
    "items that are handed up through generators": """
def walk(text):
    if text:
        yield text.pop()
        yield from walk(text)

def work(text):
    for _ in walk(list(text[::4])):
        pass
""",
    "JSON that is decoded anew for each letter": """
import json

def work(text):
    held = '"'
    for letter in text:
        held += letter
        try:
            json.JSONDecoder().raw_decode(held)
        except ValueError:
            pass
""",
    "two texts that are compared for each letter": """
def work(text):
    for n in range(len(text)):
        text[:] == text
""",
}

LINEAR = {
    "pieces that are joined once": """
def work(text):
    pieces = []
    for letter in text:
        pieces.append(letter)
    return "".join(pieces)
""",
    "a cursor that goes on where it was": """
def work(text):
    place = 0
    while (place := text.find(".", place) + 1) > 0:
        text.startswith("abc", place)
""",
    "an expression that goes on where it was": """
import re
PATTERN = re.compile("[a-z]*[.]?")
NONE = re.compile("x+")

def work(text):
    place = 0
    while place < len(text):
        NONE.match(text, place)
        place = PATTERN.match(text, place).end()
""",
    "expressions that go through the text": """
import re
PATTERN = re.compile("a(?:bx|b[.]|c)+")

def work(text):
    re.search("x", text)
    re.sub("c|dx", "-", text, count=3)
    for match in PATTERN.finditer(text):
        match[0]
    PATTERN.findall(text)
""",
    "a set that is asked for each item": """
def work(text):
    seen = set()
    for n, letter in enumerate(text):
        if n not in seen:
            seen.add(n)
""",
    "a deque whose first item is taken off": """
from collections import deque

def work(text):
    items = deque(text)
    while items:
        items.popleft()
""",
    "a long text that is passed on and looked up": """
def work(text):
    block = {"text": text}
    for n in range(len(text)):
        same = str(block.get("text"))
        isinstance(same, str) and len(same) and same.startswith("abc")
        [same].append(same)
""",
    "a bytearray that grows": """
def work(text):
    held = bytearray()
    for letter in text:
        held += letter.encode()
""",
}


def toy(name: str, source: str) -> Growth:
    module = compile_counting(source)
    return Growth(name, lambda n: "abcd.efg" * (n // 8), lambda load, text: module.work(text), small=400)


@pytest.mark.parametrize("name", QUADRATIC)
def test_work_that_grows_faster_than_its_input_fails(name: str) -> None:
    with pytest.raises(AssertionError, match=r"\d\.\d times the work"):
        check(toy(name, QUADRATIC[name]))


@pytest.mark.parametrize("name", LINEAR)
def test_work_that_grows_with_its_input_passes(name: str) -> None:
    check(toy(name, LINEAR[name]))


def test_work_without_end_is_broken_off() -> None:
    module = compile_counting("def work():\n    while True:\n        try: pass\n        except Exception: pass\n")
    with pytest.raises(AssertionError, match="endless: more than 5,000,000 steps for n = 1"):
        check(Growth("endless", lambda n: n, lambda load, n: module.work(), small=1))
    module = compile_counting("def work(n):\n    return n and work(n - 1) + work(n - 1)\n")
    with pytest.raises(AssertionError, match=r"1\d\.\d times the work"):
        check(Growth("exponential", lambda n: n, lambda load, n: module.work(n), small=10))


def test_the_same_input_gives_the_same_count_each_time() -> None:
    assert len(set(measure(Growth("one answer", lambda n: 7, answer)).counts)) == 1


BODY: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 1_000,
    "stream": True,
    "system": [{"type": "text", "text": "Be brief."}],
    "tools": [
        {"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}},
        {"name": "mcp.odd name", "input_schema": {"$defs": {"a": {"type": "null"}}, "properties": {}}},
    ],
    "messages": [
        {"role": "user", "content": "List the files."},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "a.py\nb.py"}]},
    ],
}
CALL = {"index": 0, "id": "c1", "function": {"name": "Bash", "arguments": '{"comm'}}
DELTAS: tuple[dict[str, Any], ...] = (
    {"reasoning_content": "I <b>think</b>"},
    {"content": "So: <tool_call>Bash\n<arg_key>command</arg_key>"},
    {"content": "<arg_value>ls -l</arg_value></tool_call> done"},
    {"tool_calls": [CALL]},
    {"tool_calls": [{"index": 0, "function": {"arguments": 'and": "echo "x" "}'}}]},
)
EVENTS = b"".join(b"data: %b\n\n" % json.dumps({"choices": [{"delta": delta}]}).encode() for delta in DELTAS)


def answer(load: Load, cut: int) -> tuple[object, bytes]:
    """What goes upstream for BODY and what comes back for EVENTS, read in pieces of `cut` bytes."""
    request = load("tray_app.translate.request.validation").read_request({"model": "any", **BODY})
    chat = load("tray_app.translate.request.chat").to_chat(request, load("tray_app.catalog").GLM_4_7)
    translator = load("tray_app.translate.answer.stream").StreamTranslator(chat, "msg_1")
    reader = load("tray_app.translate.answer.sse").SseReader()
    for place in range(0, len(EVENTS), cut):
        for payload in reader.feed(EVENTS[place : place + cut]):
            translator.answer.feed(load("tray_app.translate.answer.chunk").decode_chunk(payload))
    translator.finish()
    return chat.body, translator.take()


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_a_twin_gives_the_same_result_as_its_original(cut: int) -> None:
    assert answer(load_counting, cut) == answer(import_module, cut)


def test_a_twin_leaves_its_original_as_it_is() -> None:
    original = import_module("tray_app.translate.answer.stops")
    watcher = original.StopWatcher
    twin = load_counting("tray_app.translate.answer.stops")
    assert twin is not original
    assert import_module("tray_app.translate.answer.stops").StopWatcher is watcher
    before = METER.steps
    watcher(["stop"]).feed("a text")
    assert METER.steps == before
    twin.StopWatcher(["stop"]).feed("a text")
    assert METER.steps > before


def test_a_library_that_is_imported_within_a_function_counts_as_well() -> None:
    def repair(load: Load, text: str) -> str:
        return str(load("tray_app.translate.arguments.mending").mend_with_library(text))

    broken = '{"command": "echo "x" and more'
    before = METER.steps
    assert repair(load_counting, broken) == repair(import_module, broken)
    assert METER.steps - before > 10 * len(broken)
    assert "counting.json_repair.json_parser" in sys.modules
