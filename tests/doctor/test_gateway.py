"""What the doctor says about the gateway's port and the keys."""

from __future__ import annotations

import socket

from tests.support.ports import free_port
from tray_app.doctor.findings import Level
from tray_app.doctor.gateway import check_keys, check_port
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address

URL = "http://127.0.0.1:3001"


def test_a_gateway_that_answers_is_well_and_a_demo_is_a_note() -> None:
    addr = Address("127.0.0.1", 3001)
    assert check_port(addr, URL, answers=True, is_demo=False).level is Level.OK
    demo = check_port(addr, URL, answers=True, is_demo=True)
    assert demo.level is Level.NOTE
    assert "set-key" in demo.fix


def test_a_gateway_that_does_not_answer_or_listen_is_a_failure() -> None:
    addr = Address("127.0.0.1", free_port())
    silent = check_port(addr, URL, answers=False, is_demo=False)
    assert (silent.level, URL in silent.sentence) == (Level.FAIL, True)
    assert check_port(addr, "", answers=False, is_demo=False).level is Level.FAIL


def test_without_an_app_a_free_port_is_a_note_and_a_taken_one_a_failure() -> None:
    free = check_port(Address("127.0.0.1", free_port()), None, answers=False, is_demo=False)
    assert free.level is Level.NOTE
    assert "start" in free.fix
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for host in ("127.0.0.1", ""):
            taken = check_port(Address(host, port), None, answers=False, is_demo=False)
            assert taken.level is Level.FAIL
            assert "Another program" in taken.sentence


def test_keys_are_never_shown() -> None:
    findings = check_keys(Keys("nvapi-secret", "server-secret"))
    assert [finding.level for finding in findings] == [Level.OK, Level.NOTE]
    assert "secret" not in str(findings)


def test_a_missing_or_unknown_key_is_a_failure() -> None:
    (missing,) = check_keys(Keys())
    assert missing.level is Level.FAIL
    assert "set-key" in missing.fix
    (unknown,) = check_keys(Keys(is_nvidia_unknown=True))
    assert unknown.level is Level.FAIL
    assert "keyring" in unknown.sentence
