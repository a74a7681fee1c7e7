import pytest

from assay.core.errors import ConfigError, UnknownNameError
from assay.core.task import Task
from assay.core.verdict import wrong
from assay.verifiers import Evidence, Verifier, make_verifier, run_verifier, run_verifier_group, verify_text
from assay.verifiers.rubric import Rubric
from tests.verifiers.stubs import Equals, Longest, Raises, Says

TASK = Task(id="t", prompt="?", target="42")


def judge(rubric, text="42"):
    return run_verifier(rubric, TASK, Evidence(text=text))


def test_bonuses_count_only_for_correct_answers():
    rubric = Rubric({"answer": Equals(), "style": Says(0.8)}, outcome="answer", weights={"style": 0.5})
    good, bad = judge(rubric), judge(rubric, "43")
    assert good.score == pytest.approx(1.4) and good.correct
    assert bad.score == 0.0 and bad.correct is False
    assert bad.parts == {"answer": 0.0, "style": 0.8}, "parts are raw, also when they do not count"
    assert rubric.score_range == (0.0, 1.5)


def test_always_and_gates():
    rubric = Rubric(
        {"answer": Equals(), "format": Says(1.0), "safe": Says(0.0)},
        outcome="answer",
        weights={"format": 0.1},
        always=["format"],
    )
    assert judge(rubric, "43").score == pytest.approx(0.1)
    gated = Rubric({"answer": Equals(), "safe": Says(0.0)}, outcome="answer", gates=["safe"])
    verdict = judge(gated)
    assert verdict.score == 0.0 and verdict.correct is True and "gate safe" in verdict.reason


def test_penalties_widen_the_range_and_cannot_make_right():
    rubric = Rubric({"answer": Equals(), "long": Says(1.0)}, outcome="answer", weights={"long": -0.5}, always=["long"])
    assert rubric.score_range == (-0.5, 1.0)
    assert judge(rubric, "43").score == -0.5 and judge(rubric).score == 0.5
    assert judge(rubric, "43").correct is False


def test_a_missing_component_is_a_missing_verdict():
    rubric = Rubric({"answer": Equals(), "judge": Says(None, status="timeout")}, outcome="answer")
    verdict = judge(rubric)
    assert verdict.score is None and verdict.status == "timeout" and verdict.parts == {"answer": 1.0, "judge": None}
    assert judge(rubric, "43").score == 0.0, "a bonus that would not count is not missed"
    lenient = Rubric({"answer": Equals(), "judge": Says(None)}, outcome="answer", optional=["judge"])
    assert judge(lenient).score == 1.0
    broken = judge(Rubric({"answer": Raises(), "style": Says(1.0)}, outcome="answer")).reason
    assert broken.startswith("answer: RuntimeError: broken (stubs.py:")
    assert judge(Rubric({"answer": Equals(), "gate": Says(None)}, outcome="answer", gates=["gate"])).score is None


def test_tampering_anywhere_is_a_zero():
    class Tampered(Verifier):
        def verify(self, task, evidence):
            return wrong("wrote its own verdict", status="tampered")

    verdict = judge(Rubric({"answer": Equals(), "guard": Tampered()}, outcome="answer"))
    assert verdict.score == 0.0 and verdict.correct is False and verdict.status == "tampered"


def test_lazy_runs_bonuses_for_correct_answers_only():
    style = Says(1.0)
    rubric = Rubric({"style": style, "answer": Equals()}, outcome="answer", lazy=True)
    verdicts = run_verifier_group(rubric, TASK, [Evidence(text=t) for t in ("42", "43", "44")])
    assert [v.score for v in verdicts] == [2.0, 0.0, 0.0] and style.calls == 1
    assert verdicts[1].parts == {"style": None, "answer": 0.0}


def test_members_see_the_whole_group():
    rubric = Rubric({"answer": Says(1.0), "longest": Longest()}, outcome="answer")
    verdicts = rubric.verify_group(TASK, [Evidence(text="a"), Evidence(text="aaa")])
    assert [v.parts["longest"] for v in verdicts] == [0.0, 1.0]


def test_from_a_configuration():
    rubric = make_verifier(
        "rubric",
        verifiers={"answer": {"name": "number", "rel_tol": 0.1}, "format": {"name": "format", "tags": ["answer"]}},
        outcome="answer",
        weights={"format": 0.25},
    )
    assert verify_text(rubric, "10", "<answer>10.5</answer>").score == 1.25
    assert rubric.check_target(Task(id="x", prompt="", target="ten")).startswith("answer: not a number")


def test_mistakes_are_named():
    with pytest.raises(UnknownNameError, match="did you mean 'answer'"):
        Rubric({"answer": Equals()}, outcome="answr")
    with pytest.raises(UnknownNameError, match="component 'styl'"):
        Rubric({"answer": Equals(), "style": Says(1.0)}, outcome="answer", weights={"styl": 1})
    for bad in ({}, [Equals()], {"answer": 3}):
        with pytest.raises(ConfigError):
            Rubric(bad, outcome="answer")
    with pytest.raises(ConfigError, match="optional"):
        Rubric({"answer": Equals()}, outcome="answer", optional=["answer"])


def test_close_reaches_the_members():
    style = Says(1.0)
    Rubric({"answer": Equals(), "style": style}, outcome="answer").close()
    assert style.closed
