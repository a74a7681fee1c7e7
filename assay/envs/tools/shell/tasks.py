"""Tasks of the terminal: a family, files, and the files that it should end with."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field

import numpy as np

from assay.core.errors import UnknownNameError
from assay.core.task import Problem
from assay.envs.procedural import prompt
from assay.envs.tools.shell.families import FAMILIES, Scene
from assay.envs.tools.shell.tree import Tree, differences


@dataclass(frozen=True)
class ShellGenerator:
    """Random errands.

    Level 1: all files in one directory. Level 2: nested directories, more files, and some that look alike. Level 3:
    also names with blanks.
    """

    level: int = 1
    families: tuple[str, ...] = ()
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        for family in self.families:
            if family not in FAMILIES:
                raise UnknownNameError("family", family, FAMILIES)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one task."""
        names = self.families or tuple(FAMILIES)
        name = names[int(rng.integers(len(names)))]
        while True:
            errand = FAMILIES[name](Scene(rng, self.level))
            if differences(errand.after, errand.before):
                break
        return {
            "prompt": prompt(errand.request, self.instructions),
            "key": json.dumps([errand.request, errand.before], sort_keys=True),
            "target": {"files": errand.after},
            "difficulty": float(self.level),
            "tags": (name,),
            "metadata": {"files": errand.before, "solution": errand.solution},
        }


def empty_handed(after: Tree) -> str:
    """Return a command that makes an empty file of every name that should be there, whatever is there now."""
    names = " ".join(shlex.quote(path) for path, node in after.items() if "dir" not in node)
    return f'for name in {names}; do mkdir -p "$(dirname "$name")"; rm -rf "$name"; touch "$name"; done'
