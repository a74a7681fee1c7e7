import asyncio
import itertools

import pytest

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.trajectory import Trajectory
from assay.core.verdict import no_verdict, right, wrong
from assay.rollouts import NoSignalError, Runner, collect_groups, group_requests, make_groups, sample_groups, usable

from .support import Quiz, Scripted, make_tasks


def finished(group, member, outcome):
    verdict = {True: right(), False: wrong(), None: no_verdict("hung", status="timeout")}[outcome]
    status = "failed" if outcome is None else "terminated"
    return Trajectory(f"{group}#{member:03d}", group, "t", "env", 0, verdict=verdict, status=status)


def test_a_group_shares_the_environment_and_nothing_of_the_sampling():
    tasks = make_tasks(3)
    wanted = list(group_requests(tasks, 4, seed=1, name="step-000001"))
    assert [r.id for r in wanted[:5]] == [f"step-000001/00000#00{i}" for i in range(4)] + ["step-000001/00001#000"]
    for group_id, members in itertools.groupby(wanted, key=lambda r: r.group_id):
        members = list(members)
        assert len(members) == 4
        assert len({(m.seed, m.task.id) for m in members}) == 1
        assert len({m.sampling_seed for m in members}) == 4, group_id
    assert len({r.seed for r in wanted}) == 3
    assert len({r.sampling_seed for r in wanted}) == 12


def test_seeds_depend_on_the_run_and_the_step_but_a_nameless_group_is_the_tasks_own():
    tasks = make_tasks(2)
    seeds = {
        next(iter(group_requests(tasks, 1, seed=seed, name=name))).seed
        for seed in (1, 2)
        for name in ("step-1", "step-2")
    }
    assert len(seeds) == 4
    forward = {r.id: r.seed for r in group_requests(tasks, 2, seed=1)}
    backward = {r.id: r.seed for r in group_requests(reversed(list(tasks)), 2, seed=1)}
    assert forward == backward
    assert set(forward) == {"t0#000", "t0#001", "t1#000", "t1#001"}


def test_the_split_is_the_tasks_unless_said_otherwise():
    task = Task("t", "?", split="eval")
    assert [r.split for r in group_requests([task], 1, seed=0)] == ["eval"]
    assert [r.split for r in group_requests([task], 1, seed=0, split="train")] == ["train"]
    with pytest.raises(ConfigError, match="at least one member"):
        list(group_requests([task], 0, seed=0))


def test_groups_come_out_when_they_are_complete_with_members_in_order():
    async def stream():
        for group, member in [("a", 1), ("b", 0), ("b", 1), ("a", 0), ("c", 1)]:
            yield finished(group, member, True)

    async def main():
        return [g async for g in collect_groups(stream(), 2)]

    groups = asyncio.run(main())
    assert [g.id for g in groups] == ["b", "a", "c"]  # c never filled up
    assert [[t.id for t in g] for g in groups] == [["b#000", "b#001"], ["a#000", "a#001"], ["c#001"]]
    shuffled = [finished(g, m, True) for g, m in [("b", 1), ("a", 0), ("b", 0)]]
    assert [[t.id for t in g] for g in make_groups(shuffled)] == [["a#000"], ["b#000", "b#001"]]


def test_members_without_a_verdict_leave_and_two_must_remain():
    group = make_groups([finished("g", i, o) for i, o in enumerate([True, None, False])])[0]
    left = usable(group)
    assert left is not None
    assert [t.id for t in left] == ["g#000", "g#002"]
    assert group.mixed
    alone = make_groups([finished("g", i, o) for i, o in enumerate([True, None, None])])[0]
    assert usable(alone) is None
    assert not alone.mixed
    assert usable(group, minimum=3) is None


def draws(size=4, tasks=None, name="round"):
    counter, tasks = itertools.count(), tasks or make_tasks()

    def draw(n):
        return group_requests([tasks[i % tasks.size] for i in range(n)], size, seed=0, name=f"{name}-{next(counter)}")

    return draw


def sample(agent, wanted, size=4, **options):
    async def main():
        with Runner(Quiz, agent, concurrency=16) as runner:
            return await sample_groups(runner, draws(size), wanted, **options)

    return asyncio.run(main())


def test_dynamic_sampling_refills_until_the_batch_is_full_of_mixed_groups():
    batch = sample(Scripted("guess"), 16, size=2)
    assert len(batch.groups) == 16
    assert all(g.mixed for g in batch.groups)
    assert batch.rounds > 1  # two coins agree half of the time
    assert batch.fit >= 16
    assert len(batch.played) > 16
    assert {g.id for g in batch.groups} <= {g.id for g in batch.played}


def test_a_batch_does_not_depend_on_the_timing():
    class Jittery(Scripted):
        def open(self, *, tools=(), seed=0):
            conversation = super().open(tools=tools, seed=seed)
            conversation.agent = Scripted(*self.lines, wait=0.001 * (len(self.seeds) * 7 % 5))
            return conversation

    steady, jittery = sample(Scripted("guess"), 6), sample(Jittery("guess"), 6)
    assert [[t.id for t in g] for g in steady.groups] == [[t.id for t in g] for g in jittery.groups]
    assert [[t.correct for t in g] for g in steady.played] == [[t.correct for t in g] for g in jittery.played]


def test_a_policy_that_is_always_right_is_told_so():
    with pytest.raises(NoSignalError, match=r"3 rounds in a row \(12 groups played, 100% of .* use harder"):
        sample(Scripted("answer {n}"), 4, max_empty_rounds=3)


def test_a_policy_that_is_never_right_is_told_so():
    with pytest.raises(NoSignalError, match=r"0% of answers right.*easier tasks"):
        sample(Scripted("answer x"), 4, max_empty_rounds=2)


def test_a_run_without_any_verdict_names_the_reason():
    with pytest.raises(NoSignalError, match=r"no episode of 2 rounds got a verdict.*ZeroDivisionError"):
        sample(Scripted("crash"), 4, max_empty_rounds=2)


def test_filters_read_the_raw_outcome_not_the_reward():
    # Rewards differ (a step reward for asking), outcomes do not: no group may be kept.
    class Asks(Scripted):
        def open(self, *, tools=(), seed=0):
            self.lines = ("ask", "answer x") if seed % 2 else ("answer x",)
            return super().open(tools=tools, seed=seed)

    with pytest.raises(NoSignalError):
        sample(Asks("answer x"), 2, max_empty_rounds=2)


def test_another_filter():
    batch = sample(Scripted("answer {n}"), 3, keep=lambda group: True)
    assert (len(batch.groups), batch.rounds) == (3, 1)
    with pytest.raises(ConfigError, match="at least one group"):
        sample(Scripted("guess"), 0)
