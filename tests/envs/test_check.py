"""The checker finds each kind of broken promise, and says when it cannot tell."""

import gymnasium
import numpy as np
import pytest

from assay.core.errors import ConfigError, UnknownNameError
from assay.core.message import user
from assay.core.task import ProceduralTaskSet, Task, TaskList
from assay.core.verdict import Verdict, right, wrong
from assay.envs.base import Progress, SingleTurnEnv, TaskEnv
from assay.envs.check import CHECKS, check_environment
from assay.verifiers.base import Verifier


class Echo(Verifier):
    """Correct when the answer is the target."""

    def verify(self, task, evidence):
        return right() if evidence.text == task.target else wrong("no")


def words(rng):
    number = int(rng.integers(10**6))
    return {"prompt": f"name of {number}", "target": f"name-{number * 7919 + 13}"}


class Sound(SingleTurnEnv):
    """Keeps every promise."""

    def __init__(self, split="train", verifier=None, render_mode=None):
        super().__init__(ProceduralTaskSet("t/Sound", split, words), verifier or Echo(), render_mode=render_mode)

    def demonstration(self, task):
        return [task.target]


def failed(env_class, **options):
    return {check.name for check in check_environment(env_class, episodes=8, **options).failed}


def test_a_sound_environment_passes_every_check():
    report = check_environment(Sound, episodes=8)
    assert report.ok and [c.name for c in report.checks] == list(CHECKS)
    assert {c.status for c in report.checks} == {"ok"}, str(report)
    assert "reward 0.0, truncated" in report["no verdict"].detail


def test_wrappers_are_checked_from_outside():
    class Doubled(gymnasium.RewardWrapper):
        def reward(self, reward):
            return 2 * reward

    assert failed(lambda: Doubled(Sound())) == {"rewards"}


def test_a_leaked_target_is_found():
    class Leaky(Sound):
        def begin(self, task):
            return (user(f"{task.prompt}; whisper: {task.target}"),)

    assert failed(Leaky) == {"hidden target"}


def test_a_target_leaked_on_the_way_is_found():
    class Chatty(Sound):
        def __init__(self, **options):
            super().__init__(**options)
            self.max_turns = 3

        def advance(self, action):
            if self.turn == 2 or action == self.task.target:
                return Progress(done=True)
            return Progress(messages=(user(f"wrong, it is {self.task.target}"),))

    assert failed(Chatty) == {"hidden target"}


def test_targets_too_short_to_tell_are_skipped_not_passed():
    class Coin(Sound):
        def __init__(self, **options):
            super().__init__(**options)
            self.tasks = TaskList([Task(f"c{i}", f"heads or tails? #{i}", target="heads") for i in range(9)])

    report = check_environment(Coin, episodes=8)
    assert report["hidden target"].status == "skipped"
    assert "too short" in report["hidden target"].detail


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        (lambda: TaskList([]), "Odd has no tasks"),
        (lambda: TaskList([Task("a", 5)]), "task 'a': the prompt must be text"),
    ],
)
def test_tasks_that_are_none_are_refused_in_words(tasks, words):
    class Odd(Sound):
        def __init__(self, **options):
            super(Sound, self).__init__(tasks(), Echo(), **options)

    with pytest.raises(ConfigError, match=words):
        check_environment(Odd)


def test_unseeded_randomness_is_found():
    class Unseeded(Sound):
        def begin(self, task):
            return (user(f"{task.prompt} {np.random.default_rng().integers(10**9)}"),)

    assert {"seed determinism", "group identity"} <= failed(Unseeded)


def test_state_that_leaks_into_the_next_episode_is_found():
    class Stale(Sound):
        episodes_played = 0

        def begin(self, task):
            self.episodes_played += 1
            return (user(f"{task.prompt} ({self.episodes_played})"),)

    assert "group identity" in failed(Stale)


def test_a_verdictless_zero_is_found():
    class FaultsAsZero(Sound):
        def judge(self):
            verdict = super().judge()
            return wrong("failed") if verdict.score is None else verdict

    assert failed(FaultsAsZero) == {"no verdict"}


