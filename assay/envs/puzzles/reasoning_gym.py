"""assay/ReasoningGym-v0: any of reasoning-gym's generators, with strict scoring.

The library's default scorer pays for wrong answers (to the gold `7`, `-7` earns 0.5). Here an answer is right or
wrong: `exact` compares text and numbers; `upstream` asks the dataset's own scorer, which knows when several answers
are right, and counts nothing but its full score of 1. `data/reasoning_gym.txt` lists the datasets that were audited and
found good with each scorer (`benchmarks/reasoning_gym_subset.py` writes it); others must be asked for.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from typing import Any, ClassVar, Literal

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split, derive_seed
from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.envs.base import SingleTurnEnv
from assay.envs.procedural import task_source
from assay.envs.sources.reasoning_gym import ReasoningGymGenerator, make_dataset
from assay.verifiers.base import Evidence, Verifier

ENV_ID = "assay/ReasoningGym-v0"
Scorer = Literal["exact", "upstream"]
_PROBES = 8
_NONSENSE = "?!"
_INSTRUCTIONS = "Think step by step, and end with the final answer between <answer> and </answer>."
_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(?:\.[0-9]{1,40}|/[0-9]{1,40})?")
_RUNS_TEXT = re.compile(r"(?<![\w.])(?:eval|exec)\(|\bparse_expr\(|\bsympify\(")


@lru_cache(maxsize=1)
def audited() -> Mapping[str, frozenset[str]]:
    """Return the datasets that were audited and found good, each with the scorers that may be used."""
    lines = (files("assay.envs.puzzles") / "data" / "reasoning_gym.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(":") for line in lines if not line.startswith("#"))
    return {dataset: frozenset(scorers.split()) for dataset, scorers in pairs}


def read_answer(text: str) -> str:
    """Return what stands between the last `<answer>` and `</answer>`, or the whole text without them; stripped."""
    _, opened, rest = text.rpartition("<answer>")
    answer, closed, _ = rest.partition("</answer>")
    return (answer if opened and closed else text).strip()


def same_answer(given: str, gold: str) -> bool:
    """Whether two answers are the same text up to runs of spaces, or the same rational number."""
    if given.split() == gold.split():
        return True
    if not (_NUMBER.fullmatch(given) and _NUMBER.fullmatch(gold)):
        return False
    try:
        return Fraction(given) == Fraction(gold)
    except ZeroDivisionError:
        return False


class ExactAnswerVerifier(Verifier):
    """Correct when the answer is the gold: the same text up to spacing, or the same number."""

    name = "reasoning_gym_exact"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Compare with `task.target`."""
        answer = read_answer(evidence.text)
        if not answer:
            return wrong("no answer", status="no_answer")
        if same_answer(answer, task.target):
            return right(extracted=answer[:200])
        return wrong("not the gold answer", extracted=answer[:200])

    def check_target(self, task: Task) -> str | None:
        """The item must have an answer."""
        return None if task.target and task.target.strip() else "the item has no answer"


class UpstreamVerifier(ExactAnswerVerifier):
    """Correct when the dataset's own scorer gives its full score; anything less is a 0.

    Two kinds of datasets are refused: those whose scorer runs the answer as Python (`eval`, sympy's `parse_expr`),
    where a policy's text must never get, and those whose scorer gives full score to nonsense.

    A scorer that reads the gold but raises on an answer could not read that answer: a 0. One that raises on the gold
    as well is broken: no verdict.
    """

    name = "reasoning_gym_upstream"

    def __init__(self, dataset: str, config: Mapping[str, Any]) -> None:
        self._dataset = make_dataset(dataset, 0, config)
        complaint = _untrustworthy(dataset, json.dumps(config, sort_keys=True))
        if complaint:
            raise ConfigError(f"the scorer of reasoning-gym dataset {dataset!r} {complaint}; use scorer='exact'")

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Ask the dataset's `score_answer`."""
        answer = read_answer(evidence.text)
        if not answer:
            return wrong("no answer", status="no_answer")
        item = task.metadata["item"]
        try:
            score = float(self._dataset.score_answer(answer, item))
        except Exception as error:
            if task.target is None or self._dataset.score_answer(task.target, item) != 1.0:
                raise
            reason = f"the dataset's scorer cannot read it: {type(error).__name__}"
            return wrong(reason, status="unparsable", extracted=answer[:200])
        if score == 1.0:
            return right(extracted=answer[:200])
        return wrong(f"the dataset's scorer gives {score:.3g}, not 1", extracted=answer[:200])

    def check_target(self, task: Task) -> str | None:
        """The scorer reads the whole item; some have no single gold answer."""
        return None


