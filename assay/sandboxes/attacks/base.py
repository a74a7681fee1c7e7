"""What an attack is, and how a sandbox is judged by one."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.sandboxes.base import Job, JobResult, Limits, Sandbox, Status

BREACH = b"BREACH"
_LATE_SECONDS = 5.0
"""Beyond the wall limit, for a machine that is busy with other things."""
_ENDED: frozenset[Status] = frozenset({"ok", "nonzero", "signal"})
_LIMITED: frozenset[Status] = frozenset(
    {"nonzero", "signal", "cpu_limit", "wall_limit", "memory_limit", "output_limit", "pids_limit"}
)
ANY = _ENDED | _LIMITED
"""For a program that may end in any way but a breach."""
SMALL = Limits(
    cpu_seconds=1, wall_seconds=2, memory_bytes=128 * 2**20, processes=16, output_bytes=2**16, disk_bytes=8 * 2**20
)
_CHECK = """
import os
left = os.listdir(".")
try: seen = os.listdir("/proc")
except OSError: seen = []
others = [p for p in seen if p.isdigit() and int(p) not in (1, os.getpid())]
if left or others: print("BREACH", left, others)
"""


@dataclass(frozen=True, slots=True)
class Attack:
    """One hostile program."""

    name: str
    source: str
    allowed: frozenset[Status] = _ENDED
    """Statuses that the program may end with."""
    limits: Limits = SMALL
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttackOutcome:
    """How a sandbox took an attack."""

    attack: Attack
    result: JobResult
    problem: str
    """What is wrong; empty when the sandbox withstood."""

    @property
    def withstood(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem


def refused(name: str, body: str) -> Attack:
    """Return an attack whose body must raise."""
    source = f"try:\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
    source += "except BaseException as error:\n    print('refused:', type(error).__name__, error)\n"
    return Attack(name, source + "else:\n    print('BREACH')\n")


def limited(name: str, source: str, *statuses: Status) -> Attack:
    """Return an attack that must run into a limit, by default any."""
    return Attack(name, textwrap.dedent(source).strip() + "\n", frozenset(statuses) or _LIMITED)


def survives(name: str, source: str) -> Attack:
    """Return an attack that may end in any way but a breach."""
    return Attack(name, textwrap.dedent(source).strip() + "\n", ANY)


def run_attacks(sandbox: Sandbox, attacks: Iterable[Attack]) -> Iterator[AttackOutcome]:
    """Run the attacks one after another, each followed by a job that looks for traces."""
    for attack in attacks:
        result = sandbox.run(Job(source=attack.source, files=attack.files, limits=attack.limits))
        problem = _judge(attack, result)
        after = sandbox.run(Job(source=_CHECK, limits=SMALL))
        if not problem and (not after.ok or BREACH in after.stdout):
            problem = f"the next job found traces: {after.status} {after.text.strip()[:200]}"
        yield AttackOutcome(attack, result, problem)


def _judge(attack: Attack, result: JobResult) -> str:
    if result.fault:
        return f"the sandbox failed: {result.reason}"
    if result.status == "broke_sandbox" or result.attempts > 1:
        return f"the program destroyed its slot ({result.attempts} attempts)"
    if BREACH in result.stdout or BREACH in result.stderr:
        return f"breached: {result.text.strip()[:300]}"
    if result.status not in attack.allowed:
        return f"ended as {result.status} ({result.reason or result.text[:100]}); {result.stderr[-200:]!r}"
    if result.wall_seconds > attack.limits.wall + _LATE_SECONDS:
        return f"ran for {result.wall_seconds:.1f} s, the limit is {attack.limits.wall:g} s"
    return ""
