"""What each algorithm learns on one CPU core: many short runs from shared warm starts, one table with intervals.

    python benchmarks/results.py DIR [--only NAMES] [--seeds 3] [--steps N] [--warmstart N] [--list]
    python benchmarks/results.py DIR --table [--write docs/results.md]

Every run of a family has the same warm start, tasks, episodes and number of optimiser steps; only the algorithm (or
the curriculum, or the reward) differs, and the seed. A run that is finished has its result in `DIR/results/` and is
not repeated; one that was interrupted is resumed. `--only` takes names or families, with commas; `--table` prints what
is there. A run takes up to 2 minutes of processor time, a warm start (one for each configuration) about 4 minutes.

Figures are held-out pass@k at the end, mean over seeds with a 95 % interval by Student's t over seeds; three seeds make
it wide. Differences within a family are paired by seed.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from families import ENVIRONMENTS, FAMILIES, Family

from assay.core.config import load_config

CONFIGS = Path(__file__).parent.parent / "configs"
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365}
"""97.5 % quantiles of Student's t, by the number of seeds."""


def train_once(family: Family, changes: list[str], directory: Path) -> tuple[Any, float]:
    """Train, or go on with, one run; return its result and the processor seconds that this process spent."""
    from assay.trainers.config import TrainConfig
    from assay.trainers.loop import train

    shared = [
        "tensorboard=false",
        "model.threads=1",
        "rollout.record_every=1000",
        f"eval.ks={list(family.ks)}",
        *family.common,
    ]
    config = load_config(TrainConfig, CONFIGS / family.base, [*shared, *changes])
    started = time.process_time()
    result = train(config, directory, resume=(directory / "config.yaml").is_file())
    return result, time.process_time() - started


def warm_model(family: Family, root: Path, steps: int | None) -> Path:
    """Return the warm-started model of a family's configuration as it is shipped, made when it is not there."""
    directory = root / "warm" / family.base.removesuffix(".yaml")
    if not (directory / "model").is_dir():
        length = [] if steps is None else [f"warmstart.steps={steps}"]
        shipped = replace(family, common=[], ks=(1,))
        train_once(shipped, ["steps=0", "eval.tasks=32", *length], directory)
    return directory / "model"


def run(name: str, entry: str, seed: int, root: Path, options: argparse.Namespace) -> None:
    """Do one run, unless its result is there."""
    family = FAMILIES[name]
    label = f"{name}-{entry}-{seed}".replace(" ", "_").replace("(", "").replace(")", "")
    target = root / "results" / f"{label}.json"
    if target.is_file():
        return
    model = warm_model(family, root, options.warmstart)
    steps = options.steps or family.steps
    changes = [
        *family.runs[entry],
        f"model.path={model}",
        "warmstart.steps=0",
        f"steps={steps}",
        f"seed={seed}",
        f"eval.every={max(steps // family.evaluations, 1)}",
        f"checkpoint.every={max(steps // 3, 1)}",
        *options.overrides,
    ]
    result, seconds = train_once(family, changes, root / "runs" / label)
    if not result.finished:
        raise SystemExit(f"{label}: stopped; the same command goes on with it")
    row = {
        "family": name,
        "entry": entry,
        "seed": seed,
        "steps": steps,
        "cpu_seconds": round(seconds, 1),
        "tokens": result.evaluations[steps].tokens.mean,
        "reward": [result.evaluations[step].reward.value for step in (0, steps)],
        "turns": result.evaluations[steps].turns.mean,
        "before": {str(k): e.value for k, e in result.evaluations[0].pass_at.items()},
        "after": {str(k): e.value for k, e in result.evaluations[steps].pass_at.items()},
        "curve": {str(step): result.evaluations[step].pass_at[1].value for step in sorted(result.evaluations)},
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(row, indent=1), encoding="utf-8")
    print(f"{label}: pass@1 {row['before']['1']:.3f} -> {row['after']['1']:.3f}, {seconds:.0f} CPU s", flush=True)


def interval(values: list[float]) -> str:
    """Return the mean with the half width of its 95 % interval."""
    mean = statistics.mean(values)
    if len(values) < 2:
        return f"{mean:.3f}"
    half = STUDENT.get(len(values), 2.0) * statistics.stdev(values) / math.sqrt(len(values))
    return f"{mean:.3f} ± {half:.3f}"


