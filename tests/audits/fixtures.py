"""Small graders with one known defect each, in a module that a worker can import."""

from __future__ import annotations

import os
import signal
import threading
import time
from fractions import Fraction

from assay.core.verdict import no_verdict, right, wrong
from assay.verifiers import Verifier


def exact(completion, answer):
    return completion.strip() == str(answer)


def broken(completion, answer):
    """Raises on everything."""
    return completion.txt == answer


class Exact(Verifier):
    name = "exact-fixture"
    stages = ("string", "never")

    def verify(self, task, evidence):
        same = evidence.text.strip() == str(task.target)
        return right(stage="string") if same else wrong("other text", stage="string")

    def check_target(self, task):
        return None if str(task.target).strip() else "empty"


class Rational(Verifier):
    """An honest grader of plain fractions."""

    def verify(self, task, evidence):
        try:
            return right() if Fraction(evidence.text.strip()) == Fraction(str(task.target)) else wrong("other value")
        except (ValueError, ZeroDivisionError):
            return wrong("unreadable", status="unparsable")


class Sleepy(Verifier):
    """Hangs on one answer, dies on another, abstains on a third."""

    def verify(self, task, evidence):
        if evidence.text == "hang":
            time.sleep(60)
        if evidence.text == "exit":
            os._exit(3)
        if evidence.text == "eat":
            bytearray(10**10)
        if evidence.text == "shrug":
            return no_verdict("do not know", status="abstained")
        return right() if evidence.text == task.target else wrong()


def alarm_grader(completion, answer):
    """Swallows the error of SIGALRM off the main thread: silently 0 there."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        return float(completion.strip() == str(answer))
    except ValueError:
        return 0.0


def eval_grader(completion, answer):
    """Executes model text."""
    try:
        return float(eval(completion) == eval(str(answer)))
    except Exception:
        return 0.0


def substring_grader(completion, answer):
    return float(str(answer) in completion)


def says_solution(completion, answer):
    return "solution" in completion.lower()


def always(completion, answer):
    return True


def reads_reward(completion, answer):
    """Trusts a number in the text: nan and inf come back as rewards."""
    try:
        return float(completion)
    except ValueError:
        return 0.0


_calls = 0
_lock = threading.Lock()


def every_third(completion, answer):
    """Not deterministic: every third call is a yes."""
    global _calls
    with _lock:
        _calls += 1
        return _calls % 3 == 0


def _symbolic_equal(a, b):
    raise TypeError("broken decorator")


def _numeric_equal(a, b):
    try:
        return Fraction(a) == _symbolic_equal(a, b)
    except TypeError:
        return False


def half_dead(completion, answer):
    """Has a stage that always raises inside another's broad except; only equal texts are accepted."""
    return completion == answer or _numeric_equal(completion, answer)
