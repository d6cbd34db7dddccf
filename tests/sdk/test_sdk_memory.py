"""The commands of the memory tool, as Anthropic's SDK reads them."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic._models import validate_type
from anthropic.types.beta import BetaMemoryTool20250818Command

from tests.translate.request.test_known_tools import CALLS, MEMORY


@pytest.mark.parametrize("arguments", [call for tool, call in CALLS if tool is MEMORY], ids=repr)
def test_the_sdks_memory_tool_reads_each_command(arguments: dict[str, Any]) -> None:
    kind: Any = BetaMemoryTool20250818Command
    command: Any = validate_type(type_=kind, value=arguments)
    assert command.command == arguments["command"]
