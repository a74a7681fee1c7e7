"""What each algorithm learns on one CPU core: many short runs from shared warm starts, one table with intervals.

    python benchmarks/results.py DIR [--only NAMES] [--seeds 3] [--steps N] [--warmstart N] [--threads 1] [--list]
    python benchmarks/results.py DIR --table [--write docs/results.md]

Every run of a family has the same warm start, tasks, episodes and number of optimiser steps; only the algorithm (or
the curriculum, or the reward) differs, and the seed. A run that is finished has its result in `DIR/results/` and is
not repeated; one that was interrupted is resumed. `--only` takes names or families, with commas; `--table` prints what
is there. A run takes up to 90 s of processor time, a warm start (one for each configuration) about 4 minutes.

Figures are held-out pass@k at the end, mean over seeds with a 95 % interval by Student's t over seeds; three seeds make
it wide. Differences within a family are paired by seed.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gymnasium

from assay.core.config import load_config
from assay.core.message import Observation, text_of
from assay.envs.final_answer import read_integer
from assay.verifiers.puzzles.final import final_text

CONFIGS = Path(__file__).parent.parent / "configs"
LEVELS = "[" + ", ".join(f"{{terms: {terms}}}" for terms in range(3, 13)) + "]"
PAID = f"env.wrappers=[{{name: '{__name__}:PaidForDoubt'}}]"
PROGRESS, NO_PROGRESS = "env.options.progress=0.5", "env.options.progress=0"
GAE = "lam: 0.98, learning_rate: 3.0e-4, warmup_steps: 5"
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365}
"""97.5 % quantiles of Student's t, by the number of seeds."""


class PaidForDoubt(gymnasium.Wrapper[Observation, str, Observation, str]):
    """A process reward for GuessNumber that can be hacked: the part `process` is 1 for a guess that the answers so far
    rule out, as if it were a check, and 0 for any other.

    So the sum over an episode grows with every wasted turn, and the minimum does not. The reward itself stays as it is.
    """

    blocking = False

    def reset(self, **options: Any) -> tuple[Observation, dict[str, Any]]:
        self._low, self._high = -math.inf, math.inf
        return super().reset(**options)

    def step(self, action: str) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        guess = read_integer(final_text(action, plain=True) or "")
        doubted = guess is not None and not self._low < guess < self._high
        if guess is not None and observation:
            if text_of(observation[0]) == "higher":
                self._low = max(self._low, guess)
            else:
                self._high = min(self._high, guess)
        parts = {**info.get("reward_parts", {}), "process": float(doubted)}
        return observation, reward, terminated, truncated, {**info, "reward_parts": parts}


@dataclass(frozen=True)
class Family:
    """Runs that are compared: a configuration with its changes, and the changes of each run by name."""

    base: str
    about: str
    steps: int
    runs: dict[str, list[str]]
    common: list[str] = field(default_factory=list)
    ks: tuple[int, ...] = (1, 8)
    evaluations: int = 1
    """How often held-out tasks are tried after the first step; the table of a family has a column for the last."""


def algorithm(**options: Any) -> list[str]:
    return [f"algorithm.{name}={json.dumps(value)}" for name, value in options.items()]


def environment(name: str, about: str) -> Family:
    """An environment that is learned with its shipped configuration, shortened."""
    return Family(f"{name}.yaml", about, 12, {name: []}, ks=(1, 4), evaluations=3)


ENVIRONMENTS = {
    name: environment(name, about)
    for name, about in {
        "calculator": "arithmetic with a calculator, several calls",
        "service_desk": "ServiceDesk, shop, level 1",
        "web": "WebTask, mail, level 1, text driver",
        "frozen_lake": "FrozenLake, 4x4",
        "guess_number": "GuessNumber, 1 to 64 in 6 turns",
        "tool_call": "ToolCall, level 1, on a console",
        "search": "SearchQA, 1 hop, notes with short names",
    }.items()
}

