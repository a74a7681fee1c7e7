import json
from itertools import permutations, product

import pytest

from assay.verifiers import make_verifier, verify_text

VERIFIER = make_verifier("assignment")
PUZZLE = {
    "categories": {"colour": ["red", "blue", "green"], "pet": ["cat", "dog", "fox"]},
    "clues": [["same", "red", "dog"], ["left_of", "dog", "fox"], ["at", "cat", 3]],
}


def judge(answer, puzzle=PUZZLE):
    return verify_text(VERIFIER, puzzle, answer if isinstance(answer, str) else json.dumps(answer))


def arrangements():
    for colours, pets in product(permutations(PUZZLE["categories"]["colour"]), permutations(["cat", "dog", "fox"])):
        yield {"colour": list(colours), "pet": list(pets)}


def test_every_solution_counts_and_nothing_else():
    right = [a for a in arrangements() if judge(a).correct]
    assert right == [
        {"colour": ["red", "blue", "green"], "pet": ["dog", "fox", "cat"]},
        {"colour": ["red", "green", "blue"], "pet": ["dog", "fox", "cat"]},
    ]


def test_the_clue_that_does_not_hold_is_named():
    verdict = judge({"colour": ["blue", "red", "green"], "pet": ["dog", "fox", "cat"]})
    assert verdict.score == 0.0 and verdict.reason == "a clue does not hold: red same dog"


@pytest.mark.parametrize(
    ("rule", "places"),
    [
        ("same", ()), ("different", "all"), ("left_of", ((1, 2), (1, 3), (2, 3))),
        ("right_of", ((2, 1), (3, 1), (3, 2))), ("directly_left_of", ((1, 2), (2, 3))),
        ("directly_right_of", ((2, 1), (3, 2))), ("next_to", ((1, 2), (2, 1), (2, 3), (3, 2))),
    ],
)  # fmt: skip
def test_rules(rule, places):
    puzzle = {"categories": {"pet": ["cat", "dog", "fox"]}, "clues": [[rule, "cat", "dog"]]}
    for order in permutations(["cat", "dog", "fox"]):
        pair = order.index("cat") + 1, order.index("dog") + 1
        assert judge({"pet": list(order)}, puzzle).correct is (places == "all" or pair in places)


def test_places():
    puzzle = {"categories": {"pet": ["Cat", "Dog"]}, "clues": [["not_at", "cat", 1]]}
    assert judge({"Pet": ["DOG", "cat"]}, puzzle).correct
    assert judge({"pet": ["cat", "dog"]}, puzzle).reason == "a clue does not hold: cat not_at 1"


@pytest.mark.parametrize(
    "answer",
    [
        "red dog", "[]", "{}", {"colour": ["red", "blue", "green"]},
        {"colour": ["red"] * 3, "pet": ["cat", "dog", "fox"]},
        {"colour": ["red", "blue", "green"], "pet": ["cat", "dog"]}, {"colour": "red", "pet": ["cat", "dog", "fox"]},
        {"colour": ["red", "blue", "green"], "pet": ["cat", "dog", "fox"], "drink": []},
        {"colour": ["red", "blue", "green"], "pet": ["cat", "dog", "fox", "fox"]}, "{" * 5000,
    ],
)  # fmt: skip
def test_answers_are_read_strictly(answer):
    verdict = judge(answer)
    assert (verdict.score, verdict.status) == (0.0, "unparsable")


@pytest.mark.parametrize(
    "puzzle",
    [
        None, {}, {"categories": {}}, {"categories": {"a": ["x"], "b": ["y", "z"]}}, {"categories": {"a": ["x", "X"]}},
        {"categories": {"a": ["x"], "b": ["x"]}}, {"categories": {"a": ["x"]}, "clues": [["above", "x", "x"]]},
        {"categories": {"a": ["x"]}, "clues": [["at", "x", 2]]},
        {"categories": {"a": ["x"]}, "clues": [["at", "x", True]]},
        {"categories": {"a": ["x"]}, "clues": [["same", "x", "q"]]},
        {"categories": {"a": ["x"]}, "clues": [["same", "x"]]},
    ],
)  # fmt: skip
def test_puzzles_that_make_no_sense_are_no_verdict(puzzle):
    assert judge({"a": ["x"]}, puzzle).score is None
