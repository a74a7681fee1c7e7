"""What a programming language is to a sandbox: a compile step, a run step, and the programs that both need.

Invariant: a description holds commands only. Everything that executes, the compiler included, runs inside the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assay.core.errors import ConfigError
from assay.sandboxes.base import Limits

COMPILE_LIMITS = Limits(cpu_seconds=30, memory_bytes=2 * 2**30, output_bytes=32 * 2**20, disk_bytes=256 * 2**20)
"""Of a compile step. `output_bytes` bounds what is built, too."""


class MissingToolchain(ConfigError):
    """The sandbox lacks the programs of a language."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How one program is built and run. All file names are relative to the job's directory."""

    source: str
    """The file that holds the program."""
    run: tuple[str, ...]
    """`{memory_mb}` in an argument becomes the megabytes that a managed heap may take."""
    compile: tuple[str, ...] = ()
    """Empty for what needs no compiling."""
    artefact: str = ""
    """The file that compiling leaves, and the only one that running needs."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language."""

    name: str
    tools: tuple[str, ...]
    """Programs that must be found on the sandbox's path."""
    package: str
    """The Debian package that brings them, for messages."""
    version: tuple[str, ...]
    """A command that prints the toolchain's version: part of the key of everything that was built."""
    steps: Callable[[str], Steps]
    """Source -> steps; only names are read out of the source."""
    aliases: tuple[str, ...] = ()
    address_space: int = 0
    """Bytes that the runtime reserves without using; needed where only address space can be limited."""

    @property
    def names(self) -> Sequence[str]:
        """The name and its aliases."""
        return (self.name, *self.aliases)
