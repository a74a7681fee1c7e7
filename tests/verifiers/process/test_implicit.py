import math
from pathlib import Path

import pytest

from assay.core.errors import ConfigError, EngineFault
from assay.verifiers import make_verifier, verify_text
from assay.verifiers.process.implicit import implicit_step_rewards, prefix_probabilities
from tests.agents.engines.conformance import tiny_model, torch
from tests.agents.tokenizers import CHATML, make_tokenizer

TOKENIZER = make_tokenizer(CHATML)


def test_the_example_of_the_paper():
    assert implicit_step_rewards([2, -1], [1, 2], beta=0.05) == pytest.approx([0.1, -0.05])
    assert implicit_step_rewards([0.5, 0.5], [1, 2], beta=0.05) == pytest.approx([0.025, 0.025])
    rewards = implicit_step_rewards([2, -1], [1, 2], beta=0.05)
    assert prefix_probabilities(rewards) == pytest.approx([1 / (1 + math.exp(-0.1)), 1 / (1 + math.exp(-0.05))])


def test_steps_of_many_tokens_or_none():
    assert implicit_step_rewards([1, 2, 3, 4], [2, 2, 3], beta=1.0) == [3, 0, 3]
    assert implicit_step_rewards([], []) == [] == prefix_probabilities([])
    assert prefix_probabilities([1e6, -2e6]) == [1.0, 0.0] or prefix_probabilities([1e6])[0] == 1.0
    for ends in ([2, 1], [5], [-1]):
        with pytest.raises(ValueError, match="do not fit"):
            implicit_step_rewards([1, 2, 3, 4], ends)


@pytest.fixture
def models(tmp_path: Path):
    made = []
    for seed, name in enumerate(("policy", "reference")):
        model = tiny_model(seed, vocab_size=len(TOKENIZER), max_position_embeddings=256)
        model.save_pretrained(tmp_path / name)
        TOKENIZER.save_pretrained(tmp_path / name)
        made.append(model)
    return tmp_path, made


STEPS = ["3*4=12;", "12+2=14;", "#14"]


def test_step_rewards_are_log_ratios_of_two_forward_passes(models):
    from assay.agents.implicit_prm import ImplicitScorer

    directory, (policy, reference) = models
    scorer = ImplicitScorer(directory / "policy", directory / "reference", beta=0.05, device="cpu")
    messages = [{"role": "user", "content": "3*4+2="}, {"role": "assistant", "content": "".join(STEPS)}]
    opening = TOKENIZER.apply_chat_template(messages[:1], add_generation_prompt=True, return_dict=False)
    ids = [*opening, *TOKENIZER.encode("".join(STEPS), add_special_tokens=False)]
    with torch.no_grad():
        ratios = [
            model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1).gather(-1, torch.tensor(ids[1:])[:, None])[:, 0]
            for model in (policy, reference)
        ]
    difference = (ratios[0] - ratios[1])[len(opening) - 1 :]
    lengths = [len(step) for step in STEPS]
    expected = [0.05 * float(part.sum()) for part in difference.split(lengths)]
    assert scorer.step_rewards("3*4+2=", STEPS) == pytest.approx(expected, abs=1e-5)
    verdict = verify_text(
        make_verifier("prm", scorer=scorer, splitter="tag:;", aggregator="last"), None, "".join(STEPS), problem="3*4+2="
    )
    assert verdict.score == pytest.approx(1 / (1 + math.exp(-sum(expected))), abs=1e-5)
    with pytest.raises(EngineFault, match="more than the model's 256"):
        scorer.score_steps("1" * 300, STEPS)


def test_models_with_different_vocabularies_are_refused(models, tmp_path):
    from assay.agents.implicit_prm import ImplicitScorer

    directory, _ = models
    other = make_tokenizer(CHATML, "abc")
    tiny_model(vocab_size=len(other)).save_pretrained(tmp_path / "other")
    other.save_pretrained(tmp_path / "other")
    with pytest.raises(ConfigError, match="different vocabularies"):
        ImplicitScorer(directory / "policy", tmp_path / "other", device="cpu")
