"""The signature that ends a thinking block. Only Anthropic's servers check one; ours comes back in the history.

A client may ask for thinking without its text (`thinking.display: "omitted"`). Then the signature carries the text, as
it does at Anthropic's API, because a model must read its own earlier thinking to go on from it.
https://platform.claude.com/docs/en/build-with-claude/extended-thinking
"""

from __future__ import annotations

import base64
import binascii

SIGNATURE = "claude-nvidia-tray"
"""The signature of a block that shows its text."""
_CARRIER = f"{SIGNATURE}:"


def sign_hidden(thinking: str) -> str:
    """The signature of a block that does not show this text."""
    if not thinking:
        return SIGNATURE
    return _CARRIER + base64.b64encode(thinking.encode("utf-8", "surrogatepass")).decode()


def read_hidden(signature: object) -> str:
    """The thinking that a signature carries; empty if it carries none, or is not one of ours."""
    if not isinstance(signature, str) or not signature.startswith(_CARRIER):
        return ""
    try:
        return base64.b64decode(signature[len(_CARRIER) :], validate=True).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return ""
