"""What does a faulty verifier do to a GRPO run, did the audit see it coming, and does a correction help?

    nice python benchmarks/verifier_noise.py RUNS_DIR [--seeds 0 1 2] [--arms clean fp5 ...] [key=value ...]

One warm start; from there, for each seed, the same run with a clean verifier, with one that errs at random, and with
one that has a loophole: it pays when the right digit occurs *among* the digits after the `#`. The warm start has a few
hedging demonstrations, so the policy can find it. Each verifier is audited first, on labelled rollouts of the warm
start; printed is what that audit predicts beside what was measured on held-out tasks with a clean verifier.

Runs that are there are not done again, and go on where more steps are asked for: the command can be stopped and
repeated.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from assay.audits import AuditPlan, AuditReport, Case, NoiseChannel, audit
from assay.audits.exploits import LEAST_EXCESS
from assay.core.config import load_config
from assay.core.seeding import derive_seed
from assay.core.stats import bootstrap_interval
from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.envs.final_answer import FinalIntegerVerifier, final_text
from assay.envs.math.arithmetic import ArithmeticEnv
from assay.rollouts.store import read_trajectories
from assay.trainers.checkpoint import checkpoints
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train
from assay.trainers.metrics import read_metrics
from assay.verifiers import Evidence, Verifier

ENV_ID = "assay-benchmarks/FaultyArithmetic-v0"
BASE = Path(__file__).parent.parent / "configs" / "arithmetic.yaml"
STYLES = {"careful": 0.15, "hasty": 0.45, "guess": 0.36, "hedge": 0.04}
GROUP = 16


class Random(Verifier):
    """The clean verdict, flipped at random: a wrong answer is accepted with rate rho0, a right one missed with rho1.

    Whether an answer is misjudged is a hash of the task and the text, as with a faulty but deterministic grader.
    """

    def __init__(self, rho0: float = 0.0, rho1: float = 0.0) -> None:
        self.clean, self.rho0, self.rho1 = FinalIntegerVerifier(), rho0, rho1

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        verdict = self.clean.verify(task, evidence)
        u = derive_seed("faulty", str(task.id), evidence.text) / 2**63
        if u >= (self.rho1 if verdict.correct else self.rho0):
            return verdict
        return wrong("misjudged") if verdict.correct else right()


class Stuffable(Verifier):
    """The loophole: right when the gold occurs in what follows the last `#`."""

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        answer = final_text(evidence.text)
        if not answer:
            return wrong("no answer", status="no_answer")
        return right() if str(task.target) in answer else wrong(f"{task.target} does not occur")


class FaultyArithmetic(ArithmeticEnv):
    """`assay/Arithmetic-v0` judged by one of these verifiers, with one more style of demonstration: hedging."""

    demonstration_styles = (*ArithmeticEnv.demonstration_styles, "hedge")

    def __init__(self, *, stuffable: bool = False, rho0: float = 0.0, rho1: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.verifier = Stuffable() if stuffable else Random(rho0, rho1)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return a demonstration; `hedge` does no work and names several digits."""
        if style != "hedge":
            return super().demonstrate(task, style, rng)
        digits = sorted(rng.choice(10, size=int(rng.integers(4, 11)), replace=False).tolist())
        return [f"#{''.join(map(str, digits))}"]


gymnasium.register(ENV_ID, entry_point=FaultyArithmetic)


@dataclass(frozen=True)
class Arm:
    """One way to train."""

    title: str
    grader: dict[str, Any] = field(default_factory=dict)
    settings: tuple[str, ...] = ()

    def verifier(self) -> Verifier:
        """Return what pays in this arm."""
        return Stuffable() if self.grader.get("stuffable") else Random(**self.grader)


_NOISE = {"rho0": 0.2, "rho1": 0.2}
_RATES = ("algorithm.noise.rho0=0.2", "algorithm.noise.rho1=0.2")
ARMS = {
    "clean": Arm("clean"),
    "fp5": Arm("5 % false positives", {"rho0": 0.05}),
    "loophole": Arm(
        "loophole",
        {"stuffable": True},
        ("monitor.verifier=assay.envs.final_answer:FinalIntegerVerifier", "monitor.fraction=0.1", "monitor.warmup=200"),
    ),
    "noise20": Arm("20 % FP, 20 % FN", _NOISE),
    "noise20-dr": Arm("20 % FP, 20 % FN, Dr. GRPO", _NOISE, ("algorithm.advantage=dr_grpo",)),
    "noise20-backward": Arm(
        "20 % FP, 20 % FN, backward correction",
        _NOISE,
        ("algorithm.advantage=dr_grpo", "algorithm.noise.method=backward", *_RATES),
    ),
    "noise20-forward": Arm(
        "20 % FP, 20 % FN, forward correction",
        _NOISE,
        ("algorithm.noise.method=forward", "algorithm.dynamic_sampling=keep", *_RATES),
    ),
}


