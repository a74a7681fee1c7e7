"""Rollouts during updates against rollouts and updates in turns, where the environment is slow; in one run.

    python benchmarks/async_rollouts.py [--steps 12] [--rounds 3] [--model DIR] [--staleness 1] [--seconds 0.6]

Both sides train the same warm-started model, that in `--model` or one made first, on the frozen lake of
`configs/frozen_lake.yaml`, which is learned within the default number of steps; every move sleeps `--seconds`, as a
browser, a compiler or a remote sandbox would. What overlaps is the waiting and the sampling with the update; both sides
have the same number of threads. Sides alternate, round by round, each with another seed. Prints the median seconds of
a step on either side, the ratio of every round, and what both learned: held-out pass@1 before and at the end, and the
difference with a 95 % interval over tasks, paired.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import gymnasium
import lake

from assay.core.message import Observation


class Waiting(gymnasium.Wrapper[Observation, str, Observation, str]):
    """Sleeps in every step."""

    blocking = True

    def __init__(self, env: gymnasium.Env[Observation, str], seconds: float) -> None:
        super().__init__(env)
        self._seconds = seconds

    def step(self, action: str) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        time.sleep(self._seconds)
        return self.env.step(action)


def measure(options: argparse.Namespace, model: Path, staleness: int, seed: int, directory: Path) -> dict[str, Any]:
    """Train one side; return seconds a step without the first, pass@1 before and after, by task too, and staleness."""
    from assay.trainers.loop import train
    from assay.trainers.metrics import read_metrics

    slow = {"name": f"{__name__}:Waiting", "seconds": options.seconds}
    overrides = [
        f"model={json.dumps({'path': str(model)})}",
        f"env.wrappers={json.dumps([slow])}",
        f"rollout.staleness={staleness}",
        f"seed={seed}",
        f"steps={options.steps}",
        "warmstart.steps=0",
    ]
    result = train(lake.settings(*overrides, *options.overrides), directory)
    rows = [row for row in read_metrics(directory) if row["kind"] == "train"]
    spent = [row["seconds/rollout"] + row["seconds/update"] for row in rows[1:]]
    return {
        "tasks": lake.outcomes(directory, result.step),
        "step": sum(spent) / len(spent),
        "update": statistics.median(row["seconds/update"] for row in rows),
        "before": result.evaluations[0].pass_at_1.value,
        "after": result.evaluations[result.step].pass_at_1.value,
        "age": statistics.mean(row.get("staleness", 0.0) for row in rows),
    }


def main() -> None:
    """Run both sides in turn and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--staleness", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.6)
    lake.add_arguments(parser)
    options = parser.parse_intermixed_args()

    from assay.core.stats import paired_difference

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = lake.beginning(options, folder / "warm")
        sides: dict[str, list[dict[str, Any]]] = {"in turns": [], "at once": []}
        for number in range(options.rounds):
            for side, bound in (("in turns", 0), ("at once", options.staleness)):
                row = measure(options, model, bound, number, folder / f"{side}-{number}".replace(" ", "-"))
                sides[side].append(row)
                print(
                    f"round {number}, {side}: {row['step']:.2f} s a step (update {row['update']:.2f}), "
                    f"pass@1 {row['before']:.3f} -> {row['after']:.3f}, mean staleness {row['age']:.2f}",
                    flush=True,
                )
    turns, once = (statistics.median(row["step"] for row in rows) for rows in sides.values())
    ratios = [a["step"] / b["step"] for a, b in zip(*sides.values(), strict=True)]
    print(
        f"in turns {turns:.2f} s, at once {once:.2f} s a step: ratio {statistics.median(ratios):.2f} "
        f"(rounds {', '.join(f'{ratio:.2f}' for ratio in ratios)})"
    )
    columns = {
        side: [statistics.mean(row["tasks"][task] for row in rows) for task in rows[0]["tasks"]]
        for side, rows in sides.items()
    }
    apart = paired_difference(columns["in turns"], columns["at once"])
    means = {side: statistics.mean(column) for side, column in columns.items()}
    print(
        f"pass@1 at the end: in turns {means['in turns']:.3f}, at once {means['at once']:.3f}, "
        f"difference {apart.estimate:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]"
    )


if __name__ == "__main__":
    main()
