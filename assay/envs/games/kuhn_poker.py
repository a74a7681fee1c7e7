"""assay/KuhnPoker-v0: poker with three cards (Kuhn 1950), the smallest game with bluffing.

    your card: Q; so far: bet

is answered by `#call` or `#fold`. Cards are J < Q < K. Each player antes 1 and gets a card; the first may check or
bet 1; after a check the second may check or bet; who faces a bet calls or folds. The higher card takes the pot.

An episode is a match of several hands against an opponent with a known weakness; the agent acts first in every other
hand, in half of the tasks from the first hand on. Correct is to end it with more chips than one began with. No strategy
wins every match: the value of the best answer to each opponent is exact (`best_response`), so that results can be read
against it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations, product
from typing import ClassVar, Literal, get_args

import numpy as np

from assay.core.errors import ConfigError
from assay.core.message import Observation, user
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.procedural import check_between, prompt, task_source

ENV_ID = "assay/KuhnPoker-v0"
CARDS = "JQK"
Strategy = Mapping[tuple[str, str], float]
"""Chance to bet or call, by own card and what has been done so far: `""`, `"k"` (check), `"b"` (bet), `"kb"`."""
Opponent = Literal["equilibrium", "caller", "folder", "bluffer", "random"]
_FEW = 4
"""Matches of fewer hands are dealt alike in both splits: there are few deals, and to hold some of them out of training
would change the odds of the game."""
_NAMES = {"check": "k", "bet": "b", "call": "c", "fold": "f"}
_WORDS = {letter: word for word, letter in _NAMES.items()}
_OPTIONS = {"": "kb", "k": "kb", "b": "cf", "kb": "cf"}
HISTORIES = tuple(_OPTIONS)


def _strategy(rule: Callable[[str, str], float]) -> Strategy:
    return {(card, past): rule(card, past) for card in CARDS for past in HISTORIES}


def _equilibrium(card: str, past: str) -> float:
    """Kuhn's solution with alpha = 1/3: the first player bluffs with a third of its jacks."""
    table = {
        "": {"J": 1 / 3, "Q": 0.0, "K": 1.0},
        "k": {"J": 1 / 3, "Q": 0.0, "K": 1.0},
        "b": {"J": 0.0, "Q": 1 / 3, "K": 1.0},
        "kb": {"J": 0.0, "Q": 2 / 3, "K": 1.0},
    }
    return table[past][card]


STRATEGIES: dict[str, Strategy] = {
    "equilibrium": _strategy(_equilibrium),
    "caller": _strategy(lambda card, past: 1.0 if past in ("b", "kb") else float(card == "K")),
    "folder": _strategy(lambda card, past: float(card == "K")),
    "bluffer": _strategy(lambda card, past: 1.0 if past in ("", "k") else float(card == "K")),
    "random": _strategy(lambda card, past: 0.5),
}


def payoff(cards: str, past: str) -> int:
    """Return what the first player wins of the second when the hand is over after `past`."""
    if past.endswith("f"):
        return -1 if past == "kbf" else 1
    stake = 2 if past.endswith("c") else 1
    return stake if CARDS.index(cards[0]) > CARDS.index(cards[1]) else -stake


def is_over(past: str) -> bool:
    """Whether a hand is over."""
    return past == "kk" or past.endswith(("c", "f"))


def value(first: Strategy, second: Strategy) -> float:
    """Return the exact expected payoff of the first player in a hand; -1/18 between players in equilibrium."""

    def walk(cards: str, past: str) -> float:
        if is_over(past):
            return float(payoff(cards, past))
        passive, active = (move for move in sorted(_OPTIONS[past], key="kfbc".index))
        player = len(past) % 2
        chance = (first, second)[player][cards[player], past]
        return (1 - chance) * walk(cards, past + passive) + chance * walk(cards, past + active)

    deals = ["".join(pair) for pair in permutations(CARDS, 2)]
    return sum(walk(cards, "") for cards in deals) / len(deals)


