import random
import time

import numpy as np
import pytest

from assay.core.errors import ConfigError, DataError, SchemaError
from assay.core.stats import wilson
from assay.core.trajectory import Step, Trajectory, Turn
from assay.core.verdict import no_verdict, right, wrong
from assay.evals import EvalSummary, summarise


def episode(task, sample, outcome, *, answer=None, reward=None, tokens=3, **fields):
    """One episode; `outcome` None is a verifier that hung."""
    verdict = {
        True: right(extracted=answer),
        False: wrong("different", extracted=answer),
        None: no_verdict("hung", status="timeout"),
    }[outcome]
    score = reward if reward is not None else float(bool(outcome))
    parts = {"outcome": float(bool(outcome)), "judge": None}
    step = Step(Turn("x", (), (1,) * tokens, (-1.0,) * tokens), score, parts)
    fields.setdefault("status", "failed" if outcome is None else "terminated")
    fields.setdefault("error", "hung" if outcome is None else "")
    return Trajectory(f"{task}#{sample:03d}", task, task, "env", 0, (step,), verdict=verdict, **fields)


def table(**tasks):
    """`a="10?"` is task a with a right, a wrong and an unscored sample."""
    outcomes = {"1": True, "0": False, "?": None}
    return [episode(task, i, outcomes[c]) for task, row in tasks.items() for i, c in enumerate(row)]


def test_pass_at_k_and_pass_hat_k_against_hand_computed_values():
    summary = summarise(table(a="11000", b="10000", c="00000"), ks=(2, 5))
    assert list(summary.pass_at) == [1, 2, 5]
    assert summary.pass_at[1].value == pytest.approx((0.4 + 0.2 + 0) / 3)
    assert summary.pass_at[2].value == pytest.approx((0.7 + 0.4 + 0) / 3)
    assert summary.pass_at[5].value == pytest.approx(2 / 3)
    assert summary.pass_all[2].value == pytest.approx((0.1 + 0 + 0) / 3)
    assert summary.pass_at_1 is summary.pass_at[1]
    assert (summary.tasks, summary.episodes, summary.samples_per_task) == (3, 15, 5)
    for estimate in (*summary.pass_at.values(), *summary.pass_all.values()):
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.worst == pytest.approx(estimate.value) == estimate.best


def test_too_few_samples_are_refused_and_the_task_is_named():
    with pytest.raises(ConfigError, match=r"pass@4 needs at least 4 samples of every task; task 'b' has 3"):
        summarise(table(a="1111", b="100"), ks=(4,))
    with pytest.raises(ConfigError, match="at least 1"):
        summarise(table(a="1"), ks=(0,))
    with pytest.raises(DataError, match="no trajectories"):
        summarise([])


def test_unscored_samples_are_counted_and_bounded_and_never_zeros():
    summary = summarise(table(a="1?", b="10", c="??", d="00"), ks=(2,))
    assert (summary.scored, summary.unscored) == (5, 3)
    one = summary.pass_at[1]
    assert one.value == pytest.approx((1 + 0.5 + 0) / 3)  # task c says nothing
    assert one.tasks == 3
    assert one.worst == pytest.approx((0.5 + 0.5 + 0 + 0) / 4)
    assert one.best == pytest.approx((1 + 0.5 + 1 + 0) / 4)
    two = summary.pass_at[2]
    assert (two.value, two.tasks) == (pytest.approx((1 + 0) / 2), 2)  # a has one scored sample: no pass@2
    assert (two.worst, two.best) == (pytest.approx(2 / 4), pytest.approx(3 / 4))
    assert summary.unscored_reasons == {"hung": 3}
    assert summary.verdicts == {"ok": 5, "timeout": 3}


def test_dropping_faults_keeps_the_estimate_unbiased():
    rng = random.Random(0)
    rows = []
    for task in range(1500):
        rate = rng.random() * 0.5
        for i in range(8):
            outcome = None if rng.random() < 0.05 else rng.random() < rate
            rows.append(episode(f"t{task}", i, outcome))
    summary = summarise(rows, resamples=200)
    assert summary.pass_at_1.value == pytest.approx(0.25, abs=0.012)
    assert summary.pass_at_1.worst < 0.245


