"""What the tests of all games share: playing an episode, and how often a style wins."""

import numpy as np

import assay
from assay.core.seeding import derive_seed

GAMES = {
    "assay/CarDealer-v0": {},
    "assay/ConnectFour-v0": {"opponent": "random"},
    "assay/FrozenLake-v0": {},
    "assay/GuessMyCity-v0": {},
    "assay/Maze-v0": {},
    "assay/Minesweeper-v0": {},
    "assay/Sokoban-v0": {},
    "assay/TextNav-v0": {},
    "assay/Twenty48-v0": {"target": 64},
    "assay/TwentyQuestions-v0": {},
    "assay/Wordle-v0": {"vocabulary": 100},
}
"""Every game whose oracle always wins, with options that make the tests quick."""


def make(env_id, **options):
    return assay.make(env_id, **options).unwrapped


def episode(env, task, actions, seed=0):
    """Play; return the steps."""
    env.reset(seed=seed, options={"task": task})
    steps = []
    for action in actions:
        steps.append(env.step(action))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


def said(step):
    """What the environment answered."""
    return "\n".join(message["content"] for message in step[0])


def wins(env, style, n):
    """Share of the first `n` tasks that a style of demonstration wins."""
    won = []
    for task in env.tasks.head(n):
        env.demonstrate(task, style, np.random.default_rng(derive_seed(style, task.id)))
        won.append(env.judge().correct)
    return np.mean(won)
