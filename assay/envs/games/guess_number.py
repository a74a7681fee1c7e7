"""assay/GuessNumber-v0: find a secret number; the environment answers `higher` or `lower`.

The verifier reads the environment's own state, never the text. Step rewards are potential-based: with
Phi = 1 - log(candidates left) / log(candidates at the start), a guess earns `progress` * (Phi' - Phi), discount 1
(Ng, Harada and Russell 1999). They telescope: an episode that finds the secret earns exactly `progress` in all,
however it got there, so that nothing is gained by dawdling.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from assay.core.errors import ConfigError
from assay.core.message import Observation, text_of, user
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.core.verdict import Verdict, right, wrong
from assay.envs.base import Progress, TaskEnv, play
from assay.envs.final_answer import read_integer
from assay.envs.procedural import check_between, prompt, task_source
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.puzzles.final import final_text

ENV_ID = "assay/GuessNumber-v0"


@dataclass(frozen=True)
class SecretGenerator:
    """A secret number in low..high."""

    low: int = 1
    high: int = 100
    instructions: str = field(default="", compare=False, repr=False)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one secret; the secret, not the prompt, decides the split."""
        secret = int(rng.integers(self.low, self.high + 1))
        return {
            "prompt": prompt(f"{self.low}..{self.high}:", self.instructions),
            "key": f"{self.low}..{self.high}:{secret}",
            "target": secret,
            "difficulty": math.log2(self.high - self.low + 1),
        }


class SecretFoundVerifier(Verifier):
    """Correct when the environment says that the secret was guessed."""

    name = "secret_found"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Read `state["found"]` and `state["guesses"]`."""
        guesses = evidence.state["guesses"]
        if evidence.state["found"]:
            return right(extracted=str(guesses[-1]), reason=f"found after {len(guesses)} guesses")
        if not guesses:
            return wrong("no guess was made", status="no_answer")
        return wrong(f"not found in {len(guesses)} guesses", extracted=str(guesses[-1]))


class GuessNumberEnv(TaskEnv):
    """Find a secret number from `higher` and `lower`.

    A guess is a turn that is just an integer, or that ends in `#` and an integer. `higher` means that the secret is
    higher than the guess. A turn without a guess is told so and counts.

    Options: `low`, `high`, `max_turns` (default: what bisection needs at worst), `progress` (weight of the step
    rewards, 0 switches them off), `instructions`, `split`.

    Demonstrations: `bisect` halves the interval; `random` guesses any number that is still possible.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("bisect", "random")

    def __init__(
        self,
        *,
        low: int = 1,
        high: int = 100,
        max_turns: int | None = None,
        progress: float = 0.5,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        check_between("low", low, -(10**9), 10**9)
        check_between("high", high, low + 1, 10**9)
        if not (math.isfinite(progress) and progress >= 0):
            raise ConfigError(f"progress must be a number that is not negative, not {progress!r}")
        turns = (high - low + 1).bit_length() if max_turns is None else max_turns
        tasks = task_source(
            ENV_ID, split, SecretGenerator(low, high, _instructions(turns) if instructions else ""), SecretGenerator()
        )
        super().__init__(tasks, SecretFoundVerifier(), max_turns=turns, render_mode=render_mode)
        self.low, self.high, self.progress = low, high, progress
        self.step_reward_range = (0.0, progress)

    def begin(self, task: Task) -> Observation:
        """State the interval."""
        self._first, self._last, self._found = self.low, self.high, False
        self._guesses: list[int] = []
        return task.messages()

    def advance(self, action: str) -> Progress:
        """Compare the guess with the secret."""
        assert self.task is not None
        guess = read_integer(final_text(action, plain=True) or "")
        if guess is None:
            return Progress(messages=(user("say a whole number"),), parts={"progress": 0.0})
        self._guesses.append(guess)
        secret, before = self.task.target, self._potential()
        if guess == secret:
            self._first = self._last = secret
            self._found = True
        elif guess < secret:
            self._first = max(self._first, guess + 1)
        else:
            self._last = min(self._last, guess - 1)
        gained = self._potential() - before
        messages = () if self._found else (user("higher" if guess < secret else "lower"),)
        return Progress(messages, done=self._found, reward=self.progress * gained, parts={"progress": gained})

    def evidence(self) -> Evidence:
        """Return the transcript and the environment's own account of the game."""
        seen = super().evidence()
        return Evidence(seen.text, seen.messages, state={"found": self._found, "guesses": tuple(self._guesses)})

    def out_of_turns(self) -> Verdict:
        """Let the verifier say how the game stands."""
        return self.judge()

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play a game in one of the styles."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        return play(self, task, self._player(style, rng))

    def _player(self, style: str, rng: np.random.Generator) -> Generator[str, Observation, None]:
        first, last = self.low, self.high
        while True:
            guess = (first + last) // 2 if style == "bisect" else int(rng.integers(first, last + 1))
            (answer,) = yield str(guess)
            if text_of(answer) == "higher":
                first = guess + 1
            else:
                last = guess - 1

    def _potential(self) -> float:
        return 1.0 - math.log(self._last - self._first + 1) / math.log(self.high - self.low + 1)


def _instructions(turns: int) -> str:
    return (
        "Find the secret whole number in the given range (first..last, both included). End every turn with # and your "
        "guess, such as #50. You are told whether the secret is 'higher' or 'lower' than your guess. "
        f"You have {turns} guesses."
    )
