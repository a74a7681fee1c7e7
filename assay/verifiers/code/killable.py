"""Mutants that are certainly wrong: each comes with an input on which it does not do what the reference does.

The certificate is made by running both on known inputs, in the sandbox. A mutant that agrees with the reference on all
of them may be the same program in other words, and is left out. So are mutants that never end, which any test catches
and which cost their whole limit each time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.sandboxes import Call, Job, Limits, Sandbox, SandboxFault
from assay.sandboxes.local.agent import codec
from assay.verifiers.code.compare import same_value
from assay.verifiers.code.mutants import Variant, mutants

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
"""Positional and keyword arguments of one call."""
MUTANT_LIMITS = Limits(cpu_seconds=0.5)
"""For programs that are made here and whose every call is short, unless a mutation made it endless."""


_ENDLESS = ("cpu_limit", "wall_limit")


@dataclass(frozen=True, slots=True)
class Reply:
    """What one call led to."""

    value: Any = None
    failed: str = ""
    """Name of the exception, or how the program ended; empty when it returned."""
    raised: bool = False
    """Whether `failed` is the name of an exception."""

    def same(self, other: Reply) -> bool:
        """Whether both returned the same value, or failed in the same way."""
        if self.failed or other.failed:
            return self.failed == other.failed
        return same_value(self.value, other.value, "python") or same_value(self.value, other.value)


@dataclass(frozen=True, slots=True)
class KilledMutant:
    """A wrong program, and the first known input that shows it."""

    variant: Variant
    witness: Arguments


def replies(
    sandbox: Sandbox, program: str, function: str, inputs: Sequence[Arguments], limits: Limits = MUTANT_LIMITS
) -> list[Reply]:
    """Call a function of a program of our own on all inputs. A call that ends the process is the last one to be made.

    Raises `SandboxFault`; the calls after one that ended the process have `failed` set to `not called`.
    """
    args, kwargs = inputs[0]
    job = Job(source=program, call=Call(function, args, kwargs, more=tuple(inputs[1:])), limits=limits)
    result = sandbox.run(job)
    if result.fault:
        raise SandboxFault(result.reason)
    found = [_read(line) for line in result.result.split(b"\n") if line][: len(inputs)]
    if len(found) < len(inputs):
        found.append(Reply(failed=result.status if not result.ok else "ended"))
    return found + [Reply(failed="not called")] * (len(inputs) - len(found))


def _read(line: bytes) -> Reply:
    try:
        reply = json.loads(line)
        ((kind, value),) = reply.items()
        return Reply(codec.from_json(value)) if kind == "value" else Reply(failed=str(value), raised=kind == "raised")
    except (ValueError, AttributeError):
        return Reply(failed="unreadable")


def killable_mutants(
    sandbox: Sandbox, source: str, function: str, inputs: Sequence[Arguments], *, most: int | None = None
) -> list[KilledMutant]:
    """Return the mutants of a program that some input tells from it, at most `most`, spread over its text.

    ValueError when the source is no Python, or fails on an input itself. Raises `SandboxFault`.
    """
    expected = replies(sandbox, source, function, inputs)
    bad = next((reply for reply in expected if reply.failed), None)
    if bad is not None:
        raise ValueError(f"the reference fails on a known input: {bad.failed}")
    found: list[KilledMutant] = []
    for variant in spread(list(mutants(source))):
        if most is not None and len(found) >= most:
            break
        actual = replies(sandbox, variant.source, function, inputs)
        if any(reply.failed in _ENDLESS for reply in actual):
            continue
        witness = next((i for i, (a, b) in enumerate(zip(actual, expected, strict=True)) if not a.same(b)), None)
        if witness is not None:
            found.append(KilledMutant(variant, inputs[witness]))
    return found


def spread(variants: Sequence[Variant]) -> list[Variant]:
    """Order variants so that the first few differ in place and kind: one of each operator and line in turn."""
    turns: dict[tuple[str, int], int] = {}
    ranked = []
    for variant in variants:
        key = (variant.operator, variant.line)
        turns[key] = turns.get(key, -1) + 1
        ranked.append((turns[key], variant))
    return [variant for _, variant in sorted(ranked, key=lambda pair: pair[0])]
