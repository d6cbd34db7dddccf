"""What the gateway and its worker processes say to each other, over the standard streams of the process.

A frame is a head (what it is, and the length in bytes of what follows) and its content. A process that is ready says
so with a READY frame. For each job the gateway sends
a JOB and a DATA frame. The process answers with any number of PIECE frames and one RESULT, REFUSED or FAULT frame; in
between it may ASK, and waits for one DATA frame as the answer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

HEAD = struct.Struct(">cQ")

READY = b"H"
"""The content is the version of the program: an upgrade may have put another one into the place of the running one."""
JOB = b"J"
DATA = b"D"
ASK = b"A"
PIECE = b"P"
RESULT = b"R"
REFUSED = b"E"
"""The request is wrong; the content is a Refusal."""
FAULT = b"F"
"""The program is wrong; the content says where, without a word of what was worked on."""


class Job(msgspec.Struct, frozen=True):
    """What is to be done with the content of the DATA frame that follows."""

    name: str
    """A key of `worker_jobs.JOBS`."""
    limit_s: float
    """The process ends after so many seconds, whatever it is doing then."""
    arguments: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Result:
    """What a job gives: its content, and pieces of bytes if there is more than should be handled in one step."""

    content: bytes
    pieces: Iterable[bytes] = ()


class Refusal(msgspec.Struct, frozen=True):
    """An error that the client is told."""

    error: str
    """The name of its class in `errors`."""
    message: str
