"""Shapers that remember: multipliers of constraints, and the references of PAR."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assay.core.errors import ConfigError
from assay.core.trajectory import Group
from assay.trainers.shaping import Lagrangian, Par, StatefulShaper, make_shaper
from assay.trainers.shaping.lagrangian import mix
from tests.trainers.builders import outcome_group
from tests.trainers.shaping.test_group_shapers import group_of, rewards


def batch(parts: list[float], outcomes: list[float]) -> list[Group]:
    return [group_of(outcomes, [o > 0 for o in outcomes], parts=[{"safe": p} for p in parts])]


def test_the_mix_of_the_paper() -> None:
    """mu = [.2, -.1]: lambda [.19738, -.09967]; A_kl = 1, A = [.5, 2] give 1.80164 (arXiv 2310.04373)."""
    shaper = Lagrangian(at_least={"a": 0.0, "b": 0.0}, squash="tanh")
    shaper.raw = np.array([0.2, -0.1])
    assert shaper.multipliers == pytest.approx([0.19738, -0.09967], abs=1e-5)
    assert mix(np.array([1.0]), [np.array([0.5]), np.array([2.0])], shaper.multipliers) == pytest.approx(
        [1.80164], abs=1e-5
    )


@pytest.mark.parametrize("squash", ["max0", "tanh", "sigmoid"])
def test_multipliers_rise_below_the_threshold_and_fall_above(squash: str) -> None:
    shaper = make_shaper("lagrangian", at_least={"safe": 0.5}, squash=squash)
    assert isinstance(shaper, Lagrangian)
    first = float(shaper.multipliers[0])
    for _ in range(20):
        shaper(batch([0.0, 0.2], [1.0, 0.0]))
    high = float(shaper.multipliers[0])
    assert high > first
    assert shaper.metrics() == {"lagrangian/safe": high}
    for _ in range(200):
        shaper(batch([0.9, 1.0], [1.0, 0.0]))
    assert shaper.multipliers[0] < first
    assert bool(shaper.multipliers[0] < 0) is (squash == "tanh")


def test_a_dear_constraint_decides_the_order() -> None:
    shaper = Lagrangian(at_least={"safe": 0.5}, start=0.9)
    (shaped,) = shaper(batch([0.0, 1.0, 1.0], [1.0, 0.0, 0.0]))
    assert rewards(shaped)[1] > rewards(shaped)[0]
    assert shaped.trajectories[0].correct is True
    part = shaped.trajectories[0].steps[-1].parts
    assert rewards(shaped)[0] - part["shaping/lagrangian"] == pytest.approx(1.0)


def test_members_without_a_verdict_and_missing_parts() -> None:
    shaper = Lagrangian(at_least={"safe": 0.5})
    group = outcome_group([1.0, None, 0.0])
    with pytest.raises(ConfigError, match="safe"):
        shaper([group])
    assert shaper([]) == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lagrangian", {"at_least": {}}, "thresholds"),
        ("lagrangian", {"at_least": {"a": 1}, "squash": "relu"}, "max0, tanh, sigmoid"),
        ("lagrangian", {"at_leat": {"a": 1}}, "at_least"),
        ("par", {"form": "elo"}, "mean_std"),
        ("par", {"references": 0}, "at least 1"),
    ],
)
def test_options_are_checked(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_shaper(name, **options)


def test_par_centres_by_the_first_scores_of_the_run() -> None:
    """r = 2 against the references 0, 1, 2: 0.70395."""
    shaper = Par(references=3)
    shaper([outcome_group([0.0, 1.0, 2.0])])
    (shaped,) = shaper([outcome_group([2.0, 50.0, None])])
    assert rewards(shaped)[:2] == pytest.approx([0.70395, 1.0], abs=1e-5)
    assert rewards(shaped)[2] is None
    assert shaper.references == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("form", "expected"),
    [("mean_std", [-1.22474, 1.22474]), ("clip", [1 - 0.81650, 1 + 0.81650]), ("min_max", [0.0, 1.0])],
)
def test_running_forms_include_the_batch_itself(form: str, expected: list[float]) -> None:
    (shaped,) = Par(form=form)([outcome_group([0.0, 1.0, 2.0])])
    assert [rewards(shaped)[0], rewards(shaped)[2]] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "options"), [("lagrangian", {"at_least": {"safe": 0.5}}), ("par", {"part": "safe", "form": "mean_std"})]
)
def test_state_goes_through_json(name: str, options: dict[str, object]) -> None:
    first, second = make_shaper(name, **options), make_shaper(name, **options)
    assert isinstance(first, StatefulShaper) and isinstance(second, StatefulShaper)
    first(batch([0.1, 0.4], [1.0, 0.0]))
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    again = batch([0.3, 0.9], [0.0, 1.0])
    assert [rewards(g) for g in first(again)] == [rewards(g) for g in second(again)]
    assert first.state_dict() == second.state_dict()
