"""Inside the forked, confined process: run the program as `python main.py` would, or execute a command.

The payload is read here, after the fork and from a descriptor of its own, so that the slot's memory never holds any
program, input or result. Nothing here decides anything: whatever this process says about itself is a claim of the
program's, for the other side to check.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` without its enumerations, which cost ten times as much
import _thread
import atexit
import contextlib
import json
import marshal
import os
import signal
import sys
import threading
from types import ModuleType
from typing import Any, NoReturn

from . import interactive
from .program import IMPORTED, NAME, answer, call_request, find_function, main_module, report, run_source
from .wire import CHANNEL, PAYLOAD, RESULT

_READ_THEMSELVES = (b"__file__", b"multiprocessing", b"ProcessPoolExecutor")
"""What is in the source of programs that may look for their own file, or start an interpreter that does."""


def run(box: str) -> NoReturn:
    """Read the payload and do what it says; ends the process."""
    os.chdir(box)
    sys.path.insert(0, box)
    payload = _read_payload()
    if payload["env"]:
        os.environ.update(payload["env"])
    if payload["files"]:
        _lay(payload["files"])
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    if payload["argv"]:
        _execute(payload["argv"])
    sys.argv = [NAME]
    mode = payload["mode"]
    if mode != "call":
        os.close(RESULT)
    if mode in ("session", "serve", "test"):
        _finish(_guard(getattr(interactive, mode), payload))
    os.close(CHANNEL)
    _finish(_guard(_call if mode == "call" else _program, payload))


def _read_payload() -> dict[str, Any]:
    left = os.fstat(PAYLOAD).st_size
    pieces = []
    while left:
        pieces.append(os.read(PAYLOAD, left))
        left -= len(pieces[-1])
    os.close(PAYLOAD)
    payload: dict[str, Any] = marshal.loads(b"".join(pieces))
    return payload


def open_streams() -> None:
    """Make the standard streams on descriptors 0, 1 and 2, before any job; each job puts its own files there."""
    options: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape"}
    sys.stdin = sys.__stdin__ = open(0, **options)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", **options)  # type: ignore[misc]  # noqa: SIM115
    options["errors"] = "backslashreplace"
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, **options)  # type: ignore[misc]  # noqa: SIM115


def _program(payload: dict[str, Any]) -> None:
    source = payload["source"]
    if any(word in source for word in _READ_THEMSELVES) and not os.path.exists(NAME):
        _lay({NAME: source})
    run_source(source, main_module())


def _call(payload: dict[str, Any]) -> None:
    module = main_module(IMPORTED)
    request = call_request(payload)
    more = request.get("more", ())
    run_source(payload["source"], module)
    try:
        function = find_function(request["function"], module)
    except (KeyError, AttributeError, TypeError) as error:
        reply, more = json.dumps({"missing": f"{type(error).__name__}: {error}"[:200]}), ()
    else:
        reply = answer(function, request["args"], request["kwargs"])
    with open(RESULT, "wb") as stream:
        stream.write(reply.encode())
        for args, kwargs in more:
            stream.flush()  # this call may end the process
            stream.write(b"\n" + answer(function, args, kwargs).encode())


def _guard(body: Any, payload: dict[str, Any]) -> int:
    """Run the body and return the exit code that the interpreter would end with."""
    try:
        body(payload)
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return (stop.code or 0) & 0xFF
        sys.stderr.write(f"{stop.code}\n")
        return 1
    except BaseException as error:  # noqa: BLE001 - the top of the program: report it as the interpreter does
        with contextlib.suppress(BaseException):  # the exception, or the hook, may be hostile
            report(error)
        return 1
    return 0


def _finish(code: int) -> NoReturn:
    """End as the interpreter does: wait for threads, run exit functions, close what is still open, flush."""
    try:
        if _thread._count():
            threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        _flush(sys.stdout, sys.stderr)
        _forget_variables()
        _flush(sys.__stdout__, sys.__stderr__)  # of a program that put others in their place
    except BaseException:  # noqa: BLE001 - as in the interpreter: output that cannot be written is exit code 120
        code = code or 120
    os._exit(code)


def _flush(*streams: Any) -> None:
    for stream in streams:
        if stream is not None and not getattr(stream, "closed", False):
            stream.flush()


def _forget_variables() -> None:
    """Drop what the program's variables hold, in the interpreter's order: files are closed, finalizers run."""
    module = sys.modules.get("__main__")
    space = module.__dict__ if isinstance(module, ModuleType) else {}
    for hidden in (True, False):
        for name in list(space):
            if name != "__builtins__" and (name[:1] == "_" and name[1:2] != "_") is hidden:
                space[name] = None


def _lay(files: dict[str, bytes]) -> None:
    for name, content in files.items():
        folder = os.path.dirname(name)
        if folder:
            os.makedirs(folder, exist_ok=True)
        mode = 0o755 if content[:2] == b"#!" or content[:4] == b"\x7fELF" else 0o644
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with open(fd, "wb") as stream:
            stream.write(content)


def _execute(argv: list[str]) -> NoReturn:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    for fd in (RESULT, CHANNEL):
        os.close(fd)
    try:
        os.execvpe(argv[0], argv, os.environ)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(127)
