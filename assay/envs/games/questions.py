"""assay/TwentyQuestions-v0 and assay/GuessMyCity-v0: find what is meant by asking yes-or-no questions.

    is it an animal?

is answered by `yes`, and `#cat`, or `is it a cat?`, is a guess. The answers come from a table of properties, so they
are exact and the same for everybody: a question must name one property of the table, whose words are given with the
instructions. A question about none, about several or with a negation is not answered, and costs a turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import ClassVar

import numpy as np

from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.procedural import check_between, prompt, task_source

Table = Mapping[str, frozenset[str]]
"""What is true of each thing."""


@lru_cache(maxsize=2)
def read_table(name: str) -> Table:
    """Return a table of the package: lines of `thing: property property ...`."""
    lines = (files("assay.envs.games") / "data" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(":") for line in lines if not line.startswith("#"))
    return {thing: frozenset(properties.split()) for thing, properties in pairs}


class Questions(Game):
    """A game in progress."""

    def __init__(self, table: Table, secret: str, questions: int) -> None:
        self.table, self.secret, self.questions = table, secret, questions
        self.properties = sorted(frozenset().union(*table.values()))
        self.said: list[tuple[str, bool]] = []
        """Properties and things that were asked about, and the answers."""

    @property
    def over(self) -> bool:
        """Whether the thing is found or the questions are used up."""
        return len(self.said) == self.questions or self.score() == 1.0

    def observe(self, player: int = 0) -> str:
        """Return the last answer."""
        if not self.said:
            return f"{self.questions} questions"
        return "yes" if self.said[-1][1] else "no"

    def play(self, move: str) -> None:
        """Ask about a property, or guess a thing."""
        words = re.sub(r"[^a-z\- ]", " ", move.lower())
        named = [name for name in (*self.table, *self.properties) if re.search(rf"(?<![\w-]){name}(?![\w-])", words)]
        if re.search(r"\b(not|no|or|and|neither|either)\b|n't", move.lower()):
            raise IllegalMove("ask about one thing, without and, or, not")
        if len(named) != 1:
            raise IllegalMove("ask about one property that I know" if not named else "ask about one thing at a time")
        self.said.append((named[0], named[0] == self.secret or named[0] in self.table[self.secret]))

    def moves(self) -> list[str]:
        """Return everything that can be asked or guessed."""
        return [*self.properties, *self.table]

    def score(self, player: int = 0) -> float:
        """1 when the last question named the secret."""
        return float(bool(self.said) and self.said[-1][0] == self.secret)

    def possible(self) -> list[str]:
        """Return the things that fit all answers."""
        return [
            thing
            for thing, true in self.table.items()
            if all((name == thing or name in true) == answer for name, answer in self.said)
        ]


@dataclass(frozen=True)
class SecretThingGenerator:
    """A thing of a table."""

    table: str
    questions: int = 20
    instructions: bool = field(default=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("questions", self.questions, 1, 100)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one secret; the secret, not the prompt, decides the split."""
        table = read_table(self.table)
        secret = list(table)[int(rng.integers(len(table)))]
        game = Questions(table, secret, self.questions)
        told = (
            f"Find out what I mean in {self.questions} questions. I answer yes or no to a question that names one of "
            f"these: {', '.join(game.properties)}. Guess by naming one of these: {', '.join(sorted(table))}."
        )
        return {
            "prompt": prompt(game.observe(), told if self.instructions else ""),
            "key": secret,
            "target": secret,
            "difficulty": float(len(table[secret])),
        }


class TwentyQuestionsEnv(GameEnv):
    """Find out which thing is meant.

    Options: `questions`, `instructions` (names the properties and the things), `split`.

    Demonstrations: `solve` halves what is possible with each question, `random` asks anything.
    """

    env_id: ClassVar[str] = "assay/TwentyQuestions-v0"
    table: ClassVar[str] = "things"

    def __init__(
        self,
        *,
        questions: int = 20,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        generator = SecretThingGenerator(self.table, questions, instructions)
        tasks = task_source(self.env_id, split, generator, SecretThingGenerator(self.table))
        super().__init__(tasks, max_turns=questions, render_mode=render_mode)
        self.questions = questions

    def start(self, task: Task, rng: np.random.Generator) -> Questions:
        """Return the game of a task."""
        return Questions(read_table(self.table), task.target, self.questions)

    def oracle(self) -> Iterator[str]:
        """Ask what halves the things that are possible."""
        game = self.game
        assert isinstance(game, Questions)
        while True:
            possible = game.possible()
            halves = {
                name: abs(2 * sum(name in game.table[t] for t in possible) - len(possible)) for name in game.properties
            }
            yield possible[0] if len(possible) == 1 else min(halves, key=lambda name: halves[name])


class GuessMyCityEnv(TwentyQuestionsEnv):
    """Find out which city is meant.

    Options: `questions`, `instructions` (names the properties and the cities), `split`.

    Demonstrations: `solve` halves what is possible with each question, `random` asks anything.
    """

    env_id: ClassVar[str] = "assay/GuessMyCity-v0"
    table: ClassVar[str] = "cities"