def best_response(opponent: Strategy, seat: int) -> Strategy:
    """Return a pure strategy of greatest value against `opponent` for a seat (0 acts first)."""
    mine = dict(_strategy(lambda card, past: 0.0))
    decisions = ("", "kb") if seat == 0 else ("k", "b")
    for card in CARDS:  # what one does with one card changes nothing for the others
        worth = {}
        for choice in product((0.0, 1.0), repeat=2):
            mine.update({(card, past): chance for past, chance in zip(decisions, choice, strict=True)})
            worth[choice] = value(mine, opponent) if seat == 0 else -value(opponent, mine)
        best = max(worth, key=lambda choice: worth[choice])
        mine.update({(card, past): chance for past, chance in zip(decisions, best, strict=True)})
    return mine


class KuhnPoker(Game):
    """A match of several hands; the players take turns in acting first."""

    players: ClassVar[int] = 2

    def __init__(self, deals: Sequence[str]) -> None:
        self.deals = deals
        """For each hand the cards of player 0 and player 1."""
        self.hand, self.past, self.net = 0, "", 0
        self._ended: tuple[str, int] | None = None
        """How the last hand went: the cards that were shown, and what player 0 won."""

    @property
    def over(self) -> bool:
        """Whether all hands are played."""
        return self.hand == len(self.deals)

    @property
    def to_move(self) -> int:
        """Whose turn it is: hands with an even number are begun by player 0."""
        return (self.hand + len(self.past)) % 2

    def observe(self, player: int = 0) -> str:
        """Return what happened in the last hand, when a new one begins, the player's card and what was done so far."""
        said = f"{self._last(player)}\n" if self._ended and len(self.past) < 2 else ""
        so_far = ", ".join(_WORDS[letter] for letter in self.past) or "nothing"
        return f"{said}your card: {self.deals[self.hand][player]}; so far: {so_far}"

    def _last(self, player: int) -> str:
        assert self._ended is not None
        cards, won = self._ended
        shown = f"your {cards[player]} against {cards[1 - player]}" if cards else "a fold"
        mine = won if player == 0 else -won
        return f"hand {self.hand}: {shown}, you {'win' if mine > 0 else 'lose'} {abs(mine)}"

    def play(self, move: str) -> None:
        """Check, bet, call or fold."""
        letter = _NAMES.get(move.strip().strip(".").lower())
        if letter is None or letter not in _OPTIONS[self.past]:
            raise IllegalMove(f"you may {' or '.join(self.moves())}")
        self.past += letter
        if is_over(self.past):
            first = self.hand % 2
            cards = self.deals[self.hand]
            won = payoff(cards if first == 0 else cards[::-1], self.past) * (1 if first == 0 else -1)
            self.net += won
            self._ended = ("" if self.past.endswith("f") else cards, won)
            self.hand, self.past = self.hand + 1, ""

    def moves(self) -> list[str]:
        """Return the two legal moves."""
        return [_WORDS[letter] for letter in _OPTIONS[self.past]]

    def score(self, player: int = 0) -> float:
        """Return the chips won as a share of what could be won: 0.5 breaks even; 0 before the match is over."""
        if not self.over:
            return 0.0
        net = self.net if player == 0 else -self.net
        return 0.5 + net / (4 * len(self.deals))

    def won(self, player: int = 0) -> bool:
        """Whether the player has more chips than at the beginning."""
        return self.over and (self.net if player == 0 else -self.net) > 0

    def follow(self, strategy: Strategy, rng: np.random.Generator) -> str:
        """Return a move of the player to move by a strategy."""
        active = rng.random() < strategy[self.deals[self.hand][self.to_move], self.past]
        passive, bold = sorted(_OPTIONS[self.past], key="kfbc".index)
        return _WORDS[bold if active else passive]


