import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.verifiers.process.aggregate import AGGREGATORS, aggregate_steps
from assay.verifiers.process.steps import split_steps

SPLITTERS = ["paragraph", "line", "numbered", "tag:ки"]


def texts(text, splitter, **options):
    return [step.text for step in split_steps(text, splitter, **options)]


def test_splitters():
    assert texts("a\n\nb\n \nc", "paragraph") == ["a\n\n", "b\n \n", "c"]
    assert texts("a\nb\n\nc\n", "line") == ["a\n", "b\n\n", "c\n"] or texts("a\nb\n\nc\n", "line") == [
        "a\n",
        "b\n",
        "\nc\n",
    ]
    assert texts("Intro.\nStep 1: x\nmore\nStep 2: y", "numbered") == ["Intro.\n", "Step 1: x\nmore\n", "Step 2: y"]
    assert texts("1. x\n2) y", "numbered") == ["1. x\n", "2) y"]
    assert texts("aкиbки", "tag:ки") == ["aки", "bки"]
    assert texts(" \n", "line") == []
    for bad in ("word", "tag:", ""):
        with pytest.raises(ConfigError, match="splitter"):
            split_steps("a", bad)


@given(st.text(st.sampled_from("ab \n\t1.)Step ки:*#"), max_size=120), st.sampled_from(SPLITTERS), st.integers(1, 6))
def test_nothing_is_lost_and_no_step_is_blank(text, splitter, cap):
    steps = split_steps(text, splitter, max_steps=cap)
    assert len(steps) <= cap and all(step.text.strip() for step in steps)
    assert "".join(step.text for step in steps) == (text if text.strip() else "")
    assert all(text[step.start : step.end] == step.text for step in steps)


@given(st.text(), st.sampled_from(SPLITTERS))
def test_any_text(text, splitter):
    assert "".join(texts(text, splitter)) == (text if text.strip() else "")


def test_aggregates():
    # RewardMATH, arXiv 2410.01729
    scores = [0.9, 0.8, 0.5]
    expected = {
        "min": 0.5, "last": 0.5, "mean": 0.7333, "product": 0.36, "max": 0.9,
        "geometric_mean": 0.7114, "mean_logit": 0.7675,
    }  # fmt: skip
    assert set(expected) == set(AGGREGATORS)
    for how, value in expected.items():
        assert aggregate_steps(scores, how) == pytest.approx(value, abs=1e-4)
    assert aggregate_steps([0.0, 1.0], "mean_logit") == pytest.approx(0.5)
    for bad in ([], [float("nan")], [1.5], [-0.1], [float("inf")], [True]):
        with pytest.raises(ValueError):
            aggregate_steps(bad)
    with pytest.raises(ConfigError):
        aggregate_steps(scores, "median")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.sampled_from(list(AGGREGATORS)))
def test_aggregates_stay_in_range(scores, how):
    assert 0.0 <= aggregate_steps(scores, how) <= 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.integers(1, 50))
def test_padding_with_easy_steps_does_not_raise_the_default(scores, padding):
    assert aggregate_steps(scores + [1.0] * padding) == aggregate_steps(scores)
