from __future__ import annotations

import warnings

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import assay  # noqa: F401 - registers the environments
from assay.core.errors import ConfigError, UnknownNameError
from assay.envs.check import check_environment
from assay.envs.wrappers import (
    WRAPPERS,
    FormatBonus,
    LengthPenalty,
    NoisyReward,
    NoveltyBonus,
    PotentialShaping,
    RepetitionPenalty,
    SoftOverlong,
    StepCost,
    SubgoalShaping,
    ToolCost,
    wrap,
)
from tests.envs.wrappers import hooks
from tests.envs.wrappers.hooks import Walk, play

OPTIONS = {
    "format": {"pattern": "end .*", "penalty": 0.05, "every_turn": True},
    "length": {"free": 1, "cost": 0.01},
    "noise": {"rho0": 0.5, "rho1": 0.5},
    "novelty": {},
    "potential": {"phi": "tests.envs.wrappers.hooks:phi"},
    "repetition": {"n": 1},
    "soft_overlong": {"limit": 4, "buffer": 3},
    "step_cost": {},
    "subgoal": {"subgoals": "tests.envs.wrappers.hooks:subgoals"},
    "tool_cost": {"tools": {"search": 0.5}},
}
EVERY = pytest.mark.parametrize("name", WRAPPERS.names())
TURNS = ["on", "off", "on", '<tool_call>{"name": "search", "arguments": {}}</tool_call>']


def wrapped(name, **changes):
    return wrap(Walk(**changes), [{"name": name, **OPTIONS[name]}])


def shaped(env, actions):
    """Return the amounts that shaping added at each step."""
    return [
        sum(v for part, v in step[4]["reward_parts"].items() if part.startswith("shaping/"))
        for step in play(env, actions)
    ]


@EVERY
def test_raw_parts_verdict_and_raw_reward_stay(name):
    for end in ("end right", "end wrong"):
        raw, got = play(Walk(), [*TURNS, end]), play(wrapped(name), [*TURNS, end])
        for before, after in zip(raw, got, strict=True):
            parts = after[4]["reward_parts"]
            assert after[1] - parts[f"shaping/{name}"] == pytest.approx(before[1])
            assert before[4]["reward_parts"].items() <= parts.items()
            assert (after[0], *after[2:4]) == (before[0], *before[2:4])
        assert got[-1][4]["verdict"] == raw[-1][4]["verdict"]


@EVERY
def test_no_verdict_earns_nothing(name):
    _, reward, terminated, truncated, info = play(wrapped(name), [*TURNS, "end crash"])[-1]
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["verdict"].score is None
    assert f"shaping/{name}" not in info["reward_parts"]


@EVERY
def test_the_contract_holds_around_any_environment(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(wrapped(name), skip_render_check=True)
    report = check_environment(lambda **options: wrapped(name, **options), episodes=4)
    assert report.ok, str(report)
    real = check_environment(
        lambda **o: wrap(gymnasium.make("assay/Arithmetic-v0", **o), _for_arithmetic(name)), episodes=4
    )
    assert real.ok, str(real)


def _for_arithmetic(name):
    options = {"potential": {"phi": hooks.half}, "subgoal": {"subgoals": lambda env: [env.turn > 0]}}
    return [{"name": name, **options.get(name, OPTIONS[name])}]


@EVERY
def test_the_spec_builds_the_same_stack_again(name):
    base = gymnasium.make("assay/Arithmetic-v0", terms=2)
    env = wrap(base, [{"name": name, **OPTIONS[name]}])
    assert env.spec.id == "assay/Arithmetic-v0"
    again = gymnasium.make(env.spec)
    assert type(again) is type(env)
    assert again.spec.additional_wrappers == env.spec.additional_wrappers
    assert again.spec.additional_wrappers[-1].kwargs.items() >= OPTIONS[name].items()


@EVERY
def test_an_episode_leaves_nothing_for_the_next_one(name):
    env = wrapped(name)
    first = [step[1] for step in play(env, [*TURNS, "end right"])]
    assert [step[1] for step in play(env, [*TURNS, "end right"])] == first


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "step_costs"}, "did you mean 'step_cost'"),
        ({"name": "step_cost", "costs": 1}, "did you mean 'cost'"),
        ({"name": "step_cost", "cost": -1}, "cost"),
        ({"name": "soft_overlong"}, "needs the option"),
        ({"name": "soft_overlong", "limit": 3, "buffer": 4}, "buffer"),
        ({"name": "potential", "phi": "tests.envs.wrappers.hooks:missing"}, "cannot load"),
        ({"name": "noise", "rho0": 1.5}, "rho0"),
        ({"name": "format"}, "tags or a pattern"),
        ({"name": "format", "tags": ["a"], "every_turn": True, "only_correct": True}, "only_correct"),
        ({"name": "repetition", "n": 0}, "n must"),
        ({"name": "tool_cost", "tools": {"search": -1}}, "search"),
    ],
)
def test_mistakes_are_one_clear_line(entry, message):
    with pytest.raises(ConfigError, match=message) as caught:
        wrap(Walk(), [entry])
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, UnknownNameError) == (entry["name"] == "step_costs")