@dataclass(frozen=True)
class DealGenerator:
    """The cards of a match."""

    hands: int = 9
    opponent: Opponent = "caller"
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("hands", self.hands, 1, 999)
        if self.opponent not in get_args(Opponent):
            raise ConfigError(f"opponent must be one of {', '.join(get_args(Opponent))}, not {self.opponent!r}")

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one match, dealt beforehand."""
        deals = ["".join(CARDS[i] for i in rng.permutation(3)[:2].tolist()) for _ in range(self.hands)]
        seat = int(rng.integers(2))
        content = " ".join(deals)
        if self.hands < _FEW:
            content += f" {rng.integers(2**31)}"
        return {
            "prompt": prompt(KuhnPoker(deals).observe(seat), self.instructions),
            "key": content,
            "target": deals,
            "difficulty": float(get_args(Opponent).index(self.opponent)),
            "metadata": {"deals": deals, "seat": seat},
        }


class KuhnPokerEnv(GameEnv):
    """End a match with more chips than one began with. The score is linear in the chips; breaking even scores 0.5.

    Options: `hands` (with fewer than 4 both splits have the same deals), `opponent` (`caller` calls every bet, `folder`
    bets and calls only with the king, `bluffer` bets always and calls only with the king, `equilibrium` cannot be
    beaten in the long run, `random` does anything), `instructions`, `split`.

    Demonstrations: `solve` plays the best answer to the opponent, `random` anything, `timid` as `folder` does: what a
    warm start needs for a policy that looks at its card at all.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solve", "random", "timid")

    def demonstration(self, task: Task) -> None:
        """Return None: no way to play wins every match."""

    def __init__(
        self,
        *,
        hands: int = 9,
        opponent: Opponent = "caller",
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        told = (
            "Kuhn poker: cards J < Q < K, one each, both ante 1. The first player checks or bets 1; after a check the "
            "second may check or bet; who faces a bet calls or folds. The higher card takes the pot. The players "
            f"take turns in acting first; win chips over {hands} hands. End every turn with # and check, bet, call or "
            "fold."
        )
        generator = DealGenerator(hands, opponent, told if instructions else "")
        tasks = task_source(ENV_ID, split, generator, DealGenerator())
        super().__init__(tasks, max_turns=3 * hands, render_mode=render_mode)
        self.opponent: Opponent = opponent

    def start(self, task: Task, rng: np.random.Generator) -> KuhnPoker:
        """Return the match of a task."""
        self.seat, self._rng = task.metadata["seat"], rng
        return KuhnPoker(task.metadata["deals"])

    def begin(self, task: Task) -> Observation:
        """Show the first hand as it stands: the opponent may have acted."""
        *introduction, _ = super().begin(task)
        return (*introduction, user(self.game.observe(self.seat)))

    def reply(self) -> None:
        """Let the opponent act."""
        assert isinstance(self.game, KuhnPoker)
        while not self.game.over and self.game.to_move != self.seat:
            self.game.play(self.game.follow(STRATEGIES[self.opponent], self._rng))

    def oracle(self) -> Iterator[str]:
        """Play the best answer to the opponent."""
        answers = [best_response(STRATEGIES[self.opponent], position) for position in (0, 1)]
        return self._moves_by(lambda position: answers[position], np.random.default_rng(0))

    def _player(self, style: str, rng: np.random.Generator) -> Generator[str, Observation, None]:
        if style != "timid":
            yield from super()._player(style, rng)
        for move in self._moves_by(lambda position: STRATEGIES["folder"], rng):
            yield f"#{move}"

    def _moves_by(self, strategy: Callable[[int], Strategy], rng: np.random.Generator) -> Iterator[str]:
        """Yield the moves of the agent by a strategy for each position; 0 acts first in a hand."""
        assert isinstance(self.game, KuhnPoker)
        while True:
            yield self.game.follow(strategy((self.game.hand + self.seat) % 2), rng)
