import pytest

from assay.core.errors import ConfigError, EngineFault
from assay.core.task import Task
from assay.verifiers import Evidence, make_verifier, run_verifier, verify_text

TEXT = "Good step.\n\nA bad one here.\n\nGood again."


class MarksBad:
    """Scores .2 for a step that says bad, .9 otherwise."""

    def __init__(self):
        self.seen = []

    def score_steps(self, problem, steps):
        self.seen.append((problem, list(steps)))
        return [0.2 if "bad" in step else 0.9 for step in steps]


class Fixed:
    def __init__(self, *scores):
        self.scores = list(scores)

    def score_steps(self, problem, steps):
        if self.scores == ["fault"]:
            raise EngineFault("gone")
        return self.scores


def test_steps_have_spans_and_the_worst_counts():
    scorer = MarksBad()
    verdict = verify_text(make_verifier("prm", scorer=scorer), None, TEXT, problem="What?")
    assert verdict.score == 0.2 and verdict.correct is None and verdict.stage == "min"
    assert [TEXT[s.start : s.end].strip() for s in verdict.steps] == ["Good step.", "A bad one here.", "Good again."]
    assert [s.score for s in verdict.steps] == [0.9, 0.2, 0.9]
    assert scorer.seen[0][0] == "What?" and "".join(scorer.seen[0][1]) == TEXT


def test_aggregator_threshold_and_splitter():
    verdict = verify_text(make_verifier("prm", scorer=MarksBad(), aggregator="last", threshold=0.5), None, TEXT)
    assert verdict.score == 0.9 and verdict.correct is True
    assert len(verify_text(make_verifier("prm", scorer=MarksBad(), max_steps=2), None, TEXT).steps) == 2
    assert verify_text(make_verifier("prm", scorer=MarksBad()), None, " ").status == "no_answer"


@pytest.mark.parametrize("scores", [(0.5,), (0.5, float("nan"), 0.5), (0.5, 2.0, 0.5), (), ("fault",)])
def test_a_broken_scorer_is_no_verdict(scores):
    assert verify_text(make_verifier("prm", scorer=Fixed(*scores)), None, TEXT).score is None


def test_only_the_problem_is_shown():
    scorer = MarksBad()
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "What?"})
    task = Task(id="t", prompt=messages, target="secret")
    run_verifier(make_verifier("prm", scorer=scorer), task, Evidence(text=TEXT))
    assert scorer.seen[0][0] == "What?"


def test_configuration():
    assert make_verifier("prm", scorer={"factory": f"{__name__}:MarksBad"}).scorer.seen == []
    for bad in (
        {"scorer": object()},
        {"scorer": {"factory": 1}},
        {"scorer": MarksBad(), "aggregator": "sum"},
        {"scorer": MarksBad(), "threshold": 2},
        {"scorer": MarksBad(), "splitter": "x"},
    ):
        with pytest.raises(ConfigError):
            make_verifier("prm", **bad)


def test_inside_a_rubric_it_cannot_outweigh_the_outcome():
    rubric = make_verifier(
        "rubric", verifiers={"answer": "exact", "steps": make_verifier("prm", scorer=MarksBad())}, outcome="answer"
    )
    wrong = verify_text(rubric, "42", "Fine.\n\nFine.\n\n<answer>43</answer>")
    right = verify_text(rubric, "42", "A bad step.\n\n<answer>42</answer>")
    assert wrong.score == 0.0 and right.score == pytest.approx(1.2) and len(right.steps) == 2
