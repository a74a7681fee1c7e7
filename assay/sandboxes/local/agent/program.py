"""The program as a module: made, executed, and its functions called.

Whatever is said here of the outcome is a claim of the program's, in whose process all of it happens.
"""

from __future__ import annotations

import json
import linecache
import marshal
import sys
import traceback
from types import ModuleType, TracebackType
from typing import Any

from . import codec

NAME = "main.py"
IMPORTED = "main"
"""What a program is called whose functions are called from outside: what it guards by its name does not run."""


def main_module(name: str = "__main__") -> ModuleType:
    """Return a fresh `__main__`; under another name, which it is to go by itself, when it is not to run as a script."""
    module = ModuleType(name)
    module.__dict__.update(__builtins__=sys.modules["builtins"], __file__=NAME, __annotations__={})
    sys.modules["__main__"] = sys.modules[name] = module
    return module


def run_source(source: bytes, module: ModuleType, name: str = NAME) -> None:
    """Compile and execute; tracebacks and `inspect.getsource` find the lines."""
    text = source.decode("utf-8", "surrogatepass")
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec", dont_inherit=True), module.__dict__)


def call_request(payload: dict[str, Any]) -> dict[str, Any]:
    """Return which function to call, and how."""
    call = payload["call"]
    request: dict[str, Any] = marshal.loads(call) if isinstance(call, bytes) else codec.decode(call)
    return request


def find_function(name: str, module: ModuleType) -> Any:
    """Return the global `name`, or for `Class.method`, or a method of `Solution`, the method of a new instance."""
    owner, _, method = name.rpartition(".")
    space = module.__dict__
    if owner:
        return getattr(space[owner](), method)
    if name not in space and hasattr(space.get("Solution"), name):
        return getattr(space["Solution"](), name)
    return space[name]


def answer(function: Any, args: list[Any], kwargs: dict[str, Any]) -> str:
    """Call, and return the reply as text: a value, what was raised, or why the value cannot travel."""
    try:
        value = function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever the program raises is its answer
        report(error)
        return json.dumps({"raised": type(error).__name__})
    try:
        return '{"value":' + codec.encode(value) + "}"
    except Exception as error:  # noqa: BLE001 - a value of a hostile class may raise anything
        return json.dumps({"unencodable": f"{type(error).__name__}: {error}"[:200]})


def report(error: BaseException) -> None:
    """Print an uncaught exception, without the frames of this package; a hook of the program's own gets its turn."""
    error.__traceback__ = _own(error.__traceback__)
    if sys.excepthook is sys.__excepthook__:
        traceback.print_exception(error)
    else:
        sys.excepthook(type(error), error, error.__traceback__)


def _own(trace: TracebackType | None) -> TracebackType | None:
    """Drop the frames of this package from the top of a traceback."""
    while trace is not None and trace.tb_frame.f_globals.get("__package__") == __package__:
        trace = trace.tb_next
    return trace
