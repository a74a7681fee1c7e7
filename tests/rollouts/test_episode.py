"""What one episode becomes: limits are the policy's, faults are nobody's score."""

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import TimeLimit, TransformReward

from assay.core.message import user
from assay.core.task import Limits, Task, TaskList
from assay.core.trajectory import Trajectory
from assay.core.verdict import Verdict
from assay.envs.base import Progress, TaskEnv
from assay.rollouts import EpisodeRequest, run_episodes
from assay.verifiers import Verifier

from .support import Census, Quiz, Scripted, SlowQuiz, make_tasks, requests


def play(agent, make_env=Quiz, task=None, **options) -> Trajectory:
    request = EpisodeRequest("e", "g", task or make_tasks()[3], seed=5)
    return run_episodes(make_env, agent, [request], **options)[0]


def test_a_whole_episode_is_recorded():
    t = play(Scripted("ask", "answer {n}"))
    assert (t.id, t.group_id, t.task_id, t.env_id, t.seed) == ("e", "g", "t3", "Quiz", 5)
    assert (t.status, t.correct, t.verdict.extracted, t.error) == ("terminated", True, "3", "")
    assert [s.turn.text for s in t.steps] == ["ask", "answer 3"]
    assert [s.reward for s in t.steps] == [0.1, 1.25]
    assert t.reward == pytest.approx(1.35)
    assert t.steps[0].parts == {"asked": 0.1}
    assert t.steps[1].parts == {"answered": 0.25, "outcome": 1.0}
    assert [m["role"] for m in t.messages] == ["user", "assistant", "user", "assistant"]
    assert (t.tags, t.difficulty) == (("odd",), 0.0)
    assert Trajectory.from_json(t.to_json()) == t


def test_a_wrong_answer_is_a_zero_that_was_earned():
    t = play(Scripted("answer 99"))
    assert (t.status, t.correct, t.scored) == ("terminated", False, True)


def test_the_environments_own_turn_limit():
    t = play(Scripted("ask"))
    assert len(t.steps) == 3
    assert (t.status, t.correct, t.verdict.status) == ("truncated", False, "no_answer")
    assert t.metadata["limit"] == "turns"


@pytest.mark.parametrize("limits", [Limits(turns=2), Limits(turns=5)])
def test_the_turn_limit_of_a_run_is_earned_too(limits):
    t = play(Scripted("ask"), lambda: Quiz(max_turns=50), limits=limits)
    assert len(t.steps) == limits.turns
    assert (t.status, t.correct, t.metadata["limit"]) == ("truncated", False, "turns")
    assert t.steps[-1].parts == {"asked": 0.1, "outcome": 0.0}
    assert t.reward == pytest.approx(0.1 * limits.turns)


def test_the_tighter_of_the_tasks_limit_and_the_runs_holds():
    task = Task("t", "what is 1?", limits=Limits(turns=4))
    make = lambda: Quiz(max_turns=50)  # noqa: E731
    assert len(play(Scripted("ask"), make, task).steps) == 4
    assert len(play(Scripted("ask"), make, task, limits=Limits(turns=2)).steps) == 2
    assert len(play(Scripted("ask"), make, task, limits=Limits(turns=9)).steps) == 4


def test_the_token_budget_reaches_the_agent_and_ends_the_episode():
    agent = Scripted("ask", tokens=6)
    t = play(agent, lambda: Quiz(max_turns=50), limits=Limits(tokens=15))
    assert agent.budgets == [15, 9, 3]
    assert t.output_tokens == 15
    assert (t.status, t.correct, t.metadata["limit"]) == ("truncated", False, "tokens")


def test_an_answer_with_the_last_token_counts():
    t = play(Scripted("ask", "answer {n}", tokens=5), limits=Limits(tokens=10))
    assert (t.status, t.correct) == ("terminated", True)


def test_a_token_limit_for_each_turn():
    agent = Scripted("ask", tokens=6)
    play(agent, limits=Limits(turn_tokens=4, tokens=10))
    assert agent.budgets == [4, 4, 2]


@pytest.mark.parametrize(
    ("limits", "name"),
    [(Limits(seconds=0.05), "seconds"), (Limits(turn_seconds=0.05), "turn_seconds")],
)
def test_an_agent_that_is_too_slow_earned_its_zero(limits, name):
    t = play(Scripted("answer {n}", wait=5.0), limits=limits)
    assert (t.status, t.correct, t.scored, t.metadata["limit"]) == ("truncated", False, True, name)
    assert t.reward == 0.0
    assert t.seconds < 2


@pytest.mark.parametrize("blocking", [True, False])
def test_an_agent_whose_action_takes_too_long_earned_its_zero(blocking):
    make_env = type("Sleeping", (SlowQuiz,), {"blocking": blocking})
    t = play(Scripted("sleep 0.3", "answer {n}"), make_env, limits=Limits(seconds=0.1))
    assert (t.status, t.correct, t.scored, t.metadata["limit"]) == ("truncated", False, True, "seconds")


