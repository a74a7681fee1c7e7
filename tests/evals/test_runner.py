import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import pytest

from assay.core.errors import ConfigError, DataError, UnknownNameError
from assay.evals import EvalConfig, EvalSummary, evaluate
from assay.evals.rundir import EvalRun, write_whole
from assay.rollouts import read_trajectories
from tests.rollouts.support import Scripted

QUIZ = "test-rollouts/Quiz-v0"
ROOT = Path(__file__).parents[2]


def config(**changes):
    return EvalConfig(**{"env": QUIZ, "samples": 4, "ks": (1, 4), **changes})


class Counting(Scripted):
    """Counts its episodes; may give up after some, as a process that is stopped does."""

    def __init__(self, *lines, stop_after=None):
        super().__init__(*lines)
        self.opened, self.stop_after = 0, stop_after

    def open(self, *, tools=(), seed=0):
        self.opened += 1
        if self.stop_after is not None and self.opened > self.stop_after:
            raise KeyboardInterrupt
        return super().open(tools=tools, seed=seed)


def stored(path):
    return {t.id: t for t in read_trajectories(path / "trajectories.jsonl")}


def outcomes(path):
    return {i: t.correct for i, t in stored(path).items()}


def test_an_evaluation_leaves_a_complete_directory(tmp_path):
    started, finished = [], []
    summary = evaluate(
        config(), Scripted("by tag"), tmp_path / "run", agent_spec={"model": "scripted"},
        on_start=lambda done, total: started.append((done, total)), on_finish=finished.append,
    )  # fmt: skip
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["config.yaml", "summary.json", "trajectories.jsonl"]
    assert EvalSummary.read(tmp_path / "run" / "summary.json") == summary
    assert (summary.tasks, summary.episodes, summary.samples_per_task) == (8, 32, 4)
    assert list(summary.pass_at) == [1, 4]
    assert summary.by_tag["even"].pass_at_1.value > summary.by_tag["odd"].pass_at_1.value
    assert started == [(0, 32)]
    assert len(finished) == 32
    found = EvalRun(tmp_path / "run").read_config()
    assert (found["env"], found["samples"], found["agent"]) == (QUIZ, 4, {"model": "scripted"})
    ids = stored(tmp_path / "run")
    assert sorted(ids)[:5] == ["t0#000", "t0#001", "t0#002", "t0#003", "t1#000"]
    assert all(Counter(t.task_id for t in ids.values())[f"t{i}"] == 4 for i in range(8))


def test_two_agents_meet_the_same_environments(tmp_path):
    evaluate(config(), Scripted("ask", "answer x"), tmp_path / "a")
    evaluate(config(), Scripted("ask", "answer {n}"), tmp_path / "b")
    hints = [{i: t.steps[0].observation for i, t in stored(tmp_path / run).items()} for run in "ab"]
    assert hints[0] == hints[1]
    evaluate(config(seed=1), Scripted("ask", "answer x"), tmp_path / "c")
    assert {i: t.steps[0].observation for i, t in stored(tmp_path / "c").items()} != hints[0]


def test_a_stopped_run_goes_on_and_ends_as_an_unbroken_one(tmp_path):
    whole = evaluate(config(), Scripted("by tag"), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt) as stopped:
        evaluate(config(concurrency=2), Counting("by tag", stop_after=11), tmp_path / "run")
    assert stopped.tb  # what the exception keeps alive holds no lock on the store
    done = len(stored(tmp_path / "run"))
    assert 0 < done < 32
    agent, started = Counting("by tag"), []
    resumed = evaluate(config(concurrency=3), agent, tmp_path / "run", on_start=lambda *n: started.append(n))
    assert started == [(done, 32)]
    assert agent.opened == 32 - done
    assert outcomes(tmp_path / "run") == outcomes(tmp_path / "whole")
    quiet = {"seconds"}
    assert resumed.model_dump(exclude=quiet) == whole.model_dump(exclude=quiet)


def test_a_finished_run_is_only_summarised_again(tmp_path):
    first = evaluate(config(), Scripted("by tag"), tmp_path)
    agent = Counting("by tag")
    assert evaluate(config(), agent, tmp_path) == first
    assert agent.opened == 0


@pytest.mark.parametrize(
    ("changes", "spec", "message"),
    [
        ({"samples": 8}, {}, "was made with samples=4, not 8"),
        ({"seed": 1}, {}, "was made with seed=0, not 1"),
        ({"env_options": {"count": 9}}, {}, "env_options.count=nothing, not 9"),
        ({"sampling": {"temperature": 0.5}}, {}, r"sampling\.temperature=1\.0, not 0\.5"),
        ({}, {"model": "b"}, r"agent\.model=a, not b"),
    ],
)
def test_another_configuration_is_refused_and_the_key_is_named(tmp_path, changes, spec, message):
    evaluate(config(), Scripted("by tag"), tmp_path, agent_spec={"model": "a"})
    before = (tmp_path / "trajectories.jsonl").read_bytes()
    with pytest.raises(ConfigError, match=message) as raised:
        evaluate(config(**changes), Scripted("by tag"), tmp_path, agent_spec={"model": "a", **spec})
    assert "\n" not in str(raised.value)
    assert (tmp_path / "trajectories.jsonl").read_bytes() == before


def test_what_cannot_change_the_result_may_differ(tmp_path):
    evaluate(config(), Scripted("by tag"), tmp_path)
    evaluate(config(concurrency=1, retries=3), Scripted("by tag"), tmp_path)


