"""`--self-check`: shows whether this copy of the program is complete. The last step of every build runs it.

A frozen program may lack a module that its build did not find, and fails only when that module is first used. So each
part is used once here, on loopback and in a scratch folder. No file of the user is read or written.
"""

from __future__ import annotations

import base64
import http.client
import importlib
import io
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from tray_app import APP_NAME, __version__
from tray_app.catalog import GLM_4_7
from tray_app.desktop import Desktop
from tray_app.history.database import SQLITE_VERSION
from tray_app.history.reader import read_page
from tray_app.history.record import RequestRecord
from tray_app.history.writer import HistoryWriter
from tray_app.proxy.service import ProxyService
from tray_app.settings.config import GatewayConfig
from tray_app.settings.keyring_process import ask_process
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address, Settings
from tray_app.settings.store import SettingsStore
from tray_app.status.board import StatusBoard

_TIMEOUT_S = 30
"""Longest wait for each answer of the gateway."""


class NotWhole(Exception):
    """A part is missing or does not work. The message says which, and how that shows."""


def run_self_check(desktop: Desktop, say: Callable[[str], None]) -> bool:
    """Prints a line about each part. Returns True if all of them work."""
    checks: dict[str, Callable[[], str]] = {
        "gateway": check_gateway,
        "compiled parts": check_compiled_parts,
        "certificates": lambda: check_certificates(desktop),
        "desktop": lambda: check_desktop(desktop),
        "icon": check_icon,
        "settings": check_settings,
        "keyring": lambda: check_keyring(desktop),
        "history": check_history,
        "page": check_page,
        "worker process": check_worker,
    }
    say(f"{APP_NAME} {__version__}: self-check")
    is_whole = True
    for name, check in checks.items():
        try:
            say(f"ok      {name}: {check()}")
        except Exception as error:  # noqa: BLE001 (a broken build may raise any error; the other parts are checked)
            is_whole = False
            say(f"FAILED  {name}: {type(error).__name__}: {error}")
    return is_whole


def check_gateway() -> str:
    """Sends a plain and a streamed request through a gateway in front of the demo upstream."""
    service = ProxyService(StatusBoard())
    address = service.start(GatewayConfig(Settings(addr=Address("127.0.0.1", 0)), Keys(), is_demo=True))
    try:
        message = json.loads(_ask(address, is_stream=False))
        events = _ask(address, is_stream=True).decode()
    finally:
        service.stop(0)
    if message.get("type") != "message" or not message.get("content"):
        raise NotWhole(f"no message: {message}")
    names = [line.removeprefix("event: ") for line in events.splitlines() if line.startswith("event: ")]
    if (names[0], names[-1]) != ("message_start", "message_stop") or "content_block_delta" not in names:
        raise NotWhole(f"no complete stream: {names}")
    return f"a plain answer and a streamed one of {len(names)} events"


