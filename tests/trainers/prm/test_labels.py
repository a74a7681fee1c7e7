"""Monte-Carlo step labels, with an engine whose chances are known."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import make
from assay.agents.chat import ChatAgent
from assay.agents.engines.base import Completion, SamplingParams
from assay.core.errors import ConfigError, DataError
from assay.core.task import Task
from assay.core.trajectory import Step, Trajectory, Turn
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.trainers.prm import LabelledSolution, StepLabeller, read_solutions, write_solutions
from assay.trainers.prm.labels import token_ends
from assay.trainers.tokenizer import character_tokenizer
from tests.verifiers.process.formats.tiny import make_tokenizer

TOKENIZER = character_tokenizer("0123456789+-*=;#")
BYTES = make_tokenizer()
PROBLEM = Task(id="t", prompt="2+3*2=", target=8, metadata={"numbers": (2, 3, 2), "operators": "+*"})


class Chances:
    """Goes on from `2+6;` rightly, from anything else with every fourth seed."""

    weight_version = 0
    max_context = 512

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.rooms: list[int] = []
        self.seeds: list[int] = []

    async def generate(self, token_ids: Sequence[int], sampling: SamplingParams) -> Completion:
        text = TOKENIZER.decode(token_ids)
        self.prompts.append(text)
        self.rooms.append(sampling.max_tokens)
        assert sampling.seed is not None
        self.seeds.append(sampling.seed)
        right = text.endswith("=2+6;") or sampling.seed % 4 == 0
        ids = (*TOKENIZER.encode("#8" if right else "#7"), TOKENIZER.eos_token_id)
        return Completion(ids, (-0.5,) * len(ids), "stop")

    async def update_weights(self, source: Any, version: int) -> None: ...

    async def sleep(self) -> None: ...

    async def wake(self) -> None: ...

    async def close(self) -> None: ...


def verdict(correct: bool | None) -> Verdict:
    return no_verdict("?") if correct is None else right() if correct else wrong()


def solution(text: str, correct: bool | None, number: int = 0) -> Trajectory:
    ids = (*TOKENIZER.encode(text), TOKENIZER.eos_token_id)
    turn = Turn(text, tuple(TOKENIZER.encode("2+3*2=")), ids, (-0.1,) * len(ids))
    return Trajectory(f"e{number}", "g", "t", "env", 0, (Step(turn, 0.0),), verdict=verdict(correct))


def labeller(engine: Chances, **options: Any) -> StepLabeller:
    agent = ChatAgent(engine, TOKENIZER, sampling=SamplingParams(max_tokens=12))
    options = {"splitter": "tag:;", "rollouts": 200, **options}
    return StepLabeller(lambda: make("assay/Arithmetic-v0"), agent, **options)


def test_values_are_the_chances_to_end_right() -> None:
    engine = Chances()
    work = labeller(engine)
    good, bad = asyncio.run(
        work.label([(PROBLEM, solution("2+6;8;#8", True)), (PROBLEM, solution("5*2;#0", False, 1))])
    )
    assert good.steps == ("2+6;", "8;", "#8") and bad.steps == ("5*2;", "#0")
    assert good.values[0] == 1.0 and good.values[2] == 1.0 and bad.values[1] == 0.0
    assert 0.15 < good.values[1] < 0.35 and 0.15 < bad.values[0] < 0.35, "a quarter of the seeds is lucky"
    assert (good.problem, good.correct, bad.correct) == ("2+3*2=", True, False)
    assert set(engine.prompts) == {"2+3*2=2+6;", "2+3*2=2+6;8;", "2+3*2=5*2;"}, "from the end of each step but the last"
    assert set(engine.rooms) == {8, 6}, "a continuation has what is left of the solution's tokens"
    assert len(set(engine.seeds)) == len(engine.seeds) == 600
    assert good.labels("hard") == [1.0, 1.0, 1.0] and bad.labels("hard") == [1.0, 0.0]
    assert bad.labels("soft") == list(bad.values)
    work.close()


def test_labels_repeat_with_the_seed_and_differ_without() -> None:
    def values(seed: int) -> tuple[float, ...]:
        return asyncio.run(labeller(Chances(), seed=seed).label([(PROBLEM, solution("5*2;0;#0", False))]))[0].values

    assert values(1) == values(1) != values(2)


def test_what_nobody_judged_is_left_out() -> None:
    no_gold = Task(id="t", prompt="2+3*2=", target=None)
    rows = [(PROBLEM, solution("#8", None)), (no_gold, solution("2+6;#8", True, 1)), (PROBLEM, solution("#8", True, 2))]
    (only,) = asyncio.run(labeller(Chances(), rollouts=2).label(rows))
    assert only.steps == ("#8",) and only.values == (1.0,)


def test_episodes_that_cannot_be_continued_are_refused() -> None:
    for steps in ((), solution("#8", True).steps * 2, (Step(Turn("#8"), 0.0),)):
        with pytest.raises(ConfigError, match="cannot be continued"):
            asyncio.run(
                labeller(Chances()).label([(PROBLEM, Trajectory("e", "g", "t", "env", 0, steps, verdict=right()))])
            )
    with pytest.raises(ConfigError, match="rollouts"):
        labeller(Chances(), rollouts=0)


def test_a_token_across_an_end_belongs_to_the_step_that_it_begins_in() -> None:
    tokenizer = make_tokenizer()
    ids = tokenizer.encode("a;ки;b")
    assert len(ids) == 5, "ки is one token"
    assert token_ends(tokenizer, ids, [2, 5, 6]) == [2, 4, 5]
    assert token_ends(tokenizer, ids, [3, 6]) == [3, 5]
    assert token_ends(tokenizer, ids, [0, 99]) == [0, 5]


@given(st.text(alphabet="ab;ки\n", max_size=40))
def test_ends_are_those_of_a_search_token_by_token(text: str) -> None:
    tokenizer = BYTES
    ids, ends = tokenizer.encode(text), list(range(len(text) + 1))
    reach = [len(tokenizer.decode(ids[:count])) for count in range(len(ids) + 1)]
    assert token_ends(tokenizer, ids, ends) == [
        next(count for count in range(len(ids) + 1) if reach[count] >= end) for end in ends
    ]


def test_files_are_read_back_and_mistakes_named(tmp_path: Path) -> None:
    rows = [LabelledSolution("t", "1+1=", ("2;", "#2"), (0.5, 1.0), True)]
    write_solutions(tmp_path / "a.jsonl", rows)
    assert read_solutions(tmp_path / "a.jsonl") == rows
    good = json.loads((tmp_path / "a.jsonl").read_text())
    for broken in ({**good, "values": [0.5]}, {**good, "values": [2, 1]}, {**good, "steps": []}, {"steps": ["a"]}, []):
        (tmp_path / "b.jsonl").write_text(json.dumps(good) + "\n" + json.dumps(broken) + "\n")
        with pytest.raises(DataError, match=r"b\.jsonl:2"):
            read_solutions(tmp_path / "b.jsonl")