class TestPotential:
    def test_the_numbers_of_the_reference(self):
        env = PotentialShaping(Walk(), hooks.phi, gamma=0.99)
        got = shaped(env, ["on", "on", "end wrong"])
        assert got == pytest.approx([0.495, 0.49, -1.0])
        assert sum(0.99**t * f for t, f in enumerate(got)) == pytest.approx(0.0)

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(st.sampled_from(["on", "off"]), max_size=8),
        st.sampled_from(["end right", "end wrong", "off"]),
        st.floats(0.1, 1.0),
    )
    def test_every_way_of_acting_is_shaped_by_the_same_sum(self, actions, last, gamma):
        env = PotentialShaping(Walk(max_turns=len(actions) + 1), lambda env: 0.3 + hooks.phi(env) / 2, gamma=gamma)
        amounts = shaped(env, [*actions, last])
        assert sum(gamma**t * f for t, f in enumerate(amounts)) == pytest.approx(-0.3)

    def test_a_potential_out_of_its_range_is_said(self):
        with pytest.raises(ConfigError, match="phi_range"):
            PotentialShaping(Walk(), lambda env: 2.0).reset()


def test_subgoals_count_once_and_in_order():
    env = SubgoalShaping(Walk(), hooks.subgoals, scale=0.6)
    # the first subgoal holds from position 2 on, and brings the second with it
    assert shaped(env, ["on", "on", "off", "on", "end right"]) == pytest.approx([0.0, 0.4, 0.0, 0.2, -0.6])


def test_costs():
    assert shaped(StepCost(Walk(), cost=0.1), ["on", "end wrong"]) == pytest.approx([-0.1, -0.1])
    call = '<tool_call>{"name": "%s", "arguments": {}}</tool_call>'
    turn = call % "search" + call % "read" + "<tool_call>nonsense</tool_call>"
    env = ToolCost(Walk(), cost=0.01, tools={"search": 0.5})
    assert shaped(env, [turn, "on", "end right"]) == pytest.approx([-0.52, 0.0, 0.0])
    assert shaped(ToolCost(Walk(), cost=0.01, max_calls=2), [turn]) == pytest.approx([-0.02])


def test_lengths_are_of_the_whole_episode_and_in_the_given_unit():
    env = LengthPenalty(Walk(), free=3, cost=0.01, count=hooks.words, most=0.03)
    assert shaped(env, ["a b c", "end right"]) == pytest.approx([0.0, -0.02])
    assert shaped(env, ["a b c d e f g h", "end right"]) == pytest.approx([0.0, -0.03])
    ramp = SoftOverlong(Walk(), limit=100, buffer=20)
    for extra, price in ((10, 0), (80, 0), (90, -0.5), (100, -1), (130, -1)):
        assert shaped(ramp, ["x" * (extra - 9), "end right"])[-1] == pytest.approx(price)


def test_formats():
    env = FormatBonus(Walk(), pattern="end (right|wrong)", bonus=0.2, penalty=0.1)
    assert shaped(env, ["on", "end wrong"]) == pytest.approx([0.0, 0.2])
    assert shaped(env, ["on", "end wrong and more"]) == pytest.approx([0.0, -0.1])
    gated = FormatBonus(Walk(), pattern="end (right|wrong)", bonus=0.2, only_correct=True)
    assert [shaped(gated, [end])[0] for end in ("end right", "end wrong")] == pytest.approx([0.2, 0.0])
    each = FormatBonus(Walk(), pattern="on", bonus=0.2, every_turn=True)
    assert shaped(each, ["on", "off", "end right"]) == pytest.approx([0.2, 0.0, 0.0])


def test_repetition_is_over_all_turns():
    env = RepetitionPenalty(Walk(), n=1, weight=0.5)
    assert shaped(env, ["a b", "a b", "end right"]) == pytest.approx([0.0, 0.0, -0.5 * (1 - 4 / 6)])


def test_novelty_decays_with_the_count():
    env = NoveltyBonus(Walk(), scale=0.4, exponent=1.0)
    assert shaped(env, ["off", "off", "off", "off", "on", "end right"]) == pytest.approx(
        [0.4, 0.2, 0.4 / 3, 0.1, 0.4, 0.0]
    )
    assert shaped(NoveltyBonus(Walk(), scale=0.4, label=hooks.half), ["off"]) == pytest.approx([0.2])
    with pytest.raises(ConfigError, match="label"):
        shaped(NoveltyBonus(Walk(), label=lambda text: 2.0), ["off"])


class TestNoise:
    def test_rates_are_as_asked(self):
        env = NoisyReward(Walk(), rho0=0.1, rho1=0.3, seed=1)
        n = 3000
        paid_wrong = sum(play(env, [f"end {i} wrong"])[-1][1] for i in range(n)) / n
        paid_right = sum(play(env, [f"end {i} right"])[-1][1] for i in range(n)) / n
        assert paid_wrong == pytest.approx(0.1, abs=0.02)  # 3.6 standard errors
        assert paid_right == pytest.approx(0.7, abs=0.03)

    def test_the_same_answer_is_judged_the_same_and_seeds_differ(self):
        def rewards(seed):
            env = NoisyReward(Walk(), rho0=0.5, rho1=0.5, seed=seed)
            return [play(env, [f"end {i} right"])[-1][1] for i in range(50)]

        assert rewards(1) == rewards(1) != rewards(2)
