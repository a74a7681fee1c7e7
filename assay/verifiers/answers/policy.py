"""AnswerPolicy: every convention on which reasonable people disagree, as an explicit option with a safe default.

*Safe* means that a wrong answer is refused rather than a right one missed: a missed right answer slows learning, a
rewarded wrong one is learnt.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

from assay.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class AnswerPolicy:
    """What counts as the same answer. Frozen and hashable: it is part of every cache key."""

    rel_tol: float = 0.0
    """Relative tolerance between two numbers; 0 asks for equality."""
    rounding: Literal["never", "exact_forms", "gold_digits"] = "exact_forms"
    """When a decimal gold stands for its rounding interval: never; only for exact predictions that no decimal can
    express, such as 542/3 for 180.67 (three significant digits at least); or for every prediction."""
    percent: Literal["unit", "fraction", "either"] = "unit"
    """50 % is: 50 of a unit that may be left out, as in "what percent ...?"; strictly the number 1/2; or either."""
    units: Literal["compare", "required", "ignore"] = "compare"
    """Compare units when both sides have one; or demand one whenever the gold has one; or drop them."""
    list_order: bool = False
    """Whether the order of a bare list matters. Tuples and matrices are always ordered."""
    duplicates: bool = True
    """Whether repeated items of a list or set count."""
    bases: Literal["same", "value", "ignore"] = "same"
    """How 101_2 compares: only with numerals of its base; with anything of its value; with its digits."""
    degrees: Literal["number", "angle"] = "number"
    """30° equals the bare number 30; or (angle) also pi/6. Within trigonometric functions a degree is a degree."""
    renaming: bool = True
    """Accept f(t)=t for f(x)=x, +K for +C, and n for k as the integer parameter of a family of solutions."""
    relation_as_set: bool = True
    """Accept 2<x<3, (2,3) and {x | 2<x<3} for each other."""
    simplified: bool = False
    """Demand a literal match up to spelling: no arithmetic left to do for the grader."""
    several: Literal["ambiguous", "last"] = "ambiguous"
    """Different final answers in one response are wrong; or the last one counts."""
    unmarked: Literal["last", "reject"] = "last"
    """Without a marker (boxed, `####`, "the answer is"), take the last formula; or find no answer."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):
            value, allowed = getattr(self, field.name), get_args(hints[field.name])
            if allowed and value not in allowed:
                known = ", ".join(map(repr, allowed))
                raise ConfigError(f"answer policy: {field.name}={value!r} is unknown; use one of {known}")
        if not 0.0 <= self.rel_tol < 1.0:
            raise ConfigError(f"answer policy: rel_tol={self.rel_tol!r} must lie in [0, 1)")

    @classmethod
    def of(cls, options: AnswerPolicy | dict[str, Any] | None) -> AnswerPolicy:
        """Return a policy from options as they stand in a configuration file."""
        if isinstance(options, cls):
            return options
        given = dict(options or {})  # type: ignore[arg-type]
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise ConfigError(f"answer policy: unknown option {unknown[0]!r}; known: {', '.join(sorted(known))}")
        return cls(**given)
