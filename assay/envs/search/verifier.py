"""`search_qa`: is the answer right, was the evidence found, and was it cited?

What was found is read from the environment's own log, never from text: a passage that the agent writes itself earns
nothing. Citations are `[p3]` in the final turn; one that was never returned counts against precision, and repeats
count once.

Rewards, all in [0, 1]; `correct` is always the exact match of the answer:

* `answer`: 1 for an exact match.
* `f1`: token F1 of the answer.
* `evidence`: .5 for the answer, and if it is right .25 NDCG of what was found + .25 F1 of what was cited.
* `search-r1` (Search-R1, EM with format): 1 right and well-formed, .8 right, .2 well-formed, +.1 if all evidence was
  found, else 0. Well-formed: something was searched, and the answer stands in one pair of `<answer>` tags.
* `arena` (ARENA, arXiv 2505.13258): (format + match + relevance + 10 if all three are 1) / 13, relevance being the F1
  of the citations instead of a flat .5 for any overlap, and nothing at all for a turn without an answer.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal, get_args

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.retrieval.metrics import ndcg, precision_recall_f1, unique
from assay.verifiers.text.extract import after_reasoning
from assay.verifiers.text.overlap import F1Verifier

Reward = Literal["answer", "f1", "evidence", "search-r1", "arena"]
_CITATION = re.compile(r"\[([\w.:-]{1,80})\]")
_TAGGED = re.compile(r"\A\s*<answer>[^<]+</answer>\s*\Z")


class SearchQaVerifier(Verifier):
    """Judges the final turn and the log of searches. The target is `{"answers": [...], "support": [ids]}`."""

    name = "search_qa"

    def __init__(self, reward: Reward = "answer") -> None:
        if reward not in get_args(Reward):
            raise ConfigError(f"unknown reward {reward!r}; use one of {', '.join(get_args(Reward))}")
        self.reward = reward
        self._answer = F1Verifier()

    def check_target(self, task: Task) -> str | None:
        """Return why the accepted answers cannot be read, or None."""
        return self._answer.check_target(replace(task, target=task.target["answers"]))

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Judge the answer without its citations, then the evidence."""
        final = after_reasoning(evidence.text)
        bare = _CITATION.sub("", final)
        verdict = self._answer.verify(replace(task, target=task.target["answers"]), replace(evidence, text=bare))
        if verdict.score is None:
            return verdict
        returned = unique([str(item) for item in evidence.state["retrieved"]])
        support = [str(item) for item in task.target["support"]]
        cited = unique(_CITATION.findall(final))
        match, f1 = float(verdict.correct is True), verdict.parts.get("f1") or 0.0
        found = ndcg(returned, support) if support else None
        # An invented citation stays in the list and costs precision, but cannot meet the evidence.
        real = [passage if passage in returned else f"?{passage}" for passage in cited]
        citations = precision_recall_f1(real, support)[2] if support else None
        parts: dict[str, float | None] = {"match": match, "f1": f1, "found": found, "cited": citations}
        if verdict.status != "ok":  # no answer, or none that can be read: nothing else is paid for
            return verdict.with_(score=0.0, parts=parts)
        complete = bool(support) and set(support) <= set(returned)
        formed = _TAGGED.match(bare) is not None and bool(returned)
        return verdict.with_(
            score=self._score(match, f1, found or 0.0, citations or 0.0, formed, complete), parts=parts
        )

    def _score(self, match: float, f1: float, found: float, cited: float, formed: bool, complete: bool) -> float:
        if self.reward == "answer":
            return match
        if self.reward == "f1":
            return f1
        if self.reward == "evidence":
            return match * (0.5 + 0.25 * found + 0.25 * cited)
        if self.reward == "search-r1":
            if match:
                return 1.0 if formed else 0.8
            return (0.2 + 0.1 * complete) if formed else 0.0
        return (formed + match + cited + 10 * (formed and match == cited == 1)) / 13
