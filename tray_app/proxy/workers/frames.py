"""The protocol between the gateway and its worker processes, over the standard streams of the process.

A frame is a head and its content. The head holds the kind of the frame and the length of the content in bytes. A
process that is ready sends a READY frame. For each job the gateway sends a JOB and a DATA frame. The process answers
with any number of PIECE frames and one RESULT, REFUSED or FAULT frame. Before that it may send ASK frames, and waits
after each for one DATA frame as the answer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

HEAD = struct.Struct(">cQ")

READY = b"H"
"""The process is ready. The content is its version, because an upgrade may have replaced the program."""
JOB = b"J"
DATA = b"D"
ASK = b"A"
PIECE = b"P"
RESULT = b"R"
REFUSED = b"E"
"""The request is wrong. The content is a Refusal."""
FAULT = b"F"
"""The program has failed. The content says where, without any text of the request."""


class Job(msgspec.Struct, frozen=True):
    """The job to do with the content of the DATA frame that follows."""

    name: str
    """A key of `jobs.JOBS`."""
    limit_s: float
    """Seconds after which the process ends, whatever it is doing."""
    arguments: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a job. Pieces hold what is too large to be handled in one step."""

    content: bytes
    pieces: Iterable[bytes] = ()


class Refusal(msgspec.Struct, frozen=True):
    """An error for the client."""

    error: str
    """The name of its class in `errors`."""
    message: str
