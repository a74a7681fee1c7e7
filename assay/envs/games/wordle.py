"""assay/Wordle-v0: find a secret word from coloured letters, by the standard rules.

    crane: .YG..

answers the guess `#crane`: `G` stands where the letter is right, `Y` where the word has that letter elsewhere, `.`
where it has no more of it. A letter that is guessed more often than the word has it is marked as often as it is there,
greens first. Only words of the list may be guessed; others are refused, which costs a turn but no guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from assay.core.errors import ConfigError, DataError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.procedural import check_between, prompt, task_source

ENV_ID = "assay/Wordle-v0"
SPARE_TURNS = 4
"""Turns beyond the guesses, for words that are refused."""


@lru_cache(maxsize=1 << 18)
def mark(guess: str, secret: str) -> str:
    """Return the colours of a guess: `G`, `Y` or `.` for each letter.

    >>> mark("allee", "ladle")
    'YYY.G'
    """
    left = Counter(right for letter, right in zip(guess, secret, strict=True) if letter != right)
    colours = []
    for letter, right in zip(guess, secret, strict=True):
        if letter == right:
            colours.append("G")
        elif left[letter] > 0:
            left[letter] -= 1
            colours.append("Y")
        else:
            colours.append(".")
    return "".join(colours)


class Wordle(Game):
    """A game in progress."""

    def __init__(self, words: Sequence[str], secret: str, guesses: int) -> None:
        self.words, self.secret, self.guesses = words, secret, guesses
        self._known = frozenset(words)
        self.tried: list[tuple[str, str]] = []

    @property
    def over(self) -> bool:
        """Whether the word is found or no guess is left."""
        return len(self.tried) == self.guesses or self.score() == 1.0

    def observe(self, player: int = 0) -> str:
        """Return the colours of the last guess."""
        if not self.tried:
            return f"{len(self.secret)} letters, {self.guesses} guesses"
        word, colours = self.tried[-1]
        return f"{word}: {colours}"

    def play(self, move: str) -> None:
        """Guess a word of the list."""
        word = move.strip().strip(".").lower()
        if word not in self._known:
            raise IllegalMove(f"not one of the {len(self.words)} words of {len(self.secret)} letters")
        self.tried.append((word, mark(word, self.secret)))

    def moves(self) -> Sequence[str]:
        """Return all words."""
        return self.words

    def score(self, player: int = 0) -> float:
        """1 when the last guess was the word."""
        return float(bool(self.tried) and self.tried[-1][0] == self.secret)

    def possible(self) -> list[str]:
        """Return the words that fit everything that was answered."""
        return [word for word in self.words if all(mark(tried, word) == colours for tried, colours in self.tried)]

    def best_guess(self) -> str:
        """Return the guess that leaves the fewest words on average, one that may be the word if there is a choice."""
        possible = self.possible()
        if len(possible) <= 2:
            return possible[0]

        def cost(guess: str) -> tuple[int, bool]:
            return sum(n * n for n in Counter(mark(guess, word) for word in possible).values()), guess not in possible

        return min(self.words if len(possible) < 40 else possible[:40], key=cost)


@lru_cache(maxsize=8)
def read_words(path: str | None) -> tuple[str, ...]:
    """Return the words of a file, one a line, or the list that comes along; all of one length.

    Raises `DataError` for a file that cannot be read or whose words differ in length.
    """
    if path is None:
        lines = (files("assay.envs.games") / "data" / "words5.txt").read_text(encoding="utf-8").splitlines()
    else:
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"cannot be read: {error}", path=path) from None
    words = [line.strip().lower() for line in lines]
    for number, word in enumerate(words, 1):
        if not word.isalpha() or len(word) != len(words[0]):
            raise DataError(f"not a word of {len(words[0])} letters: {word!r}", path=path or "words", line=number)
    if len(set(words)) < 10:
        raise DataError("holds fewer than 10 different words", path=path or "words")
    return tuple(sorted(set(words)))


@dataclass(frozen=True)
class WordleGenerator:
    """A secret word of the list."""

    words: str | None = None
    guesses: int = 6
    vocabulary: int | None = None
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("guesses", self.guesses, 1, 100)
        if self.vocabulary is not None:
            check_between("vocabulary", self.vocabulary, 10, len(read_words(self.words)))

    @property
    def known(self) -> tuple[str, ...]:
        """The words that may be guessed: all, or `vocabulary` of them spread over the alphabet."""
        words = read_words(self.words)
        if self.vocabulary is None:
            return words
        return tuple(words[i] for i in np.linspace(0, len(words) - 1, self.vocabulary).astype(int).tolist())

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one secret; the secret, not the prompt, decides the split."""
        known = self.known
        secret = known[int(rng.integers(len(known)))]
        return {
            "prompt": prompt(Wordle(known, secret, self.guesses).observe(), self.instructions),
            "key": secret,
            "target": secret,
            "difficulty": float(np.log2(len(known))),
        }


class WordleEnv(GameEnv):
    """Find a secret word.

    Options: `guesses` (6 by the standard rules), `words` (a file of words of one length; default: a list of common
    English words of five letters), `vocabulary` (play with so many words of the list only), `instructions`, `split`.

    Demonstrations: `solve` makes the guess that leaves the fewest words, `random` any word.
    """

    def __init__(
        self,
        *,
        guesses: int = 6,
        words: str | None = None,
        vocabulary: int | None = None,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        if words is not None and not isinstance(words, str):
            raise ConfigError(f"words must be the path of a file, not {words!r}")
        told = (
            f"Find the secret word in {guesses} guesses. End every turn with # and a word, such as #crane. The answer "
            "marks each letter: G is right, Y is elsewhere in the word, . is in it no more."
        )
        generator = WordleGenerator(words, guesses, vocabulary, told if instructions else "")
        tasks = task_source(ENV_ID, split, generator, WordleGenerator())
        super().__init__(tasks, max_turns=guesses + SPARE_TURNS, render_mode=render_mode)
        self.guesses, self.words = guesses, generator.known

    def start(self, task: Task, rng: np.random.Generator) -> Wordle:
        """Return the game of a task."""
        return Wordle(self.words, task.target, self.guesses)

    def oracle(self) -> Iterator[str]:
        """Guess what leaves the fewest words."""
        assert isinstance(self.game, Wordle)
        while True:
            yield self.game.best_guess()
