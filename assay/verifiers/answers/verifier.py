"""`math`: the rule-based verifier of mathematical answers.

Four tiers, cheap first; a verdict's `stage` names the one that decided:

* `extract`: there is no answer, or several different ones;
* `string`, `rational`: the same spelling, or the same exact number (microseconds, most of the traffic);
* `typed`: both sides parsed completely and compared by type, numbers exactly or by converging precision, functions at
  random points (about a millisecond);
* `worker`: sums, integrals and limits that have no numeric rule, simplified by sympy in a killable process.

Nothing here evaluates model text: it is parsed by a closed grammar. No signals, no global state: safe in threads.

Who is charged for what cannot be decided: an unreadable *gold* is no verdict (`unparsable`). An unreadable answer is
wrong (`unparsable`). A comparison that uses up its budget (counted steps, or a worker's processor time: never the
clock, so that the load of the machine charges nobody) is charged to the answer (wrong, `timeout`) when the gold by
itself is cheap, so that nobody gains by writing what cannot be checked; else it is no verdict (`timeout`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any, ClassVar

from assay.core.errors import VerifierFault
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.verifiers.answers import words
from assay.verifiers.answers.compare import Comparison
from assay.verifiers.answers.equality import Undecided
from assay.verifiers.answers.evaluate import Budget, BudgetExceeded
from assay.verifiers.answers.exact import Rational, read_rational
from assay.verifiers.answers.extract import BARE, Extraction, extract
from assay.verifiers.answers.lexer import AnswerSyntaxError
from assay.verifiers.answers.nodes import Big, Expr, Group, Listing, Node, SetOf, Text, number, plus, walk
from assay.verifiers.answers.normalise import MAX_ANSWER, canonical, clean, regrouped
from assay.verifiers.answers.parser import parse
from assay.verifiers.answers.policy import AnswerPolicy
from assay.verifiers.answers.worker import Busy, SymbolicTier, TooDear
from assay.verifiers.base import Evidence, Verifier, run_verifier

STEPS = 800
"""Budget of one comparison; a step is about ten microseconds. Sixty-four comparisons at once, each of which uses it up,
end within a second."""
_WORKER_STEPS = 5000
"""What a question to the worker tier costs a group."""
_FREE_TEXT = 5
"""Words from which a gold is a sentence, which rules can confirm but not refute."""
_REMARK = 2
"""Words up to which another "answer is" gives an answer rather than a remark."""
_CACHE = 8192


class Reading:
    """One side of a comparison, read as far as needed."""

    __slots__ = ("_node", "cleaned", "error", "key", "rational", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.cleaned = clean(text[:MAX_ANSWER])
        self.key = canonical(self.cleaned)
        self.rational: Rational | None = read_rational(self.cleaned)
        if self.rational is None and self.cleaned[-1:].isdigit() and (number := regrouped(self.cleaned)) is not None:
            self.rational = read_rational(number)
        self.error = "too long" if len(text) > MAX_ANSWER else ""
        self._node: Node | None = None

    @property
    def node(self) -> Node | None:
        """The parsed answer, words when it is no formula, or None with `error` set."""
        if self._node is None and not self.error:
            try:
                self._node = parse(self.cleaned)
            except AnswerSyntaxError as error:
                if words.is_wordy(self.cleaned):
                    self._node = Text(self.cleaned)
                else:
                    self.error = str(error)
            except RecursionError:
                self.error = "nested too deeply"
        return self._node

    def as_list(self) -> Node | None:
        """The answer with commas between digits read as separators: `1,234` as two items."""
        if _SEPARATED.search(self.cleaned) is None:
            return self.node
        try:
            return parse(self.cleaned, thousands=False)
        except (AnswerSyntaxError, RecursionError):
            return None


@lru_cache(maxsize=4096)
def read_gold(target: str) -> Reading | None:
    """Return the gold of a target text (a bare answer or a whole solution), or None when it holds none."""
    found = extract(target, gold=True)
    if found.answer is None or not found.answer.strip():
        return None
    reading = Reading(found.answer)
    if reading.node is None and (remark := _WITH_REMARK.match(found.answer)) is not None:
        stated = Reading(remark.group(1))
        if _is_formula(stated):
            return stated
    if found.fallback is not None and found.kind in ("bare", "phrase") and not _is_formula(reading):
        formula = Reading(found.fallback)
        if _is_formula(formula) and ("$" in target or len(target) > BARE):
            return formula
    return reading


def _is_formula(reading: Reading) -> bool:
    return reading.node is not None and not isinstance(reading.node, Text)


def _is_remark(reading: Reading) -> bool:
    """Whether what follows "the answer is" only speaks about the answer: "the answer is a multiple of 3"."""
    node = reading.node
    return node is None or (isinstance(node, Text) and len(node.words.split()) > _REMARK)


class _Limited(Verifier):
    """A `MathVerifier` with another limit of steps, for the guard `run_verifier`."""

    def __init__(self, verifier: MathVerifier, steps: int) -> None:
        self._verifier, self._steps = verifier, steps

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Return the verdict on one response."""
        return self._verifier.verify_answer(task.target, evidence.text, steps=self._steps).with_(
            verifier=self._verifier.label
        )


