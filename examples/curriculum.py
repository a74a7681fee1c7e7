"""A curriculum and shaped rewards around an environment, with an agent that gets better: no model, no trainer.

    python examples/curriculum.py

The agent starts with sums of two terms and improves at whatever it practises. docs/shaping-and-curricula.md explains
the parts.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from assay.core.registry import make
from assay.curricula import Arm
from assay.envs.wrappers import CurriculumTasks, wrap

TERMS = (2, 4, 6, 8)


def main(episodes: int = 2000) -> None:
    """Practise under two policies and say what was practised, and with what success."""
    for policy in ("uniform", "learnability"):
        arms = [Arm(f"terms={terms}", make("assay/Arithmetic-v0", terms=terms).unwrapped.tasks) for terms in TERMS]
        env = wrap(make("assay/Arithmetic-v0"), [{"name": "length", "free": 10, "cost": 0.001}])
        env = CurriculumTasks(env, policy, arms=arms, options={"memory": 32})
        skill, rng, played, right = 0.0, np.random.default_rng(0), Counter[str](), 0
        for _ in range(episodes):
            _, info = env.reset()
            oracle = env.unwrapped.demonstration(env.unwrapped.task)[0]
            terms = int(info["arm"].removeprefix("terms="))
            solves = rng.random() < 1 / (1 + np.exp(2 * (terms - 2 - skill)))
            *_, ended = env.step(oracle if solves else "#?")
            skill += 0.01 * solves * (terms - 2 > skill - 1)  # success at what is not easy teaches
            right += bool(ended["verdict"].correct)
            played[info["arm"]] += 1
        print(f"{policy:13} skill {skill:.2f}, {right / episodes:.0%} right, practised {dict(sorted(played.items()))}")


if __name__ == "__main__":
    main()
