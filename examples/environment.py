"""Write an environment: a shop whose prices the agent must look up, with a tool and several turns.

    python examples/environment.py

It checks the environment and prints one episode. docs/write-an-environment.md explains the parts.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import gymnasium
import numpy as np

from assay import Task, make, make_verifier, tool
from assay.core.errors import ToolError
from assay.core.message import Observation, text_of
from assay.core.seeding import Split
from assay.core.task import Problem, ProceduralTaskSet
from assay.core.tool import ToolCall
from assay.envs.base import play
from assay.envs.check import check_environment
from assay.envs.tools.base import ToolEnv

GOODS = ("apples", "bread", "cheese", "dates", "eggs", "figs")


def generate(rng: np.random.Generator) -> Problem:
    """Make one problem. All of its randomness comes from `rng`, so the same task is made again on every machine."""
    wanted = rng.choice(GOODS, size=int(rng.integers(2, 5)), replace=False).tolist()
    prices = {name: int(rng.integers(1, 100)) for name in wanted}
    return {
        "prompt": f"What do {', '.join(wanted)} cost together? End with: the answer is N",
        "key": repr(sorted(prices.items())),  # what decides train or eval: the content, not just the prompt
        "target": str(sum(prices.values())),  # for the verifier alone; it never reaches the agent
        "difficulty": float(len(wanted)),
        "metadata": {"prices": prices},
    }


@tool
def price(item: str) -> str:
    """Look up what an item costs.

    Args:
        item: The name of the item, in lower case.
    """
    raise NotImplementedError("the environment answers: prices differ from task to task")


class ShopEnv(ToolEnv):
    """Add up prices that only the tool knows."""

    demonstration_styles = ("careful",)

    def __init__(self, *, split: Split = "train", render_mode: str | None = None) -> None:
        super().__init__(
            ProceduralTaskSet("shop/Prices-v0", split, generate),
            make_verifier("number"),
            [price],
            render_mode=render_mode,
        )

    def run_tool(self, name: str, arguments: dict[str, Any]) -> str:
        """Answer from the prices of this task. A `ToolError` goes back to the agent, which may try again."""
        item = price.validate(arguments)["item"]
        assert self.task is not None
        prices = self.task.metadata["prices"]
        if item not in prices:
            raise ToolError(f"there is no {item!r}; we have {', '.join(prices)}")
        return str(prices[item])

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play an episode as it should be: the oracle of `assay check`, and data for a warm start."""
        return play(self, task, _shopper(list(task.metadata["prices"])))


def _shopper(items: list[str]) -> Generator[str, Observation, None]:
    total = 0
    for item in items:
        (result,) = yield ToolCall("price", {"item": item}).render()
        total += int(text_of(result))
    yield f"Together the answer is {total}"


gymnasium.register(id="shop/Prices-v0", entry_point=ShopEnv, disable_env_checker=True)

if __name__ == "__main__":
    print(report := check_environment("shop/Prices-v0"))
    assert report.ok
    env = make("shop/Prices-v0", render_mode="ansi")
    shop: Any = env.unwrapped
    turns = shop.demonstrate(shop.tasks[0], "careful", np.random.default_rng(0))
    env.reset(options={"task": 0})
    for turn in turns:
        _, reward, terminated, truncated, info = env.step(turn)
    print()
    print(env.render())
    print(f"reward {reward:g}: {info['verdict'].status}, read {info['verdict'].extracted!r}")
