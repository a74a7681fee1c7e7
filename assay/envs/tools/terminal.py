"""assay/Terminal-v0: do an errand in a Unix shell: find, rename, move, count, extract, archive, sort, link, permit.

`Delete every file that ends in .tmp, wherever it is.` The agent runs commands with the tool `shell`, and ends with a
turn without a call. Verified from the files, all of which must be as the task asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from assay.core.message import Observation
from assay.core.seeding import Split
from assay.core.task import Task
from assay.core.tool import Tool, ToolCall
from assay.envs.procedural import check_between, task_source
from assay.envs.tools.base import ToolEnv
from assay.envs.tools.shell.jobs import LIMITS, run
from assay.envs.tools.shell.tasks import ShellGenerator, empty_handed
from assay.envs.tools.shell.tree import pack
from assay.envs.tools.shell.verifier import TerminalVerifier
from assay.sandboxes import Limits, Sandbox
from assay.verifiers.base import Evidence

ENV_ID = "assay/Terminal-v0"
_INSTRUCTIONS = (
    "You work in a directory of files with the tool shell. Each command is run by bash, in that directory; files are "
    "kept from one command to the next, but no variables, processes or changes of directory. Do what is asked, and "
    "change, add and remove nothing else. When all is done, say so in a turn without a tool call."
)


class TerminalEnv(ToolEnv):
    """Errands in a shell.

    Options:
        level: 1 (one directory), 2 (nested, with things that look alike) or 3 (also blanks in names).
        families: Kinds of errands (see `shell.families`); all by default.
        max_turns, instructions, split: As elsewhere.
        limits: Of one command, and of all files.
        sandbox: Where commands run; by default the local sandbox that the process shares.

    Demonstrations: `careful` does it, `empty` makes empty files with the right names, `claim` says that it is done.
    """

    blocking = True
    demonstration_styles: ClassVar[tuple[str, ...]] = ("careful", "empty", "claim")

    def __init__(
        self,
        *,
        level: int = 1,
        families: Sequence[str] = (),
        max_turns: int = 8,
        instructions: bool = False,
        split: Split = "train",
        limits: Limits = LIMITS,
        sandbox: Sandbox | None = None,
        render_mode: str | None = None,
    ) -> None:
        check_between("level", level, 1, 3)
        generator = ShellGenerator(level, tuple(families), _INSTRUCTIONS if instructions else "")
        verifier = TerminalVerifier(sandbox=sandbox, limits=limits)
        super().__init__(
            task_source(ENV_ID, split, generator, ShellGenerator()),
            verifier,
            [Tool(self.shell)],
            max_turns=max_turns,
            render_mode=render_mode,
        )
        self._sandbox, self._limits = verifier.sandbox, limits
        self._files = b""

    def begin(self, task: Task) -> Observation:
        """Lay out the files."""
        self._files = pack(task.metadata["files"])
        return task.messages()

    def shell(self, command: Annotated[str, Field(max_length=10_000)]) -> str:
        """Run a command with bash.

        Args:
            command: The command.
        """
        self._files, shown = run(self._sandbox, command, self._files, self._limits)
        return shown

    def evidence(self) -> Evidence:
        """Return the transcript and the files."""
        seen = super().evidence()
        artifacts: dict[str, Any] = {"files": self._files}
        return Evidence(seen.text, seen.messages, artifacts=artifacts)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one command, or none, and a last word."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        if style == "claim":
            return ["Done."]
        command = task.metadata["solution"] if style == "careful" else empty_handed(task.target["files"])
        return [ToolCall("shell", {"command": command}).render(), "Done."]