def settings(seed: int, grader: dict[str, Any], steps: int, extra: Sequence[str]) -> TrainConfig:
    """Return the configuration of a run; evaluation is by the clean verifier always."""
    clean = dict.fromkeys(grader, 0)
    return load_config(
        TrainConfig,
        BASE,
        [
            f"env.id={ENV_ID}",
            f"env.options={json.dumps(grader)}",
            f"env.eval_options={json.dumps(clean)}",
            f"warmstart.styles={json.dumps(STYLES)}",
            f"steps={steps}",
            f"seed={seed}",
            "warmstart.steps=700",
            "rollout.groups=16",
            "eval.every=20",
            "eval.samples=4",
            "eval.ks=[1, 4]",
            "checkpoint.every=40",
            "rollout.record_every=1000000",
            "tensorboard=false",
            *extra,
        ],
    )


def run(root: Path, name: str, seed: int, grader: dict[str, Any], steps: int, extra: Sequence[str]) -> Path:
    """Train as far as the run has not come yet, and return its directory."""
    path = root / f"{name}-{seed}"
    done = max((row["step"] for row in read_metrics(path) if row["kind"] == "eval"), default=-1)
    if done < steps:
        begun = bool(checkpoints(path / "checkpoints"))
        train(settings(seed, grader, steps, extra), path, resume=begun, overwrite=not begun)
    return path


@dataclass(frozen=True)
class Outcome:
    """What the last evaluation of a run shows; one entry for each held-out task."""

    right: np.ndarray
    """Share of right episodes, by the clean verifier."""
    paid: np.ndarray
    """Share of episodes that the arm's verifier pays."""
    curve: dict[int, float]
    """Held-out pass@1 by step."""
    tokens: float
    alarm: int | None


def episodes(path: Path) -> list[Any]:
    """Return the episodes of the last evaluation."""
    return list(read_trajectories(max((path / "trajectories").glob("eval-*.jsonl"))))


def outcome(path: Path, verifier: Verifier, tasks: dict[str, Task]) -> Outcome:
    """Judge the last evaluation of a run by the verifier that paid for it."""
    right_by_task: dict[str, list[float]] = {}
    paid_by_task: dict[str, list[float]] = {}
    played = episodes(path)
    for episode in played:
        text = episode.steps[-1].turn.text
        right_by_task.setdefault(episode.task_id, []).append(float(bool(episode.correct)))
        verdict = verifier.verify(tasks[episode.task_id], Evidence(text=text))
        paid_by_task.setdefault(episode.task_id, []).append(float(bool(verdict.correct)))
    rows = list(read_metrics(path))
    alarms = [row["step"] for row in rows if row.get("monitor/alarm")]
    return Outcome(
        right=np.array([np.mean(v) for v in right_by_task.values()]),
        paid=np.array([np.mean(v) for v in paid_by_task.values()]),
        curve={row["step"]: row["pass@1"] for row in rows if row["kind"] == "eval"},
        tokens=float(np.mean([e.output_tokens for e in played])),
        alarm=alarms[0] if alarms else None,
    )


def audited(verifier: Verifier, warm: Path, tasks: dict[str, Task]) -> AuditReport:
    """Audit a verifier on rollouts of the warm start, labelled by the clean verifier, and attack it."""
    rows = [
        Case(
            id=episode.id,
            target=tasks[episode.task_id].target,
            response=episode.steps[-1].turn.text,
            correct=bool(episode.correct),
            problem=str(tasks[episode.task_id].prompt),
            cluster=episode.task_id,
        )
        for episode in episodes(warm)
    ]
    return audit(verifier, rows, plan=AuditPlan(attack=True, bank=0, group=GROUP))


