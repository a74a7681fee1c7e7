import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.task import Task
from assay.envs.final_answer import FinalIntegerVerifier, final_text, read_integer
from assay.verifiers.base import verify_text


@pytest.mark.parametrize(
    ("text", "score", "status"),
    [
        ("#7", 1, "ok"),
        ("3+4;7;#7", 1, "ok"),
        ("# 7;\n", 1, "ok"),
        ("#### 07.", 1, "ok"),
        ("#6#7", 1, "ok"),
        ("#7#6", 0, "ok"),
        ("#-7", 0, "ok"),
        ("#7 or 8", 0, "unparsable"),
        ("#7.0", 0, "unparsable"),
        ("#7 8", 0, "unparsable"),
        ("#", 0, "unparsable"),
        ("#٧", 0, "unparsable"),
        ("#" + "7" * 5000, 0, "unparsable"),
        (f"#7{' ' * 100_000}x", 0, "unparsable"),  # in linear time
        ("7", 0, "no_answer"),
        ("", 0, "no_answer"),
    ],
)
def test_only_the_last_answer_counts_and_it_must_stand_alone(text, score, status):
    verdict = verify_text(FinalIntegerVerifier(), 7, text)
    assert (verdict.score, verdict.status) == (score, status)


def test_plain_accepts_a_bare_integer_and_nothing_more():
    plain = FinalIntegerVerifier(plain=True)
    assert verify_text(plain, -7, "-7").correct
    assert verify_text(plain, -7, "\u22127").correct
    assert verify_text(plain, 7, "it is 7").status == "unparsable"
    assert verify_text(plain, 7, " ").status == "no_answer"


@given(st.text())
def test_any_text_gets_a_verdict(text):
    assert verify_text(FinalIntegerVerifier(plain=True), 7, text).score in (0.0, 1.0)


@given(st.integers(-(10**50), 10**50), st.text(alphabet="ab;# \n"))
def test_what_is_written_is_read(value, before):
    assert read_integer(final_text(f"{before}#{value}")) == value


def test_gold_must_be_an_integer():
    check = FinalIntegerVerifier().check_target
    assert check(Task("a", "p", target=3)) is None
    assert check(Task("a", "p", target="3")) is not None
    assert check(Task("a", "p", target=True)) is not None
