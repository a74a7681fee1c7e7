"""What is true. Public names are re-exported here; each verifier lives in a file of its own."""

from __future__ import annotations

from typing import Any

from assay.core.registry import Registry
from assay.verifiers.base import Evidence, Verifier, run_verifier, verify_text

VERIFIERS: Registry[Verifier] = Registry("verifier", "assay.verifiers")


def make_verifier(name: str, **options: Any) -> Verifier:
    """Build a registered verifier (or `module:Class`) by name."""
    return VERIFIERS.make(name, **options)


__all__ = ["VERIFIERS", "Evidence", "Verifier", "make_verifier", "run_verifier", "verify_text"]