FAMILIES = {
    "advantages": Family(
        "arithmetic.yaml",
        "Advantage estimators with PPO-clip: single-turn arithmetic, outcome reward.",
        25,
        {
            "grpo": algorithm(advantage="grpo"),
            "dr_grpo": algorithm(advantage="dr_grpo"),
            "rloo": algorithm(advantage="rloo"),
            "reinforce_pp": algorithm(advantage="reinforce_pp"),
            "reinforce_pp_baseline": algorithm(advantage="reinforce_pp_baseline"),
            "maxrl": algorithm(advantage="maxrl"),
            "gdpo": algorithm(advantage="gdpo", advantage_options={"weights": {"outcome": 1.0}}),
            "gigpo": algorithm(advantage="gigpo"),
            "ppo": [f"algorithm={{advantage: gae, critic: {{{GAE}}}, dynamic_sampling: keep}}"],
            "ppo_separate": [
                "algorithm={advantage: gae, critic: {kind: separate, lam: 0.98, learning_rate: 1.0e-4, "
                "warmup_steps: 5}, dynamic_sampling: keep}"
            ],
        },
    ),
    "losses": Family(
        "arithmetic.yaml",
        "Losses with GRPO's advantages: single-turn arithmetic, outcome reward.",
        25,
        {
            "ppo_clip": [],
            "dual_clip": algorithm(loss_options={"clip_low": 0.2, "clip_high": 0.28, "dual_clip": 3.0}),
            "gspo": algorithm(loss="gspo", loss_options={}, normalization="sequence-mean"),
            "cispo": algorithm(loss="cispo", loss_options={}),
            "dppo": algorithm(loss="dppo", loss_options={}),
            "importance_sampling": algorithm(loss="importance_sampling", loss_options={}),
            "kl_0.01": algorithm(kl_coef=0.01),
            "staleness_1": ["rollout.staleness=1"],
            "staleness_1_tis": ["rollout.staleness=1", *algorithm(correction={"upper": 2.0})],
        },
    ),
    "credit": Family(
        "guess_number.yaml",
        "Credit for turns against credit for outcomes: a number to guess in 6 turns.",
        20,
        {
            "outcome (grpo)": [NO_PROGRESS, *algorithm(advantage="grpo")],
            "outcome, states compared (gigpo)": [NO_PROGRESS, *algorithm(advantage="gigpo")],
            "step rewards (turn_discount)": [PROGRESS, *algorithm(advantage="turn_discount")],
            "step rewards (ppo by turns)": [
                PROGRESS,
                f"algorithm={{advantage: gae, critic: {{level: turn, {GAE}}}, dynamic_sampling: keep}}",
            ],
        },
        ks=(1, 4),
    ),
    "turns": Family(
        "series.yaml",
        "Credit for turns against credit for episodes: six problems, one after another, each paid when it is answered; "
        "the same rewards in all runs but the second.",
        30,
        {
            "the episode's sum (grpo)": algorithm(advantage="grpo"),
            "all right or not (grpo)": ["env.options.reward=all", *algorithm(advantage="grpo")],
            "each turn's own (turn_discount)": algorithm(advantage="turn_discount", advantage_options={"gamma": 0.0}),
            "sum, and the same turn compared (gigpo)": algorithm(advantage="gigpo", advantage_options={"gamma": 0.0}),
            "ppo by turns": [
                f"algorithm={{advantage: gae, critic: {{level: turn, gamma: 0.01, {GAE}}}, dynamic_sampling: keep}}",
            ],
        },
        ks=(1, 4),
    ),
    "states": Family(
        "frozen_lake.yaml",
        "Comparing what was done in one and the same state (GiGPO) against comparing episodes: a 4x4 lake in 8 moves.",
        12,
        {
            "outcome (grpo)": algorithm(advantage="grpo"),
            "states compared (gigpo)": algorithm(advantage="gigpo"),
            "ppo by turns": [
                f"algorithm={{advantage: gae, critic: {{level: turn, {GAE}}}, dynamic_sampling: keep}}",
            ],
        },
        ks=(1, 4),
    ),
    "process": Family(
        "guess_number.yaml",
        "A process reward that pays for wasted guesses, as a sum or as its minimum (PURE); the outcome counts too.",
        20,
        {
            "outcome only": [*algorithm(advantage="rloo")],
            "sum": [*algorithm(advantage="pure", advantage_options={"part": "process", "form": "sum"})],
            "min": [*algorithm(advantage="pure", advantage_options={"part": "process", "form": "min"})],
        },
        [PAID, NO_PROGRESS, *algorithm(dynamic_sampling="keep")],
        ks=(1, 4),
    ),
    "curriculum": Family(
        "calculator.yaml",
        "A curriculum against uniform sampling at equal compute: a calculator and 3 to 12 terms, of which the warm "
        "start knows 3 to 5; held-out tasks over the whole range; 32 episodes a step.",
        100,
        {
            name: [f"curriculum={{policy: {name}, levels: {LEVELS}}}"]
            for name in ("uniform", "thompson", "learnability")
        },
        [
            "env.options={digits: 1, terms: [3, 12], max_turns: 12}",
            "rollout.groups=4",
            "rollout.group_size=8",
            "eval.tasks=192",
            "eval.samples=4",
        ],
        ks=(1, 4),
    ),
    "unlikeliness": Family(
        "arithmetic.yaml",
        "Rewarding the unlikely: pass@k at large k, two optimiser steps a batch as in the paper.",
        25,
        {
            "plain": [],
            "unlikeliness": ["algorithm.shaping=[{name: unlikeliness, options: {beta: 0.25}}]"],
        },
        [*algorithm(epochs=2), "eval.samples=32", "eval.tasks=128"],
        (1, 8, 32),
    ),
    **ENVIRONMENTS,
}


