import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.task import Task
from assay.verifiers import Evidence, make_verifier, run_verifier, verify_text
from assay.verifiers.retrieval.metrics import ndcg, pair_agreement, precision_recall_f1, reciprocal_rank


def test_ndcg():
    assert ndcg(["x", "a", "b"], {"a", "b"}) == pytest.approx(0.6934, abs=1e-4)
    assert ndcg(["a", "b"], ["a", "b"]) == 1.0
    # Counting repeats gives 2.131 and 1.307 here, and an agent that retrieves one page for ever.
    assert ndcg(["a", "a", "a"], {"a"}) == 1.0
    assert ndcg(["a", "a", "b"], {"a", "b"}) == 1.0
    assert ndcg(["b", "a"], {"a": 2.0, "b": 1.0}) < ndcg(["a", "b"], {"a": 2.0, "b": 1.0}) == 1.0
    assert ndcg(["x", "a"], {"a"}, k=1) == 0.0
    assert ndcg([], {"a"}) == ndcg(["a"], []) == 0.0


@given(st.lists(st.sampled_from("abcdefg"), max_size=20), st.sets(st.sampled_from("abcd"), min_size=1))
def test_no_ranking_beats_the_ideal(ranking, relevant):
    assert 0.0 <= ndcg(ranking, relevant) <= 1.0 + 1e-12


def test_other_metrics():
    assert reciprocal_rank(["x", "x", "a"], {"a"}) == 0.5
    assert precision_recall_f1(["a", "x"], ["a", "b"]) == (0.5, 0.5, 0.5)
    assert precision_recall_f1([], ["a"]) == (0.0, 0.0, 0.0)
    assert pair_agreement("abc", "abc") == 1.0 and pair_agreement("cba", "abc") == 0.0
    assert pair_agreement("acb", "abc") == pytest.approx(2 / 3)
    assert pair_agreement("ab", "abc") == pytest.approx(1 / 3)


def retrieved(target, items, **options):
    state = {} if items is None else {"retrieved": items}
    return run_verifier(
        make_verifier("ndcg", **options), Task(id="t", prompt="", target=target), Evidence("", state=state)
    )


def test_ndcg_verifier_reads_the_environments_record():
    assert retrieved(["a", "b"], ["x", "a", "b"]).score == pytest.approx(0.6934, abs=1e-4)
    assert retrieved(["a"], ["a", "a", "a"]).score == 1.0
    assert retrieved(["a", "b"], ["a"]).correct is False
    assert retrieved(["a"], []).status == "no_answer"
    assert retrieved(["a"], None).score is None, "nothing recorded is not nothing retrieved"
    for bad in ([], {}, "a", {"a": 0}, {"a": -1}, {"a": True}, {"a": 1e6}):
        assert retrieved(bad, ["a"]).score is None


def test_citations_do_not_pay_for_everything():
    verifier = make_verifier("citations")
    assert verify_text(verifier, [1, 2], "<answer>[2, 1]</answer>").correct
    assert verify_text(verifier, [1, 2], "2, 1").correct
    everything = verify_text(verifier, [1, 2], "[1,2,3,4,5,6,7,8]")
    assert everything.score == pytest.approx(0.4) and not everything.correct
    assert verify_text(verifier, [1, 2], "[]").status == "unparsable"
    assert verify_text(verifier, [1, 2], "[[1], 2]").scored


def test_ranking():
    verifier = make_verifier("ranking")
    assert verify_text(verifier, ["a", "b", "c"], "a > b > c").correct
    assert verify_text(verifier, ["a", "b", "c"], '["a", "c", "b"]').score == pytest.approx(2 / 3)
    assert not verify_text(verifier, ["a", "b"], "a, b, c").correct


@given(st.text(max_size=60))
def test_any_text(text):
    for name in ("citations", "ranking"):
        assert verify_text(make_verifier(name), ["a", "b"], text).scored
