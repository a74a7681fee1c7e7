"""Cascade, ensemble, and verifier-dominant combination."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.verifiers import Evidence, make_verifier, run_verifier, run_verifier_group, verify_text
from assay.verifiers.cascade import Cascade
from assay.verifiers.dominant import VerifierDominant, dominant_score
from assay.verifiers.ensemble import Ensemble, aggregate
from tests.verifiers.stubs import Equals, Raises, Says

TASK = Task(id="t", prompt="?", target="42")
ANY = Evidence(text="42")


def test_cascade_stops_at_the_first_verdict():
    dear = Says(1.0)
    cascade = Cascade({"rule": Equals(), "judge": dear})
    verdicts = run_verifier_group(cascade, TASK, [Evidence(text=t) for t in ("42", "43", "pass")])
    assert [v.score for v in verdicts] == [1.0, 0.0, 1.0]
    assert [v.stage for v in verdicts] == ["rule", "rule", "judge"] and dear.calls == 1
    assert verdicts[2].details["stages"]["rule"]["status"] == "abstained"
    assert verdicts[0].verifier == "cascade@1"


def test_cascade_passes_faults_on_and_ends_without_a_verdict():
    assert run_verifier(Cascade({"a": Raises(), "b": Says(1.0)}), TASK, ANY).stage == "b"
    verdict = run_verifier(Cascade({"a": Raises(), "b": Says(None, status="timeout")}), TASK, ANY)
    assert verdict.score is None and verdict.status == "timeout" and "a: RuntimeError" in verdict.reason


def test_wrong_is_escalated_only_on_request_and_never_for_numbers():
    judge = Says(1.0)
    cascade = Cascade({"rule": {"name": "exact"}, "judge": judge}, escalate_wrong=True)
    # arXiv 2505.22203: gold 5, answer 6: the model is not asked; gold x>2 against an interval: it is.
    assert verify_text(cascade, "5", "6").score == 0.0 and judge.calls == 0
    assert verify_text(cascade, "x>2", "(2,\\infty)").score == 1.0 and judge.calls == 1
    assert verify_text(cascade, "x>2", "").score == 0.0 and judge.calls == 1
    assert verify_text(Cascade({"rule": "exact", "judge": judge}), "x>2", "(2,\\infty)").score == 0.0
    silent = Cascade({"rule": "exact", "judge": Says(None)}, escalate_wrong=True)
    assert verify_text(silent, "x>2", "(2,\\infty)").correct is False, "the rule's verdict stands"


def test_cascade_gold_is_readable_when_one_member_reads_it():
    cascade = Cascade({"number": "number", "exact": "exact"})
    assert cascade.check_target(Task(id="x", prompt="", target="ten")) is None
    assert cascade.check_target(Task(id="x", prompt="", target="")) is not None
    assert verify_text(cascade, "ten", "ten").stage == "exact"


def test_aggregates_of_the_papers():
    scores = [1, 2, 6]
    assert aggregate(scores) == 3 and aggregate(scores, "worst") == 1 and aggregate(scores, "median") == 2
    assert aggregate(scores, "mean_minus_var", lam=0.1) == pytest.approx(2.5333, abs=1e-4)
    assert aggregate(scores, "mean_minus_var", lam=0.1, ddof=1) == pytest.approx(2.3)
    assert aggregate(scores, "mean_minus_var", lam=0.5) == pytest.approx(0.6667, abs=1e-4)
    assert aggregate(scores, "mean_minus_std") == pytest.approx(0.8398, abs=1e-4)


def ensemble(*scores, **options):
    return run_verifier(Ensemble({str(i): Says(s) for i, s in enumerate(scores)}, **options), TASK, ANY)


def test_ensemble():
    verdict = ensemble(1.0, 1.0, 0.25)
    assert verdict.score == pytest.approx(0.75) and verdict.correct is True
    assert verdict.parts == {"0": 1.0, "1": 1.0, "2": 0.25}
    assert ensemble(1.0, 1.0, 0.0, method="worst").correct is False
    assert ensemble(1.0, 0.0).correct is False, "a tie is not a majority"
    assert ensemble(1.0, 0.0, disagreement="abstain").status == "abstained"
    assert ensemble(1.0, 1.0, disagreement="abstain").score == 1.0
    assert ensemble(1.0, None).score is None
    assert ensemble(1.0, None, minimum=1).score == 1.0


def test_ensemble_options_are_checked():
    for bad in ({"method": "max"}, {"ddof": 2}, {"lam": -1}, {"minimum": 0}, {"minimum": 3}, {"disagreement": "x"}):
        with pytest.raises(ConfigError):
            Ensemble({"a": Says(1.0), "b": Says(1.0)}, **bad)
    with pytest.raises(ConfigError):
        Ensemble({"a": Says(1.0)}, ddof=1)


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=6),
    st.sampled_from(["mean", "median", "worst", "mean_minus_std", "mean_minus_var"]),
    st.floats(0, 10),
    st.sampled_from([0, 1]),
)
def test_ensemble_stays_in_its_declared_range(scores, method, lam, ddof):
    assert ensemble(*scores, method=method, lam=lam, ddof=ddof).scored


def test_verifier_dominant_formula():
    # Qwen2.5-Math, arXiv 2409.12122, alpha = 0.5.
    values = [dominant_score(m, bool(v)) for m, v in ((2, 1), (-2, 1), (2, 0), (-2, 0))]
    assert values == pytest.approx([0.7311, 0.2689, -0.2689, -0.7311], abs=1e-4)
    assert dominant_score(-1e9, True) == 0.0 and dominant_score(1e9, False) == 0.0


def test_verifier_dominant_needs_both():
    model = Says(2.0, low=-5, high=5)
    verdict = run_verifier(VerifierDominant(Equals(), model), TASK, Evidence(text="43"))
    assert verdict.score == pytest.approx(-0.2689, abs=1e-4) and verdict.correct is False
    assert verdict.parts == {"rule": 0.0, "model": 2.0}
    assert run_verifier(VerifierDominant(Equals(), Says(None)), TASK, ANY).score is None
    assert run_verifier(VerifierDominant(Says(None), model), TASK, ANY).score is None
    with pytest.raises(ConfigError):
        VerifierDominant(Equals(), model, alpha=0)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_no_model_score_turns_wrong_into_better_than_right(right, wrong):
    assert dominant_score(wrong, False) <= 0.0 <= dominant_score(right, True)


def test_composed_of_composed():
    inner = {"name": "cascade", "verifiers": {"number": "number", "exact": "exact"}}
    outer = make_verifier("ensemble", verifiers={"a": inner, "b": "exact"}, disagreement="abstain")
    assert verify_text(outer, "1/2", "0.5").status == "abstained"
    assert verify_text(outer, "1/2", "1/2").correct
