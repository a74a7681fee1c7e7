"""What the comparisons of single types ask of the comparison of all types."""

from __future__ import annotations

from typing import Protocol

from assay.verifiers.answers.evaluate import Budget
from assay.verifiers.answers.nodes import Node
from assay.verifiers.answers.policy import AnswerPolicy


class Compares(Protocol):
    """Compares answers of any type under one policy, within one budget: `compare.Comparison`."""

    policy: AnswerPolicy
    budget: Budget

    def same(self, gold: Node, answer: Node) -> bool:
        """Return whether the answer means the gold."""

    def same_value(self, gold: Node, answer: Node) -> bool:
        """Compare two expressions, with rounding, tolerance and renaming as the policy has them."""

    def same_set(self, gold: Node, answer: Node) -> bool:
        """Compare two sets of reals."""

    def approximate(self, node: Node) -> float | None:
        """Return the value of an expression without symbols, about; None when it has none."""
