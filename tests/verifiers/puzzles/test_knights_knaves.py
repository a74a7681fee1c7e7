"""The rule; what the environment does with it is in tests/envs/puzzles."""

import pytest

from assay.verifiers import make_verifier, verify_text
from assay.verifiers.puzzles.knights_knaves import read_claims, solutions, write

VERIFIER = make_verifier("knights_knaves")
TWO = [["knight", 1], ["knight", 0]]


def test_every_consistent_world_is_a_solution_whatever_the_target_says():
    worlds = [write(world) for world in solutions(read_claims(TWO))]
    assert worlds == ["KK", "NN"]
    for answer in ("KK", "NN", "KN", "NK"):
        verdict = verify_text(VERIFIER, "KK", f"#{answer}", metadata={"claims": TWO})
        assert verdict.correct is (answer in worlds)
    assert verify_text(VERIFIER, "KK", "#NN").correct is False, "without claims the target alone counts"
    assert verify_text(VERIFIER, "KK", "#KKK", metadata={"claims": TWO}).correct is False


@pytest.mark.parametrize(
    "claims",
    [[], "x", [["knight"]], [["knight", 1]], [["same", 0]], [["liar", 0]], [[None, 0]], [["knight", True]], [0]],
)
def test_claims_that_cannot_be_read_are_no_verdict(claims):
    assert verify_text(VERIFIER, "K", "#K", metadata={"claims": claims}).score is None
