"""Write a verifier: durations such as `1 h 30 min`, right in whatever units they are given.

    python examples/verifier.py

docs/write-a-verifier.md explains the parts; examples/audit.py puts this verifier to the test.
"""

from __future__ import annotations

import re
from fractions import Fraction

from assay import VERIFIERS, Evidence, Task, Verdict, Verifier, right, verify_text, wrong
from assay.verifiers import build_verifier

SECONDS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "day": 86400}
PART = re.compile(r"(\d+(?:\.\d+)?)\s*(" + "|".join(sorted(SECONDS, key=len, reverse=True)) + r")s?\b")


def read_duration(text: str) -> Fraction | None:
    """Return seconds, exactly; None when the text is not a duration and nothing else."""
    if PART.sub("", text).strip(" ,.") or not PART.search(text):
        return None
    return sum((Fraction(number) * SECONDS[unit] for number, unit in PART.findall(text)), Fraction(0))


class DurationVerifier(Verifier):
    """Right when the text after the last `answer:` is as long as the gold."""

    name = "duration"
    version = "1"  # raise it whenever a verdict could change: records carry it

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Judge one answer. What raises an exception here becomes *no verdict*, never a score."""
        gold = read_duration(str(task.target))
        if gold is None:
            raise ValueError(f"unreadable gold {task.target!r}")
        _, mark, answer = evidence.text.lower().rpartition("answer:")
        if not mark:
            return wrong("no 'answer:'", status="no_answer")
        found = read_duration(answer)
        if found is None:
            return wrong(f"not a duration: {answer.strip()!r}", status="unparsable", extracted=answer.strip())
        if found == gold:
            return right(extracted=answer.strip())
        return wrong(f"{float(found):g} s, not {float(gold):g} s", extracted=answer.strip())

    def check_target(self, task: Task) -> str | None:
        """Say why a gold cannot be read: asked when tasks are loaded, before a single token is sampled."""
        return None if read_duration(str(task.target)) is not None else f"{task.target!r} is no duration"


VERIFIERS.register("duration", DurationVerifier)

if __name__ == "__main__":
    for target, response in (
        ("90 min", "Two halves of 45 minutes. Answer: 1 h 30 min"),
        ("90 min", "Answer: 95 min"),
        ("90 min", "About an hour and a half."),
        ("soon", "Answer: 1 h"),
    ):
        verdict = verify_text(DurationVerifier(), target, response)
        print(f"{response!r:50} score {verdict.score}, {verdict.status}: {verdict.reason or 'equal'}")

    # A rubric: the duration decides what is right; a short answer earns a little more, but only if it is right.
    rubric = build_verifier(
        {
            "name": "rubric",
            "verifiers": {"duration": "duration", "short": {"name": "length", "maximum": 40, "unit": "characters"}},
            "outcome": "duration",
            "weights": {"short": 0.1},
        }
    )
    print()
    for response in ("Answer: 90 min", "It is quite certain that the answer: 90 min", "Answer: 1 min"):
        verdict = verify_text(rubric, "90 min", response)
        print(f"{response!r:50} score {verdict.score:g}, parts {dict(verdict.parts)}")
