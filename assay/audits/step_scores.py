"""Calibration of step scores: do a process reward model's scores tell good steps from bad ones?

Steps of one problem are no independent draws, so the interval of the AUROC comes from resampling problems, not steps.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from assay.audits.calibration import Calibration, auroc, calibrate
from assay.core.errors import ConfigError
from assay.core.seeding import derive_seed
from assay.core.stats import Interval


def calibrate_steps(
    scores: Sequence[Sequence[float]],
    labels: Sequence[Sequence[bool | None]],
    *,
    problems: Sequence[Hashable] | None = None,
    bins: int = 10,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Calibration:
    """Measure the step scores of solutions against labels of their steps.

    Args:
        scores: for each solution the scores of its steps, such as `[s.score for s in verdict.steps]`.
        labels: for each solution whether each step is good; None leaves a step out.
        problems: for each solution which problem it solves; solutions of one problem are resampled together. Each
            solution is a problem of its own when None.
        bins: of the reliability table.
        level: of the intervals.
        resamples: bootstrap samples of problems.
        seed: of the resampling.
    """
    keys = list(range(len(scores))) if problems is None else list(problems)
    if not len(scores) == len(labels) == len(keys) or any(
        len(s) != len(y) for s, y in zip(scores, labels, strict=True)
    ):
        raise ConfigError("every solution needs one label for each of its scores, and one problem")
    rows = [
        (key, score, label)
        for key, solution, marks in zip(keys, scores, labels, strict=True)
        for score, label in zip(solution, marks, strict=True)
        if label is not None
    ]
    values, good = np.array([row[1] for row in rows], np.float64), np.array([row[2] for row in rows], np.bool_)
    calibration = calibrate(values, good, bins=bins, level=level)
    members: dict[Hashable, list[int]] = {}
    for index, (key, _, _) in enumerate(rows):
        members.setdefault(key, []).append(index)
    groups = [np.array(indices) for indices in members.values()]
    rng = np.random.Generator(np.random.PCG64(derive_seed("calibrate steps", seed)))
    areas = []
    for _ in range(resamples):
        drawn = np.concatenate([groups[g] for g in rng.integers(len(groups), size=len(groups))])
        if (area := auroc(values[drawn], good[drawn])) is not None:
            areas.append(area)
    if not areas:
        return calibration
    low, high = np.quantile(areas, [(1 - level) / 2, (1 + level) / 2])
    return replace(calibration, auroc_interval=Interval(float(low), float(high)))
