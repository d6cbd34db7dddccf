"""A place on the way to upstream where things go wrong: each chat request meets the next of some faults."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.recorder import Passage, Recorder


@dataclass(frozen=True)
class Refuse:
    """Answers in upstream's place, as NVIDIA's front end does."""

    status: int
    body: dict[str, Any]
    content_type: str = "application/problem+json"


@dataclass(frozen=True)
class Hold:
    """The request goes on only after so many seconds."""

    pause_s: float


@dataclass(frozen=True)
class Cut:
    """The connection breaks once this is found in the answer."""

    after: re.Pattern[bytes]


Fault = Refuse | Hold | Cut | None
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
                return await self._refuse(request, fault)
            case Hold():
                await asyncio.sleep(fault.pause_s)
            case Cut():
                cut = fault.after
        return await super()._forward(request, cut)

    async def _refuse(self, request: web.Request, refusal: Refuse) -> tuple[web.Response, Passage]:
        asked, answer = json.loads(await request.read()), json.dumps(refusal.body).encode()
        response = web.Response(status=refusal.status, body=answer, content_type=refusal.content_type)
        passage = Passage(request.path, dict(request.headers), asked, refusal.status, refusal.content_type, answer)
        return response, passage
