"""Every loss and estimator learns a task of one token: groups -> advantages -> samples -> update, again and again."""

import pytest
import torch

from assay.core.trajectory import Group, Step, Trajectory, Turn
from assay.core.verdict import right, wrong
from assay.trainers.advantages import make_advantage
from assay.trainers.algorithm import Algorithm
from assay.trainers.algorithm_config import CriticConfig
from assay.trainers.config import TrainConfig
from assay.trainers.learner import Learner
from assay.trainers.losses import make_loss
from assay.trainers.policy import Policy
from assay.trainers.samples import build_samples
from assay.trainers.update import Updater
from tests.trainers.builders import VOCAB, tiny_model

PROMPTS = [(3, 5), (4, 6), (7, 1)]


def correct(prompt, token):
    return (prompt[0] + token) % 4 == 0


@torch.no_grad()
def rollouts(model, generator, size=16):
    groups = []
    for prompt in PROMPTS:
        logprobs = model(torch.tensor([prompt])).logits[0, -1].log_softmax(-1)
        drawn = torch.multinomial(logprobs.exp(), size, replacement=True, generator=generator).tolist()
        members = []
        for number, token in enumerate(drawn):
            verdict = right() if correct(prompt, token) else wrong()
            turn = Turn(str(token), prompt_ids=prompt, output_ids=(token,), logprobs=(float(logprobs[token]),))
            step = Step(turn, verdict.score, parts={"answer": verdict.score})
            members.append(Trajectory(f"{prompt}-{number}", str(prompt), "t", "e", 0, (step,), verdict=verdict))
        groups.append(Group(str(prompt), tuple(members)))
    return groups


@torch.no_grad()
def success(model):
    """The exact probability of a correct answer, averaged over the prompts."""
    rates = []
    for prompt in PROMPTS:
        p = model(torch.tensor([prompt])).logits[0, -1].softmax(-1)
        rates.append(sum(float(p[t]) for t in range(VOCAB) if correct(prompt, t)))
    return sum(rates) / len(rates)


def train(advantage, loss, normalization="token-mean", steps=15):
    model = tiny_model()
    estimate, generator = advantage, torch.Generator().manual_seed(0)
    updater = Updater(model, torch.optim.AdamW(model.parameters(), lr=1e-2), loss)
    before = success(model)
    for _ in range(steps):
        groups = rollouts(model, generator)
        updater.step(build_samples(groups, estimate(groups), normalization=normalization, max_tokens=1))
    return before, success(model)


@pytest.mark.parametrize("loss", ["ppo_clip", "gspo", "cispo", "dppo", "importance_sampling"])
def test_every_loss_learns(loss):
    before, after = train(make_advantage("grpo"), make_loss(loss))
    assert before < 0.5 and after > 0.9


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dr_grpo", {}),
        ("rloo", {}),
        ("reinforce_pp", {}),
        ("reinforce_pp_baseline", {}),
        ("maxrl", {}),
        ("gdpo", {"weights": {"answer": 1.0}}),
        ("gigpo", {}),
        ("pure", {"part": "answer"}),
        ("step_process", {"part": "answer"}),
        ("turn_discount", {}),
    ],
)
def test_every_estimator_learns(name, options):
    before, after = train(make_advantage(name, **options), make_loss("ppo_clip"))
    assert before < 0.5 and after > 0.9


@pytest.mark.parametrize("critic", [CriticConfig(learning_rate=1e-2), CriticConfig(kind="separate", level="turn")])
def test_ppo_learns(critic):
    policy = Policy(tiny_model(), None)
    config = TrainConfig(
        env={"id": "none"},
        model={"vocabulary": "0"},
        algorithm={"advantage": "gae", "critic": critic, "dynamic_sampling": "keep"},
        optim={"learning_rate": 1e-2},
    )
    learner, generator = Learner(config, Algorithm(config.algorithm), policy, "step"), torch.Generator().manual_seed(0)
    before = success(policy.model)
    for _ in range(20):
        row = learner.learn(rollouts(policy.model, generator))
    assert before < 0.5 and success(policy.model) > 0.9
    assert row["mismatch_kl"] < 1e-6


@pytest.mark.parametrize("normalization", ["sequence-mean", "constant"])
def test_every_normalization_learns(normalization):
    before, after = train(make_advantage("dr_grpo"), make_loss("ppo_clip"), normalization)
    assert before < 0.5 and after > 0.9
