"""The contract of a verifier, and the guard through which everything calls one.

A verifier answers one question: is this right? It returns a `Verdict`; when it cannot tell it says so
(`no_verdict`). Authors implement `verify`. Environments, evaluation and audits call `run_verifier`, which turns an
exception, a non-finite or out-of-range score into *no verdict*, stamps the name, and takes the time.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from assay.core.errors import describe
from assay.core.message import Message, text_of, user
from assay.core.task import Task
from assay.core.trajectory import Trajectory
from assay.core.verdict import Verdict, no_verdict

Isolation = Literal["inline", "process", "sandbox", "remote"]
"""How the work must be run: `inline` is safe on any thread; the others have their own process or machine."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verifier may look at. Everything but `text` and `messages` comes from where the agent cannot write."""

    text: str
    """The agent's final text."""
    messages: tuple[Message, ...] = ()
    """The transcript."""
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    """Files or values that the agent produced."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """The environment's own state and event log."""

    @classmethod
    def of(cls, trajectory: Trajectory) -> Evidence:
        """Return what a recorded episode keeps of its evidence: the last assistant turn and the transcript."""
        messages = trajectory.messages
        last = next((text_of(m) for m in reversed(messages) if m["role"] == "assistant"), "")
        return cls(last, tuple(messages))


class Verifier(ABC):
    """Judges evidence against a task. Stateless and safe to share between threads unless it says otherwise."""

    name: ClassVar[str] = ""
    """Registered name; the class name when empty."""
    version: ClassVar[str] = "1"
    """Changes whenever a verdict could change."""
    score_range: tuple[float, float] = (0.0, 1.0)
    """Smallest and largest score."""
    deterministic: bool = True
    isolation: Isolation = "inline"

    @abstractmethod
    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Return the verdict on one piece of evidence."""

    def verify_group(self, task: Task, evidences: Sequence[Evidence]) -> list[Verdict]:
        """Return a verdict for each member of a group. Pairwise judges and votes override this."""
        return [run_verifier(self, task, evidence) for evidence in evidences]

    def check_target(self, task: Task) -> str | None:
        """Return why the gold of this task cannot be read, or None when it can. Called when tasks are loaded."""
        return None

    def close(self) -> None:  # noqa: B027 - optional hook
        """Release processes and connections. Idempotent."""

    @property
    def label(self) -> str:
        """Name and version, as verdicts carry them."""
        return f"{self.name or type(self).__name__}@{self.version}"


def run_verifier(verifier: Verifier, task: Task, evidence: Evidence) -> Verdict:
    """Call a verifier so that nothing it does can become a wrong score."""
    started = time.perf_counter()
    try:
        verdict = verifier.verify(task, evidence)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the guard: whatever it raises is no verdict, never a score
        verdict = no_verdict(describe(error))
    return _checked(verifier, verdict, time.perf_counter() - started)


def _checked(verifier: Verifier, verdict: Verdict, seconds: float) -> Verdict:
    if not isinstance(verdict, Verdict):
        verdict = no_verdict(f"verify() returned {type(verdict).__name__}, not a Verdict")
    low, high = verifier.score_range
    if verdict.score is not None and not low <= verdict.score <= high:
        verdict = no_verdict(f"score {verdict.score:g} is outside the declared range [{low:g}, {high:g}]")
    return verdict.with_(seconds=seconds, verifier=verdict.verifier or verifier.label)


def run_verifier_group(verifier: Verifier, task: Task, evidences: Sequence[Evidence]) -> list[Verdict]:
    """Call `verify_group` under the same guard: one verdict for each member, whatever the verifier does."""
    started = time.perf_counter()
    try:
        verdicts = list(verifier.verify_group(task, evidences))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the guard, as in `run_verifier`
        verdicts = [no_verdict(describe(error)) for _ in evidences]
    if len(verdicts) != len(evidences):
        why = f"verify_group() returned {len(verdicts)} verdicts for {len(evidences)} members"
        verdicts = [no_verdict(why) for _ in evidences]
    share = (time.perf_counter() - started) / max(1, len(evidences))
    return [_checked(verifier, verdict, getattr(verdict, "seconds", 0.0) or share) for verdict in verdicts]


def verify_text(
    verifier: Verifier, target: Any, response: str, *, problem: str = "", metadata: Mapping[str, Any] | None = None
) -> Verdict:
    """Judge a plain response against a plain target: for audits, tests and the command line."""
    task = Task(id="adhoc", prompt=problem, target=target, metadata=metadata or {})
    transcript: tuple[Message, ...] = (user(problem), {"role": "assistant", "content": response})
    return run_verifier(verifier, task, Evidence(text=response, messages=transcript))


def final_text(messages: Sequence[Message]) -> str:
    """Return the text of the last assistant message, or an empty string."""
    return next((text_of(m) for m in reversed(messages) if m["role"] == "assistant"), "")
