"""Takes from a second answer to the same question what the first answer lacks."""

from __future__ import annotations

import msgspec

from tray_app.translate.answer.blocks import Call
from tray_app.translate.answer.chunk import FunctionPart, Message, read_arguments
from tray_app.translate.answer.offered_tools import OfferedTools


def leave_out_known(message: Message, *, had_text: bool) -> Message:
    """Returns the message without its thinking, and without its text if the first answer had text."""
    message = msgspec.structs.replace(message, reasoning=None, reasoning_content=None)
    return msgspec.structs.replace(message, content=None, refusal=None) if had_text else message


def complete_call(call: Call, message: Message, tools: OfferedTools) -> None:
    """Completes a truncated call if a call of the second answer begins with the arguments that were already sent.

    Otherwise the arguments stay as they are, and `Answer.finish` repairs them.
    """
    assert call.arguments is not None
    for part in message.calls:
        function = part.function or FunctionPart()
        is_same_tool = tools.find(function.name or "") == call.tool
        if is_same_tool and call.arguments.restart(read_arguments(function.arguments)):
            return
