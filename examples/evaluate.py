"""Evaluate and compare agents from Python: two scripted players of a number-guessing game, no model needed.

    python examples/evaluate.py

`assay eval` does the same for models. docs/evaluate.md explains the estimates.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from assay.agents.scripted import Policy, ScriptedAgent
from assay.core.message import Message, text_of
from assay.evals import EvalConfig, compare_runs, evaluate

CONFIG = EvalConfig(
    env="assay/GuessNumber-v0", env_options={"high": 500, "max_turns": 9}, tasks=64, samples=4, ks=(1, 4)
)


def player(halving: bool, seed: int = 0) -> Policy:
    """Return a policy that reads `higher` and `lower`, and halves what is left or guesses anywhere in it."""
    rng = random.Random(seed)

    def act(messages: Sequence[Message]) -> str:
        low, high = 1, 500
        for guess, answer in zip(messages[1::2], messages[2::2], strict=False):
            if text_of(answer) == "higher":
                low = int(text_of(guess)) + 1
            else:
                high = int(text_of(guess)) - 1
        return str((low + high) // 2 if halving else rng.randint(low, high))

    return act


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        for name, halving in (("anywhere", False), ("halving", True)):
            summary = evaluate(
                CONFIG, ScriptedAgent(player(halving)), Path(directory) / name, agent_spec={"name": name}
            )
            print(f"{name}: pass@1 {summary.pass_at[1]}, pass@4 {summary.pass_at[4]}, {summary.turns.mean:.1f} turns")
        result = compare_runs(Path(directory) / "anywhere", Path(directory) / "halving")
        print(f"halving against anywhere: {result.difference}, McNemar p = {result.p_value:.2g}")
        print(f"better on {result.wins} tasks, worse on {result.losses}, equal on {result.ties}")
