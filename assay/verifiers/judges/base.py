"""The common course of a judge: extract, screen, ask, and turn faults into missing verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from assay.core.errors import ConfigError, EngineFault
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, wrong
from assay.verifiers.base import Evidence, Isolation, Verifier
from assay.verifiers.judges.client import Budget, BudgetSpent, Cost, JudgeClient, ModelSpec, Question, Unreadable
from assay.verifiers.judges.meta import MetaFilter
from assay.verifiers.judges.screen import addresses_grader, has_content
from assay.verifiers.text.extract import Source, check_source, find_answers

T = TypeVar("T")

MAX_SHOWN = 20_000
"""Longest text in characters that is shown to a judge; a longer one is refused, not cut."""


class Judge(Verifier):
    """Base of all judges. Not deterministic: a nonce is drawn for every question, and models vary."""

    deterministic = False
    isolation: Isolation = "remote"

    def __init__(
        self,
        model: ModelSpec,
        *,
        votes: int = 1,
        temperature: float | None = None,
        max_tokens: int = 1024,
        attempts: int = 2,
        budget: Budget | Mapping[str, int] | None = None,
        source: Source = "answer",
        screen: bool = True,
        meta: ModelSpec | None = None,
        meta_keep: int | None = None,
        minimum_mass: float = 0.5,
    ) -> None:
        """Compose.

        Args:
            model: a `ChatModel`, or `{"factory": "module:attribute", **options}`.
            votes: how many replies decide.
            temperature: 0 for one vote and 0.7 for several when None.
            max_tokens: cap of one reply.
            attempts: how often one question is asked until its reply can be read.
            budget: caps on `calls` and `tokens` of this judge's whole life.
            source: which part of the response is shown (see `text.extract`).
            screen: refuse answers that speak to the grader.
            meta: a second model, which must tell log-probabilities: only the votes that it finds soundest count.
            meta_keep: how many votes count; half of them when None.
            minimum_mass: least probability of yes and no together where an answer is read from probabilities.
        """
        if votes < 1:
            raise ConfigError(f"votes must be at least 1, not {votes}")
        if temperature is None:
            temperature = 0.0 if votes == 1 else 0.7
        self.client = JudgeClient(
            model, temperature=temperature, max_tokens=max_tokens, attempts=attempts, budget=budget
        )
        self.votes, self.source, self.screen = votes, check_source(source), screen
        if not 0 <= minimum_mass <= 1:
            raise ConfigError(f"minimum_mass is a probability, not {minimum_mass}")
        self.minimum_mass, self.meta = minimum_mass, None
        if meta is not None:
            rater = JudgeClient(meta, budget=self.client.budget)
            self.meta = MetaFilter(rater, meta_keep or max(1, votes // 2), minimum_mass=minimum_mass)
        elif meta_keep is not None:
            raise ConfigError("meta_keep needs a meta model")

    def shown(self, evidence: Evidence) -> str:
        """Return the part of the response that the judge sees; empty when there is none or several different ones."""
        answers = find_answers(evidence.text, self.source)
        return answers[0] if len(answers) == 1 else ""

    def refuse(self, evidence: Evidence) -> Verdict | None:
        """Return the verdict on what must not reach the model, or None."""
        answer = self.shown(evidence)
        lowest = max(0.0, self.score_range[0])
        if not answer:
            return wrong("no answer, or several different ones", score=lowest, status="no_answer", stage="screen")
        if len(answer) > MAX_SHOWN:
            return wrong(f"longer than {MAX_SHOWN} characters", score=lowest, status="unparsable", stage="screen")
        if not has_content(answer):
            return wrong(
                "the answer has no content", score=lowest, status="no_answer", extracted=answer, stage="screen"
            )
        if self.screen and (words := addresses_grader(answer)):
            reason = f"the answer speaks to the grader: {words!r}"
            return wrong(reason, score=lowest, status="tampered", extracted=answer[:500], stage="screen")
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Screen, ask, and record the cost."""
        if complaint := self.check_target(task):
            return no_verdict(f"gold: {complaint}", status="unparsable")
        if refused := self.refuse(evidence):
            return refused
        cost = Cost()
        try:
            verdict = self.judge(task, self.shown(evidence), cost)
        except (BudgetSpent, Unreadable, EngineFault) as fault:
            verdict = missing(fault)
        return with_cost(verdict, cost)

    def judge(self, task: Task, answer: str, cost: Cost) -> Verdict:
        """Ask the model about a screened answer."""
        raise NotImplementedError

    def poll(self, question: Question[T], cost: Cost) -> list[T]:
        """Return the readings of the votes that count. `Unreadable` when most replies cannot be read."""
        return self.poll_each([question] * self.votes, cost)

    def poll_each(self, questions: Sequence[Question[T]], cost: Cost) -> list[T]:
        """Do the same with a question, worded or ordered differently, for each vote."""
        votes = self.client.sample(questions, cost)
        if 2 * len(votes) <= len(questions):
            raise Unreadable(f"only {len(votes)} of {len(questions)} replies could be read")
        if self.meta is not None:
            votes = self.meta.best(votes, cost)
        return [vote.reading for vote in votes]


def missing(fault: Exception) -> Verdict:
    """Return the missing verdict of a judge that could not be asked or understood."""
    status: Any = "error" if isinstance(fault, EngineFault) else "abstained"
    return no_verdict(str(fault), status=status)


def with_cost(verdict: Verdict, cost: Cost) -> Verdict:
    """Attach what the judging took."""
    return verdict.with_(details={**verdict.details, "judge": cost.record()}, stage=verdict.stage or "judge")
