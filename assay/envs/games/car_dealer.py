"""assay/CarDealer-v0: sell a car to a buyer who has a budget, a temper and little patience.

    buyer: I could pay 17,200 for the sedan.

is answered by an asking price, `#19800`, or by `#accept`. The buyer is scripted: what it would pay rises from a first
offer to its budget while its patience lasts, and it tells neither; a price it would pay closes the sale. The score is
the dealer's share of what could be gained, (price - cost) / (budget - cost); correct is a sale at 90 % of that or more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import numpy as np

from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.procedural import check_between, prompt, task_source

ENV_ID = "assay/CarDealer-v0"
_CARS = ("sedan", "estate", "coupe", "van", "pickup", "hatchback")
_GOOD = 0.9
_PRICE = re.compile(r"\$?\s*([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,7})")


@dataclass(frozen=True)
class Sale:
    """What is for sale, and what the buyer has in mind. Prices are in whole hundreds."""

    car: str
    cost: int
    """What the car cost the dealer, who knows it."""
    budget: int
    """The most that the buyer pays; hidden."""
    first: int
    """The buyer's first offer."""
    patience: int
    """Answers until the buyer leaves; hidden."""


class Haggling(Game):
    """A negotiation in progress."""

    def __init__(self, sale: Sale) -> None:
        self.sale = sale
        self.answers = 0
        self.price: int | None = None
        self.left = False

    @property
    def over(self) -> bool:
        """Whether the car is sold or the buyer gone."""
        return self.price is not None or self.left

    @property
    def offer(self) -> int:
        """What the buyer would pay now: more with every answer, and the whole budget at the last."""
        sale = self.sale
        share = self.answers / (sale.patience - 1)
        return round((sale.first + (sale.budget - sale.first) * share) / 100) * 100

    def observe(self, player: int = 0) -> str:
        """Return what the buyer says."""
        if self.answers == 0:
            return f"buyer: I could pay {self.offer:,} for the {self.sale.car}."
        return f"buyer: that is too much. I could pay {self.offer:,}."

    def play(self, move: str) -> None:
        """Name a price, or accept the buyer's."""
        text = move.strip().strip(".").lower()
        found = _PRICE.fullmatch(text)
        if found is None and text != "accept":
            raise IllegalMove("name a price, such as 19800, or say accept")
        price = int(found[1].replace(",", "")) if found is not None else self.offer
        if price <= self.offer:
            self.price = price
        elif self.answers == self.sale.patience - 1:
            self.left = True
        else:
            self.answers += 1

    def moves(self) -> list[str]:
        """Return some moves: accepting, and prices around the buyer's offer."""
        return ["accept", *(str(self.offer + 100 * step) for step in range(1, 40))]

    def score(self, player: int = 0) -> float:
        """Return the dealer's share of what could be gained; 0 without a sale or below cost."""
        if self.price is None:
            return 0.0
        return max(0.0, (self.price - self.sale.cost) / (self.sale.budget - self.sale.cost))

    def won(self, player: int = 0) -> bool:
        """Whether the sale was a good one."""
        return self.over and self.score() >= _GOOD


@dataclass(frozen=True)
class SaleGenerator:
    """Cars, costs and buyers."""

    patience: int = 6
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("patience", self.patience, 2, 50)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one sale."""
        cost = 100 * int(rng.integers(80, 300))
        budget = round(cost * rng.uniform(1.1, 1.6) / 100) * 100
        first = round(cost * rng.uniform(0.7, 1.0) / 100) * 100
        car = _CARS[int(rng.integers(len(_CARS)))]
        sale = Sale(car, cost, budget, first, int(rng.integers(2, self.patience + 1)))
        game = Haggling(sale)
        text = f"the {car} cost you {cost:,}\n{game.observe()}"
        return {
            "prompt": prompt(text, self.instructions),
            "key": repr(sale),
            "target": f"budget {budget}, patience {sale.patience}",
            "difficulty": float(sale.patience),
            "metadata": asdict(sale),
        }


class CarDealerEnv(GameEnv):
    """Sell a car for nearly all that the buyer would pay.

    Options: `patience` (the most answers that a buyer waits), `instructions`, `split`.

    Demonstrations: `solve` asks for the whole budget until the buyer gives in, `random` any price above the offer.
    """

    def __init__(
        self,
        *,
        patience: int = 6,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        told = (
            "You are a car dealer. Sell the car for as much as the buyer will pay; buyers offer more with time, but "
            "lose patience. End every turn with # and a price, such as #19800, or with #accept to take the "
            "buyer's offer."
        )
        tasks = task_source(ENV_ID, split, SaleGenerator(patience, told if instructions else ""), SaleGenerator())
        super().__init__(tasks, max_turns=2 * patience, render_mode=render_mode)

    def start(self, task: Task, rng: np.random.Generator) -> Haggling:
        """Return the negotiation of a task."""
        return Haggling(Sale(**task.metadata))

    def oracle(self) -> Iterator[str]:
        """Ask for the whole budget."""
        assert isinstance(self.game, Haggling)
        while True:
            yield str(self.game.sale.budget)
