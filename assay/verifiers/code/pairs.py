"""Preference pairs from programs and tests that a model wrote itself, with no reference: DSTC (arXiv:2411.13611).

All programs run against all tests. The chosen program passes the most tests; the chosen test is, of those that it
passes, the one that the most programs pass; the rejected program is the one that passes the fewest of those that fail
the chosen test. Program and test are joined, so that the chosen text shows a test that its program passes and the
rejected one a test that its program fails. The paper names the selection "minimax" and gives no formula; this is the
reading that its description allows. No pair is made where the chosen program is not strictly better.

Agreement is no truth: programs that share a mistake agree with tests that share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.verifiers.code.grade import GradingSandbox
from assay.verifiers.code.suite_run import TestSuite

Passes = Sequence[Sequence[bool | int]]
"""[programs, tests]: whether program i passes test j."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Positions of the chosen and the rejected program and test."""

    chosen: int
    chosen_test: int
    rejected: int
    rejected_test: int


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """Two texts for preference training."""

    chosen: str
    rejected: str


def select_pair(passes: Passes) -> Selection | None:
    """Return the pair with a clear gap in quality, or None. Of equals the first counts.

    >>> select_pair([[1, 1, 0], [1, 0, 0], [0, 0, 1]])
    Selection(chosen=0, chosen_test=0, rejected=2, rejected_test=0)
    """
    if not passes or not passes[0]:
        return None
    totals = [sum(map(bool, row)) for row in passes]
    chosen = totals.index(max(totals))
    accepted = [j for j, passed in enumerate(passes[chosen]) if passed]
    if not accepted:
        return None
    test = max(accepted, key=lambda j: (sum(bool(row[j]) for row in passes), -j))
    failing = [i for i, row in enumerate(passes) if not row[test]]
    if not failing:
        return None
    rejected = min(failing, key=lambda i: (totals[i], i))
    return Selection(chosen, test, rejected, test) if totals[chosen] > totals[rejected] else None


def consensus(passes: Passes) -> list[float]:
    """Return for each program the share of the tests that it passes, of those that any program passes; in [0, 1]."""
    useful = [j for j in range(len(passes[0]) if passes else 0) if any(row[j] for row in passes)]
    return [sum(bool(row[j]) for j in useful) / len(useful) if useful else 0.0 for row in passes]


def pass_matrix(
    sandbox: GradingSandbox, programs: Sequence[str], tests: Sequence[str], function: str
) -> list[list[bool]]:
    """Run all programs against all test suites. A suite that cannot be used passes nothing. Raises `SandboxFault`."""
    suites: list[TestSuite | None] = []
    for source in tests:
        try:
            suites.append(TestSuite(source, function))
        except ValueError:
            suites.append(None)
    return [[suite is not None and suite.run(sandbox, program).passed for suite in suites] for program in programs]


def preference_pair(
    sandbox: GradingSandbox, programs: Sequence[str], tests: Sequence[str], function: str
) -> PreferencePair | None:
    """Return the pair of joined texts, or None where there is no clear gap."""
    found = select_pair(pass_matrix(sandbox, programs, tests, function))
    if found is None:
        return None

    def joined(program: int, test: int) -> str:
        return f"{programs[program].rstrip()}\n\n\n{tests[test].strip()}\n"

    return PreferencePair(joined(found.chosen, found.chosen_test), joined(found.rejected, found.rejected_test))
