"""A labelling sheet: the rollouts of a label plan as JSONL, for a person to fill in, and what the labels then say.

A row is that of a labelled corpus (see `corpora`) whose `correct` is null until somebody has decided, with what an
estimate needs: the verdicts, and how many rollouts its stratum has. A sheet that is filled in is therefore also a
corpus for `assay audit --labels`, and says all that `plan.estimate` asks for.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.audits.plan import LabelPlan, Rollout, Stratum
from assay.core.errors import DataError
from assay.core.message import text_of
from assay.core.task import Task, read_jsonl
from assay.core.trajectory import Trajectory
from assay.verifiers.base import Evidence

_LABELS: dict[Any, bool] = {0: False, 1: True}


def sheet_rows(
    plan: LabelPlan, trajectories: Mapping[str, Trajectory], tasks: Mapping[str, Task]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a plan, in its order. Trajectories by their id, tasks by theirs."""
    sizes = {stratum.name: stratum.size for stratum in plan.strata}
    for rollout in plan.chosen:
        trajectory = trajectories[rollout.id]
        row = {
            "id": rollout.id,
            "problem": trajectory.task_id,
            "question": "\n".join(text_of(message) for message in trajectory.opening),
            "target": tasks[trajectory.task_id].target,
            "response": Evidence.of(trajectory).text,
            "correct": None,
            "accepted": rollout.accepted,
            "others": list(rollout.others),
            "class": rollout.cls,
            "stratum_size": sizes[rollout.stratum],
        }
        if len(trajectory.steps) > 1:
            row["transcript"] = trajectory.messages
        yield row


def write_sheet(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    """Write a sheet. `DataError` where there is one already: it may hold somebody's labels."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    except FileExistsError:
        raise DataError("is there already; name another file, or take it away", path=str(path)) from None
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}", path=str(path)) from None


def read_sheet(path: str | Path) -> tuple[LabelPlan, dict[str, bool]]:
    """Return the plan of a sheet, and the labels that it has so far.

    `DataError` with `file:line` for a row that no plan wrote, or a label that is none of 0, 1 and null.
    """
    chosen: list[Rollout] = []
    sizes: dict[str, int] = {}
    labels: dict[str, bool] = {}
    for line, row in read_jsonl(path):
        try:
            rollout = Rollout(str(row["id"]), row["accepted"], tuple(row["others"]), row["class"])
            size, label = int(row["stratum_size"]), row["correct"]
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"no row of a labelling sheet: {error}", path=str(path), line=line) from None
        if sizes.setdefault(rollout.stratum, size) != size:
            raise DataError(f"stratum {rollout.stratum!r} has two sizes", path=str(path), line=line)
        if label is not None:
            if not isinstance(label, int) or label not in _LABELS:
                raise DataError(f"correct must be 0, 1 or null, not {label!r}", path=str(path), line=line)
            labels[rollout.id] = _LABELS[label]
        chosen.append(rollout)
    if not chosen:
        raise DataError("holds no rows of a labelling sheet", path=str(path))
    counts = Counter(rollout.stratum for rollout in chosen)
    if len({rollout.id for rollout in chosen}) != len(chosen):
        raise DataError("an id occurs twice", path=str(path))
    strata = tuple(Stratum(name, size, counts[name], 0.0) for name, size in sorted(sizes.items()))
    return LabelPlan(strata, tuple(chosen)), labels
