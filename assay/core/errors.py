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
from collections.abc import Iterable


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
