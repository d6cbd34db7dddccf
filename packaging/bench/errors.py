"""What ends a measurement before its time."""

from __future__ import annotations


class BenchError(Exception):
    """One sentence for the person at the terminal: what went wrong, and with what."""


class GatewayFault(Exception):
    """What the gateway under test did wrong: a sentence without its subject and its full stop."""
