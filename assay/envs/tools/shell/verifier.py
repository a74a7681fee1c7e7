"""`terminal`: the files are exactly as the task asks, all of them and no others.

What the agent says decides nothing. The files are read in a sandboxed job where nothing of the agent's ever ran.
"""

from __future__ import annotations

from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.envs.tools.shell.jobs import LIMITS, read
from assay.envs.tools.shell.tree import differences, pack
from assay.sandboxes import Limits, Sandbox
from assay.sandboxes.local.sandbox import default_sandbox
from assay.verifiers.base import Evidence, Isolation, Verifier

_SHOWN = 5


class TerminalVerifier(Verifier):
    """Compares the tree `evidence.artifacts["files"]`, packed, with `task.target["files"]`."""

    name = "terminal"
    isolation: Isolation = "sandbox"

    def __init__(self, *, sandbox: Sandbox | None = None, limits: Limits = LIMITS) -> None:
        self._sandbox, self.limits = sandbox, limits

    @property
    def sandbox(self) -> Sandbox:
        """Where files are read."""
        return self._sandbox or default_sandbox()

    def check_target(self, task: Task) -> str | None:
        """A task that is done before it begins is no task."""
        try:
            pack(task.target["files"])
            done = not differences(task.target["files"], task.metadata["files"])
        except (KeyError, TypeError, AttributeError, StopIteration) as error:
            return f"the target is no tree of files: {type(error).__name__}: {error}"
        return "the files are right before anything was done" if done else None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Read the files and compare them."""
        found = read(self.sandbox, evidence.artifacts["files"], self.limits)
        if found is None:
            return wrong("the files cannot be read")
        problems = differences(task.target["files"], found)
        if not problems:
            return right(extracted=f"{len(found)} files and directories")
        more = f"; {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        return wrong("; ".join(problems[:_SHOWN])[:500] + more)
