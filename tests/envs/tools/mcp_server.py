"""An MCP server for the tests: a counter with a state, and every way of going wrong. Run it to serve on stdio."""

import os
import sys
import time

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError


def make_server(start: int = 0) -> MCPServer:
    server, state = MCPServer("counter"), {"value": start}

    @server.tool()
    def add(number: int) -> int:
        """Add a number to the counter and return its value."""
        state["value"] += number
        return state["value"]

    @server.tool()
    async def refuse() -> str:
        """Refuse."""
        raise ToolError("not today")

    @server.tool()
    async def crash() -> str:
        """Fail without a word."""
        raise ZeroDivisionError("secret")

    @server.tool()
    async def pid() -> int:
        """Return the number of the process."""
        return os.getpid()

    @server.tool()
    async def die() -> str:
        """End the process."""
        os._exit(3)

    @server.tool()
    def hang(seconds: float) -> str:
        """Wait."""
        time.sleep(seconds)
        return "late"

    return server


if __name__ == "__main__":
    if len(sys.argv) > 1:
        make_server().run("streamable-http", port=int(sys.argv[1]))
    else:
        make_server().run("stdio")
