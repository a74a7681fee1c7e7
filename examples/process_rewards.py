"""Train a process reward model without labels of steps, and measure it: about a minute on one CPU core.

    python examples/process_rewards.py [DIRECTORY]

A small policy learns arithmetic from careful, hasty and guessing demonstrators. Its solutions are labelled by their
outcome alone: from the end of each step eight continuations say how often it ends right. A labelling head on the
policy's own trunk is fitted to those shares, and scores the steps of held-out problems. docs/judges-and-prms.md
explains the parts.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from assay import make
from assay.agents.chat import ChatAgent
from assay.agents.checkpoint import read_model, read_tokenizer
from assay.agents.engines.base import SamplingParams
from assay.agents.engines.hf import HFEngine
from assay.agents.reward_model import RewardModelScorer
from assay.audits.calibration import Calibration
from assay.audits.step_scores import calibrate_steps
from assay.rollouts.request import EpisodeRequest
from assay.rollouts.runner import run_episodes
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train
from assay.trainers.prm import LabelledSolution, PRMConfig, StepLabeller, train_prm

TERMS = 3
POLICY = TrainConfig.model_validate(
    {
        "env": {"id": "assay/Arithmetic-v0", "options": {"terms": TERMS}},
        "model": {
            "vocabulary": "0123456789+-*=;#",
            "hidden": 64,
            "layers": 2,
            "heads": 2,
            "feed_forward": 192,
            "max_positions": 64,
        },
        "steps": 0,
        "warmstart": {
            "steps": 400,
            "batch": 64,
            "learning_rate": 4e-3,
            "demonstrations": 8000,
            "styles": {"careful": 0.35, "hasty": 0.35, "guess": 0.3},
        },
        "rollout": {"max_tokens": 24},
        "eval": {"tasks": 16, "samples": 2, "ks": [1]},
    }
)


def label(policy: Path, split: str, problems: int, each: int) -> list[LabelledSolution]:
    """Let the policy solve problems, and label every step by eight continuations."""

    def env():
        return make("assay/Arithmetic-v0", terms=TERMS, split=split)

    agent = ChatAgent(HFEngine(read_model(policy)), read_tokenizer(policy), sampling=SamplingParams(max_tokens=24))
    tasks = env().unwrapped.tasks
    requests = [
        EpisodeRequest(f"{split}-{n}-{k}", f"{split}-{n}", tasks[n], seed=0)
        for n in range(problems)
        for k in range(each)
    ]
    by_id = {request.id: request.task for request in requests}
    solved = [(by_id[episode.id], episode) for episode in run_episodes(env, agent, requests)]
    labeller = StepLabeller(env, agent, splitter="tag:;", rollouts=8)
    labelled = asyncio.run(labeller.label(solved))
    labeller.close()
    return labelled


def main(directory: Path) -> Calibration:
    """Train policy and process reward model in `directory`, and measure the latter on held-out problems."""
    policy = train(POLICY, directory / "policy").run_dir / "model"
    solutions = label(policy, "train", problems=500, each=2)
    settings = PRMConfig(epochs=8, batch=32, learning_rate=1e-3, separator=";")
    result = train_prm(policy, solutions, directory / "prm", settings)
    print(f"{len(solutions)} solutions, loss {result.losses[0]:.2f} -> {sum(result.losses[-10:]) / 10:.2f}")
    scorer = RewardModelScorer(directory / "prm", "trl", format_options={"separator": ";"})
    held_out = label(policy, "eval", problems=150, each=1)
    for solution in held_out[:4]:
        scores = scorer.score_steps(solution.problem, solution.steps)
        steps = zip(solution.steps, scores, solution.values, strict=True)
        print(solution.problem, "  ".join(f"{step} {score:.2f} ({value:.2f})" for step, score, value in steps))
    found = calibrate_steps(
        [scorer.score_steps(solution.problem, solution.steps) for solution in held_out],
        [[value > 0.5 for value in solution.values] for solution in held_out],
        problems=[solution.task_id for solution in held_out],
    )
    low, high = found.auroc_interval
    print(f"held-out steps: {found.n}, AUROC {found.auroc:.3f} [{low:.3f}, {high:.3f}], ECE {found.ece:.3f}")
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
