"""Small verifiers of known behaviour, to compose."""

from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.verifiers.base import Verifier


class Says(Verifier):
    """Returns a fixed score; `correct` when it is at least `threshold`. None gives no verdict."""

    def __init__(self, score, *, correct=None, low=0.0, high=1.0, status="error", extracted="x"):
        self.score, self.correct, self.status, self.extracted = score, correct, status, extracted
        self.score_range = (low, high)
        self.calls = 0
        self.closed = False

    def verify(self, task, evidence):
        self.calls += 1
        if self.score is None:
            return no_verdict("no opinion", status=self.status)
        correct = self.score > 0.5 if self.correct is None else self.correct
        return Verdict(score=self.score, correct=correct, extracted=self.extracted)

    def close(self):
        self.closed = True


class Equals(Verifier):
    """Right when the text is the target; no opinion on the text 'pass'."""

    name = "equals"

    def verify(self, task, evidence):
        if evidence.text == "pass":
            return no_verdict("passed on", status="abstained")
        found = {"extracted": evidence.text}
        return right(**found) if evidence.text == task.target else wrong("different", **found)


class Raises(Verifier):
    def verify(self, task, evidence):
        raise RuntimeError("broken\nsecond line")


class Longest(Verifier):
    """Needs the whole group: the longest text wins."""

    def verify(self, task, evidence):
        raise AssertionError("judges groups only")

    def verify_group(self, task, evidences):
        best = max(len(e.text) for e in evidences)
        return [right() if len(e.text) == best else wrong() for e in evidences]


class Misbehaves(Verifier):
    """Hangs, crashes, exits or eats memory as the text says; otherwise right."""

    name = "misbehaves"

    def __init__(self, *, keyword="ok"):
        self.keyword = keyword

    def verify(self, task, evidence):
        import os
        import signal

        match evidence.text:
            case "hang":
                while True:
                    pass
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "memory":
                return right(reason=str(len(bytearray(2**32))))
        return right(extracted=evidence.text) if evidence.text == self.keyword else wrong("other")

    def check_target(self, task):
        while task.target == "hang":
            pass
        return "empty" if not task.target else None
