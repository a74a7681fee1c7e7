"""Writing tests: the demonstrations earn what they deserve, and the reference stays hidden."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import DataError
from assay.core.message import text_of
from assay.envs.code.testwriting import TestWritingEnv

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")


def rewards(env, index):
    rng, task = np.random.default_rng(0), env.tasks[index]
    found = {}
    for style in env.demonstration_styles:
        env.reset(options={"task": task})
        found[style] = env.step(env.demonstrate(task, style, rng)[0])[1]
    return found


@pytest.mark.parametrize("index", [0, 3])
def test_demonstrations_of_generated_tasks(index):
    found = rewards(TestWritingEnv(steps=[2, 3]), index)
    assert found["thorough"] == 1.0
    assert 0 < found["single"] <= 1.0
    assert found["mistaken"] == 0.0


def test_the_reference_is_not_shown():
    env = TestWritingEnv()
    task = env.tasks[5]
    opening, _ = env.reset(options={"task": task})
    shown = "".join(map(text_of, opening))
    assert not any(line in shown for line in task.target["reference"].splitlines()[1:])
    assert "f(xs): " in shown


def test_rows_without_plain_calls_are_left_out(tmp_path):
    plain = {
        "task_id": "a",
        "prompt": "def inc(x):\n    '''Add one.'''\n",
        "entry_point": "inc",
        "canonical_solution": "    return x + 1\n",
        "test": "def check(candidate):\n    assert candidate(1) == 2\n",
    }
    loop = {**plain, "task_id": "b", "test": "def check(c):\n    for i in (1, 2):\n        assert c(i) == i + 1\n"}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(plain) + "\n" + json.dumps(loop) + "\n")
    env = TestWritingEnv(data=path)
    assert [task.id for task in env.tasks] == ["a"]
    assert rewards(env, 0)["thorough"] == 1.0
    path.write_text(json.dumps(loop) + "\n")
    with pytest.raises(DataError, match="no row has a solution"):
        TestWritingEnv(data=path)


@pytest.mark.skipif("ASSAY_DATA" not in os.environ, reason="ASSAY_DATA names no folder with benchmark rows")
def test_human_eval_as_published():
    env = TestWritingEnv(data=Path(os.environ["ASSAY_DATA"]) / "humaneval_odd.jsonl")
    assert env.tasks.size >= 0.85 * 82
    assert rewards(env, 0)["thorough"] == 1.0
