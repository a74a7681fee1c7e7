"""Puzzles that their rules decide: one solution each, found by the oracle, and no other answer is right."""

import json
from itertools import product

import numpy as np
import pytest

import assay
from assay.core.errors import ConfigError
from assay.envs.check import check_environment
from assay.envs.puzzles.sudoku import solutions
from assay.envs.puzzles.twenty_four import solve
from assay.envs.puzzles.zebra import arrangements

PUZZLES = ["assay/Sudoku-v0", "assay/TwentyFour-v0", "assay/Zebra-v0"]


def make(env_id, **options):
    return assay.make(env_id, **options).unwrapped


def verdict(env, task, text):
    env.reset(options={"task": task})
    return env.step(text)[4]["verdict"]


@pytest.mark.parametrize("env_id", PUZZLES)
def test_every_check_passes(env_id):
    report = check_environment(env_id, episodes=10)
    assert report.ok, str(report)
    # A zebra puzzle names all of its items: that the solution's words occur there tells nothing.
    expected = {"hidden target"} if env_id == "assay/Zebra-v0" else set()
    assert {check.name for check in report.checks if check.status == "skipped"} <= expected


@pytest.mark.parametrize("env_id", PUZZLES)
@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_oracle_solves_and_guessing_does_not(env_id, split):
    env, rng = make(env_id, split=split), np.random.default_rng(0)
    tasks = list(env.tasks.head(40))
    assert all(verdict(env, t, env.demonstration(t)[0]).correct for t in tasks)
    assert np.mean([verdict(env, t, env.demonstrate(t, "guess", rng)[0]).correct for t in tasks]) < 0.2


@pytest.mark.parametrize("env_id", PUZZLES)
def test_repeating_the_puzzle_solves_nothing(env_id):
    env = make(env_id)
    for task in env.tasks.head(10):
        for text in (task.prompt, f"#{task.prompt}", json.dumps(task.target), f"#{task.prompt}#"):
            if env_id != "assay/TwentyFour-v0" or text != json.dumps(task.target):
                assert verdict(env, task, text).correct is False


@pytest.mark.parametrize(
    "options", [{"size": 4, "empty": 10}, {"size": 6, "empty": (10, 14)}, {"size": 9, "empty": 30}]
)
def test_a_sudoku_has_exactly_one_solution(options):
    env = make("assay/Sudoku-v0", **options)
    for task in env.tasks.head(2):
        found = list(solutions(env.verifier.read_gold(task)))
        assert len(found) == 1
        assert verdict(env, task, "#" + "".join(map(str, found[0]))).correct


def test_one_changed_cell_is_wrong():
    env = make("assay/Sudoku-v0")
    task = env.tasks[0]
    cells = list(env.demonstration(task)[0][1:])
    for cell in range(16):
        changed = list(cells)
        changed[cell] = str(int(cells[cell]) % 4 + 1)
        assert verdict(env, task, "#" + "".join(changed)).correct is False


@pytest.mark.parametrize("options", [{}, {"places": 4}, {"kinds": 4}])
def test_a_zebra_puzzle_has_one_solution_and_needs_every_clue(options):
    env = make("assay/Zebra-v0", **options)
    for task in env.tasks.head(2):
        clues = task.target["clues"]
        right = [a for a in arrangements(task.target["categories"]) if verdict(env, task, f"#{json.dumps(a)}").correct]
        assert len(right) == 1
        for left_out in clues:
            from assay.verifiers.puzzles.assignment import read_puzzle

            fewer = read_puzzle({**task.target, "clues": [clue for clue in clues if clue != left_out]})
            places = (
                {item: n for items in a.values() for n, item in enumerate(items, 1)}
                for a in arrangements(task.target["categories"])
            )
            assert sum(not fewer.broken(world) for world in places) > 1


def test_24_is_solved_for_exactly_the_hands_that_can_be():
    # 1,362 of the 1,820 hands of four cards from 1 to 13 have a solution.
    some = [hand for hand in product((1, 2, 3, 5, 7, 11, 13), repeat=4) if list(hand) == sorted(hand)]
    assert solve((1, 1, 1, 1)) is None and solve((13, 13, 13, 13)) is None
    assert solve((3, 3, 8, 8)) is not None and solve((1, 3, 4, 6)) is not None  # through fractions only
    assert 0 < sum(solve(hand) is None for hand in some) < len(some)


def test_every_card_must_be_used():
    env = make("assay/TwentyFour-v0")
    task = next(t for t in env.tasks if 12 in t.metadata["numbers"] and 2 in t.metadata["numbers"])
    assert "is not used" in verdict(env, task, "#12*2").reason
    assert "more often" in verdict(env, task, "#12+12").reason


@pytest.mark.parametrize(
    ("name", "options"),
    [("Sudoku", {"size": 5}), ("Sudoku", {"empty": 40}), ("Zebra", {"places": 9}), ("TwentyFour", {"highest": 1})],
)
def test_bad_options_are_named(name, options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        make(f"assay/{name}-v0", **options)


def test_too_many_kinds_for_the_places_are_refused():
    with pytest.raises(ConfigError, match="too many for 4 places"):
        make("assay/Zebra-v0", places=4, kinds=4)
