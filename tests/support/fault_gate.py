"""A place on the way to upstream where things go wrong: each chat request meets the next of some faults."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.support.recorder import Passage, Recorder


@dataclass(frozen=True)
class Refuse:
    """Answers in upstream's place, as NVIDIA's front end does."""

    status: int
    body: dict[str, Any]
    content_type: str = "application/problem+json"


@dataclass(frozen=True)
class RefuseInStream:
    """Answers in upstream's place with a 200 and a stream that holds nothing but this error, as vLLM does."""

    error: dict[str, Any]


@dataclass(frozen=True)
class Hold:
    """The request goes on only after so many seconds."""

    pause_s: float


@dataclass(frozen=True)
class Cut:
    """The connection breaks once this is found in the answer."""

    after: re.Pattern[bytes]


Fault = Refuse | RefuseInStream | Hold | Cut | None
"""None: all is well."""


class FaultGate(Recorder):
    """Passes chat requests on to a base URL, each as its fault has it, and all that come later as they are."""

    def __init__(self, upstream: str, *faults: Fault) -> None:
        super().__init__(lambda _: upstream)
        self._faults = deque(faults)
        self.met: list[Fault] = []
        """What became of each chat request, in order."""

    async def _forward(
        self, request: web.Request, cut: re.Pattern[bytes] | None = None
    ) -> tuple[web.StreamResponse, Passage]:
        if request.method != "POST":
            return await super()._forward(request)
        fault = self._faults.popleft() if self._faults else None
        self.met.append(fault)
        match fault:
            case Refuse():
                answer = json.dumps(fault.body).encode()
                return await self._refuse(request, fault.status, answer, fault.content_type)
            case RefuseInStream():
                answer = b"data: " + json.dumps({"error": fault.error}).encode() + b"\n\ndata: [DONE]\n\n"
                return await self._refuse(request, 200, answer, "text/event-stream")
            case Hold():
                await asyncio.sleep(fault.pause_s)
            case Cut():
                cut = fault.after
        return await super()._forward(request, cut)

    async def _refuse(
        self, request: web.Request, status: int, answer: bytes, content_type: str
    ) -> tuple[web.Response, Passage]:
        asked = json.loads(await request.read())
        response = web.Response(status=status, body=answer, content_type=content_type)
        return response, Passage(request.path, dict(request.headers), asked, status, content_type, answer)