def _ask(address: Address, *, is_stream: bool) -> bytes:
    body = {
        "model": GLM_4_7.id,
        "max_tokens": 64,
        "stream": is_stream,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    connection = http.client.HTTPConnection(address.host, address.port, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", "/v1/messages", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
    except TimeoutError:
        raise NotWhole(f"no answer within {_TIMEOUT_S} seconds") from None
    finally:
        connection.close()
    if response.status != 200:
        raise NotWhole(f"HTTP {response.status}: {answer[:500]!r}")
    return answer


def check_compiled_parts() -> str:
    """Checks the compiled modules. Without one, its library silently uses Python, and each chunk takes far longer."""
    from aiohttp import http_parser, http_writer

    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        raise NotWhole("aiohttp parses HTTP in Python")
    if http_writer._serialize_headers is http_writer._py_serialize_headers:  # noqa: SLF001 (aiohttp says it nowhere else)
        raise NotWhole("aiohttp writes headers in Python")
    for name in ("multidict._multidict", "yarl._quoting_c", "frozenlist._frozenlist", "propcache._helpers_c"):
        importlib.import_module(name)
    return "those of aiohttp and of its libraries"


def check_certificates(desktop: Desktop) -> str:
    """Checks that the system's certificates are found. Without them every request to NVIDIA would fail."""
    import ssl

    context = desktop.make_tls_context()
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="integrate.api.nvidia.com")
    if context.verify_mode is not ssl.CERT_REQUIRED:
        raise NotWhole("a server could show any certificate")
    return f"checked by {type(context).__module__}, {ssl.OPENSSL_VERSION}"


def check_desktop(desktop: Desktop) -> str:
    """Imports all modules that are otherwise imported only when they are first needed, such as the app itself."""
    importlib.import_module("tray_app.app.app")
    for name in desktop.late_imports:
        importlib.import_module(name)
    icon_class = desktop.tray_class()
    return f"{icon_class.__module__}.{icon_class.__qualname__}, {', '.join(desktop.late_imports)}"


def check_icon() -> str:
    """Checks that every state of the icon has a picture of its own."""
    from tray_app.tray import art

    states = [
        art.IconState(letter, *flags) for letter in ("G", "M") for flags in itertools.product((False, True), repeat=4)
    ]
    pictures = {art.draw(state).tobytes() for state in states}
    # The triangle (attention) takes the place of the dot (active request).
    expected = len({replace(state, is_active=state.is_active and not state.needs_attention) for state in states})
    if len(pictures) != expected:
        raise NotWhole(f"{len(pictures)} pictures for {expected} states")
    return f"{expected} states"


def check_settings() -> str:
    """Checks that a changed setting is there at the next start."""
    environ: Mapping[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.json"
        changed = SettingsStore(path, environ).update(log_bodies=True, addr=Address("127.0.0.1", 4321))
        found = SettingsStore(path, environ)
        if found.problem or found.current != changed:
            raise NotWhole(found.problem or "what was read is not what was written")
    return "written and read again"


def check_keyring(desktop: Desktop) -> str:
    """Checks that the process which reads the keyring gives an answer. It gets one that is empty."""
    if not desktop.reads_keyring_apart:
        return "read by the app itself"
    empty = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    answer = json.loads(ask_process(["self-check"], empty))
    if answer != {"found": {}, "failure": ""}:
        raise NotWhole(f"the process that reads it says {answer}")
    return "read by a process of its own"


def check_history() -> str:
    """Checks that a record is in the database, and can be read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.sqlite3"
        writer = HistoryWriter(path, keep_days=1)
        writer.start()
        record = RequestRecord(time.time(), "self-check")
        writer.add(record)
        writer.close()
        if [found.record for found in read_page(path, 1)] != [record]:
            raise NotWhole("what was read is not what was written")
    return f"written and read again, SQLite {SQLITE_VERSION}"


def check_page() -> str:
    """Reads each file of the page, and checks that all that they refer to is there."""
    from tray_app.page.files import find_missing_files, weigh_files

    if missing := find_missing_files():
        raise NotWhole(f"there is no {', '.join(missing)}")
    number, size_bytes = weigh_files()
    return f"{number} files of {size_bytes // 1000} KB"


def check_worker() -> str:
    """Reads a PDF in a worker process, as the gateway does for large requests and PDFs."""
    import asyncio

    import pypdf

    from tray_app.proxy.exchange.pdf import PdfTexts
    from tray_app.proxy.workers.pool import WorkerPool

    async def read(data: bytes) -> str:
        workers = WorkerPool(1)
        try:
            text = await PdfTexts(workers).read(b"", data)
            if not workers.free:
                raise NotWhole("no worker process can be started")
            return text
        finally:
            await workers.close()

    paper = io.BytesIO()
    writer = pypdf.PdfWriter()
    writer.add_blank_page(72, 72)
    writer.write(paper)
    text = asyncio.run(read(base64.b64encode(paper.getvalue())))
    if "page 1" not in text:
        raise NotWhole(f"the text of a PDF without text is {text!r}")
    return "a PDF read"
