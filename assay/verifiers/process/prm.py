"""`prm`: a process reward model scores the steps.

The model is a `core.chat.Scorer`; which checkpoint and format it has is its own business. A score that is missing,
not finite or outside [0, 1] makes the whole verdict missing: a broken model must not look like a bad solution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from assay.core.chat import BatchScorer, Scorer
from assay.core.errors import ConfigError, EngineFault
from assay.core.message import text_of
from assay.core.registry import load
from assay.core.task import Task
from assay.core.verdict import StepScore, Verdict, no_verdict, wrong
from assay.verifiers.base import Evidence, Isolation, Verifier
from assay.verifiers.process.aggregate import Aggregator, aggregate_steps, check_aggregator
from assay.verifiers.process.steps import Splitter, Step, check_splitter, split_steps

ScorerSpec: TypeAlias = Scorer | Mapping[str, Any]
"""A scorer, or `{"factory": "module:attribute", **options}` as configurations write it."""


class PRMVerifier(Verifier):
    """Score = aggregate of the step scores, which are in `Verdict.steps` with their spans.

    `correct` is unknown, since a plausible working proves no answer, unless a `threshold` is given.
    """

    name = "prm"
    isolation: Isolation = "remote"

    def __init__(
        self,
        scorer: ScorerSpec,
        *,
        splitter: Splitter | str = "paragraph",
        aggregator: Aggregator | str = "min",
        max_steps: int = 128,
        threshold: float | None = None,
    ) -> None:
        self.scorer = _build(scorer)
        self.splitter, self.aggregator = check_splitter(splitter), check_aggregator(aggregator)
        if max_steps < 1 or (threshold is not None and not 0 <= threshold <= 1):
            raise ConfigError("a PRM needs max_steps >= 1 and a threshold in [0, 1]")
        self.max_steps, self.threshold = max_steps, threshold

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Split, score, aggregate."""
        return self.verify_group(task, [evidence])[0]

    def verify_group(self, task: Task, evidences: Sequence[Evidence]) -> list[Verdict]:
        """Split all members, score them together where the scorer can, aggregate each."""
        problem = "\n".join(text_of(message) for message in task.messages() if message["role"] == "user")
        split = [split_steps(e.text, self.splitter, max_steps=self.max_steps) for e in evidences]
        scores = iter(self._score([(problem, [step.text for step in steps]) for steps in split if steps]))
        return [
            self._verdict(steps, next(scores)) if steps else wrong("the response is empty", status="no_answer")
            for steps in split
        ]

    def _score(self, solutions: Sequence[tuple[str, Sequence[str]]]) -> list[list[float] | EngineFault]:
        if isinstance(self.scorer, BatchScorer):
            return self.scorer.score_batch(solutions)
        scores: list[list[float] | EngineFault] = []
        for problem, steps in solutions:
            try:
                scores.append(self.scorer.score_steps(problem, steps))
            except EngineFault as fault:
                scores.append(fault)
        return scores

    def _verdict(self, steps: Sequence[Step], scores: list[float] | EngineFault) -> Verdict:
        if isinstance(scores, EngineFault):
            return no_verdict(str(scores))
        if len(scores) != len(steps):
            return no_verdict(f"the scorer gave {len(scores)} scores for {len(steps)} steps")
        try:
            score = aggregate_steps(scores, self.aggregator)
        except ValueError as error:
            return no_verdict(str(error))
        return Verdict(
            score=score,
            correct=None if self.threshold is None else score >= self.threshold,
            steps=tuple(StepScore(s.start, s.end, float(v)) for s, v in zip(steps, scores, strict=True)),
            stage=self.aggregator,
        )


def _build(spec: ScorerSpec) -> Scorer:
    if isinstance(spec, Mapping):
        options = dict(spec)
        factory = options.pop("factory", None)
        if not isinstance(factory, str):
            raise ConfigError("a scorer is a Scorer or {factory: 'module:attribute', options}")
        spec = load(factory)(**options)
    if not isinstance(spec, Scorer):
        raise ConfigError(f"{type(spec).__name__} is no scorer: it has no score_steps()")
    return spec