def test_a_run_without_any_verdict_knows_nothing():
    summary = summarise(table(a="??", b="??"), ks=(2,))
    assert summary.pass_at_1.value is None
    assert (summary.pass_at_1.worst, summary.pass_at_1.best) == (0.0, 1.0)
    assert str(summary.pass_at_1) == "unknown"
    assert summary.reward.value is None
    assert summary.majority is None


def test_where_all_tasks_agree_the_interval_is_not_a_point():
    summary = summarise(table(**{f"t{i}": "1111" for i in range(20)}))
    assert summary.pass_at_1.value == 1.0
    assert (summary.pass_at_1.low, summary.pass_at_1.high) == wilson(20, 20)
    one = summarise(table(a="10"))
    assert one.pass_at_1.low < 0.1
    assert one.pass_at_1.high > 0.9
    assert one.reward.low is None  # one task: no spread to see, and a reward has no range


def test_the_interval_covers_the_truth():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(150):
        rates = rng.beta(0.5, 0.5, size=50)  # truth: 0.5
        outcomes = rng.random((50, 4)) < rates[:, None]
        rows = table(**{f"t{i}": "".join("01"[o] for o in row.astype(int)) for i, row in enumerate(outcomes)})
        estimate = summarise(rows, resamples=300, seed=trial).pass_at_1
        hits += estimate.low <= 0.5 <= estimate.high
    assert 0.88 <= hits / 150 <= 0.99


def votes(*pairs, task="t"):
    outcomes = {"+": True, "-": False, "?": None}
    return [episode(task, i, outcomes[p[0]], answer=p[1:] or None) for i, p in enumerate(pairs)]


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        (["+4", "+4", "-5"], 1.0),
        (["-5", "-5", "+4"], 0.0),
        (["+4", "-5"], 1.0),  # a tie: the answer given first
        (["-5", "+4"], 0.0),
        (["-5", "+4", "+4", "-5"], 0.0),
        (["-", "-", "+4"], 1.0),  # who gave no answer does not vote
        (["-5", "?9", "?9", "+4", "+4"], 1.0),  # nor who has no verdict
    ],
)
def test_majority_vote(pairs, value):
    assert summarise(votes(*pairs)).majority.value == value


def test_majority_without_answers():
    assert summarise(votes("+", "-")).majority is None  # the verifier names no answers
    rows = [*votes("+4", task="a"), *votes("-", "-", task="b")]
    assert summarise(rows).majority.value == 0.5  # b never answered: wrong


def test_majority_bounds():
    bounds = lambda *pairs: (summarise(votes(*pairs)).majority.worst, summarise(votes(*pairs)).majority.best)  # noqa: E731
    assert bounds("+4", "+4", "-5") == (1.0, 1.0)
    assert bounds("+4", "+4", "+4", "?") == (1.0, 1.0)  # one vote cannot turn three
    assert bounds("+4", "+4", "?", "?") == (0.0, 1.0)
    assert bounds("-5", "?") == (0.0, 1.0)
    assert bounds("-5", "-5", "?") == (0.0, 0.0)


def test_rewards_parts_lengths_and_limits():
    rows = [
        episode("a", 0, True, reward=2.0, tokens=10),
        episode("a", 1, False, reward=0.5, tokens=20, status="truncated"),
        episode("b", 0, None, reward=7.0, tokens=30),
        episode("b", 1, False, reward=0.5, tokens=40),
    ]
    summary = summarise(rows)
    assert summary.reward.value == pytest.approx((1.25 + 0.5) / 2)  # the fault's reward is not a reward
    assert summary.parts == {"outcome": pytest.approx(1 / 3)}
    assert (summary.truncated, summary.failed) == (0.25, 1)
    assert (summary.tokens.mean, summary.tokens.max, summary.turns.mean) == (25.0, 40.0, 1.0)


