"""Scene: a game as all of its players see it, for several agents at one table.

Invariants:

* Each role sees what the game shows to its player and nothing of the others.
* A move that cannot be read or is not legal is answered with the reason and uses up the turn, as in the environment.
* Who runs out of turns has lost, and the others have won: nobody gains by stalling.
"""

from __future__ import annotations

from collections.abc import Callable

from assay.core.message import Observation, user
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.envs.games.game import Game, take


class Scene:
    """One match. Roles are named `player-0`, `player-1`, ...

    Args:
        start: Returns the game of a task at its beginning.
        max_turns: Turns of each role.
    """

    def __init__(self, start: Callable[[Task], Game], max_turns: int) -> None:
        self._start, self.max_turns = start, max_turns

    def reset(self, task: Task) -> tuple[str, ...]:
        """Start the match of a task and return its roles."""
        self.game = self._start(task)
        self.roles = tuple(f"player-{player}" for player in range(self.game.players))
        self._preface = tuple(message for message in task.messages() if message["role"] == "system")
        self._turns = dict.fromkeys(self.roles, 0)
        self._moves = dict.fromkeys(self.roles, 0)
        self._refused = ""
        self.forfeited: str | None = None
        return self.roles

    @property
    def to_act(self) -> str | None:
        """The role whose turn it is; None when the match is over."""
        if self.game.over or self.forfeited is not None:
            return None
        return self.roles[self.game.to_move]

    def observe(self, role: str) -> Observation:
        """Return what is new for a role that is about to act."""
        if self._refused:
            return (user(self._refused),)
        shown = user(self.game.observe(self.roles.index(role)))
        return (*self._preface, shown) if not self._turns[role] else (shown,)

    def act(self, role: str, action: str) -> None:
        """Take a turn of a role."""
        self._turns[role] += 1
        self._refused = take(self.game, action)
        self._moves[role] += not self._refused
        if self._turns[role] >= self.max_turns and not self.game.over:
            self.forfeit(role)

    def forfeit(self, role: str) -> None:
        """End the match: this role has lost."""
        self.forfeited = role

    def verdict(self, role: str) -> Verdict:
        """Return how the match ended for a role."""
        player, moves = self.roles.index(role), self._moves[role]
        if not self._turns[role]:
            return no_verdict("the match was over before its first turn", status="abstained")
        if self.forfeited == role:
            return wrong("ran out of turns", status="no_answer" if not moves else "ok")
        if self.forfeited is not None:
            return right(reason=f"{self.forfeited} ran out of turns")
        score = self.game.score(player)
        if self.game.won(player):
            return right(score, reason=f"won in {moves} moves")
        return wrong(f"did not win in {moves} moves", score=score)
