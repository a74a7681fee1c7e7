"""Fit a process reward model: two labels at the separator after every step, cross-entropy against the step labels.

Invariants: a solution is written down by the format that will read it (`verifiers.process.formats`), so training and
scoring see the same tokens; every labelled step of a batch counts the same, however solutions are padded; the result is
a function of data, model and seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from assay.agents.checkpoint import pick_device, read_tokenizer
from assay.core.errors import ConfigError
from assay.core.seeding import derive_seed
from assay.trainers.prm.config import PRMConfig
from assay.trainers.prm.labels import LabelledSolution
from assay.trainers.warmstart import rate
from assay.verifiers.process.formats import FORMATS, Rendered


@dataclass(frozen=True, slots=True)
class PRMResult:
    """What training did."""

    path: Path
    losses: tuple[float, ...]
    """Mean cross-entropy of each optimiser step, in nats."""


def train_prm(
    trunk: str | Path,
    solutions: Sequence[LabelledSolution],
    directory: str | Path,
    config: PRMConfig | None = None,
    *,
    device: str = "auto",
) -> PRMResult:
    """Train on labelled solutions and write the model, in TRL's format, with its tokenizer.

    Args:
        trunk: checkpoint directory to start from, best the policy that made the solutions; the head starts at random.
        solutions: what to learn from.
        directory: where the model goes.
        config: settings.
        device: `auto` takes a GPU when there is one.

    Raises:
        ConfigError: no solutions, or one that is longer than the model's context.
    """
    config = config or PRMConfig()
    if not solutions:
        raise ConfigError("no labelled solutions to train on")
    tokenizer: Any = read_tokenizer(trunk, chat=False)
    torch.manual_seed(derive_seed(config.seed, "prm"))
    model = _read_labeller(trunk).to(pick_device(device))
    form = FORMATS.make("trl", separator=config.separator)
    rows = [form.render(tokenizer, solution.problem, solution.steps) for solution in solutions]
    targets = [solution.labels(config.target) for solution in solutions]
    _check_lengths(rows, model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    batches = _batches(len(rows), config)
    losses = []
    for step, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * rate(step, len(batches))
        loss = _loss(model, [rows[i] for i in batch], [targets[i] for i in batch])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
        if math.isfinite(float(norm)):
            optimizer.step()
        losses.append(float(loss.detach()))
    model.eval().save_pretrained(directory, safe_serialization=True)
    tokenizer.save_pretrained(directory)
    return PRMResult(Path(directory), tuple(losses))


def _loss(model: Any, rows: Sequence[Rendered], targets: Sequence[Sequence[float]]) -> torch.Tensor:
    """Return the mean cross-entropy over all slots of a batch, against soft labels."""
    width = max(len(row.token_ids) for row in rows)
    # Padding on the right needs no mask: under causal attention no slot sees it.
    ids = torch.tensor([[*row.token_ids, *(0,) * (width - len(row.token_ids))] for row in rows], device=model.device)
    at = torch.tensor([n * width + slot for n, row in enumerate(rows) for slot in row.slots], device=model.device)
    good = torch.tensor([value for values in targets for value in values], device=model.device)
    logits = model(input_ids=ids).logits.flatten(0, 1)[at].float()
    return F.cross_entropy(logits, torch.stack([1 - good, good], -1))


def _batches(count: int, config: PRMConfig) -> list[list[int]]:
    batches = []
    for epoch in range(config.epochs):
        order: list[int] = np.random.default_rng(derive_seed("prm", config.seed, epoch)).permutation(count).tolist()
        batches += [order[start : start + config.batch] for start in range(0, count, config.batch)]
    return batches


def _check_lengths(rows: Sequence[Rendered], model: Any) -> None:
    longest, room = max(len(row.token_ids) for row in rows), model.config.get_text_config().max_position_embeddings
    if longest > room:
        raise ConfigError(f"a solution takes {longest} tokens, the model {room}; leave it out")


def _read_labeller(path: str | Path) -> Any:
    from transformers import AutoModelForTokenClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # it would report that the head is new
    try:
        model = AutoModelForTokenClassification.from_pretrained(
            path, num_labels=2, dtype=torch.float32, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"model {path}: cannot be loaded: {str(error).strip().splitlines()[0]}") from error
    finally:
        logging.set_verbosity(verbosity)
    return model.train()
