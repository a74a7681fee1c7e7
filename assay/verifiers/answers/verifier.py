"""`math`: the rule-based verifier of mathematical answers.

Four tiers, cheap first; a verdict's `stage` names the one that decided:

* `extract`: there is no answer, or several different ones;
* `string`, `rational`: the same spelling, or the same exact number (microseconds, most of the traffic);
* `typed`: both sides parsed completely and compared by type, numbers exactly or by converging precision, functions at
  random points (about a millisecond);
* `worker`: sums, integrals and limits that have no numeric rule, simplified by sympy in a killable process.

Nothing here evaluates model text: it is parsed by a closed grammar. No signals, no global state: safe in threads.

Who is charged for what cannot be decided: an unreadable *gold* is no verdict (`unparsable`). An unreadable answer is
wrong (`unparsable`). A comparison that uses up its budget is charged to the answer (wrong, `timeout`) when the gold by
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
from assay.verifiers.answers.extract import Extraction, extract
from assay.verifiers.answers.lexer import AnswerSyntaxError
from assay.verifiers.answers.nodes import Big, Group, Listing, Node, SetOf, Text, walk
from assay.verifiers.answers.normalise import MAX_ANSWER, canonical, clean
from assay.verifiers.answers.parser import parse
from assay.verifiers.answers.policy import AnswerPolicy
from assay.verifiers.base import Evidence, Verifier, run_verifier

STEPS = 1500
"""Budget of one comparison; a step is about ten microseconds."""
_FREE_TEXT = 5
"""Words from which a gold is a sentence, which rules can confirm but not refute."""
_CACHE = 8192


class Reading:
    """One side of a comparison, read as far as needed."""

    __slots__ = ("_node", "cleaned", "error", "key", "rational", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.cleaned = clean(text[:MAX_ANSWER])
        self.key = canonical(self.cleaned)
        self.rational: Rational | None = read_rational(self.cleaned)
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
    if found.fallback is not None and found.kind in ("bare", "phrase") and not _is_formula(reading):
        formula = Reading(found.fallback)
        if _is_formula(formula) and "$" in target:
            return formula
    return reading


def _is_formula(reading: Reading) -> bool:
    return reading.node is not None and not isinstance(reading.node, Text)


class MathVerifier(Verifier):
    r"""Judge the final answer of a response against a gold answer.

    `Task.target` is the gold: a string (bare answer, `#### n`, or a solution with `\\boxed{}`), a number, or a list of
    acceptable golds. Options are those of `AnswerPolicy`, given as `policy={...}` or by keyword; `worker=False`
    switches the last tier off.
    """

    name: ClassVar[str] = "math"
    version: ClassVar[str] = "1"

    def __init__(
        self,
        policy: AnswerPolicy | Mapping[str, Any] | None = None,
        *,
        worker: bool = True,
        steps: int = STEPS,
        **options: Any,
    ) -> None:
        self.policy = policy if isinstance(policy, AnswerPolicy) else AnswerPolicy.of({**(policy or {}), **options})
        self.worker, self.steps = worker, steps
        self._judge = lru_cache(maxsize=_CACHE)(self._compare)
        self._pool: Any = None
        self._lock = Lock()

    # -- the contract ------------------------------------------------------------------------------------------

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Return the verdict on one response."""
        return self.verify_answer(task.target, evidence.text)

    def verify_answer(self, target: Any, response: str) -> Verdict:
        """Return the verdict on a response against a target."""
        golds = _golds(target)
        found = extract(response, unmarked=self.policy.unmarked == "last")
        verdict: Verdict | None = None
        for gold in golds:
            new = self._against(gold, found)
            if verdict is None or (new.score or 0) > (verdict.score or 0):
                verdict = new
            if verdict.correct:
                break
        return verdict or no_verdict("the gold is empty", status="unparsable", stage="extract")

    def verify_many(self, tasks: Sequence[Task], texts: Sequence[str]) -> list[Verdict]:
        """Return a verdict for each task and final text, through the same guard as single calls."""
        return [run_verifier(self, t, Evidence(text=text)) for t, text in zip(tasks, texts, strict=True)]

    def check_target(self, task: Task) -> str | None:
        """Return why the gold cannot be read, or None."""
        for gold in _golds(task.target):
            reading = read_gold(gold)
            if reading is None:
                return "the gold is empty"
            if reading.node is None:
                return f"the gold {reading.text[:80]!r} cannot be read: {reading.error}"
        return None if _golds(task.target) else "there is no gold"

    def close(self) -> None:
        """End the worker processes."""
        with self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    # -- one gold ----------------------------------------------------------------------------------------------

    def _against(self, target: str, found: Extraction) -> Verdict:
        answer = found.answer
        if answer is None:
            return wrong(found.reason, status="no_answer", stage="extract")
        gold = read_gold(target)
        if gold is None:
            return no_verdict("the gold is empty", status="unparsable", stage="extract")
        if found.others and self.policy.several == "ambiguous":
            for other in found.others:
                if not self._judge(other, answer).correct and not self._judge(answer, other).correct:
                    return wrong(f"also answers {other[:60]!r}", extracted=answer, stage="extract")
        verdict = self._judge(gold.text, answer)
        if found.fallback is not None and not verdict.correct and found.fallback != answer:
            if verdict.status == "unparsable" or found.kind in ("bare", "phrase"):
                later = self._judge(gold.text, found.fallback)
                if later.correct and self._is_prose(answer):
                    return later
        return verdict

    @staticmethod
    def _is_prose(answer: str) -> bool:
        """Whether a bare response is a sentence around a formula rather than an answer of its own."""
        return _PLAIN_WORD.search(answer) is not None and not _is_formula(Reading(answer))

    def _compare(self, gold_text: str, answer_text: str) -> Verdict:
        gold, answer = Reading(gold_text), Reading(answer_text)
        if gold.key == answer.key and gold.key and not gold.error and not answer.error:
            if not _meaningless(gold.key):
                return right(extracted=answer_text, stage="string")
        if gold.rational is not None and answer.rational is not None and not self.policy.simplified:
            if gold.rational.value == answer.rational.value and gold.rational.percent == answer.rational.percent:
                return right(extracted=answer_text, stage="rational")
        if gold.node is None:
            return no_verdict(f"the gold cannot be read: {gold.error}", status="unparsable", extracted=answer_text)
        if answer.node is None:
            return wrong(answer.error, status="unparsable", extracted=answer_text, stage="typed")
        return self._typed(gold, answer)

    def _typed(self, gold: Reading, answer: Reading) -> Verdict:
        assert gold.node is not None
        assert answer.node is not None
        try:
            if self._same(gold.node, answer.node):
                return right(extracted=answer.text, stage="typed")
            if isinstance(gold.node, _COLLECTIONS) != isinstance(answer.node, _COLLECTIONS):
                one, two = gold.as_list(), answer.as_list()
                if one is not None and two is not None and self._same(one, two):
                    return right(extracted=answer.text, stage="typed")
        except Undecided as reason:
            return self._undecided(gold, answer, str(reason))
        except (BudgetExceeded, RecursionError):
            return self._expensive(gold, answer)
        if isinstance(gold.node, Text) and len(gold.node.words.split()) >= _FREE_TEXT:
            return no_verdict(
                "a gold in free text can be confirmed by rules, not refuted",
                status="abstained",
                extracted=answer.text,
                stage="typed",
            )
        return wrong("not the same answer", extracted=answer.text, stage="typed")

    def _same(self, gold: Node, answer: Node) -> bool:
        return Comparison(self.policy, Budget(self.steps)).same(gold, answer)

    def _expensive(self, gold: Reading, answer: Reading) -> Verdict:
        assert gold.node is not None
        try:
            Comparison(self.policy, Budget(self.steps // 2)).same(gold.node, gold.node)
        except (BudgetExceeded, RecursionError, Undecided):
            return no_verdict("the comparison is too expensive", status="timeout", extracted=answer.text, stage="typed")
        return wrong("too expensive to check", status="timeout", extracted=answer.text, stage="typed")

    # -- the last tier -----------------------------------------------------------------------------------------

    def _undecided(self, gold: Reading, answer: Reading, reason: str) -> Verdict:
        assert gold.node is not None
        assert answer.node is not None
        heavy = [any(isinstance(n, Big) for n in walk(side)) for side in (gold.node, answer.node)]
        if not (self.worker and any(heavy)):
            return wrong(f"cannot be shown equal: {reason}", extracted=answer.text, stage="typed")
        from assay.verifiers.answers.symbolic import encode
        from assay.verifiers.pool import WorkerTimeout

        try:
            request = encode(gold.node), encode(answer.node)
            same = self._workers().call("assay.verifiers.answers.symbolic:equal_encoded", *request)
        except WorkerTimeout:
            if heavy[0]:
                return no_verdict("sympy ran out of time", status="timeout", extracted=answer.text, stage="worker")
            return wrong("too expensive to check", status="timeout", extracted=answer.text, stage="worker")
        except VerifierFault as fault:
            if heavy[0]:
                return no_verdict(f"sympy failed: {fault}", status="error", extracted=answer.text, stage="worker")
            return wrong("cannot be checked", status="unparsable", extracted=answer.text, stage="worker")
        except ValueError as error:
            return wrong(f"cannot be shown equal: {error}", extracted=answer.text, stage="typed")
        if same:
            return right(extracted=answer.text, stage="worker")
        return wrong("not the same answer", extracted=answer.text, stage="worker")

    def _workers(self) -> Any:
        with self._lock:
            if self._pool is None:
                from assay.verifiers.pool import WorkerPool

                self._pool = WorkerPool(workers=2, wall_seconds=0.5, memory_mb=512, preload=("sympy",))
            return self._pool


_PLAIN_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_COLLECTIONS = (Listing, SetOf, Group)


def _golds(target: Any) -> list[str]:
    """Return the acceptable golds of a target."""
    if isinstance(target, list | tuple):
        return [str(item) for item in target if item is not None]
    return [] if target is None else [str(target)]


def _meaningless(key: str) -> bool:
    """Whether two equal spellings still prove nothing, such as 0/0."""
    return key in ("0/0", r"\frac{0}{0}", r"\frac00", "?", "...")
