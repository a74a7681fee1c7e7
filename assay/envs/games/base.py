"""GameEnv: one seat at a game. A turn ends in `#` and a move, such as `#up`, or is just the move.

Invariants:

* The verdict is read from the game's own state, never from text.
* A move that cannot be read or is not legal is answered with the reason, changes nothing and uses up the turn.
* Chance and opponents depend on the task alone, so all episodes of a group meet the same ones.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterator
from typing import ClassVar

import numpy as np

from assay.core.message import Observation, user
from assay.core.seeding import derive_seed
from assay.core.task import Task, TaskSet
from assay.core.verdict import Verdict, right, wrong
from assay.envs.base import Progress, TaskEnv, play
from assay.envs.games.game import Game, take
from assay.envs.games.scene import Scene
from assay.verifiers.base import Evidence, Verifier


class GameVerifier(Verifier):
    """Correct when the game is won; the score is the game's own, also of a game that was not finished."""

    name = "game"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Read `state["won"]`, `state["score"]` and `state["moves"]`."""
        state = evidence.state
        if state["won"]:
            return right(float(state["score"]), reason=f"won in {state['moves']} moves")
        if not state["moves"]:
            return wrong("no legal move was made", status="no_answer")
        reason = "lost" if state["over"] else "not finished"
        return wrong(f"{reason} after {state['moves']} moves", score=float(state["score"]))


class GameEnv(TaskEnv):
    """A game against chance, or against an opponent that belongs to the environment.

    Demonstrations: `solve` plays what the oracle plays, `random` any legal move.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solve", "random")
    seat: int = 0
    """Which player the agent is."""

    def __init__(self, tasks: TaskSet, *, max_turns: int, render_mode: str | None = None) -> None:
        super().__init__(tasks, GameVerifier(), max_turns=max_turns, render_mode=render_mode)

    @abstractmethod
    def start(self, task: Task, rng: np.random.Generator) -> Game:
        """Return the game of a task at its beginning; `rng` is all its chance."""

    @abstractmethod
    def oracle(self) -> Iterator[str]:
        """Yield winning moves for `self.game`, which has taken each of them before the next is asked for."""

    def reply(self) -> None:
        """Let the others move until it is the agent's turn again."""

    def scene(self) -> Scene:
        """Return the same game with all seats free: for agents that play each other."""
        return Scene(lambda task: self.start(task, _chance(task)), self.max_turns)

    def begin(self, task: Task) -> Observation:
        """Set up the game; the first message shows it."""
        self.game = self.start(task, _chance(task))
        self._moves = 0
        self.reply()
        return task.messages()

    def advance(self, action: str) -> Progress:
        """Make the move, let the others answer, and show the game."""
        if refused := take(self.game, action):
            return Progress((user(refused),))
        self._moves += 1
        if not self.game.over:
            self.reply()
        if self.game.over:
            return Progress(done=True)
        return Progress((user(self.game.observe(self.seat)),))

    def evidence(self) -> Evidence:
        """Return the transcript and how the game stands."""
        seen = super().evidence()
        game = self.game
        state = {
            "over": game.over,
            "won": game.won(self.seat),
            "score": game.score(self.seat),
            "moves": self._moves,
        }
        return Evidence(seen.text, seen.messages, state=state)

    def out_of_turns(self) -> Verdict:
        """Let the verifier say how the game stands."""
        return self.judge()

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play a game in one of the styles."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        return play(self, task, self._player(style, rng))

    def _player(self, style: str, rng: np.random.Generator) -> Generator[str, Observation, None]:
        for move in self.oracle() if style == "solve" else self._random(rng):
            yield f"#{move}"

    def _random(self, rng: np.random.Generator) -> Iterator[str]:
        while True:
            legal = self.game.moves()
            yield legal[int(rng.integers(len(legal)))]


def _chance(task: Task) -> np.random.Generator:
    return np.random.default_rng(derive_seed("game", task.id))