def test_an_environment_that_hangs_is_a_fault():
    t = play(Scripted("sleep 0.6"), SlowQuiz, step_seconds=0.1)
    assert (t.status, t.scored, t.reward, t.correct) == ("failed", False, None, None)
    assert t.error == "StepTimeout: no answer within 0.1 s"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("crash", "ZeroDivisionError: in the environment (support.py:"),
        ("agent crash", "RuntimeError: the model is gone (support.py:"),
        ("endpoint timeout", "TimeoutError: the endpoint did not answer (support.py:"),
        ("abort", "EngineFault: the engine aborted the generation"),
        ("nan", "Fault: the environment gave the reward nan"),
        ("fault", "Fault: the sandbox is gone"),
        ("unreadable gold", "the gold cannot be read"),
    ],
)
@pytest.mark.parametrize("make_env", [Quiz, SlowQuiz])
def test_faults_are_recorded_and_never_scored(make_env, line, error):
    t = play(Scripted("ask", line), make_env)
    assert t.status == "failed" and t.error.startswith(error)
    assert (t.scored, t.reward, t.correct) == (False, None, None)
    assert t.steps[0].turn.text == "ask"  # what was there before the fault is kept


def test_a_reset_that_fails_is_recorded_in_one_line():
    t = play(Scripted("x"), task=Task("t", "break on reset"))
    assert (t.status, t.steps) == ("failed", ())
    assert t.error.startswith("RuntimeError: no such room (support.py:")


class SaysNumbers(Verifier):
    def verify(self, task, evidence):
        return Verdict(np.float32(1), np.bool_(True), extracted=42, parts={"a": np.float32(0.5)})


class Odd(TaskEnv):
    """Ends episodes with what a record cannot hold, or only after a conversion."""

    def __init__(self, how):
        super().__init__(TaskList([Task("t", "?")]), SaysNumbers(), max_turns=2)
        self.how = how

    def advance(self, action):
        if self.how == "exit":
            raise SystemExit(3)
        if self.how == "text":
            return Progress(["not a message"])
        if self.how == "object":
            return Progress([{**user("again"), "name": 3}])
        return Progress(done=True, parts={"b": np.int64(2)})


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("exit", "SystemExit: 3"),
        ("text", "Fault: the environment said 'not a message', which is no message"),
        ("object", "PydanticSerializationError"),
    ],
)
def test_what_no_reader_could_use_is_not_recorded(how, error):
    t = play(Scripted("x", "y"), lambda: Odd(how))
    assert t.status == "failed" and t.error.startswith(error)
    assert Trajectory.from_json(t.to_json()) == t


def test_numbers_of_numpy_and_answers_that_are_numbers_are_recorded():
    t = play(Scripted("x"), lambda: Odd(""))
    assert (t.status, t.reward, t.verdict.extracted) == ("terminated", 1.0, "42")
    assert t.steps[0].parts == {"a": 0.5, "b": 2.0}
    assert Trajectory.from_json(t.to_json()) == t


def test_a_limit_that_lets_a_wrapper_stop_the_episode():
    t = play(Scripted("ask"), lambda: TimeLimit(Quiz(max_turns=50), max_episode_steps=2))
    assert len(t.steps) == 2
    assert (t.status, t.correct, t.metadata["limit"]) == ("truncated", False, "turns")


def test_wrapped_rewards_are_optimised_while_the_raw_parts_stay():
    t = play(Scripted("answer {n}"), lambda: TransformReward(Quiz(), lambda r: 10 * r))
    assert t.reward == pytest.approx(12.5)
    assert t.steps[0].parts == {"answered": 0.25, "outcome": 1.0}
    assert t.correct is True


class Mute(gymnasium.Env):
    """A foreign environment that follows the observation and action contract, but gives no verdict."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return ({"role": "user", "content": "hello"},), {}

    def step(self, action):
        return (), 1.0, True, False, {}


def test_an_environment_without_verdicts_scores_nothing():
    t = play(Scripted("x"), Mute)
    assert (t.status, t.scored) == ("failed", False)
    assert "info['verdict']" in t.error


def test_the_seed_decides_the_environment_and_the_id_the_sampling():
    tasks, agent = make_tasks(), Scripted("ask", "answer x")
    twins = [EpisodeRequest(f"g#{i}", "g", tasks[0], seed=11) for i in range(3)]
    played = run_episodes(Quiz, agent, twins)
    assert len({t.steps[0].observation[0]["content"] for t in played}) == 1
    assert len(set(agent.seeds)) == 3
    again = Scripted("ask", "answer x")
    run_episodes(Quiz, again, twins)
    assert sorted(again.seeds) == sorted(agent.seeds)
    other = run_episodes(Quiz, agent, [EpisodeRequest("g#0", "g", tasks[0], seed=12)])
    assert other[0].steps[0].observation != played[0].steps[0].observation


def test_a_failed_episode_is_played_again_when_asked():
    class FailsTwice(Quiz):
        failures = 2

        def advance(self, action):
            if FailsTwice.failures:
                FailsTwice.failures -= 1
                raise RuntimeError("flaky")
            return super().advance(action)

    census = Census()
    t = play(Scripted("answer {n}"), lambda: FailsTwice(census), retries=2)
    assert (t.correct, t.metadata["attempts"]) == (True, 3)
    assert census.made == 3  # an environment that failed is not used again
    FailsTwice.failures = 2
    t = play(Scripted("answer {n}"), lambda: FailsTwice(census), retries=1)
    assert (t.status, t.metadata["attempts"]) == ("failed", 2)


def test_an_abstention_is_not_tried_again():
    census = Census()
    t = play(Scripted("unreadable gold"), lambda: Quiz(census), retries=3)
    assert (t.status, t.verdict.status) == ("failed", "unparsable")
    assert census.resets == 1
    assert len(requests(2)) == 2
