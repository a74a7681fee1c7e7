from __future__ import annotations

import json

import pytest

from assay.core.errors import ConfigError
from assay.core.task import Task, TaskList
from assay.curricula import Arm, Curriculum, arms_by, make_policy
from assay.envs.math.arithmetic import ArithmeticEnv


def tasks(n=6):
    return TaskList(
        Task(id=str(i), prompt="", tags=("even" if i % 2 == 0 else "odd",), difficulty=n - i // 2) for i in range(n)
    )


def levels(policy="learnability", seed=0):
    arms = [Arm(f"terms={n}", ArithmeticEnv(terms=n).tasks) for n in (2, 3, 4)]
    return Curriculum(arms, make_policy(policy, len(arms), seed=seed))


def test_arms_divide_the_tasks():
    assert {arm.name: [t.id for t in arm.tasks] for arm in arms_by("tag", tasks())} == {
        "even": ["0", "2", "4"],
        "odd": ["1", "3", "5"],
    }
    assert [(arm.name, arm.tasks.size) for arm in arms_by("difficulty", tasks())] == [("4", 2), ("5", 2), ("6", 2)]
    assert [arm.name for arm in arms_by("task", tasks())] == list("012345")


@pytest.mark.parametrize(
    ("division", "source", "message"),
    [
        ("tag", ArithmeticEnv().tasks, "finite"),
        ("tag", TaskList([Task(id="bare", prompt="")]), "'bare' has no tags"),
        ("difficulty", TaskList([Task(id="bare", prompt="")]), "'bare' has no difficulty"),
        ("colour", tasks(), "not 'colour'"),
    ],
)
def test_tasks_that_cannot_be_divided_are_refused(division, source, message):
    with pytest.raises(ConfigError, match=message):
        arms_by(division, source)


def test_an_arm_gives_its_tasks_in_order_and_again():
    curriculum = Curriculum(arms_by("tag", tasks()), make_policy("uniform", 2))
    drawn = curriculum.draw(20)
    for arm, expected in ((0, ["0", "2", "4"]), (1, ["1", "3", "5"])):
        got = [pick.task.id for pick in drawn if pick.arm == arm]
        assert got == (expected * 7)[: len(got)]
        assert len(got) > 3


def test_state_goes_through_json_and_draws_go_on_the_same():
    first, second = levels(seed=5), levels(seed=5)
    for arm, _, _ in first.draw(10):
        first.observe(arm, arm, 4)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert first.draw(30) == second.draw(30)
    assert first.state_dict() == second.state_dict()
    assert levels(seed=6).draw(30) != levels(seed=5).draw(30)


def test_nothing_scored_says_nothing():
    curriculum = levels()
    before = curriculum.state_dict()
    curriculum.observe(1, 0, 0)
    assert curriculum.state_dict() == before


def test_seeded_draws_move_nothing():
    curriculum = levels("uniform")
    before = curriculum.state_dict()
    assert curriculum.draw_seeded(3) == curriculum.draw_seeded(3)
    assert len({curriculum.draw_seeded(i).arm for i in range(20)}) == 3
    assert curriculum.state_dict() == before


def test_metrics_carry_the_names_of_the_arms_unless_there_are_too_many():
    curriculum = levels("staged")
    curriculum.observe(0, 3, 4)
    assert curriculum.metrics() == {"curriculum/rate/terms=2": 0.75, "curriculum/stage": 0.0}
    many = TaskList(Task(id=str(i), prompt="") for i in range(20))
    crowd = Curriculum(arms_by("task", many), make_policy("staged", 20))
    crowd.observe(0, 3, 4)
    assert crowd.metrics() == {"curriculum/stage": 0.0}


def test_arms_and_policy_must_fit():
    arms = arms_by("tag", tasks())
    with pytest.raises(ConfigError, match="3 arms cannot choose among 2"):
        Curriculum(arms, make_policy("uniform", 3))
    with pytest.raises(ConfigError, match="different names"):
        Curriculum([arms[0], arms[0]], make_policy("uniform", 2))
    with pytest.raises(ConfigError, match="'none' has no tasks"):
        Arm("none", TaskList([]))
    with pytest.raises(ConfigError, match="3 arms, not 2"):
        Curriculum(arms, make_policy("uniform", 2)).load_state_dict(levels("uniform").state_dict())
