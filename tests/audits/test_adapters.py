import math

import pytest

from assay.audits.adapters import FunctionVerifier, MathVerifyPeer, detect_style, resolve, to_verdict
from assay.core.errors import ConfigError, UnknownNameError
from assay.verifiers import verify_text
from tests.audits import fixtures


def judged(grader, target="5", response="5", **options):
    return verify_text(FunctionVerifier(grader, **options), target, response, problem="2+3?")


def test_plain_functions_by_name_and_by_position():
    assert judged(lambda completion, answer: completion == answer).correct
    assert judged(lambda answer, completion: (answer, completion) == ("5", "6"), response="6").correct
    assert judged(lambda a, b: (a, b) == ("6", "5"), response="6").correct  # (completion, answer)
    assert judged(lambda prompt, response, ground_truth: prompt == "2+3?" and response == ground_truth).correct


def test_styles_of_other_libraries():
    def trl(completions, solution, **kwargs):
        return [1.0 if c[0]["content"] == s else 0.0 for c, s in zip(completions, solution, strict=True)]

    def verl(data_source, solution_str, ground_truth, extra_info=None):
        return {"score": 1.0 if solution_str == ground_truth else -1.0, "acc": True}

    def lm_eval(doc, results):
        return {"exact_match": int(results[0] == doc["answer"])}

    class Result:
        score = 1.0

    def prime(completion, answer, parser, state, **kwargs):
        return float(parser.parse_answer(completion) == answer == state["answer"])

    def open_instruct(tokenized_prediction, prediction, label, query=None):
        return Result()

    styles = {"trl": trl, "prime": prime, "verl": verl, "lm-eval": lm_eval, "open-instruct": open_instruct}
    for style, grader in styles.items():
        assert detect_style(grader) == style
        assert judged(grader).correct is True
    assert judged(verl, response="6").score == -1.0


async def coroutine_grader(completion, answer):
    return completion == answer


def test_coroutines_are_run():
    assert judged(coroutine_grader).correct


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1.0", object(), [], {"text": 1}])
def test_what_is_no_score_is_no_verdict(value):
    assert to_verdict(value).score is None


def test_none_abstains_and_bools_count():
    assert to_verdict(None).status == "abstained"
    assert to_verdict(True).correct is True
    assert to_verdict(False).score == 0.0
    assert to_verdict([0.4]).correct is False


def test_scores_outside_the_declared_range_are_no_verdict():
    assert judged(lambda completion, answer: 7.0).score is None
    assert judged(lambda completion, answer: 7.0, score_range=(0, 10)).score == 7.0


def test_resolve_by_path_object_and_class():
    for spec in ("tests.audits.fixtures:Exact", fixtures.Exact, fixtures.Exact(), "tests.audits.fixtures:exact"):
        verifier = resolve(spec).build()
        assert verify_text(verifier, "5", "5").correct
        assert not verify_text(verifier, "5", "6").correct


def test_resolve_errors():
    with pytest.raises(UnknownNameError, match="unknown verifier 'nonsense'"):
        resolve("nonsense").build()
    with pytest.raises(ConfigError, match="cannot load"):
        resolve("tests.audits.fixtures:missing").build()
    with pytest.raises(ConfigError, match="takes no options"):
        resolve(fixtures.Exact(), {"a": 1}).build()
    with pytest.raises(ConfigError, match="neither a verifier nor a function"):
        resolve("math:pi").build()
    with pytest.raises(ConfigError, match="unknown style"):
        FunctionVerifier(fixtures.exact, style="other")


def test_math_verify_as_a_peer():
    peer = MathVerifyPeer()
    assert verify_text(peer, r"\frac{1}{2}", "0.5").correct
    assert not verify_text(peer, "3", "4").correct
    assert resolve("math-verify").build().name == "math-verify"