@lru_cache(maxsize=256)
def _untrustworthy(dataset: str, config: str) -> str:
    """Return what speaks against a dataset's own scorer, or an empty string."""
    settings = json.loads(config)
    if _RUNS_TEXT.search(_scorer_module(type(make_dataset(dataset, 0, settings)))):
        return "may run the answer as code"
    for index in range(_PROBES):
        items = make_dataset(dataset, derive_seed("probe", dataset, index) % 2**31, settings)
        try:
            paid = items.score_answer(_NONSENSE, items[0]) == 1.0
        except Exception:  # noqa: BLE001 - a scorer may raise anything on nonsense; it does not pay for it
            paid = False
        if paid:
            return "gives full score to nonsense"
    return ""


@lru_cache(maxsize=256)
def _has_gold(generator: ReasoningGymGenerator) -> bool:
    return generator(np.random.default_rng(0))["target"] is not None


def _scorer_module(dataset: type) -> str:
    """Return the source of the module that defines the `score_answer` of a dataset class."""
    owner = next(cls for cls in dataset.__mro__ if "score_answer" in vars(cls))
    return inspect.getsource(sys.modules[owner.__module__])


class ReasoningGymEnv(SingleTurnEnv):
    """One reasoning-gym generator as a single-turn environment (`pip install 'assay-rl[reasoning-gym]'`).

    The answer is the text between the last `<answer>` tags, or the whole text when there are none.

    Options: `dataset` (a name of reasoning-gym's), `config` (its settings), `scorer` (`exact`, or `upstream` for
    datasets with several right answers), `unaudited` (take a dataset that is not in `audited()` with this scorer),
    `instructions`, `split`.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("answer",)

    def __init__(
        self,
        *,
        dataset: str = "chain_sum",
        config: Mapping[str, Any] | None = None,
        scorer: Scorer = "exact",
        unaudited: bool = False,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        settings = dict(config or {})
        make_dataset(dataset, 0, settings)  # an unknown name or setting is refused now, not at the first task
        if scorer not in ("exact", "upstream"):
            raise ConfigError(f"scorer must be 'exact' or 'upstream', not {scorer!r}")
        verifier = ExactAnswerVerifier() if scorer == "exact" else UpstreamVerifier(dataset, settings)
        generator = ReasoningGymGenerator(
            dataset, json.dumps(settings, sort_keys=True), _INSTRUCTIONS if instructions else ""
        )
        if scorer == "exact" and not _has_gold(generator):
            raise ConfigError(f"reasoning-gym dataset {dataset!r} has no gold answers; use scorer='upstream'")
        if not unaudited and scorer not in audited().get(dataset, ()):
            raise ConfigError(
                f"reasoning-gym dataset {dataset!r} did not pass the audit with scorer={scorer!r}; "
                "unaudited=True takes it all the same"
            )
        name = f"{ENV_ID}/{dataset}"
        super().__init__(
            task_source(name, split, generator, ReasoningGymGenerator(dataset)), verifier, render_mode=render_mode
        )

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn: the gold answer between tags."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        if task.target is None:
            raise ConfigError(f"{task.id}: the dataset has no gold answers to demonstrate")
        return [f"<answer>{task.target}</answer>"]

    def demonstration(self, task: Task) -> list[str] | None:
        """Return the gold answer, where the dataset has one."""
        return None if task.target is None else super().demonstration(task)
