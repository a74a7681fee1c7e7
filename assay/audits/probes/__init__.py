"""Probes: behaviour that no labelled pair shows, such as executed text, threads, order, and unearned reward."""

from __future__ import annotations

from assay.audits.probes.canary import canary_probe
from assay.audits.probes.dead import dead_function_probe
from assay.audits.probes.exploit import (
    ConstantAnswer,
    CrossPrompt,
    constant_cases,
    constant_values,
    cross_cases,
    cross_prompt,
)
from assay.audits.probes.stability import pick, stability_probe, symmetry_probe

__all__ = [
    "ConstantAnswer",
    "CrossPrompt",
    "canary_probe",
    "constant_cases",
    "constant_values",
    "cross_cases",
    "cross_prompt",
    "dead_function_probe",
    "pick",
    "stability_probe",
    "symmetry_probe",
]
