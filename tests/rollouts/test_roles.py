"""Matches between agents: every role sees its own side, and gets a record of its own."""

import asyncio
import itertools
import re

import numpy as np
import pytest

import assay
from assay.core.errors import ConfigError
from assay.core.message import text_of
from assay.core.task import Limits
from assay.core.trajectory import Turn
from assay.rollouts import EpisodeRequest, RoleRunner, TrajectoryStore, group_requests, play_groups, play_roles
from assay.rollouts.roles import scene_of


class Player:
    """Plays any move that `choose` takes of what is shown; two ids a turn."""

    def __init__(self, choose):
        self.choose, self.seen, self.tools_and_seeds = choose, [], []

    def open(self, *, tools=(), seed=0):
        player, rng = self, np.random.default_rng(seed)
        player.tools_and_seeds.append(seed)

        class Conversation:
            async def act(self, observation, *, max_tokens=None):
                await asyncio.sleep(0)
                text = text_of(observation[-1])
                player.seen.append(text)
                n = 2 if max_tokens is None else min(2, max_tokens)
                return Turn(player.choose(text, rng), output_ids=(1,) * n, logprobs=(-0.5,) * n)

        return Conversation()


def any_poker(text, rng):
    return f"#{rng.choice(['check', 'bet', 'call', 'fold'])}"


def poker(**options):
    return assay.make("assay/KuhnPoker-v0", **options)


def requests(env, n=3, size=4):
    return group_requests(env.unwrapped.tasks.head(n), size, seed=0, name="match")


def run(env_options=None, agents=None, **options):
    env = poker(**(env_options or {}))

    async def go():
        with RoleRunner(lambda: poker(**(env_options or {})), agents or Player(any_poker), **options) as runner:
            return await play_groups(runner, requests(env))

    return asyncio.run(go())


def test_each_role_gets_a_record_and_a_group_of_its_own():
    groups = run({"hands": 3})
    assert [group.id for group in groups] == [
        f"match/{task:05d}/player-{player}" for task in range(3) for player in range(2)
    ]
    assert all(len(group) == 4 and len(group.scored) == 4 for group in groups)
    for first, second in zip(groups[::2], groups[1::2], strict=True):
        for a, b in zip(first, second, strict=True):
            assert a.reward + b.reward == pytest.approx(1.0)  # what one wins the other loses
            assert a.verdict.score == a.reward and sum(step.reward for step in a.steps[:-1]) == 0


def test_what_a_role_reads_is_its_own_side():
    env = poker(hands=5)
    task = env.unwrapped.tasks[0]
    agents = {f"player-{player}": Player(any_poker) for player in range(2)}
    asyncio.run(play_roles(scene_of(env), agents, EpisodeRequest("m", "g", task, 0)))
    for player in range(2):
        shown = [re.search(r"your card: (.)", text) for text in agents[f"player-{player}"].seen]
        cards = [match[1] for match in shown if match]
        dealt = [deal[player] for deal in task.metadata["deals"]]
        assert cards and [c for i, c in enumerate(cards) if i == 0 or c != cards[i - 1]] == [
            c for i, c in enumerate(dealt) if i == 0 or c != dealt[i - 1]
        ]


def test_a_transcript_holds_every_turn_and_every_answer():
    (trajectory, *_) = run({"hands": 2})[0]
    messages = trajectory.messages
    assert [m["role"] for m in messages[:2]] == ["user", "assistant"]
    assert all(a["role"] != b["role"] for a, b in itertools.pairwise(messages))
    assert trajectory.output_tokens == 2 * len(trajectory.steps)


def test_the_same_request_gives_the_same_match_and_another_one_another():
    def texts():
        return [[t.turn.text for t in trajectory.steps] for group in run({"hands": 4}) for trajectory in group]

    first = texts()
    assert first == texts()
    assert len({tuple(line) for line in first}) > 10


def test_who_never_says_a_move_loses_and_the_other_wins():
    agents = {"player-0": Player(lambda text, rng: "I have won"), "player-1": Player(any_poker)}
    for group in run({"hands": 2}, agents):
        for trajectory in group:
            if group.id.endswith("player-0"):
                assert trajectory.reward == 0.0 and trajectory.verdict.status == "no_answer"
            else:  # in hands that it does not begin it has no turn before the other gives up
                assert not trajectory.steps or trajectory.correct is True


def test_a_role_that_breaks_leaves_no_verdict_for_anybody():
    def broken(text, rng):
        raise RuntimeError("the model is gone")

    agents = {"player-0": Player(any_poker), "player-1": Player(broken)}
    for group in run({"hands": 2}, agents):
        assert not group.scored
        assert all(t.status == "failed" and "the model is gone" in t.error for t in group)


def test_who_has_no_tokens_left_loses():
    groups = run({"hands": 9}, limits=Limits(tokens=4))
    outcomes = {t.id.rsplit("/", 1)[0]: [] for g in groups for t in g}
    for group in groups:
        for t in group:
            assert t.output_tokens <= 4
            outcomes[t.id.rsplit("/", 1)[0]].append(t.correct)
    assert all(pair.count(False) == 1 for pair in outcomes.values())
    assert any(pair.count(True) == 1 for pair in outcomes.values())  # None: not a single turn before that


def test_records_are_stored_before_they_are_seen(tmp_path):
    with TrajectoryStore(tmp_path / "t.jsonl") as store:
        groups = run({"hands": 2}, store=store)
        assert store.ids == {t.id for group in groups for t in group}


def test_connect_four_can_be_played_by_two():
    async def go():
        make = lambda: assay.make("assay/ConnectFour-v0")  # noqa: E731
        with RoleRunner(make, Player(lambda text, rng: f"#{rng.integers(1, 8)}")) as runner:
            return await play_groups(runner, requests(make(), 2, 3))

    groups = asyncio.run(go())
    assert all(len(group.scored) == 3 for group in groups)
    assert {t.reward for group in groups for t in group} <= {0.0, 0.5, 1.0}
    boards = [text_of(step.observation[0]) for step in groups[0].trajectories[0].steps[:-1]]
    assert all(set(board) <= set("XO.\n") or "column" in board for board in boards)


def test_only_games_can_be_played_by_several():
    with pytest.raises(ConfigError, match="ArithmeticEnv is not a game"):
        scene_of(assay.make("assay/Arithmetic-v0"))
    with pytest.raises(ConfigError, match="limit of time"):
        RoleRunner(poker, Player(any_poker), limits=Limits(seconds=1))
