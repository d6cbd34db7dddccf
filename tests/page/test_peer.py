"""The user at the other end of a connection on this machine."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from tray_app.page.peer import find_user, is_of_another_user

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose program it is")


@linux_only
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_user_of_a_program_on_this_machine_is_found(family: socket.AddressFamily, host: str) -> None:
    try:
        listening = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listening, socket.create_connection(listening.getsockname()[:2]), listening.accept()[0] as accepted:
        ends = accepted.getpeername(), accepted.getsockname()
        assert find_user(*ends) == os.geteuid()
        assert not is_of_another_user(*ends)
        assert find_user(ends[0], ("127.0.0.1", 1)) is None, "it is another connection"


def test_a_program_elsewhere_is_of_no_known_user() -> None:
    assert find_user(("192.0.2.7", 50000), ("192.0.2.1", 3001)) is None
    assert find_user(("fe80::1%eth0", 50000, 0, 2), ("fe80::2", 3001, 0, 2)) is None
    assert not is_of_another_user(("192.0.2.7", 50000), ("192.0.2.1", 3001))
    assert not is_of_another_user(None, None)
