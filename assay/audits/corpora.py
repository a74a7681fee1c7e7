"""Labelled corpora: rows whose truth somebody has decided, read strictly.

A row is `{"id", "target", "response", "correct": 0|1}` and optionally `problem` (what makes rows dependent: an id or
the question), `question` (the text shown to the policy), `class`, and `metadata` for the verifier. A row that cannot
be used stops the reading with `file:line`: a corpus with silently dropped rows has another error rate.

Golds that the verifier itself cannot read are not its mistakes. They are counted and listed, and refused unless the
caller allows them; allowed, they stay in the report as *no verdict*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.audits.case import Case
from assay.core.errors import DataError
from assay.core.task import content_id, read_rows
from assay.verifiers.base import Verifier

_LABELS: dict[Any, bool] = {0: False, 1: True}


@dataclass(frozen=True, slots=True)
class UnreadableGold:
    """A target that the verifier says it cannot read."""

    id: str
    target: Any
    reason: str


def load_labels(
    path: str | Path, *, limit: int | None = None, keep: Callable[[Mapping[str, Any]], bool] | None = None
) -> list[Case]:
    """Read labelled rows from JSONL, Parquet or `hf://`. `DataError` with `file:line` for the first bad one.

    `keep` selects rows before they are checked, for instance those without a disputed label.
    """
    cases: list[Case] = []
    first_line: dict[str, int] = {}
    for line, row in read_rows(path):
        if limit is not None and len(cases) >= limit:
            break
        if keep is not None and not keep(row):
            continue
        try:
            case = to_case(row)
        except ValueError as error:
            raise DataError(str(error), path=str(path), line=line) from None
        if case.id in first_line:
            raise DataError(f"id {case.id!r} was used in line {first_line[case.id]}", path=str(path), line=line)
        first_line[case.id] = line
        cases.append(case)
    if not cases:
        raise DataError("holds no labelled rows", path=str(path))
    return cases


def to_case(row: Mapping[str, Any]) -> Case:
    """Turn one row into a case. `ValueError` says what is wrong with it."""
    for name in ("target", "response", "correct"):
        if name not in row:
            raise ValueError(f"field {name!r} is missing; a row needs target, response and correct")
    if not isinstance(row["response"], str):
        raise ValueError(f"response must be text, not {type(row['response']).__name__}")
    if row["target"] is None:
        raise ValueError("target is null")
    label = row["correct"]
    if not isinstance(label, int) or label not in _LABELS:
        raise ValueError(f"correct must be 0 or 1, not {label!r}")
    metadata = row.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise ValueError(f"metadata must be an object, not {type(metadata).__name__}")
    problem = _optional_text(row, "problem")
    identity = row.get("id")
    return Case(
        id=str(identity) if identity is not None else content_id(row["target"], row["response"], problem),
        target=row["target"],
        response=row["response"],
        correct=_LABELS[label],
        cls=_optional_text(row, "class"),
        problem=_optional_text(row, "question") or problem,
        cluster=problem,
        metadata=metadata,
    )


def _optional_text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise ValueError(f"{name} must be text, not {type(value).__name__}")
    return str(value)


def unreadable_golds(verifier: Verifier, cases: Iterable[Case]) -> list[UnreadableGold]:
    """Return the golds that the verifier cannot read, each target once."""
    found: list[UnreadableGold] = []
    seen: set[str] = set()
    for case in cases:
        key = repr((case.target, sorted(case.metadata.items(), key=repr)))
        if key in seen:
            continue
        seen.add(key)
        reason = verifier.check_target(case.task())
        if reason is not None:
            found.append(UnreadableGold(case.id, case.target, reason))
    return found


MAX_UNREADABLE = 0.05
"""Share of rows with an unreadable gold up to which an audit goes on: a few are a finding about the verifier, many mean
that verifier and data do not fit."""


def refuse_unreadable(golds: Sequence[UnreadableGold], verifier: str, total: int) -> None:
    """Raise `DataError` naming the first few unreadable golds, when they are more than `MAX_UNREADABLE` of the rows."""
    if len(golds) <= MAX_UNREADABLE * total:
        return
    shown = "; ".join(f"{g.id}: {_short(g.target)} ({g.reason})" for g in golds[:3])
    more = f"; and {len(golds) - 3} more" if len(golds) > 3 else ""
    raise DataError(
        f"{verifier} cannot read {len(golds)} of the golds of {total} rows: {shown}{more}. "
        "Mend them, or allow unreadable golds to count these rows as no verdict"
    )


def _short(value: Any, width: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= width else text[: width - 3] + "..."
