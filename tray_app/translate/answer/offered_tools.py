"""Finds the client's tool by the name that the model wrote."""

from __future__ import annotations

from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.tools import Tool
from tray_app.translate.tool_names import ToolNames


class OfferedTools:
    """The tools of one request."""

    def __init__(self, request: ChatRequest) -> None:
        self._tools = request.tools
        self._names = ToolNames((sent, tool.name) for sent, tool in request.tools.items())

    def find(self, written: str) -> Tool:
        """Returns the tool that fits the name. If none fits, the tool keeps the name, and the client refuses it."""
        return self._tools.get(self._names.find(written)) or Tool(written)