class MathVerifier(Verifier):
    r"""Judge the final answer of a response against a gold answer.

    `Task.target` is the gold: a string (bare answer, `#### n`, or a solution with `\\boxed{}`), a number, or a list of
    acceptable golds. Options are those of `AnswerPolicy`, given as `policy={...}` or by keyword; `worker=False`
    switches the last tier off, a `SymbolicTier` of your own sets its limits.
    """

    name: ClassVar[str] = "math"
    version: ClassVar[str] = "1"

    def __init__(
        self,
        policy: AnswerPolicy | Mapping[str, Any] | None = None,
        *,
        worker: bool | SymbolicTier = True,
        steps: int = STEPS,
        **options: Any,
    ) -> None:
        self.policy = policy if isinstance(policy, AnswerPolicy) else AnswerPolicy.of({**(policy or {}), **options})
        self.steps, self.group_steps = steps, 20 * steps
        self._worker = (SymbolicTier() if worker else None) if isinstance(worker, bool) else worker
        self._judge = lru_cache(maxsize=_CACHE)(self._compare)

    # -- the contract ------------------------------------------------------------------------------------------

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Return the verdict on one response."""
        return self.verify_answer(task.target, evidence.text)

    def verify_answer(self, target: Any, response: str, *, steps: int | None = None) -> Verdict:
        """Return the verdict on a response against a target, within `steps` per comparison."""
        limit = self.steps if steps is None else steps
        found = extract(response, unmarked=self.policy.unmarked == "last")
        if type(target) is str:
            return self._against(target, found, limit)
        golds = _golds(target)
        verdict: Verdict | None = None
        for gold in golds:
            new = self._against(gold, found, limit)
            if verdict is None or (new.score or 0) > (verdict.score or 0):
                verdict = new
            if verdict.correct:
                break
        return verdict or no_verdict("the gold is empty", status="unparsable", stage="extract")

    def verify_group(self, task: Task, evidences: Sequence[Evidence]) -> list[Verdict]:
        """Return a verdict for each response of a group, all within one budget of steps.

        When the group has used it up, each further comparison gets a tenth of the usual steps: one member that is
        dear to check cannot hold up the others.
        """
        left = self.group_steps
        out: list[Verdict] = []
        for evidence in evidences:
            steps = self.steps if left > 0 else self.steps // 10
            out.append(run_verifier(_Limited(self, steps), task, evidence))
            left -= int(out[-1].details.get("steps", 0))
        return out

    def verify_many(self, tasks: Sequence[Task], texts: Sequence[str]) -> list[Verdict]:
        """Return a verdict for each task and final text, through the same guard as single calls."""
        return [run_verifier(self, t, Evidence(text=text)) for t, text in zip(tasks, texts, strict=True)]

    def check_target(self, task: Task) -> str | None:
        """Return why the gold cannot be read, or None. A gold that needs the workers starts them."""
        for gold in _golds(task.target):
            reading = read_gold(gold)
            if reading is None:
                return "the gold is empty"
            if reading.node is None:
                return f"the gold {reading.text[:80]!r} cannot be read: {reading.error}"
            if self._worker is not None and _is_heavy(reading.node):
                self._worker.warm()
        return None if _golds(task.target) else "there is no gold"

    def warm(self) -> None:
        """Start the worker processes and wait for them, so that the first integral does not have to."""
        if self._worker is not None:
            self._worker.warm().result()

    def close(self) -> None:
        """End the worker processes."""
        if self._worker is not None:
            self._worker.close()

    # -- one gold ----------------------------------------------------------------------------------------------

    def _against(self, target: str, found: Extraction, steps: int) -> Verdict:
        answer = found.answer
        if answer is None:
            return wrong(found.reason, status="no_answer", stage="extract")
        gold = read_gold(target)
        if gold is None:
            return no_verdict("the gold is empty", status="unparsable", stage="extract")
        if found.others and self.policy.several == "ambiguous":
            for other in found.others:
                if found.kind == "phrase" and _is_remark(Reading(other)):
                    continue
                if not (self._same_answer(other, answer, steps) or self._same_answer(answer, other, steps)):
                    return wrong(f"also answers {other[:60]!r}", extracted=answer, stage="extract")
        try:
            verdict = self._judge(gold.text, answer, steps)
        except Busy as fault:  # an exception, so that it is not remembered
            return no_verdict(str(fault), status="timeout", extracted=answer, stage="worker")
        if verdict.correct or verdict.status == "timeout" or found.fallback in (None, answer):
            return verdict
        assert found.fallback is not None
        if self._same_answer(gold.text, found.fallback, steps) and self._is_prose(answer):
            return self._judge(gold.text, found.fallback, steps)
        return verdict

    def _same_answer(self, one: str, two: str, steps: int) -> bool:
        try:
            return self._judge(one, two, steps).correct is True
        except Busy:
            return False

    @staticmethod
    def _is_prose(answer: str) -> bool:
        """Whether a bare response is a sentence around a formula rather than an answer of its own."""
        return _PLAIN_WORD.search(answer) is not None and not _is_formula(Reading(answer))

    def _compare(self, gold_text: str, answer_text: str, steps: int) -> Verdict:
        if gold_text == answer_text and len(answer_text) <= MAX_ANSWER and not _meaningless(answer_text):
            return right(extracted=answer_text, stage="string")
        gold, answer = Reading(gold_text), Reading(answer_text)
        if gold.key == answer.key and gold.key and not (gold.error or answer.error or _meaningless(gold.key)):
            return right(extracted=answer_text, stage="string")
        if gold.rational is not None and gold.rational == answer.rational and not self.policy.simplified:
            return right(extracted=answer_text, stage="rational")
        if self._plainly_different(gold, answer):
            return wrong("not the same number", extracted=answer_text, stage="rational")
        said = words.plain(gold.cleaned)
        if said is not None and said == words.plain(answer.cleaned):
            return right(extracted=answer_text, stage="string")
        if gold.node is None:
            return no_verdict(f"the gold cannot be read: {gold.error}", status="unparsable", extracted=answer_text)
        if answer.node is None:
            return wrong(answer.error, status="unparsable", extracted=answer_text, stage="typed")
        budget = Budget(steps)
        try:
            with _ONE_AT_A_TIME:
                verdict = self._typed(gold, answer, budget)
        except Undecided as reason:
            verdict = self._undecided(gold, answer, str(reason), budget)
        return verdict.with_(details={"steps": steps - budget.left})

    def _plainly_different(self, gold: Reading, answer: Reading) -> bool:
        """Whether two exact numbers differ under every reading: no percent, rounding or separators are involved."""
        one, two = gold.rational, answer.rational
        if one is None or two is None or one == two or one.percent or two.percent:
            return False
        exact = one.decimals is None and self.policy.rel_tol == 0.0
        return exact and not any(mark in side.cleaned for side in (gold, answer) for mark in ", ")

    def _typed(self, gold: Reading, answer: Reading, budget: Budget) -> Verdict:
        assert gold.node is not None
        assert answer.node is not None
        try:
            if self._same(gold.node, answer.node, budget):
                return right(extracted=answer.text, stage="typed")
            if isinstance(gold.node, _COLLECTIONS) != isinstance(answer.node, _COLLECTIONS):
                one, two = gold.as_list(), answer.as_list()
                if one is not None and two is not None and self._same(one, two, budget):
                    return right(extracted=answer.text, stage="typed")
        except (BudgetExceeded, RecursionError):
            return self._expensive(gold, answer, budget)
        if _is_sentence(gold.node):
            return no_verdict(
                "a gold in free text can be confirmed by rules, not refuted",
                status="abstained",
                extracted=answer.text,
                stage="typed",
            )
        return wrong("not the same answer", extracted=answer.text, stage="typed")

    def _same(self, gold: Node, answer: Node, budget: Budget) -> bool:
        return Comparison(self.policy, budget).same(gold, answer)

    def _expensive(self, gold: Reading, answer: Reading, budget: Budget) -> Verdict:
        """Charge an exhausted budget to the answer, unless evaluating the gold alone would use half of it."""
        assert gold.node is not None
        try:
            again = plus(gold.node, number(0)) if isinstance(gold.node, Expr) else gold.node
            Comparison(self.policy, Budget(budget.limit // 2)).same(gold.node, again)
        except (BudgetExceeded, RecursionError, Undecided):
            return no_verdict("the comparison is too expensive", status="timeout", extracted=answer.text, stage="typed")
        return wrong("too expensive to check", status="timeout", extracted=answer.text, stage="typed")

    # -- the last tier -----------------------------------------------------------------------------------------

    def _undecided(self, gold: Reading, answer: Reading, reason: str, budget: Budget) -> Verdict:
        """Ask sympy about sums, integrals and limits; anything else that is undecided was not shown equal."""
        assert gold.node is not None
        assert answer.node is not None
        gold_is_heavy = _is_heavy(gold.node)
        if self._worker is None or not (gold_is_heavy or _is_heavy(answer.node)):
            return wrong(f"cannot be shown equal: {reason}", extracted=answer.text, stage="typed")
        about: dict[str, Any] = {"extracted": answer.text, "stage": "worker"}
        if budget.limit < self.steps:
            return wrong("the group has used up its budget", status="timeout", **about)
        budget.left -= _WORKER_STEPS
        try:
            same = self._worker.equal(gold.node, answer.node)
        except Busy:
            raise
        except TooDear as fault:
            if gold_is_heavy:
                return no_verdict(str(fault), status="timeout", **about)
            return wrong("too expensive to check", status="timeout", **about)
        except VerifierFault as fault:
            if gold_is_heavy:
                return no_verdict(str(fault), **about)
            return wrong("cannot be checked", status="unparsable", **about)
        except ValueError as error:
            return wrong(f"cannot be shown equal: {error}", extracted=answer.text, stage="typed")
        return right(**about) if same else wrong("not the same answer", **about)


def _is_sentence(node: Node) -> bool:
    """Whether a gold is free text, which rules can confirm but not refute."""
    parts = node.items if isinstance(node, Listing) else (node,)
    return sum(len(part.words.split()) if isinstance(part, Text) else -99 for part in parts) >= _FREE_TEXT


def _is_heavy(node: Node) -> bool:
    return any(isinstance(part, Big) for part in walk(node))


_ONE_AT_A_TIME = Lock()
"""Held while two answers are compared: many threads in pure Python would only slow each other down, and one expensive
comparison among 64 threads would take 64 times as long instead of waiting its turn."""
_WITH_REMARK = re.compile(r"(.{1,100}?) ?\\text ?\{ ?(?:is|are) (?!not\b)")
"""A gold that is a formula with a remark on it: `R=1 \\text{ is necessary and sufficient ...}`."""
_SEPARATED = re.compile(r"\d[, ] ?\d{3}")
_PLAIN_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_COLLECTIONS = (Listing, SetOf, Group)


def _golds(target: Any) -> list[str]:
    """Return the acceptable golds of a target."""
    if isinstance(target, list | tuple):
        return [str(item) for item in target if item is not None]
    return [] if target is None else [str(target)]


def _meaningless(key: str) -> bool:
    """Whether two equal spellings still prove nothing, such as 0/0."""
    return key in ("", "0/0", r"\frac{0}{0}", r"\frac00", "?", "...")
