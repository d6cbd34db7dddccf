"""A client that sends bytes as they are, where http.client would make a proper request of them."""

from __future__ import annotations

import http.client
import socket

from tests.support.fake_upstream import TIMEOUT_S
from tests.support.gateway import Answer, RunningGateway


def connect(gateway: RunningGateway) -> socket.socket:
    """An open connection to the gateway."""
    return socket.create_connection((gateway.address.host, gateway.address.port), timeout=TIMEOUT_S)


def read_answer(connection: socket.socket) -> Answer:
    """The next answer on the connection."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return Answer(response.status, dict(response.headers), response.read())


def send_raw(gateway: RunningGateway, data: bytes) -> Answer:
    """The answer to these bytes, on a connection of their own."""
    with connect(gateway) as connection:
        connection.sendall(data)
        return read_answer(connection)
