"""The arguments of tool calls, read as they arrive, and repaired if they are broken."""
