"""What the base class promises to every environment."""

import gymnasium
import pytest

import assay
from assay.core.errors import ConfigError, Fault
from assay.core.message import user
from assay.core.task import Limits, Task, TaskList
from assay.core.verdict import right
from assay.envs.base import Progress, SingleTurnEnv, TaskEnv, play
from assay.verifiers.base import Verifier


class Anything(Verifier):
    def verify(self, task, evidence):
        return right(extracted=evidence.text)


class Counter(TaskEnv):
    """Three turns to the end; the turn `fault` breaks down."""

    def __init__(self, verifier=None, **options):
        tasks = [Task("a", "go"), Task("b", "go on", limits=Limits(turns=2))]
        super().__init__(TaskList(tasks), verifier or Anything(), max_turns=5, **options)

    def advance(self, action):
        if action == "fault":
            raise Fault("the machine is gone")
        return Progress((user(f"turn {self.turn}"),), done=self.turn == 3, reward=0.25, parts={"step": 1.0})


def test_rewards_parts_and_verdict_of_an_episode():
    env = Counter()
    observation, info = env.reset(options={"task": "a"})
    assert observation == (user("go"),) and info == {"task_id": "a"}
    observation, reward, terminated, truncated, info = env.step("x")
    assert observation == (user("turn 1"),) and reward == 0.25 and not terminated and not truncated
    assert info["reward_parts"] == {"step": 1.0} and "verdict" not in info
    env.step("y")
    _, reward, terminated, truncated, info = env.step("z")
    assert reward == 1.25 and terminated and not truncated
    assert info["reward_parts"] == {"step": 1.0, "outcome": 1.0} and info["verdict"].extracted == "z"
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step("more")


def test_a_fault_ends_the_episode_without_a_verdict():
    env = Counter()
    env.reset(options={"task": 0})
    env.step("x")
    _, reward, terminated, truncated, info = env.step("fault")
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["verdict"].score is None and "the machine is gone" in info["verdict"].reason


def test_a_task_may_set_its_own_turn_limit():
    env = Counter()
    env.reset(options={"task": "b"})
    env.step("x")
    *_, terminated, truncated, info = env.step("y")
    assert truncated and not terminated and info["verdict"].status == "no_answer" and info["verdict"].score == 0.0


def test_tasks_are_picked_by_id_index_task_or_seed():
    env = Counter()
    own = Task("mine", "my own")
    assert env.reset(options={"task": 1})[1]["task_id"] == "b"
    assert env.reset(options={"task": own})[0] == (user("my own"),)
    assert len({env.reset(seed=4)[1]["task_id"] for _ in range(3)}) == 1
    assert {env.reset(seed=s)[1]["task_id"] for s in range(20)} == {"a", "b"}
    with pytest.raises(ConfigError, match="'c'"):
        env.reset(options={"task": "c"})


def test_play_hands_the_environments_messages_to_the_player():
    seen = []

    def player():
        while True:
            seen.append((yield f"say {len(seen)}"))

    env = Counter()
    assert play(env, env.tasks[0], player()) == ["say 0", "say 1", "say 2"]
    assert seen == [(user("turn 1"),), (user("turn 2"),)]
    assert len(env.transcript) == 7


def test_an_environment_with_a_verifier_of_its_own_process_is_blocking():
    class Outside(Anything):
        isolation = "process"

    assert not Counter().blocking and Counter(Outside()).blocking

    tasks = TaskList([Task("a", "go")])
    assert SingleTurnEnv(tasks, Outside()).waits_to_judge and not SingleTurnEnv(tasks, Anything()).waits_to_judge
    assert not Counter(Outside()).waits_to_judge  # it waits between turns
    assert not type("Socket", (SingleTurnEnv,), {"blocking": True})(tasks, Outside()).waits_to_judge  # in `reset` too


def test_importing_the_environments_loads_none_of_them():
    import subprocess
    import sys

    code = (
        "import sys, assay; print([m for m in sys.modules if m.startswith('assay.envs.') or m in ('torch', 'sympy')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "torch" not in out and "sympy" not in out and "assay.envs.math.arithmetic" not in out
    assert len([i for i in assay.environment_ids() if i.startswith("assay/")]) >= 6
