import pytest

from assay.core.errors import ConfigError
from assay.verifiers import make_verifier, verify_text

pytest.importorskip("sacrebleu", reason="needs sacrebleu: pip install 'assay-rl[text]'")

REFERENCE = "The quick brown fox jumps over the lazy dog."


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_overlap(name):
    verifier = make_verifier(name, threshold=0.5)
    same = verify_text(verifier, REFERENCE, REFERENCE)
    near = verify_text(verifier, REFERENCE, "The quick brown fox leaps over a lazy dog.")
    far = verify_text(verifier, REFERENCE, "Colourless green ideas sleep furiously")
    assert same.score == pytest.approx(1.0, abs=1e-6) and same.correct is True
    assert 1.0 > near.score > far.score >= 0.0 and far.correct is False
    assert verify_text(verifier, ["Hello there.", REFERENCE], REFERENCE).score == pytest.approx(same.score, abs=1e-6)
    assert verify_text(verifier, "", "").score is None
    assert verify_text(verifier, REFERENCE, "").status == "no_answer"
    assert verify_text(make_verifier(name), REFERENCE, REFERENCE).correct is None


def test_agrees_with_sacrebleu():
    import sacrebleu

    hypothesis = "The quick brown fox leaps over a lazy dog"
    expected = sacrebleu.sentence_bleu(hypothesis, [REFERENCE]).score / 100
    assert verify_text(make_verifier("bleu"), REFERENCE, hypothesis).score == pytest.approx(expected)


def test_options():
    with pytest.raises(ConfigError):
        make_verifier("bleu", threshold=2)
    with pytest.raises(ConfigError, match="bleu"):
        make_verifier("bleu", tokenize="klingon")
