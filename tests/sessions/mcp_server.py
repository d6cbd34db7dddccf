"""An MCP server over stdio, in a process of its own: `mcp_server.py NAME...` offers a tool of each name.

Each tool takes a `place` and a `days` number, and answers with what it was given.
"""

from __future__ import annotations

import json
import sys
from typing import Any

SCHEMA = {
    "type": "object",
    "properties": {"place": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["place"],
}


def answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """The result of a request; None for a method that this server does not have."""
    match method:
        case "initialize":
            version = params["protocolVersion"]
            return {
                "protocolVersion": version,
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "harbour", "version": "1"},
            }
        case "tools/list":
            tools = [{"name": name, "description": f"Tells {name}.", "inputSchema": SCHEMA} for name in sys.argv[1:]]
            return {"tools": tools}
        case "tools/call":
            text = f"{params['name']} was asked {json.dumps(params['arguments'], sort_keys=True)}"
            return {"content": [{"type": "text", "text": text}]}
    return None


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:  # a notification
            continue
        result = answer(message["method"], message.get("params") or {})
        reply = {"result": result} if result is not None else {"error": {"code": -32601, "message": "no such method"}}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **reply}), flush=True)


if __name__ == "__main__":
    main()
