"""Every failure that assay raises, and what each one means to the person who sees it.

Two families, kept apart because they deserve different treatment:

* `AssayError` and its children up to `SchemaError` are the *user's* to mend: a wrong name, a broken row, a
  setting that makes no sense. The message is one line that says what is wrong, where, and how to mend it; the
  command line prints it and exits with 2.
* `Fault` and its children are *ours or the machine's*: an engine that died, a verifier that hung, a tool server
  that is gone. A fault never becomes a score. It ends the episode with `truncated` and no verdict; the run goes on.

`ToolError` is neither: it is what a tool says to the agent, and it is fed back as the tool's result.
"""

from __future__ import annotations

import difflib
import sysconfig
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path

_LIBRARIES = (*(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")), "<frozen")
_ASSAY = str(Path(__file__).parents[1])


class AssayError(Exception):
    """Something that the user can mend. The message is one line: what, where, and the mend."""


class ConfigError(AssayError):
    """A setting is unknown, missing, or contradicts another one."""


class UnknownNameError(ConfigError):
    """A name that nobody registered. Suggests the nearest registered names."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name = kind, name
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        if near:
            hint = "did you mean " + " or ".join(repr(n) for n in near) + "?"
        elif names:
            shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
            hint = f"known: {shown}"
        else:
            hint = "none is registered"
        super().__init__(f"unknown {kind} {name!r}; {hint}")


class DataError(AssayError):
    """A row of a data file cannot be used. Carries `file:line` when it is known."""

    def __init__(self, message: str, *, path: str | None = None, line: int | None = None) -> None:
        where = "" if path is None else f"{path}:{line}: " if line is not None else f"{path}: "
        self.path, self.line = path, line
        super().__init__(where + message)


class SchemaError(AssayError):
    """A file was written by a newer assay than this one."""


class Fault(Exception):
    """Infrastructure failed. Ends one episode without a verdict; never a score, never the whole run."""


class EngineFault(Fault):
    """An inference engine or a remote model failed after its retries."""


class VerifierFault(Fault):
    """A verifier could not reach a verdict (crash, time limit, unreadable gold)."""


class ToolError(Exception):
    """A tool refuses or fails in a way that the agent should read and can correct."""


def describe(error: BaseException) -> str:
    """Return one line: the kind of an exception, the first line of its message, and the line of code that raised it.

    The place is the innermost one outside of installed libraries; what assay itself raises on purpose has none.
    """
    message = (str(error).strip().splitlines() or [""])[0][:300]
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    place = place_of(error)
    if place is None or isinstance(error, (AssayError, Fault, SyntaxError)):  # a syntax error names the place itself
        return said
    return f"{said} ({Path(place.filename).name}:{place.lineno})"


def place_of(error: BaseException) -> traceback.FrameSummary | None:
    """Return the line of code that raised an exception: the innermost one of assay's, or of no installed library."""
    return place_in(traceback.extract_tb(error.__traceback__))


def place_in(frames: Sequence[traceback.FrameSummary]) -> traceback.FrameSummary | None:
    """Return the innermost frame of assay's or of no installed library; where there is none, the innermost."""
    own = [f for f in frames if f.filename.startswith(_ASSAY) or not f.filename.startswith(_LIBRARIES)]
    return own[-1] if own else frames[-1] if frames else None


def is_foreign(error: BaseException) -> bool:
    """Whether an exception was raised by code that is neither assay's nor an installed library's: by the user's own."""
    place = place_of(error)
    return place is not None and not place.filename.startswith((_ASSAY, *_LIBRARIES))
