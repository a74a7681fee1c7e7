"""Jobs that talk while they run: a session of cells, a solution that answers calls, a tester that makes them.

They speak over the channel in frames: four bytes of length, then JSON. The other end belongs to the trusted client,
which takes every frame for what it is: a claim of the process that sent it.
"""

from __future__ import annotations

import ast
import builtins
import json
import linecache
import os
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import codec
from .program import IMPORTED, answer, call_request, find_function, main_module, run_source
from .wire import CHANNEL

_VALUE_CHARACTERS = 20_000
NOTHING = '{"value":null}'
"""What `answer` says of a call that returned None."""
_ENDING = (StopIteration, StopAsyncIteration)
"""What would end a loop of the tests in silence, `for got in map(candidate, inputs)`, with the checks in it."""


class _Link:
    """The job's end of the channel."""

    def __init__(self) -> None:
        self._socket = socket.socket(fileno=CHANNEL)

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        header, fds, _, _ = socket.recv_fds(self._socket, 4, 2)
        if len(header) < 4:
            os._exit(0)  # the client is done with us
        (left,) = struct.unpack("=I", header)
        body = bytearray()
        while len(body) < left:
            piece = self._socket.recv(left - len(body))
            if not piece:
                os._exit(0)
            body += piece
        return json.loads(body), fds

    def send(self, text: str) -> None:
        body = text.encode("utf-8", "surrogatepass")
        self._socket.sendall(struct.pack("=I", len(body)) + body)


def session(payload: dict[str, Any]) -> None:
    """Run cells in one namespace. Each brings its own descriptors for stdout and stderr."""
    link, module = _Link(), main_module()
    number = 0
    while True:
        try:
            request, fds = link.receive()
            for stream, fd in enumerate(fds, 1):
                os.dup2(fd, stream)
                os.close(fd)
            number += 1
            reply = _cell(request["code"], f"<cell {number}>", module)
            link.send(json.dumps(reply))
        except KeyboardInterrupt:
            continue  # an interrupt that came between two cells


def _cell(code: str, name: str, module: ModuleType) -> dict[str, str]:
    value, status = "", "ok"
    try:
        tree = ast.parse(code, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        exec(compile(tree, name, "exec", dont_inherit=True), module.__dict__)
        if isinstance(last, ast.Expr):
            found = eval(compile(ast.Expression(last.value), name, "eval", dont_inherit=True), module.__dict__)
            if found is not None:
                value = repr(found)[:_VALUE_CHARACTERS]
    except KeyboardInterrupt:
        status = "interrupted"
    except BaseException as error:  # noqa: BLE001 - shown to whoever wrote the cell, SystemExit included
        status = "error"
        trace = error.__traceback__
        sys.stderr.write("".join(traceback.format_exception(type(error), error, trace and trace.tb_next)))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return {"status": status, "value": value}


def serve(payload: dict[str, Any]) -> None:
    """Run the solution, then answer calls, each in a fork of its own so that none leaves a trace for the next."""
    link, module = _Link(), main_module(IMPORTED)
    request = call_request(payload)
    try:
        run_source(payload["source"], module)
        function = find_function(request["function"], module)
    except (KeyError, AttributeError, TypeError) as error:
        link.send(json.dumps({"missing": f"{type(error).__name__}: {error}"[:200]}))
        return
    link.send('{"ready":true}')
    while True:
        message, _ = link.receive()
        pid = os.fork()
        if pid == 0:
            link.send(_answer_with_changes(function, message["call"]))
            sys.stdout.flush()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        link.send(json.dumps({"exit": status}))


def _answer_with_changes(function: Callable[..., Any], sent: Any) -> str:
    """Call; a function that returns None, as those do that work in place, also tells what its arguments are now."""
    call = codec.from_json(sent)
    reply = answer(function, call["args"], call["kwargs"])
    if reply != NOTHING:
        return reply
    try:
        now = codec.to_json(call)
    except codec.CodecError:
        return reply
    return reply if now == sent else json.dumps({"value": None, "arguments": now})


def test(payload: dict[str, Any]) -> None:
    """Run test code that calls a solution elsewhere. The last frame says whether the checks passed.

    `call` holds the names that stand for the solution as arguments, and the check function to call, if any.
    """
    link, module = _Link(), main_module()
    request = call_request(payload)
    candidate = _proxy(link)
    try:
        names = dict.fromkeys(request["args"], candidate)
        module.__dict__.update(names)
        run_source(payload["source"], module, "tests.py")
        module.__dict__.update(names)  # the source may have defined a stub of the same name
        if request["function"]:
            module.__dict__[request["function"]](candidate)
    except AssertionError as error:
        link.send(json.dumps({"failed": f"assertion: {error}"[:200]}))
    except Exception as error:  # noqa: BLE001 - what the candidate raised comes through the proxy: a failed test
        link.send(json.dumps({"failed": f"{type(error).__name__}: {error}"[:200]}))
    else:
        link.send('{"passed":true}')


def _proxy(link: _Link) -> Callable[..., Any]:
    def candidate(*args: Any, **kwargs: Any) -> Any:
        link.send(json.dumps({"call": codec.to_json({"args": list(args), "kwargs": kwargs})}))
        reply, _ = link.receive()
        if "value" in reply:
            if "arguments" in reply:
                take_over({"args": list(args), "kwargs": kwargs}, codec.from_json(reply["arguments"]))
            return codec.from_json(reply["value"])
        kind = getattr(builtins, str(reply.get("raised")), None)
        if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, _ENDING):
            raise kind("raised by the candidate")
        raise RuntimeError(f"no value from the candidate: {str(reply)[:200]}")

    return candidate


def take_over(ours: Any, theirs: Any) -> Any:
    """Return what stands for `theirs` here: containers that are of one kind in both are changed in place."""
    if type(ours) is list and type(theirs) is list:
        ours[:] = [take_over(*pair) for pair in zip(ours, theirs, strict=False)] + theirs[len(ours) :]
    elif type(ours) is dict and type(theirs) is dict:
        now = {key: take_over(ours.get(key), value) for key, value in theirs.items()}
        ours.clear()
        ours.update(now)
    elif type(ours) is set and type(theirs) is set:
        ours.intersection_update(theirs)
        ours.update(theirs)
    elif type(ours) is tuple and type(theirs) is tuple and len(ours) == len(theirs):
        return tuple(take_over(*pair) for pair in zip(ours, theirs, strict=True))
    else:
        return theirs
    return ours
