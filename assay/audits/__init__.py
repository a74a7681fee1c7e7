"""Audits: how often a verifier is wrong, in which direction, and what that does to training."""

from __future__ import annotations

from assay.audits.adapters import FunctionVerifier, resolve
from assay.audits.audit import audit
from assay.audits.case import Case, Certificate, Trial
from assay.audits.corpora import load_labels
from assay.audits.findings import Finding
from assay.audits.report import AuditReport
from assay.audits.scope import FULL, AuditPlan
from assay.audits.training import NoiseChannel, training_terms
from assay.audits.trials import RunLimits, run_cases

__all__ = [
    "FULL",
    "AuditPlan",
    "AuditReport",
    "Case",
    "Certificate",
    "Finding",
    "FunctionVerifier",
    "NoiseChannel",
    "RunLimits",
    "Trial",
    "audit",
    "load_labels",
    "resolve",
    "run_cases",
    "training_terms",
]
