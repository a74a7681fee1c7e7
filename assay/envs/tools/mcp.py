"""Tools of an MCP server, with a server or session of its own for every episode.

    McpEnv(tasks, verifier, lambda task: make_server(task))                    # in this process
    McpEnv(tasks, verifier, StdioServerParameters(command="my-server"))        # a process for each episode
    McpEnv(tasks, verifier, "http://localhost:8000/mcp")                       # a session for each episode

What the server reports as an error of a call goes to the agent. A server that dies, hangs beyond `timeout`, or breaks
the protocol is a fault: the episode is truncated without a verdict. Needs `pip install 'assay-rl[mcp]'`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import TYPE_CHECKING, Any, TypeAlias

from assay.core.errors import ConfigError, Fault, ToolError
from assay.core.loop_thread import LoopThread
from assay.core.message import Observation
from assay.core.task import Task, TaskSet
from assay.core.tool import Tool
from assay.envs.tools.base import ToolEnv
from assay.verifiers.base import Verifier

if TYPE_CHECKING:
    from mcp import types
    from mcp.client import Transport
    from mcp.client.stdio import StdioServerParameters
    from mcp.server import MCPServer

    Server: TypeAlias = MCPServer[Any] | StdioServerParameters | Transport | str

_LOOP = LoopThread("assay-mcp")
_GRACE_SECONDS = 5.0
"""What closing may take: a process that does not end by itself is killed within 4 s."""

Call: TypeAlias = Callable[[str, dict[str, Any]], str]


class McpTool(Tool):
    """A tool as a server describes it. Its arguments are checked by the server."""

    def __init__(self, name: str, description: str, parameters: Mapping[str, Any], call: Call) -> None:
        self.name, self.description, self._call = name, description, call
        self.parameters = {"properties": {}, **parameters}

    def validate(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as they are."""
        return dict(arguments)

    def __call__(self, /, **arguments: Any) -> str:
        """Call the tool on the server."""
        return self._call(self.name, arguments)


