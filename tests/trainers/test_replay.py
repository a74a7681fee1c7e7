from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import torch

from assay.core.trajectory import Group, Sample, Trajectory
from assay.trainers.algorithm_config import ReplayConfig
from assay.trainers.replay import SuccessReplay
from tests.trainers.builders import trajectory


def episode(task: str, *, correct: bool = True, name: str = "") -> Trajectory:
    return replace(trajectory([float(correct)], name=name or f"{task}-{correct}", correct=correct), task_id=task)


def filled(count: int, **options: float) -> SuccessReplay:
    replay = SuccessReplay(ReplayConfig(**{"ratio": 1.0, **options}), seed=0)  # type: ignore[arg-type]
    replay.add([Group("g", tuple(episode(str(n)) for n in range(count)))])
    return replay


def probability(p: float) -> Callable[[Sequence[Sample]], list[torch.Tensor]]:
    return lambda samples: [torch.full((int(s.loss_mask.sum()),), math.log(p)) for s in samples]


@pytest.mark.parametrize(("p", "drawn"), [(0.49, 0), (0.51, 3), (0.94, 3), (0.96, 0)])
def test_only_what_the_policy_half_knows_is_drawn(p: float, drawn: int) -> None:
    samples, numbers = filled(3).draw(0, 8, probability(p))
    assert len(samples) == drawn
    assert numbers == {"replay/kept": 3.0, "replay/used": float(drawn)}


def test_a_replayed_token_starts_at_the_policys_own_probability() -> None:
    (sample,), _ = filled(1, advantage=0.7).draw(0, 4, probability(0.8))
    assert sample.logprobs[sample.loss_mask] == pytest.approx(math.log(0.8))
    assert sample.advantages[sample.loss_mask] == pytest.approx(0.7)
    assert sample.advantages[~sample.loss_mask].tolist() == [0, 0]


def test_one_success_a_task_the_latest_and_no_failure() -> None:
    replay = filled(1)
    replay.add([Group("g", (episode("0", name="later"), episode("1", correct=False)))])
    assert [t.id for t in replay.kept.values()] == ["later"]


def test_the_capacity_drops_the_oldest() -> None:
    assert list(filled(5, capacity=2).kept) == ["3", "4"]


def test_no_more_than_the_share_of_new_episodes_and_a_function_of_the_step() -> None:
    replay = filled(20, ratio=0.25)
    drawn = [[s.trajectory_id for s in replay.draw(step, 8, probability(0.7))[0]] for step in (1, 1, 2)]
    assert [len(names) for names in drawn] == [2, 2, 2]
    assert drawn[0] == drawn[1] != drawn[2]
    assert SuccessReplay(ReplayConfig(), seed=0).draw(0, 8, probability(0.7))[0] == []
