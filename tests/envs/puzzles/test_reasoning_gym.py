import numpy as np
import pytest

import assay
from assay.core.errors import ConfigError, UnknownNameError
from assay.envs.check import check_environment
from assay.envs.puzzles.reasoning_gym import audited, read_answer, same_answer
from assay.envs.sources.reasoning_gym import ReasoningGymGenerator, dataset_names

reasoning_gym = pytest.importorskip("reasoning_gym", reason="needs the extra reasoning-gym")


def make(dataset, **options):
    return assay.make("assay/ReasoningGym-v0", dataset=dataset, **options).unwrapped


def score(env, task, text):
    env.reset(options={"task": task})
    return env.step(text)[4]["verdict"].score


@pytest.mark.parametrize("dataset", ["chain_sum", "gcd", "caesar_cipher", "basic_arithmetic"])
def test_the_environment_keeps_its_promises(dataset):
    report = check_environment("assay/ReasoningGym-v0", dataset=dataset, episodes=10)
    assert report.ok, str(report)


def test_wrong_answers_earn_nothing_where_the_library_pays():
    env = make("gcd")
    task = next(t for t in env.tasks if t.target == "7")
    gold = int(task.target)
    library = reasoning_gym.create_dataset("gcd", size=1, seed=1)
    entry = task.metadata["item"]
    for text in (f"-{gold}", f"The answer is {gold}", "1 2 3 4 5 6 7 8 9"):
        assert score(env, task, text) == 0.0
    assert library.score_answer(f"The answer is {gold}", entry) > 0.0
    upstream = make("gcd", scorer="upstream")
    assert score(upstream, task, f"The answer is {gold}") == 0.0
    assert score(upstream, task, str(gold)) == 1.0


def test_neighbouring_seeds_share_nothing():
    tasks = make("chain_sum", config={"min_terms": 5, "max_terms": 6}).tasks.head(150)
    held_out = make("chain_sum", config={"min_terms": 5, "max_terms": 6}, split="eval").tasks.head(20)
    questions = [t.prompt for t in tasks] + [t.prompt for t in held_out]
    assert len(set(questions)) == len(questions)


def test_an_item_depends_on_its_generator_alone():
    generate = ReasoningGymGenerator("sudoku")
    np.random.seed(1)
    first = generate(np.random.default_rng(5))
    np.random.seed(2)
    assert generate(np.random.default_rng(5)) == first


def test_upstream_accepts_other_right_answers():
    env = make("sokoban", scorer="upstream", unaudited=True)  # it pays for moves with other words among them
    task = env.tasks[0]
    assert score(env, task, task.target) == 1.0
    assert score(env, task, task.target[:-1]) == 0.0
    assert score(env, task, "") == 0.0


def test_datasets_without_one_gold_need_the_upstream_scorer():
    with pytest.raises(ConfigError, match="upstream"):
        make("graph_color")
    env = make("graph_color", scorer="upstream")
    assert env.demonstration(env.tasks[0]) is None and score(env, env.tasks[0], "nonsense") == 0.0


@pytest.mark.parametrize(
    ("dataset", "why"), [("n_queens", "as code"), ("puzzle24", "as code"), ("game_of_life_halting", "nonsense")]
)
def test_scorers_that_cannot_be_trusted_are_refused(dataset, why):
    with pytest.raises(ConfigError, match=why):
        make(dataset, scorer="upstream")
    assert make(dataset).verifier.name == "reasoning_gym_exact"


def test_the_audited_datasets_exist_and_their_scorers_run_no_text_of_the_agent():
    assert set(audited()) <= set(dataset_names()) and len(audited()) > 50
    assert all(scorers and scorers <= {"exact", "upstream"} for scorers in audited().values())
    for dataset in ("n_queens", "puzzle24", "game_of_life_halting"):
        assert "upstream" not in audited().get(dataset, ())


def test_what_did_not_pass_the_audit_must_be_asked_for(monkeypatch):
    monkeypatch.setattr("assay.envs.puzzles.reasoning_gym.audited", lambda: {"gcd": frozenset({"exact"})})
    assert make("gcd").tasks[0].target
    for options in ({"dataset": "gcd", "scorer": "upstream"}, {"dataset": "chain_sum"}):
        with pytest.raises(ConfigError, match="unaudited=True"):
            make(**options)
        assert make(**options, unaudited=True).tasks[0].target


def test_an_answer_that_the_scorer_cannot_read_is_a_zero_not_a_way_out():
    env = make("prime_factorization", scorer="upstream")
    env.reset(options={"task": env.tasks[0]})
    verdict = env.step("a b c")[4]["verdict"]
    assert verdict.score == 0.0 and verdict.status == "unparsable"
    assert score(env, env.tasks[0], env.tasks[0].target) == 1.0


def test_user_errors_are_named():
    with pytest.raises(UnknownNameError, match="chain_sum"):
        make("chain_sun")
    with pytest.raises(ConfigError, match="min_term"):
        make("chain_sum", config={"min_term": 3})
    with pytest.raises(ConfigError, match="must be positive"):
        make("chain_sum", config={"min_terms": -3})
    with pytest.raises(ConfigError, match="'seed'"):
        make("chain_sum", config={"seed": 3})
    with pytest.raises(ConfigError, match="scorer"):
        make("chain_sum", scorer="lenient")
    assert "chain_sum" in dataset_names()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("7", "7"),
        (" 7\n", "7"),
        ("so <answer>6</answer> no <answer> 7 </answer>.", "7"),
        ("<answer>7", "<answer>7"),
        ("<answer>7</answer> <answer>", "<answer>7</answer> <answer>"),
        ("", ""),
    ],
)
def test_reading_answers(text, answer):
    assert read_answer(text) == answer


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("7", "7.0", True),
        ("1/2", "0.5", True),
        ("a  b", "a b", True),
        ("7", "-7", False),
        ("7", "77", False),
        ("A", "a", False),
        ("1/0", "1", False),
        ("1e3", "1000", False),
    ],
)
def test_same_answer(a, b, same):
    assert same_answer(a, b) is same
