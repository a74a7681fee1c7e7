"""Evaluation: pass@k with intervals, resumable runs, paired comparison of two runs."""

from assay.evals.summary import Distribution, Estimate, EvalSummary, Stratum, summarise

__all__ = ["Distribution", "Estimate", "EvalSummary", "Stratum", "summarise"]
