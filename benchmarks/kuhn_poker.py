"""What a policy is worth at Kuhn poker, exactly: no hand is dealt, so there is no noise.

    python benchmarks/kuhn_poker.py runs/kuhn_poker [runs/another ...]

Reads the chance that a policy bets or calls at each of the 12 information sets of the first hand of a match from the
log-probabilities of its moves, and prints for every checkpoint of a run, beginning with the policy before the first
step, in chips a hand (both seats alike often):

* what it wins of each fixed opponent;
* how exploitable it is: what the best answer to it wins (0 in equilibrium, 0.458 for moves at random);
* how likely it is at worst to say something that is no legal move.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch

from assay.agents.chat import ChatAgent
from assay.agents.checkpoint import read_model, read_tokenizer
from assay.agents.engines.hf import HFEngine
from assay.core.message import user
from assay.envs.games.kuhn_poker import CARDS, HISTORIES, STRATEGIES, Strategy, best_response, value

LEGAL = {"": ("check", "bet"), "k": ("check", "bet"), "b": ("fold", "call"), "kb": ("fold", "call")}
"""The moves that one may make after what has been done; the second one is the bold one."""
SO_FAR = {"": "nothing", "k": "check", "b": "bet"}


def strategy_of(directory: Path) -> tuple[Strategy, float]:
    """Return how a policy plays the first hand, and the largest chance that it says no legal move."""
    model, tokenizer = read_model(directory).eval(), read_tokenizer(directory)
    agent = ChatAgent(HFEngine(model), tokenizer)
    bold, illegal = {}, 0.0
    for card in CARDS:
        for past in HISTORIES:
            prompt = _prompt(agent, card, past)
            chances = [_chance(model, prompt, agent.encode_turn(f"#{move}")) for move in LEGAL[past]]
            bold[card, past] = chances[1] / sum(chances)
            illegal = max(illegal, 1 - sum(chances))
    return bold, illegal


def _prompt(agent: ChatAgent, card: str, past: str) -> list[int]:
    """Return the tokens that a conversation has come to when the policy is to move."""
    template = agent.template()
    opening = f"your card: {card}; so far: {SO_FAR.get(past, 'nothing')}"
    prompt = template.opening([user(opening)])
    if past == "kb":
        turn = agent.encode_turn("#check")
        suffix = template.suffix((user(f"your card: {card}; so far: check, bet"),))
        prompt = [*prompt, *turn, *(suffix[1:] if turn[-1] == template.closing else suffix)]
    return prompt


@torch.no_grad()
def _chance(model: torch.nn.Module, prompt: list[int], turn: list[int]) -> float:
    logits = model(input_ids=torch.tensor([prompt + turn])).logits[0, len(prompt) - 1 : -1].float()
    chosen = torch.tensor(turn, device=logits.device)[:, None]
    return math.exp(float(logits.log_softmax(-1).gather(1, chosen).sum()))


def worth(mine: Strategy, other: Strategy) -> float:
    """Return the chips a hand that one strategy wins of another when each acts first in half of the hands."""
    return (value(mine, other) - value(other, mine)) / 2


def exploitability(mine: Strategy) -> float:
    """Return the chips a hand that the best answer wins of a strategy."""
    return (value(best_response(mine, 0), mine) - value(mine, best_response(mine, 1))) / 2


def report(run: Path) -> None:
    """Print a table of the policies of a run."""
    print(
        f"{run}\n{'step':>6} {'exploitable':>12} " + " ".join(f"{name:>12}" for name in STRATEGIES) + f" {'illegal':>9}"
    )
    for directory in sorted(run.glob("checkpoints/step-*")):
        strategy, illegal = strategy_of(directory)
        won = " ".join(f"{worth(strategy, other):12.3f}" for other in STRATEGIES.values())
        step = int(directory.name.partition("-")[2])
        print(f"{step:6} {exploitability(strategy):12.3f} {won} {illegal:9.4f}", flush=True)
    print("chance to bet or call:", {f"{c}{p or '-'}": round(v, 2) for (c, p), v in strategy.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("runs", nargs="+", type=Path)
    for run in parser.parse_args().runs:
        report(run)


if __name__ == "__main__":
    main()
