"""Mathematical answers: extraction, parsing, typed comparison, and the verifier `math` built on them.

normalise, extract, exact        text -> the answer, plain numbers
lexer .. parser, nodes, units    the answer -> a closed syntax tree, or nothing at all
compare and its rule families    two trees -> same or not, under an `AnswerPolicy`
equality, evaluate, exactly      two expressions -> equal or not
symbolic, worker                 sympy in killable processes, for what is left
verifier                         the tiers in order, and the verdict
"""

from __future__ import annotations

from assay.verifiers.answers.policy import AnswerPolicy
from assay.verifiers.answers.verifier import MathVerifier

__all__ = ["AnswerPolicy", "MathVerifier"]
