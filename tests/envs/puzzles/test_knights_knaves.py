import pytest

import assay
from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.envs.check import check_environment
from assay.verifiers.base import Evidence, run_verifier
from assay.verifiers.puzzles.knights_knaves import Claim, KnightsKnavesVerifier, solutions, write
from tests.envs.agents import forever, prompt_of, rate


def make(**options):
    return assay.make("assay/KnightsKnaves-v0", **options).unwrapped


@pytest.mark.parametrize("options", [{}, {"people": 5, "instructions": True}], ids=str)
def test_every_promise_is_kept_that_can_be_checked(options):
    report = check_environment("assay/KnightsKnaves-v0", episodes=10, **options)
    assert report.ok, str(report)


def test_a_puzzle_solved_by_hand():
    """A says that B lies, B that both are alike: were A a knave, B would be a knight, yet unlike A."""
    claims = [Claim("knave", (1,)), Claim("same", (0, 1))]
    assert [write(world) for world in solutions(claims)] == ["KN"]
    assert solutions([Claim("knave", (0,)), Claim("knight", (0,))]) == []  # nobody can call himself a knave
    assert len(solutions([Claim("knight", (1,)), Claim("knight", (0,))])) == 2


def test_the_oracle_solves_all_silence_nothing_and_guesses_their_share():
    env = make()
    tasks = env.tasks.head(1000)
    assert rate(env, lambda task, rng: env.demonstration(task), tasks) == 1.0
    assert rate(env, forever(""), tasks) == rate(env, lambda task, rng: [prompt_of(task)], tasks) == 0.0
    assert rate(env, forever("#KKN or KNK or NKK"), tasks) == 0.0
    assert rate(env, lambda task, rng: env.demonstrate(task, "guess", rng), tasks) == pytest.approx(1 / 8, abs=0.04)
    common = max(rate(env, forever(f"#{letters}"), tasks) for letters in {task.target for task in tasks})
    assert common < 0.25  # no answer is right most of the time


@pytest.mark.parametrize(
    ("text", "score", "status"),
    [
        ("#KNK", 1, "ok"),
        ("A lies, so #K, n, k.", 1, "ok"),
        ("KNK", 1, "ok"),
        ("#KNK #KNN", 0, "ok"),
        ("#KNKK", 0, "ok"),
        ("#KNK or KNN", 0, "unparsable"),
        ("#", 0, "unparsable"),
        ("", 0, "no_answer"),
    ],
)
def test_verdicts(text, score, status):
    verdict = run_verifier(KnightsKnavesVerifier(), Task("t", "?", target="KNK"), Evidence(text))
    assert (verdict.score, verdict.status) == (score, status), verdict


def test_bad_options():
    with pytest.raises(ConfigError, match="people"):
        make(people=1)
