from concurrent.futures import ThreadPoolExecutor

import pytest

from assay.core.errors import ConfigError, UnknownNameError
from assay.core.task import Task
from assay.core.verdict import StepScore, right
from assay.verifiers import Evidence, Verifier, make_verifier, run_verifier, verify_text

MISBEHAVES = "tests.verifiers.stubs:Misbehaves"


class Rich(Verifier):
    """Uses every field of a verdict."""

    version = "7"
    score_range = (-1.0, 2.0)

    def verify(self, task, evidence):
        return right(
            score=1.5,
            extracted="é\n",
            parts={"a": None, "b": 0.5},
            steps=(StepScore(0, 3, 0.5),),
            stage="s",
            details={"task": task.id, "state": evidence.state["x"], "roles": [m["role"] for m in evidence.messages]},
        )


@pytest.fixture(scope="module")
def isolated():
    verifier = make_verifier(
        "isolated", verifier=MISBEHAVES, options={"keyword": "fine"}, wall_seconds=2.0, memory_mb=256
    )
    verify_text(verifier, "t", "warm up")
    yield verifier
    verifier.close()


def test_verdicts_come_back_as_from_the_verifier_itself(isolated):
    assert verify_text(isolated, "t", "fine").correct is True
    assert verify_text(isolated, "t", "ok").correct is False
    assert verify_text(isolated, "t", "fine").verifier == "misbehaves@1"


def test_faults_are_no_verdict_and_do_not_last(isolated):
    assert [verify_text(isolated, "t", t).status for t in ("hang", "crash", "memory")] == ["timeout", "error", "error"]
    assert verify_text(isolated, "t", "fine").correct is True


def test_many_threads(isolated):
    texts = ["fine", "other", "hang", "fine", "crash", "fine"] * 3
    with ThreadPoolExecutor(8) as threads:
        verdicts = list(threads.map(lambda text: verify_text(isolated, "t", text), texts))
    expected = {"fine": True, "other": False, "hang": None, "crash": None}
    assert [v.correct for v in verdicts] == [expected[text] for text in texts]


def test_gold_is_checked_outside(isolated):
    assert isolated.check_target(Task(id="1", prompt="", target="gold")) is None
    assert isolated.check_target(Task(id="1", prompt="", target="")) == "empty"
    assert "killed" in isolated.check_target(Task(id="1", prompt="", target="hang"))


def test_everything_of_a_verdict_survives_the_journey():
    verifier = make_verifier("isolated", verifier=f"{__name__}:Rich")
    task = Task(id="a/1", prompt=({"role": "user", "content": "é"},), target={"x": [1, None]}, tags=("t",))
    evidence = Evidence(text="abc", messages=({"role": "assistant", "content": "abc"},), state={"x": {"y": 1}})
    here, there = run_verifier(Rich(), task, evidence), run_verifier(verifier, task, evidence)
    assert here == there and here.details == there.details
    assert verifier.score_range == (-1.0, 2.0) and there.verifier == "Rich@7"
    verifier.close()
    assert run_verifier(verifier, task, evidence).score is None


def test_a_timeout_can_be_a_zero_that_was_earned():
    verifier = make_verifier("isolated", verifier=MISBEHAVES, wall_seconds=0.2, timeout_is_wrong=True)
    verdict = verify_text(verifier, "t", "hang")
    assert verdict.score == 0.0 and verdict.correct is False and verdict.status == "timeout"
    verifier.close()


def test_mistakes_show_at_once():
    with pytest.raises(UnknownNameError):
        make_verifier("isolated", verifier="exakt")
    with pytest.raises(ConfigError):
        make_verifier("isolated", verifier="exact", options={"sauce": 1})