def test_paying_for_nothing_is_found():
    class Generous(Verifier):
        def verify(self, task, evidence):
            return right()

    assert failed(Sound, verifier=Generous()) == {"empty scores 0"}


def test_a_reward_for_nothing_beside_the_verdict_is_found():
    class Friendly(Sound):
        step_reward_range = (0.0, 0.1)

        def advance(self, action):
            return Progress(done=True, reward=0.0 if action.strip() else 0.1)

    report = check_environment(Friendly, episodes=8)
    assert {check.name for check in report.failed} == {"empty scores 0"}
    assert "paid 0.1" in report["empty scores 0"].detail


def test_an_oracle_that_fails_is_found():
    class Mistaken(Sound):
        def demonstration(self, task):
            return ["something else"]

    assert failed(Mistaken) == {"oracle scores 1"}


def test_no_oracle_is_skipped():
    class Silent(Sound):
        def demonstration(self, task):
            return None

    assert check_environment(Silent, episodes=8)["oracle scores 1"].status == "skipped"


def test_a_reward_outside_the_declared_range_or_not_finite_is_found():
    class Bonus(Sound):
        def advance(self, action):
            return Progress(done=True, reward=0.5)

    class Broken(Sound):
        def advance(self, action):
            return Progress(done=True, reward=float("nan"))

    assert failed(Bonus) == {"rewards", "empty scores 0"}
    assert "rewards" in failed(Broken)


def test_overlapping_splits_are_found():
    class Overlapping(Sound):
        def __init__(self, split="train", verifier=None, render_mode=None):
            super().__init__(verifier=verifier, render_mode=render_mode)

    assert failed(Overlapping) == {"disjoint splits"}


def test_unreadable_gold_is_found():
    class Picky(Echo):
        def check_target(self, task):
            return "cannot be read"

    assert failed(Sound, verifier=Picky()) == {"readable gold"}


def test_a_close_that_cannot_be_repeated_is_found():
    class Once(Sound):
        closed = False

        def close(self):
            if self.closed:
                raise RuntimeError("closed already")
            self.closed = True

    assert "close" in failed(Once)


def test_an_episode_that_never_ends_is_found():
    class Endless(TaskEnv):
        def __init__(self, render_mode=None):
            super().__init__(
                TaskList([Task(f"e{i}", f"go on {i}", target="x") for i in range(8)]), Echo(), max_turns=10**9
            )

        def advance(self, action):
            return Progress(messages=(user("go on"),))

    assert "empty scores 0" in failed(Endless)


def test_a_crash_is_a_failed_check_and_the_others_still_run():
    class Crashing(Sound):
        def begin(self, task):
            raise ZeroDivisionError("oops")

    report = check_environment(Crashing, episodes=4)
    assert len(report.checks) == len(CHECKS)
    assert "ZeroDivisionError: oops" in report["group identity"].detail


def test_a_random_verifier_may_differ_but_observations_may_not():
    class Noisy(Verifier):
        deterministic = False

        def verify(self, task, evidence):
            if evidence.text == task.target:
                return right()
            return Verdict(score=float(np.random.default_rng().random()) / 2, correct=False)

    assert not {"seed determinism", "group identity"} & failed(Sound, verifier=Noisy())


def test_any_gymnasium_environment_can_be_checked():
    class Walk(gymnasium.Env):
        metadata = {"render_modes": []}
        observation_space = gymnasium.spaces.Box(-100, 100, (2,))
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, seed=None, options=None):
            super().reset(seed=seed)
            self.at = self.np_random.normal(size=2).astype(np.float32)
            return self.at.copy(), {}

        def step(self, action):
            self.at[action] += 1
            return self.at.copy(), 1.0, bool(self.at.sum() > 5), False, {}

    report = check_environment(Walk, episodes=3)
    assert report["gymnasium"].status == "ok" and report["seed determinism"].status == "ok"
    assert report["oracle scores 1"].status == "skipped"


def test_an_environment_that_cannot_be_made_is_the_users_error():
    with pytest.raises(UnknownNameError, match="assay/Countdown-v0"):
        check_environment("assay/Cuontdown-v0")
    with pytest.raises(ConfigError, match="colour"):
        check_environment("assay/Countdown-v0", colour="red")
