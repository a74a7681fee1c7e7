import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.task import Task
from assay.verifiers import make_verifier, verify_text
from assay.verifiers.text.instruction_checks import CHECKS

LEAST, LESS = "at least", "less than"

CASES = [
    ("keywords:existence", {"keywords": ["cat", "Dog"]}, "A dog, a CAT.", "A dog and a category."),
    ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "A category.", "My Cat!"),
    ("keywords:frequency", {"keyword": "so", "frequency": 2, "relation": LEAST}, "So, so.", "So, soon."),
    ("keywords:letter_frequency", {"letter": "z", "let_frequency": 2, "let_relation": LESS}, "zoo", "Zzz"),
    ("length_constraints:number_words", {"num_words": 3, "relation": LESS}, "don't stop", "one two three"),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": LEAST}, "One. Two!", "One, two!"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb", "a\n***\nb\n***\nc"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"},
        "First.\n\n**Then** more.",
        "Then.\n\nFirst.",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] at [place]", "[name] at []"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye.\nP.S. Hi.", "Bye.\nP.S."),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a\n- b\n- c"),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and **b**", "*a* and ** **"),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Section", "num_sections": 2},
        "Section 1\na\nSection 2\nb",
        "Section 1\nsee Section 2",
    ),
    ("detectable_format:title", {}, "<<My day>>\ntext", "<< >>\ntext"),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', '{"a": NaN}'),
    ("detectable_format:constrained_response", {}, "My answer is no.", "My answer is no. Or maybe."),
    ("combination:two_responses", {}, "a\n******\nb", "a\n******\na"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say hi."}, "Say hi.\nHi.", "Say hi."),
    ("startend:end_checker", {"end_phrase": "The end."}, "So. the end.", "The end. Or not"),
    ("startend:quotation", {}, '"quoted"', '"'),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": LEAST}, "NO WAY", "No WAY"),
    ("change_case:english_capital", {}, "LOUD 1!", "Loud"),
    ("change_case:english_lowercase", {}, "quiet 1!", "Quiet"),
    ("punctuation:no_comma", {}, "no comma", "a, b"),
]


def judge(text, *instructions):
    target = [{"id": name, **arguments} for name, arguments in instructions]
    return verify_text(make_verifier("instructions"), target, text)


@pytest.mark.parametrize(("name", "arguments", "good", "bad"), CASES, ids=[case[0] for case in CASES])
def test_each_instruction(name, arguments, good, bad):
    assert judge(good, (name, arguments)).correct is True
    assert judge(bad, (name, arguments)).correct is False


def test_every_check_has_a_case():
    assert {case[0] for case in CASES} == set(CHECKS)


def test_share_parts_and_reason():
    verdict = judge("no comma", ("punctuation:no_comma", {}), ("change_case:english_capital", {}))
    assert verdict.score == 0.5 and verdict.correct is False
    assert verdict.parts == {"0:punctuation:no_comma": 1.0, "1:change_case:english_capital": 0.0}
    assert verdict.reason == "not followed: change_case:english_capital"


def test_rows_of_ifeval():
    row = {"instruction_id_list": ["punctuation:no_comma", "startend:quotation"], "kwargs": [{"num_words": None}, {}]}
    assert verify_text(make_verifier("instructions"), row, '"all good"').correct


def test_empty_and_unfinished_responses_follow_nothing():
    assert judge("", ("punctuation:no_comma", {})).status == "no_answer"
    assert judge("<think>no end", ("punctuation:no_comma", {})).score == 0.0
    assert judge("<think>a, b</think>fine", ("punctuation:no_comma", {})).correct


@pytest.mark.parametrize(
    "target",
    [None, [], [{"id": "no:such"}], [{"name": "x"}], [{"id": "keywords:existence"}],
     [{"id": "keywords:existence", "x": 1}],
     [{"id": "keywords:frequency", "keyword": "a", "frequency": 1, "relation": "more"}],
     {"instruction_id_list": ["a"], "kwargs": []}],
)  # fmt: skip
def test_instructions_that_cannot_be_checked_are_no_verdict(target):
    verifier = make_verifier("instructions")
    assert verify_text(verifier, target, "text").score is None
    assert verifier.check_target(Task(id="t", prompt="", target=target)) is not None


@given(st.text(max_size=100))
def test_any_text(text):
    assert judge(text, *[(name, arguments) for name, arguments, _, _ in CASES]).scored