def test_outcomes_are_read_raw_whatever_the_reward_says():
    rows = [episode("a", 0, True, reward=-3.0), episode("a", 1, False, reward=9.0)]
    assert summarise(rows).pass_at_1.value == 0.5


def test_tables_by_tag_and_difficulty():
    rows = []
    for i in range(12):
        tags = ("algebra", "even") if i % 2 == 0 else ("algebra",)
        for s in range(2):
            rows.append(episode(f"t{i:02d}", s, i % 2 == 0, tags=tags, difficulty=float(i // 4)))
    rows.append(episode("x", 0, None))
    summary = summarise(rows)
    assert list(summary.by_tag) == ["algebra", "even"]
    assert summary.by_tag["algebra"].pass_at_1.value == pytest.approx(0.5)
    assert (summary.by_tag["even"].tasks, summary.by_tag["even"].episodes) == (6, 12)
    assert summary.by_tag["even"].pass_at_1.value == 1.0
    assert summary.by_tag["even"].pass_at_1.low < 1.0
    assert list(summary.by_difficulty) == ["0", "1", "2"]
    assert all(s.pass_at_1.value == pytest.approx(0.5) for s in summary.by_difficulty.values())


def test_an_unscored_stratum_is_there():
    rows = [episode("a", 0, None, tags=("hard",)), episode("b", 0, True, tags=("easy",))]
    hard = summarise(rows).by_tag["hard"]
    assert (hard.tasks, hard.unscored, hard.pass_at_1.value, hard.reward) == (1, 1, None, None)
    assert (hard.pass_at_1.worst, hard.pass_at_1.best) == (0.0, 1.0)


def test_a_continuous_difficulty_is_binned():
    rows = [episode(f"t{i:03d}", 0, i < 50, difficulty=i / 100) for i in range(100)]
    strata = summarise(rows).by_difficulty
    assert len(strata) == 5
    assert [s.tasks for s in strata.values()] == [20] * 5
    assert [s.pass_at_1.value for s in strata.values()] == pytest.approx([1, 1, 0.5, 0, 0])


def test_the_order_of_finishing_changes_nothing():
    rows = [*table(a="1001?", b="11100", c="00000"), *votes("+4", "-5", "+4", "-6", "-5", task="d")]
    shuffled = rows[:]
    random.Random(1).shuffle(shuffled)
    assert summarise(rows, ks=(2,)) == summarise(iter(shuffled), ks=(2,))


def test_summaries_survive_a_file(tmp_path):
    summary = summarise([*table(a="10?", b="110"), *votes("+4", "-5", "-5", task="c")], ks=(2,))
    path = tmp_path / "summary.json"
    path.write_text(summary.to_json())
    assert EvalSummary.read(path) == summary
    assert EvalSummary.read(path).pass_at[2].value == summary.pass_at[2].value
    path.write_text(summary.to_json().replace('"schema_version": 1', '"schema_version": 9'))
    with pytest.raises(SchemaError, match="upgrade"):
        EvalSummary.read(path)
    for text in ("[]", "{}", "nonsense"):
        path.write_text(text)
        with pytest.raises(DataError):
            EvalSummary.read(path)
    with pytest.raises(DataError, match="cannot be read"):
        EvalSummary.read(tmp_path / "none.json")


def test_an_estimate_reads_well():
    assert str(summarise(table(a="10", b="11", c="00")).pass_at_1).startswith("0.500 [0.")


def test_it_is_fast_enough_for_a_training_loop():
    rng = random.Random(0)
    rows = [
        episode(f"t{t}", s, rng.random() < 0.5, answer=str(rng.randrange(4)), difficulty=float(t % 5), tags=("a", "b"))
        for t in range(256)
        for s in range(8)
    ]
    summarise(rows, ks=(8,))
    best = min(_seconds(rows) for _ in range(5))
    assert best < 0.1  # 0.025 s on an idle core


def _seconds(rows):
    started = time.thread_time()
    summarise(rows, ks=(1, 2, 4, 8))
    return time.thread_time() - started
