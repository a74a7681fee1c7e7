import numpy as np
import pytest

import assay


@pytest.fixture
def env():
    return assay.make("assay/Arithmetic-v0").unwrapped


def score(env, task, text):
    env.reset(options={"task": task})
    return env.step(text)[4]["verdict"].score


def test_the_three_ways_of_answering(env):
    task = next(t for t in env.tasks if t.metadata["operators"] == "+*-" and t.metadata["numbers"][0] > 0)
    a, b, c, d = task.metadata["numbers"]
    rng = np.random.default_rng(0)
    product = b * c % 10
    assert task.prompt == f"{a}+{b}*{c}-{d}="
    (careful,) = env.demonstrate(task, "careful", rng)
    total = (a + product) % 10
    assert careful == f"{a}+{product}-{d};{total}-{d};{(total - d) % 10};#{(total - d) % 10}"
    (hasty,) = env.demonstrate(task, "hasty", rng)
    assert hasty.startswith(f"{(a + b) % 10}*{c}-{d};")
    (guess,) = env.demonstrate(task, "guess", rng)
    assert guess.startswith(f"{a}+{product}-{d};#") and guess.count(";") == 1


def test_careful_is_right_hasty_often_wrong_and_guessing_poor(env):
    rng = np.random.default_rng(1)
    rate = {
        style: np.mean([score(env, t, env.demonstrate(t, style, rng)[0]) for t in env.tasks.head(300)])
        for style in env.demonstration_styles
    }
    assert rate["careful"] == 1.0
    assert 0.4 < rate["hasty"] < 0.65
    assert 0.05 < rate["guess"] < 0.16


def test_plain_integers_and_other_sizes():
    env = assay.make("assay/Arithmetic-v0", terms=[2, 3], digits=3, operators="-", modulus=None).unwrapped
    task = next(t for t in env.tasks if t.target < 0)
    assert score(env, task, env.demonstration(task)[0]) == 1.0
    assert score(env, task, f"#{-task.target}") == 0.0


def test_instructions_explain_the_form_with_a_true_example():
    env = assay.make("assay/Arithmetic-v0", instructions=True).unwrapped
    (system, question), _ = env.reset(seed=0)
    assert system["role"] == "system" and "3+7*4-2= is answered by 3+8-2;1-2;9;#9" in system["content"]
    assert question["content"].endswith("=")
    plain = assay.make("assay/Arithmetic-v0", instructions=True, modulus=None).unwrapped
    assert "3+28-2;31-2;29;#29" in plain.reset(seed=0)[0][0]["content"]


def test_train_and_eval_problems_never_meet():
    train = assay.make("assay/Arithmetic-v0", terms=2).unwrapped.tasks.head(3000)
    held_out = assay.make("assay/Arithmetic-v0", terms=2, split="eval").unwrapped.tasks.head(300)
    assert not {t.prompt for t in train} & {t.prompt for t in held_out}
    assert {t.split for t in held_out} == {"eval"}
