"""The signature that ends a thinking block. Clients do not check it, and send it back with the conversation.

A client may ask for thinking without its text (`thinking.display: "omitted"`). Then the signature carries the text, as
in Anthropic's API, because a model needs its own earlier thinking in later turns.
https://platform.claude.com/docs/en/build-with-claude/extended-thinking
"""

from __future__ import annotations

import base64
import binascii

SIGNATURE = "claude-nvidia-tray"
"""The signature of a thinking block whose text the client sees."""
_CARRIER = f"{SIGNATURE}:"


def sign_hidden(thinking: str) -> str:
    """Returns the signature of a thinking block. `thinking` is the part of its text that the client does not see."""
    if not thinking:
        return SIGNATURE
    return _CARRIER + base64.b64encode(thinking.encode("utf-8", "surrogatepass")).decode()


def read_hidden(signature: object) -> str:
    """Returns the thinking that a signature carries; empty if it carries none, or if this program did not make it."""
    if not isinstance(signature, str) or not signature.startswith(_CARRIER):
        return ""
    try:
        return base64.b64decode(signature[len(_CARRIER) :], validate=True).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return ""