def train_once(family: Family, changes: list[str], directory: Path) -> tuple[Any, float]:
    """Train, or go on with, one run; return its result and the processor seconds that this process spent."""
    from assay.trainers.config import TrainConfig
    from assay.trainers.loop import train

    shared = ["tensorboard=false", "rollout.record_every=1000", f"eval.ks={list(family.ks)}", *family.common]
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


def table(root: Path) -> str:
    """Return the results as Markdown."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((root / "results").glob("*.json"))]
    lines: list[str] = []
    for name, family in FAMILIES.items():
        mine = [row for row in rows if row["family"] == name]
        if not mine or name in ENVIRONMENTS:
            continue
        ks = [str(k) for k in family.ks]
        lines += [f"### {name}", "", f"{family.about} {mine[0]['steps']} steps.", ""]
        lines += ["| run | seeds | " + " | ".join(f"pass@{k}" for k in ks) + " | tokens | difference to the first |"]
        lines += ["|---|---|" + "---|" * (len(ks) + 2)]
        first = {row["seed"]: row for row in mine if row["entry"] == next(iter(family.runs))}
        before = {row["seed"]: row for row in mine}
        lines += [
            f"| before | {len(before)} | "
            + " | ".join(interval([row["before"][k] for row in before.values()]) for k in ks)
            + " | | |"
        ]
        for entry in family.runs:
            own = [row for row in mine if row["entry"] == entry]
            if not own:
                continue
            gains = [row["after"]["1"] - first[row["seed"]]["after"]["1"] for row in own if row["seed"] in first]
            cells = [interval([row["after"][k] for row in own]) for k in ks]
            tokens = f"{statistics.mean(row['tokens'] for row in own):.1f}"
            lines += [f"| {entry} | {len(own)} | {' | '.join(cells)} | {tokens} | {interval(gains) if gains else ''} |"]
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
    parser.add_argument("--threads", type=int, default=1)
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

    import torch

    torch.set_num_threads(options.threads)
    for seed in range(options.seeds):  # every run once before any twice
        for name, entry in entries:
            run(name, entry, seed, options.directory, options)


if __name__ == "__main__":
    main()