class McpSession:
    """A connection to a server. Calls run one after another; it may be used from any thread.

    Args:
        server: An `MCPServer` of this process, the parameters of a command, a URL, or a transport of the SDK.
        timeout: Seconds for connecting and for each call.
    """

    def __init__(self, server: Server, *, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._inbox: asyncio.Queue[tuple[str, dict[str, Any], asyncio.Future[str]] | None] = asyncio.Queue()
        ready: Future[list[types.Tool]] = Future()
        self._task: Future[None] = _LOOP.submit(self._run(_client(server, timeout), ready))
        try:
            found = ready.result(timeout + _GRACE_SECONDS)
        except BaseException as error:
            self._task.cancel()
            if isinstance(error, FileNotFoundError | PermissionError):
                raise ConfigError(f"the MCP server cannot be started: {error}") from None
            if isinstance(error, Exception):
                raise _fault("did not start", error) from error
            raise
        self.tools = [McpTool(tool.name, tool.description or "", tool.input_schema, self.call) for tool in found]

    async def _run(self, client: Any, ready: Future[list[types.Tool]]) -> None:
        """Own the connection: it must be closed in the task that opened it."""
        answer: asyncio.Future[str] | None = None
        try:
            async with asyncio.timeout(self._timeout):
                await client.__aenter__()
            try:
                async with asyncio.timeout(self._timeout):
                    ready.set_result(await _list(client))
                while (job := await self._inbox.get()) is not None:
                    name, arguments, answer = job
                    _answer(answer, await _call(client, name, arguments))
            finally:
                await client.__aexit__(None, None, None)
        except BaseException as error:
            if not ready.done():
                cause = _cause(error)
                ready.set_exception(cause if isinstance(cause, Exception) else Fault("the MCP session was cancelled"))
            elif answer is not None and not answer.done():
                answer.set_exception(_fault("is gone", error))
            raise

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        """Return the result as text. `ToolError` is the agent's to read; `Fault` means that the server is lost."""
        waiting = _LOOP.submit(self._ask(name, arguments))
        try:
            return waiting.result(self._timeout)
        except ToolError:
            raise
        except BaseException as error:
            waiting.cancel()
            self._task.cancel()  # not `close`, which would wait for the call
            if isinstance(error, Exception) and not isinstance(error, Fault):
                raise _fault(f"did not answer {name!r}", error) from error
            raise

    async def _ask(self, name: str, arguments: dict[str, Any]) -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if self._task.done():
            raise Fault("the MCP session is over")
        self._inbox.put_nowait((name, arguments, answer))
        return await answer

    def close(self) -> None:
        """End the session, and the server if it is this session's own. Idempotent."""
        if not self._task.done():
            _LOOP.submit(self._inbox.put(None))
        try:
            self._task.result(_GRACE_SECONDS)
        except Late:
            self._task.cancel()
        except (Exception, BaseExceptionGroup):  # noqa: BLE001 - what ended the session was told to whoever called it
            return


class McpEnv(ToolEnv):
    """An environment whose tools are those of an MCP server.

    A verifier that needs the server's state: keep it where `server(task)` made it, and override `evidence`.

    Args:
        tasks: The tasks.
        verifier: Judges the last turn, or what `evidence` collects.
        server: See the module; a function of the task gives each episode a server that knows its task. Its tools are
            listed once, for the first task.
        timeout: Seconds for connecting and for each call.
        max_turns: Turns in all, the final answer included.
        max_calls: Calls in one turn.
        max_result: Characters of one result.
    """

    blocking = True

    def __init__(
        self,
        tasks: TaskSet,
        verifier: Verifier,
        server: Server | Callable[[Task], Server],
        *,
        timeout: float = 30.0,
        max_turns: int = 8,
        max_calls: int = 16,
        max_result: int = 8000,
        render_mode: str | None = None,
    ) -> None:
        if not timeout > 0:
            raise ConfigError(f"timeout must be a positive number of seconds, not {timeout!r}")
        self._server, self._timeout = server, timeout
        self._session: McpSession | None = self._connect(tasks[0])
        tools = [McpTool(tool.name, tool.description, tool.parameters, self._call) for tool in self._session.tools]
        self._end_session()
        super().__init__(
            tasks,
            verifier,
            tools,
            max_turns=max_turns,
            max_calls=max_calls,
            max_result=max_result,
            render_mode=render_mode,
        )

    def begin(self, task: Task) -> Observation:
        """Connect anew."""
        self._end_session()
        self._session = self._connect(task)
        return task.messages()

    def _connect(self, task: Task) -> McpSession:
        # An MCPServer is not callable; neither is anything else that the SDK takes.
        server: Any = self._server(task) if callable(self._server) else self._server
        return McpSession(server, timeout=self._timeout)

    def _call(self, name: str, arguments: dict[str, Any]) -> str:
        if self._session is None:
            raise Fault("no MCP session; call reset() first")
        return self._session.call(name, arguments)

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def close(self) -> None:
        """End the session."""
        self._end_session()
        super().close()


def _client(server: Server, timeout: float) -> Any:
    try:
        from mcp import Client
    except ImportError:
        raise ConfigError("tools of MCP servers need the mcp SDK: pip install 'assay-rl[mcp]'") from None
    return Client(server, read_timeout_seconds=timeout, cache=None)


async def _list(client: Any) -> list[types.Tool]:
    tools, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            return tools


async def _call(client: Any, name: str, arguments: dict[str, Any]) -> str | ToolError:
    """Return the text of a result, or what the agent did wrong; raise what the server did."""
    from mcp import MCPError
    from mcp.types import INVALID_PARAMS

    try:
        result = await client.call_tool(name, arguments)
    except MCPError as error:
        if error.code == INVALID_PARAMS:
            return ToolError(str(error))
        raise
    text = "\n".join(_text(block) for block in result.content)
    if result.is_error:
        return ToolError(text or "the tool failed")
    if not text and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return text


def _text(block: Any) -> str:
    """Return a block of a result as text; of an image or sound only what it is."""
    if block.type == "text":
        return str(block.text)
    resource = getattr(block, "resource", None)
    if resource is not None and hasattr(resource, "text"):
        return str(resource.text)
    return f"[{block.type} {getattr(block, 'mime_type', None) or getattr(block, 'uri', '')}]"


def _answer(waiting: asyncio.Future[str], result: str | ToolError) -> None:
    if waiting.cancelled():
        return
    if isinstance(result, ToolError):
        waiting.set_exception(result)
    else:
        waiting.set_result(result)


def _cause(error: BaseException) -> BaseException:
    """Return the first plain error in a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _fault(what: str, error: BaseException) -> Fault:
    cause = _cause(error)
    return Fault(f"the MCP server {what}: {type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else ''}")
