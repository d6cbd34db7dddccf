"""The repair of long broken arguments.

A worker process runs the repair library, because its time grows with the square of their length.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from tray_app.proxy.workers.frames import Job
from tray_app.proxy.workers.pool import WorkerPool
from tray_app.proxy.workers.worker import WorkerEnded, WorkerFault
from tray_app.translate import json_text
from tray_app.translate.arguments.reader import ArgumentsReader

log = logging.getLogger(__name__)

LIMIT_S = 5.0
"""Time to repair one call. After it the arguments stay as the model wrote them, and the tool reports the error."""


async def mend_calls(readers: Iterable[ArgumentsReader], workers: WorkerPool) -> None:
    """Repairs the arguments that these readers hold, one after another."""
    for reader in readers:
        data = reader.unmended.encode("utf-8", "surrogatepass")
        try:
            result = await workers.run(Job("mend", LIMIT_S), [data])
        except (WorkerEnded, WorkerFault) as error:
            log.info("broken arguments of %d bytes were not repaired: %s", len(data), type(error).__name__)
        else:
            reader.take_mended(json_text.decode(result.content))
