"""Verifiers by name. Nothing is imported until its name is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from assay.core.errors import ConfigError
from assay.core.registry import Registry
from assay.verifiers.base import Verifier

VERIFIERS: Registry[Verifier] = Registry("verifier", "assay.verifiers")

VerifierSpec: TypeAlias = Verifier | str | Mapping[str, Any]
"""A verifier, a registered name, or `{"name": ..., **options}` as configurations write it."""


def make_verifier(name: str, /, **options: Any) -> Verifier:
    """Build a registered verifier (or `module:Class`) by name."""
    return VERIFIERS.make(name, **options)


def build_verifier(spec: VerifierSpec) -> Verifier:
    """Build a verifier from what a configuration says."""
    if isinstance(spec, Verifier):
        return spec
    if isinstance(spec, str):
        return make_verifier(spec)
    if not isinstance(spec, Mapping) or not isinstance(spec.get("name"), str):
        raise ConfigError(f"a verifier is given by name or as {{name: ..., options}}, not {spec!r}")
    return make_verifier(spec["name"], **{key: value for key, value in spec.items() if key != "name"})


def build_all(specs: Mapping[str, VerifierSpec], owner: str) -> dict[str, Verifier]:
    """Build the named members of a composed verifier."""
    if not isinstance(specs, Mapping) or not specs:
        raise ConfigError(f"{owner} needs a mapping from names to verifiers")
    return {name: build_verifier(spec) for name, spec in specs.items()}