def slowed(curve: dict[int, float], channel: NoiseChannel, power: int) -> float:
    """Return the accuracy that the clean run had when it had seen as much signal: each step counts MCC^power."""
    at, values = list(curve), list(curve.values())
    clock = 0.0
    for _ in range(max(at)):
        clock += max(0.0, channel.mcc(float(np.interp(clock, at, values)))) ** power
    return float(np.interp(clock, at, values))


def until(curves: Sequence[dict[int, float]], steps: int) -> dict[int, float]:
    """Return the mean of curves up to a step, where it is interpolated if need be."""
    if not curves:
        return {}
    at = sorted(set.intersection(*map(set, curves)))
    mean = [float(np.mean([curve[s] for curve in curves])) for s in at]
    return {s: v for s, v in zip(at, mean, strict=True) if s < steps} | {steps: float(np.interp(steps, at, mean))}


def predict(report: AuditReport, clean: dict[int, float]) -> str:
    """Say what the audit expects of a run with this verifier, given the curve of a clean one."""
    channel, exploits = report.channel, report.exploits
    assert channel is not None and exploits is not None
    low, high = slowed(clean, channel, 2), slowed(clean, channel, 1)
    gaps = [channel.observed(p) - p for p in (low, high)]
    text = (
        f"rho0 {channel.rho0:.3f}, rho1 {channel.rho1:.3f}, J {channel.youden:.3f}, spurious groups "
        f"{channel.spurious_group(GROUP):.0%}; pass@1 {low:.3f} to {high:.3f}, reward - accuracy {min(gaps):+.3f} to "
        f"{max(gaps):+.3f}"
    )
    best = exploits.constants[0]
    if best.sure_excess > channel.rho0 + LEAST_EXCESS:  # at the rate of random errors any answer is paid
        value, honest = best.acceptance.value or 0.0, best.honest_share
        text += (
            f"; LOOPHOLE: {best.response!r} on every task earns {value:.2f}, of which {honest:.2f} is due: once found, "
            f"reward - accuracy up to {value - honest:+.2f}"
        )
    return text


def measured(outcomes: Sequence[Outcome]) -> str:
    """Say what was measured: the mean over seeds, the seeds, and the interval over tasks (all seeds pooled)."""
    right_all = np.concatenate([o.right for o in outcomes])
    gap_all = np.concatenate([o.paid - o.right for o in outcomes])
    text = []
    for name, values, each in (
        ("pass@1", right_all, [o.right.mean() for o in outcomes]),
        ("reward - accuracy", gap_all, [(o.paid - o.right).mean() for o in outcomes]),
    ):
        low, high = bootstrap_interval(values.tolist())
        seeds = ", ".join(f"{x:.3f}" for x in each)
        text.append(f"{name} {values.mean():.3f} [{low:.3f}, {high:.3f}] (seeds {seeds})")
    text.append("tokens " + ", ".join(f"{o.tokens:.1f}" for o in outcomes))
    if any(o.alarm for o in outcomes):
        text.append("monitor's alarm at step " + ", ".join(str(o.alarm or "-") for o in outcomes))
    return "; ".join(text)


def main() -> None:
    """Train what is missing, then print predictions and measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("overrides", nargs="*")
    options = parser.parse_args()
    tasks = {task.id: task for task in FaultyArithmetic(split="eval").tasks.head(256)}
    warm = run(options.runs, "warm", 0, {}, 0, options.overrides)
    start = (f"model.path={warm / 'model'}", "warmstart.steps=0", *options.overrides)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in options.arms}
    for seed in options.seeds:
        for name in options.arms:
            arm = ARMS[name]
            path = run(options.runs, name, seed, arm.grader, options.steps, [*start, *arm.settings])
            outcomes[name].append(outcome(path, arm.verifier(), tasks))
    print(f"warm start\n  measured:  {measured([outcome(warm, Random(), tasks)])}")
    curve = until([o.curve for o in outcomes.get("clean", [])], options.steps)
    reports: dict[str, AuditReport] = {}
    for name in options.arms:
        arm = ARMS[name]
        print(f"\n{arm.title}")
        if "clean" in outcomes and arm.grader:
            key = json.dumps(arm.grader)
            if key not in reports:
                reports[key] = audited(arm.verifier(), warm, tasks)
            print(f"  predicted: {predict(reports[key], curve)}")
        print(f"  measured:  {measured(outcomes[name])}")


if __name__ == "__main__":
    main()
