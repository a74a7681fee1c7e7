"""Samples against golden samples: how many match, what a constant would have matched, where the first one differs.

A golden `x` matches anything, as in VerilogEval; an `x` of the design matches nothing but a golden `x`. The design's
netlist must not contradict a golden value; it may be unknown where the source is not, since `if (x)` takes its else
branch in the source and neither in a multiplexer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a design's samples compare with the golden ones."""

    matched: int
    total: int
    constant: int
    """The most samples that a design with constant outputs matches."""
    first: int | None = None
    """Index of the first sample that differs."""
    contradicted: int = 0
    """Samples in which the source matches and its netlist says something else."""

    @property
    def complete(self) -> bool:
        """Whether every sample matches."""
        return self.matched == self.total

    @property
    def grade(self) -> float:
        """The share of matching samples beyond what the best constant gets: 0 for every constant, 1 for all."""
        if self.complete:
            return 1.0
        if self.total == self.constant:
            return 0.0
        return max(0.0, (self.matched - self.constant) / (self.total - self.constant))


def compare(samples: Sequence[str], golden: Sequence[str], netlist: Sequence[str] | None = None) -> Agreement:
    """Compare sample by sample. All sequences have the same length."""
    matched, first, contradicted = 0, None, 0
    for index, (got, wanted) in enumerate(zip(samples, golden, strict=True)):
        if got == wanted or matches(got, wanted):
            if netlist is None or netlist[index] == wanted or compatible(netlist[index], wanted):
                matched += 1
                continue
            contradicted += 1
        first = index if first is None else first
    return Agreement(matched, len(golden), constant_matches(golden), first, contradicted)


def matches(got: str, wanted: str) -> bool:
    """Whether every bit that is known in `wanted` has the same value in `got`."""
    if "x" not in wanted:
        return got == wanted
    return all(b in ("x", a) for a, b in zip(got, wanted, strict=True))


def compatible(got: str, wanted: str) -> bool:
    """Whether no bit is known in both and different."""
    return all(a == b or "x" in (a, b) for a, b in zip(got, wanted, strict=True))


def constant_matches(golden: Sequence[str]) -> int:
    """Return how many samples the best constant matches."""
    counts = Counter(golden)
    return max(sum(n for word, n in counts.items() if matches(best, word)) for best, _ in counts.most_common(8))


def known(golden: Sequence[str]) -> bool:
    """Whether the golden samples say anything at all."""
    return any("0" in word or "1" in word for word in set(golden))
