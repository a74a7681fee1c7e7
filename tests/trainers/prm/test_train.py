"""Fitting a labelling head: the loss is what it says, and what comes out can be read and tells steps apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.agents.reward_model import RewardModelScorer
from assay.audits.step_scores import calibrate_steps
from assay.core.errors import ConfigError
from assay.trainers.prm import LabelledSolution, PRMConfig, train_prm
from assay.trainers.prm.train import _loss, _read_labeller
from assay.trainers.tokenizer import character_tokenizer
from assay.verifiers.process.formats import FORMATS
from tests.agents.engines.conformance import tiny_model, torch

TOKENIZER = character_tokenizer("0123456789+-*=;#")
FORMAT = FORMATS.make("trl", separator=";")


@pytest.fixture(scope="module")
def trunk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trunk")
    tiny_model(vocab_size=len(TOKENIZER), max_position_embeddings=32).save_pretrained(path)
    TOKENIZER.save_pretrained(path)
    return path


def made(count: int, seed: int = 0) -> list[LabelledSolution]:
    """A step is good exactly when it holds no 7."""
    draw = torch.Generator().manual_seed(seed)
    solutions = []
    for number in range(count):
        steps = [str(int(torch.randint(10, 99, (), generator=draw))) for _ in range(3)]
        values = tuple(float("7" not in step) for step in steps)
        solutions.append(LabelledSolution(str(number), "1+1=", tuple(steps), values, bool(values[-1])))
    return solutions


def test_the_loss_is_the_cross_entropy_at_the_slots_however_rows_are_padded(trunk: Path) -> None:
    model = _read_labeller(trunk).eval()
    steps = [["1", "22;", "333"], ["4"]]
    targets = [[1.0, 0.25, 0.0], [0.5]]
    rows = [FORMAT.render(TOKENIZER, "1+1=", texts) for texts in steps]
    expected = []
    for row, values in zip(rows, targets, strict=True):
        logprobs = model(input_ids=torch.tensor([row.token_ids])).logits[0].log_softmax(-1)
        for slot, value in zip(row.slots, values, strict=True):
            expected.append(-(value * logprobs[slot, 1] + (1 - value) * logprobs[slot, 0]))
    assert _loss(model, rows, targets).item() == pytest.approx(sum(expected).item() / 4, abs=1e-6)


def test_it_learns_what_makes_a_step_bad(trunk: Path, tmp_path: Path) -> None:
    settings = PRMConfig(epochs=12, batch=32, learning_rate=3e-3, separator=";")
    result = train_prm(trunk, made(200), tmp_path / "prm", settings, device="cpu")
    assert len(result.losses) == 12 * 7
    scorer = RewardModelScorer(tmp_path / "prm", "trl", format_options={"separator": ";"}, device="cpu")
    held_out = made(60, seed=1)
    found = calibrate_steps(
        [scorer.score_steps(s.problem, s.steps) for s in held_out], [[v > 0.5 for v in s.values] for s in held_out]
    )
    assert found.auroc is not None and found.auroc > 0.9
    assert found.ece is not None and found.ece < 0.15


def test_a_run_repeats_bit_for_bit_with_its_seed(trunk: Path, tmp_path: Path) -> None:
    def losses(seed: int) -> tuple[float, ...]:
        return train_prm(trunk, made(20), tmp_path, PRMConfig(batch=8, separator=";", seed=seed), device="cpu").losses

    assert losses(0) == losses(0) != losses(1)


def test_mistakes_are_explained(trunk: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no labelled solutions"):
        train_prm(trunk, [], tmp_path)
    long = LabelledSolution("t", "1+1=", ("1" * 40,), (1.0,), True)
    with pytest.raises(ConfigError, match="takes 45 tokens, the model 32"):
        train_prm(trunk, [long], tmp_path, PRMConfig(separator=";"), device="cpu")
    with pytest.raises(ConfigError, match="separator"):
        train_prm(trunk, made(1), tmp_path, PRMConfig(separator="@"), device="cpu")
