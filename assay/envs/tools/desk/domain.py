"""The contract of a service desk: its world, its tools, and the errands that customers come with.

Invariants: a tool does what it is told, right or wrong; only the policy, which the agent is given, says what is
right. Every errand ends in a write, a refusal that must be recorded with its reason, or a figure that the customer
must be told, so doing nothing never serves anyone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from assay.core.tool import Tool, ToolCall
from assay.envs.database import Database, Rows

Id = Annotated[int, Field(ge=0, le=10**9)]
"""A number that SQLite can hold."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing that a customer wants."""

    kind: str
    wish: str
    """What the customer asks for, by number."""
    vague: str
    """The same without a number: the agent must look it up."""
    lookup: tuple[ToolCall, ...]
    """Calls that find the number of what a vague wish is about."""
    checks: tuple[ToolCall, ...]
    """Calls that show whether the policy allows it."""
    attempt: ToolCall | None
    """The call that does what is asked, allowed or not; None when only a figure is wanted."""
    right: ToolCall | None
    """The call that the policy asks for."""
    figure: int | None = None
    """The figure that the customer must be told."""
    subject: str = ""
    """What it is about; the errands of one conversation do not share it."""

    @property
    def outcome(self) -> str:
        """How it ends: `served`, or the reason for the refusal."""
        refused = self.right is not None and self.right != self.attempt
        return str(self.right.arguments["reason"]) if self.right is not None and refused else "served"


class Desk(ABC):
    """A domain. Its public tools are the methods named in `tool_names`; they work on `database`."""

    name: ClassVar[str]
    schema: ClassVar[str]
    """SQL; `CREATE TABLE name (key ...`."""
    policy: ClassVar[str]
    tool_names: ClassVar[tuple[str, ...]]
    reasons: ClassVar[tuple[str, ...]]
    """Reasons for a refusal."""
    greeting: ClassVar[str] = "What is your email address, and what can I do for you?"

    def __init__(self) -> None:
        self._database: Database | None = None
        self.caller = 0
        self.breaches: list[str] = []

    def open(self, rows: Rows, caller: int) -> None:
        """Start an episode: a fresh database, served to the customer `caller`."""
        self.close()
        self._database = Database(self.schema, rows)
        self.caller, self.breaches = caller, []

    def close(self) -> None:
        """Drop the database. Idempotent."""
        if self._database is not None:
            self._database.close()
            self._database = None

    @property
    def database(self) -> Database:
        """The database of the episode."""
        assert self._database is not None, "the desk is closed"
        return self._database

    def tools(self) -> list[Tool]:
        """Return the tools."""
        return [Tool(getattr(self, name)) for name in self.tool_names]

    def see(self, person: int) -> None:
        """Note that the agent looked up a person's record; other people's are none of its business."""
        if person != self.caller:
            self.breaches.append(f"looked up the record of person {person}")

    @abstractmethod
    def world(self, rng: np.random.Generator) -> Rows:
        """Return a random world."""

    @abstractmethod
    def people(self, rows: Rows) -> list[tuple[int, str]]:
        """Return (id, email) of everyone who may come."""

    @abstractmethod
    def errands(self, rng: np.random.Generator, rows: Rows, caller: int, email: str, level: int) -> list[Errand]:
        """Return everything that this person could ask for at a level, in random order."""

    @abstractmethod
    def refusal(self, call: ToolCall, reason: str) -> ToolCall:
        """Return the call that refuses what `call` would do."""


def call(name: str, /, **arguments: Any) -> ToolCall:
    """Return a call."""
    return ToolCall(name, arguments)


def draw(rng: np.random.Generator, pool: Sequence[Any], n: int) -> list[Any]:
    """Return n different members of a pool in random order."""
    return [pool[i] for i in rng.permutation(len(pool))[:n].tolist()]


# fmt: off
NAMES = (
    "ana", "ben", "cleo", "dan", "eva", "finn", "gita", "hugo", "ida", "jon", "kira", "leo", "mia", "nils", "olga",
    "paul", "quin", "rosa", "sam", "tara", "umar", "vera", "wim", "yara", "zeno",
)
# fmt: on


def email_of(name: str, rng: np.random.Generator) -> str:
    """Return an address for a name."""
    return f"{name}{int(rng.integers(10, 100))}@mail.org"
