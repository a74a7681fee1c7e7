"""What `results.py` compares: families of runs that differ in one thing, and a process reward that can be hacked."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import gymnasium

from assay.core.message import Observation, text_of
from assay.envs.final_answer import read_integer
from assay.verifiers.puzzles.final import final_text

LEVELS = "[" + ", ".join(f"{{terms: {terms}}}" for terms in range(3, 13)) + "]"
PAID = f"env.wrappers=[{{name: '{__name__}:PaidForDoubt'}}]"
PROGRESS, NO_PROGRESS = "env.options.progress=0.5", "env.options.progress=0"
GAE = "lam: 0.98, learning_rate: 3.0e-4, warmup_steps: 5"


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
    reward: str = ""
    """What the mean reward of held-out episodes says, where the table of a family shows that in place of pass@k."""


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

UNLIKELINESS = {
    "plain": [],
    "unlikeliness": ["algorithm.shaping=[{name: unlikeliness, options: {beta: 0.25}}]"],
}
MANY_SAMPLES = [*algorithm(epochs=2), "eval.samples=32", "eval.tasks=128"]

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
        "Credit for turns against credit for episodes: eight problems in a row, each paid when it is answered. "
        "All runs but the second get the same rewards.",
        24,
        {
            "sum of the episode (grpo)": algorithm(advantage="grpo", advantage_options={}),
            "all right or not (grpo)": [
                "env.options.reward=all",
                *algorithm(advantage="grpo", advantage_options={}),
            ],
            "each turn by itself (turn_discount)": algorithm(
                advantage="turn_discount", advantage_options={"gamma": 0.0}
            ),
            "sum and turns compared (gigpo)": algorithm(advantage="gigpo", advantage_options={"gamma": 0.0}),
            "ppo by turns": [
                f"algorithm={{advantage: gae, critic: {{level: turn, gamma: 0.01, {GAE}}}, dynamic_sampling: keep}}",
            ],
        },
        ["env.eval_options.reward=share"],
        ks=(1,),
        reward="answers right",
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
        UNLIKELINESS,
        MANY_SAMPLES,
        (1, 8, 32),
    ),
    "rare": Family(
        "countdown.yaml",
        "Rewarding the unlikely where solutions are rare and many: Countdown of 2 to 4 numbers, two optimiser steps a "
        "batch as in the paper.",
        100,
        UNLIKELINESS,
        MANY_SAMPLES,
        (1, 8, 32),
    ),
    **ENVIRONMENTS,
}