def test_episodes_of_other_tasks_are_refused(tmp_path):
    evaluate(config(tasks=2), Scripted("by tag"), tmp_path / "run")
    lines = (tmp_path / "run" / "trajectories.jsonl").read_text().replace('"id":"t0#000"', '"id":"gone#000"')
    (tmp_path / "run" / "trajectories.jsonl").write_text(lines)
    with pytest.raises(ConfigError, match="holds episode 'gone#000'"):
        evaluate(config(tasks=2), Scripted("by tag"), tmp_path / "run")


def test_trajectories_of_unknown_origin_are_refused(tmp_path):
    (tmp_path / "trajectories.jsonl").write_text("")
    with pytest.raises(ConfigError, match=r"without a config\.yaml"):
        evaluate(config(), Scripted("by tag"), tmp_path)
    (tmp_path / "config.yaml").write_text("just text")
    with pytest.raises(DataError, match="mapping"):
        evaluate(config(), Scripted("by tag"), tmp_path)
    (tmp_path / "config.yaml").write_text("a: [")
    with pytest.raises(DataError, match="not YAML"):
        evaluate(config(), Scripted("by tag"), tmp_path)


def test_an_evaluation_of_faults_is_unscored_not_wrong(tmp_path):
    summary = evaluate(config(ks=(1,)), Scripted("crash"), tmp_path)
    assert (summary.unscored, summary.failed) == (32, 32)
    assert summary.pass_at_1.value is None
    ((reason, count),) = summary.unscored_reasons.items()
    assert reason.startswith("ZeroDivisionError: in the environment (support.py:") and count == 32
    assert {t.metadata["attempts"] for t in stored(tmp_path).values()} == {2}


def test_faults_are_played_again_when_asked_for_and_only_they(tmp_path):
    first = evaluate(config(retries=0), Scripted("by tag or fault"), tmp_path / "run")
    assert first.unscored == 16
    before = {i: t for i, t in stored(tmp_path / "run").items() if t.scored}
    asleep = Counting("by tag")
    assert evaluate(config(retries=0), asleep, tmp_path / "run").unscored == 16
    assert asleep.opened == 0
    again = Counting("by tag")
    healed = evaluate(config(retries=0), again, tmp_path / "run", retry_faults=True)
    assert (again.opened, healed.unscored, healed.episodes) == (16, 0, 32)
    assert before.items() <= stored(tmp_path / "run").items()


def test_the_number_of_tasks_and_the_split():
    # Endless tasks: held-out ones unless told otherwise.
    from assay.evals.runner import select_tasks

    resolved, make_env, tasks = select_tasks(EvalConfig(env="assay/Arithmetic-v0", tasks=5))
    assert resolved.env_options == {"split": "eval"}
    assert len(tasks) == 5
    assert {t.split for t in tasks} == {"eval"}
    env = make_env()
    env.reset(options={"task": tasks[3]})
    env.close()
    _, _, train = select_tasks(EvalConfig(env="assay/Arithmetic-v0", tasks=5, split="train"))
    assert {t.split for t in train} == {"train"}
    _, _, some = select_tasks(config(tasks=3))
    assert [t.id for t in some] == ["t0", "t1", "t2"]
    with pytest.raises(ConfigError, match="endless tasks; say how many"):
        select_tasks(EvalConfig(env="assay/Arithmetic-v0"))


def test_environments_that_cannot_be_evaluated():
    from assay.evals.runner import select_tasks

    with pytest.raises(UnknownNameError, match="did you mean"):
        select_tasks(EvalConfig(env="assay/Arithmetik-v0", tasks=1))
    with pytest.raises(ConfigError, match="has no `tasks`"):
        select_tasks(EvalConfig(env="CartPole-v1"))
    with pytest.raises(ConfigError, match="colour"):
        select_tasks(EvalConfig(env=QUIZ, env_options={"colour": "red"}))


def test_files_are_replaced_whole(tmp_path, monkeypatch):
    path = tmp_path / "f"
    write_whole(path, "old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


CHILD = textwrap.dedent(
    """
    import sys
    from assay.evals import EvalConfig, evaluate
    from tests.rollouts.support import Scripted

    config = EvalConfig(
        env="test-rollouts/Quiz-v0", env_options={"count": 40, "delay": 0.005}, samples=5, ks=(1, 5), concurrency=8
    )
    print(evaluate(config, Scripted("ask", "by tag"), sys.argv[1]).to_json())
    """
)


def run_child(path, **options):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env, **options
    )


def test_killed_half_way_and_resumed_no_row_is_lost_or_done_twice(tmp_path):
    rows = tmp_path / "killed" / "trajectories.jsonl"
    survivors = b""
    for kill_at in (40, 120):  # of 200 episodes
        child = run_child(tmp_path / "killed")
        deadline = time.monotonic() + 60
        while not rows.exists() or rows.read_bytes().count(b"\n") < kill_at:
            assert child.poll() is None, "the evaluation ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        content = rows.read_bytes()
        assert content.startswith(survivors)  # what was there before is untouched
        survivors = content[: content.rfind(b"\n") + 1]
        assert kill_at <= survivors.count(b"\n") < 200
        assert not (tmp_path / "killed" / "summary.json").exists()

    with open(rows, "ab") as handle:  # a line torn by the kill: cut in its middle
        handle.write(survivors.splitlines()[0][:57])
    resumed, _ = run_child(tmp_path / "killed").communicate(timeout=60)
    unbroken, _ = run_child(tmp_path / "whole").communicate(timeout=60)

    assert rows.read_bytes().startswith(survivors)
    ids = [json.loads(line)["id"] for line in rows.read_text().splitlines()]
    assert len(ids) == len(set(ids)) == 200
    assert outcomes(tmp_path / "killed") == outcomes(tmp_path / "whole")
    quiet = {"seconds"}
    summaries = [EvalSummary.model_validate_json(text).model_dump(exclude=quiet) for text in (resumed, unbroken)]
    assert summaries[0] == summaries[1]
