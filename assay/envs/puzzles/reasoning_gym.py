"""assay/ReasoningGym-v0: any of reasoning-gym's generators, with strict scoring.

The library's default scorer pays for wrong answers (to the gold `7`, `-7` earns 0.5). Here an answer is right or
wrong: `exact` compares text and numbers; `upstream` asks the dataset's own scorer, which knows when several answers
are right, and counts nothing but its full score of 1.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar, Literal

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.envs.base import SingleTurnEnv
from assay.envs.procedural import task_source
from assay.envs.sources.reasoning_gym import ReasoningGymGenerator, make_dataset
from assay.verifiers.base import Evidence, Verifier

ENV_ID = "assay/ReasoningGym-v0"
_INSTRUCTIONS = "Think step by step, and end with the final answer between <answer> and </answer>."
_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(?:\.[0-9]{1,40}|/[0-9]{1,40})?")
_RUNS_TEXT = re.compile(r"(?<![\w.])(?:eval|exec)\(|\bparse_expr\(|\bsympify\(")


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

    Some of those scorers run the answer as Python (`eval`, sympy's `parse_expr`): a policy's text must never get
    there, and such datasets are refused.
    """

    name = "reasoning_gym_upstream"

    def __init__(self, dataset: str, config: Mapping[str, Any]) -> None:
        self._dataset = make_dataset(dataset, 0, config)
        if _RUNS_TEXT.search(_scorer_module(type(self._dataset))):
            raise ConfigError(
                f"the scorer of reasoning-gym dataset {dataset!r} may run the answer as code; use scorer='exact'"
            )

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Ask the dataset's `score_answer`."""
        answer = read_answer(evidence.text)
        if not answer:
            return wrong("no answer", status="no_answer")
        score = float(self._dataset.score_answer(answer, task.metadata["item"]))
        if score == 1.0:
            return right(extracted=answer[:200])
        return wrong(f"the dataset's scorer gives {score:.3g}, not 1", extracted=answer[:200])


def _scorer_module(dataset: type) -> str:
    """Return the source of the module that defines the `score_answer` of a dataset class."""
    owner = next(cls for cls in dataset.__mro__ if "score_answer" in vars(cls))
    return inspect.getsource(sys.modules[owner.__module__])


class ReasoningGymEnv(SingleTurnEnv):
    """One reasoning-gym generator as a single-turn environment (`pip install 'assay-rl[reasoning-gym]'`).

    The answer is the text between the last `<answer>` tags, or the whole text when there are none.

    Options: `dataset` (a name of reasoning-gym's), `config` (its settings), `scorer` (`exact`, or `upstream` for
    datasets with several right answers), `instructions`, `split`.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("answer",)

    def __init__(
        self,
        *,
        dataset: str = "chain_sum",
        config: Mapping[str, Any] | None = None,
        scorer: Literal["exact", "upstream"] = "exact",
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
        name = f"{ENV_ID}/{dataset}"
        super().__init__(
            task_source(name, split, generator, ReasoningGymGenerator(dataset)), verifier, render_mode=render_mode
        )

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn: the gold answer between tags."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        return [f"<answer>{task.target}</answer>"]
