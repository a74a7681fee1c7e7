from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.verifiers import make_verifier, verify_text

VERIFIER = make_verifier("sudoku")
SOLVED = ["1234", "3412", "2143", "4321"]
NINE = "".join("".join(str((3 * (r % 3) + r // 3 + c) % 9 + 1) for c in range(9)) for r in range(9))
SIX = "".join("".join(str((3 * (r % 2) + r // 2 + c) % 6 + 1) for c in range(6)) for r in range(6))


def judge(puzzle, answer):
    return verify_text(VERIFIER, puzzle, answer)


@pytest.mark.parametrize("solved", ["".join(SOLVED), SIX, NINE])
def test_every_size(solved):
    assert judge("." * len(solved), solved).correct
    assert judge(solved, solved).correct
    assert judge("0" + solved[1:], f"So it is <answer>{solved}</answer>").correct
    wrong = solved[1] + solved[0] + solved[2:]
    assert "twice" in judge("." * len(solved), wrong).reason


def test_every_solution_counts():
    """A puzzle of size 4 whose diagonal is given: both completions are right, though one alone may be known."""
    renamed = ["".join(row.translate(str.maketrans("1234", "".join(names))) for row in SOLVED)
               for names in permutations("1234")]  # fmt: skip
    assert len(set(renamed)) == 24 and all(judge("." * 16, answer).correct for answer in renamed)
    assert sum(bool(judge("1" + "." * 15, answer).correct) for answer in renamed) == 6


def test_givens_are_kept():
    verdict = judge("2" + "." * 15, "".join(SOLVED))
    assert verdict.score == 0.0 and verdict.reason == "row 1, column 1 is given as 2"
    assert judge("." * 36, "".join(SOLVED)).reason.startswith("the grid is 6")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("12|34\n34|12\n--+--\n21|43\n43|21", "ok"),
        ("1 2 3 4\n3 4 1 2\n2 1 4 3\n4 3 2 1\n", "ok"),
        ("1234 3412 2143 432.", "unparsable"),
        ("1234341221434320", "unparsable"),
        ("1234341221434325", "unparsable"),
        ("123434122143432", "unparsable"),
        ("row 1: 1234 3412 2143 4321", "unparsable"),
        ("", "no_answer"),
        ("<answer>1234341221434321</answer><answer>2134341221434321</answer>", "ok"),
    ],
)
def test_answers_are_read_strictly(text, status):
    verdict = judge("." * 16, text)
    assert verdict.status == status
    assert verdict.correct is (status == "ok" and "2134341221434321" not in text)


@pytest.mark.parametrize("target", ["11" + "." * 14, "12", None, 7, "x" * 16, "." * 16 + "5"])
def test_a_puzzle_that_cannot_be_is_no_verdict(target):
    assert judge(target, "".join(SOLVED)).score is None


@given(st.text(alphabet="1234", min_size=16, max_size=16))
def test_right_is_what_an_independent_check_calls_right(cells):
    rows = [cells[i : i + 4] for i in range(0, 16, 4)]
    columns = ["".join(row[i] for row in rows) for i in range(4)]
    boxes = [rows[r][c : c + 2] + rows[r + 1][c : c + 2] for r in (0, 2) for c in (0, 2)]
    assert judge("." * 16, cells).correct is all(len(set(unit)) == 4 for unit in rows + columns + boxes)
