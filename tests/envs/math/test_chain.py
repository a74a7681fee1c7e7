import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.envs.math.chain import Chain, ChainGenerator

chains = st.lists(st.integers(0, 99), min_size=2, max_size=8).flatmap(
    lambda numbers: st.text("+-*", min_size=len(numbers) - 1, max_size=len(numbers) - 1).map(
        lambda operators: Chain(tuple(numbers), operators)
    )
)


@given(chains)
def test_the_value_is_pythons(chain):
    assert chain.value(None) == eval(str(chain))
    assert chain.value(10) == eval(str(chain)) % 10


@given(chains)
def test_every_line_of_working_keeps_the_value(chain):
    for modulus in (None, 10):
        steps = chain.working(modulus)
        assert len(steps) == len(chain.operators)
        assert {step.value(modulus) for step in steps} == {chain.value(modulus)}
    for step in chain.working(None):
        assert eval(str(step)) == chain.value(None)  # no line is ambiguous, negative numbers included


def test_the_two_orders_of_working():
    chain = Chain((3, 7, 4, 2), "+*-")
    assert [str(s) for s in chain.working(10)] == ["3+8-2", "1-2", "9"]
    assert [str(s) for s in chain.working(None)] == ["3+28-2", "31-2", "29"]
    assert [str(s) for s in chain.working(10, precedence=False)] == ["0*4-2", "0-2", "8"]


def test_problems_follow_the_options():
    generate = ChainGenerator((2, 5), 2, "+*", None)
    problems = [generate(np.random.default_rng(i)) for i in range(300)]
    assert {p["difficulty"] for p in problems} == {2, 3, 4, 5}
    assert set("".join(p["metadata"]["operators"] for p in problems)) == {"+", "*"}
    assert max(n for p in problems for n in p["metadata"]["numbers"]) == 99
    assert min(n for p in problems for n in p["metadata"]["numbers"]) == 0
    tagged = {p["tags"][1] for p in problems if p["metadata"]["operators"].startswith("+*")}
    assert tagged == {"precedence"}
    assert all(p["tags"][1] == "left-to-right" for p in problems if p["metadata"]["operators"] in ("*+", "**", "++"))


@pytest.mark.parametrize(
    "wrong", [{"terms": 1}, {"terms": (5, 4)}, {"digits": 0}, {"operators": ""}, {"operators": "^"}, {"modulus": 1}]
)
def test_bad_options_are_config_errors(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ChainGenerator(**{"terms": (4, 6), "digits": 1, "operators": "+", "modulus": 10, **wrong})