def measures(family: Family, row: dict[str, Any], when: int) -> list[float]:
    """Return what the columns of a family show of a run: before (0) or after (1) the training."""
    if family.reward:
        return [row["reward"][when]]
    return [row[("before", "after")[when]][str(k)] for k in family.ks]


def table(root: Path) -> str:
    """Return the results as Markdown."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((root / "results").glob("*.json"))]
    lines: list[str] = []
    for name, family in FAMILIES.items():
        mine = [row for row in rows if row["family"] == name]
        if not mine or name in ENVIRONMENTS:
            continue
        columns = [family.reward] if family.reward else [f"pass@{k}" for k in family.ks]
        lines += [f"### {name}", "", f"{family.about} {mine[0]['steps']} steps.", ""]
        lines += [f"| run | seeds | {' | '.join(columns)} | tokens | difference to the first |"]
        lines += ["|---|---|" + "---|" * (len(columns) + 2)]
        after = {(row["entry"], row["seed"]): measures(family, row, 1) for row in mine}
        before = {row["seed"]: measures(family, row, 0) for row in mine}
        cells = " | ".join(interval(list(values)) for values in zip(*before.values(), strict=True))
        lines += [f"| before | {len(before)} | {cells} | | |"]
        first = next(iter(family.runs))
        for entry in family.runs:
            own = [row for row in mine if row["entry"] == entry]
            if not own:
                continue
            found = {row["seed"]: after[entry, row["seed"]] for row in own}
            gains = [values[0] - after[first, seed][0] for seed, values in found.items() if (first, seed) in after]
            cells = " | ".join(interval(list(values)) for values in zip(*found.values(), strict=True))
            tokens = f"{statistics.mean(row['tokens'] for row in own):.1f}"
            lines += [f"| {entry} | {len(own)} | {cells} | {tokens} | {interval(gains) if gains else ''} |"]
        lines += [""]
    return "\n".join([*lines, *curves(rows)])


def curves(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table of the environments: held-out pass@1 along the training, mean over seeds."""
    mine = [row for row in rows if row["family"] in ENVIRONMENTS]
    if not mine:
        return []
    steps = list(mine[0]["curve"])
    lines = ["### environments", "", "Held-out pass@1 along the steps, each with its own warm start. GRPO.", ""]
    lines += ["| config | task | seeds | " + " | ".join(f"step {step}" for step in steps) + " |"]
    lines += ["|---|---|---|" + "---|" * len(steps)]
    for name, family in ENVIRONMENTS.items():
        own = [row["curve"] for row in mine if row["family"] == name]
        if own:
            cells = [interval([curve[step] for curve in own]) for step in steps]
            lines += [f"| `configs/{family.base}` | {family.about} | {len(own)} | {' | '.join(cells)} |"]
    return [*lines, ""]


BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def write(path: Path, text: str) -> None:
    """Put the tables between the markers of a page."""
    page = path.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}", encoding="utf-8")


def main() -> None:
    """Do the runs that are missing, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("overrides", nargs="*", help="changes to every run: dotted.key=value")
    parser.add_argument("--only", default="", help="families, or family/run, with commas")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=0, help="instead of each family's own number")
    parser.add_argument("--warmstart", type=int, default=None, help="supervised steps of the shared warm starts")
    parser.add_argument("--list", action="store_true", help="name the runs and stop")
    parser.add_argument("--table", action="store_true", help="print the tables of what is there and stop")
    parser.add_argument("--write", type=Path, help="with --table: put them into this page")
    options = parser.parse_intermixed_args()
    if options.table:
        text = table(options.directory)
        print(text) if options.write is None else write(options.write, text)
        return
    chosen = [part for part in options.only.split(",") if part]
    entries = [
        (name, entry)
        for name, family in FAMILIES.items()
        for entry in family.runs
        if not chosen or name in chosen or f"{name}/{entry}" in chosen
    ]
    if options.list:
        print("\n".join(f"{name}/{entry}" for name, entry in entries))
        return

    for seed in range(options.seeds):  # every run once before any twice
        for name, entry in entries:
            run(name, entry, seed, options.directory, options)


if __name__ == "__main__":
    main()
