"""Evaluation: pass@k with intervals, resumable runs, paired comparison of two runs."""

from assay.evals.compare import Comparison, compare, compare_runs
from assay.evals.config import EvalConfig, Sampling
from assay.evals.runner import evaluate, evaluate_async
from assay.evals.summary import Distribution, Estimate, EvalSummary, Stratum, summarise

__all__ = [
    "Comparison",
    "Distribution",
    "Estimate",
    "EvalConfig",
    "EvalSummary",
    "Sampling",
    "Stratum",
    "compare",
    "compare_runs",
    "evaluate",
    "evaluate_async",
    "summarise",
]
