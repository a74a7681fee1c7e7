"""Formats of process reward models by name. Each is a pure description; who computes is the scorer's business."""

from __future__ import annotations

from assay.core.registry import Registry
from assay.verifiers.process.formats.base import Head, PRMFormat, Rendered, activate

FORMATS: Registry[PRMFormat] = Registry("PRM format")

_BUILT_IN = {
    "qwen2.5-math-prm": "separator_token:QwenMathFormat",
    "reasonflux-prm": "separator_token:ReasonFluxFormat",
    "rlhflow": "turns:RLHFlowFormat",
    "math-shepherd": "tagged:MathShepherdFormat",
    "skywork-o1": "separated:SkyworkFormat",
    "trl": "separated:TRLFormat",
}

for _name, _path in _BUILT_IN.items():
    FORMATS.register(_name, f"assay.verifiers.process.formats.{_path}")

__all__ = ["FORMATS", "Head", "PRMFormat", "Rendered", "activate"]
