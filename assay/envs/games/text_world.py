"""assay/TextWorld-v0: text adventures that TextWorld generates (Côté et al. 2018), told in words.

    Please eat the cashew.
    you are in the kitchen; exits: west
    you see: a closed locker, a latchkey
    you carry: nothing

is answered by `#open locker`. The houses, the quests, the effects of commands and whether the quest is accomplished
are TextWorld's own logic, without its compiler and interpreter of games: no text is parsed to find out who won, and
no command of a debugger exists. The words that describe the state are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from threading import Lock
from typing import Any

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.procedural import check_between, prompt, task_source

ENV_ID = "assay/TextWorld-v0"
VERBS = (
    "go",
    "take",
    "drop",
    "put",
    "insert",
    "open",
    "close",
    "lock",
    "unlock",
    "eat",
    "examine",
    "look",
    "inventory",
)
_DIRECTIONS = ("north", "east", "south", "west")
_STATES = ("open", "closed", "locked", "eaten")
_ATTEMPTS = 20


_GENERATING = Lock()


@lru_cache(maxsize=1)
def _library() -> Any:
    """Return `textworld.generator`, imported when the first game is made: it takes a second."""
    try:
        return import_module("textworld.generator")
    except ImportError:
        raise ConfigError("TextWorld is not installed: pip install 'assay-rl[textworld]'") from None


@lru_cache(maxsize=64)
def generate(rooms: int, objects: int, quest: int, seed: int) -> Any:
    """Return TextWorld's game of a seed, which nobody may change; None when it finds no quest of this length there."""
    library = _library()
    options = library.GameOptions()
    options.seeds = seed
    options.nb_rooms, options.nb_objects, options.quest_length = rooms, objects, quest
    options.grammar.only_last_action = True  # what to achieve, not the way to it
    try:
        with _GENERATING:
            return library.make_game(options)
    except library.QuestGenerationError:
        return None


class TextWorld(Game):
    """An adventure in progress."""

    def __init__(self, game: Any, *, commands: bool = False) -> None:
        self.progress = _library().game.GameProgression(game, track_quests=True)
        self.goal = " ".join(game.objective.split())
        self._names = {name: info.name for name, info in game.infos.items()}
        self._inform = _library().inform7.Inform7Game(game)
        self._show_commands = commands
        self._read()

    def content(self) -> str:
        """Return everything that there is, by its name: equal for equal adventures."""
        facts = [" ".join([fact[0], *(self._names[place] or place for place in fact[1:])]) for fact in self._facts]
        return "; ".join([self.goal, *sorted(facts)])

    def _read(self) -> None:
        """Take down the facts and the commands that have an effect now."""
        self._facts = [(fact.name, *(place.name for place in fact.arguments)) for fact in self.progress.state.facts]
        actions = self.progress.valid_actions
        self._actions = dict(zip(self._inform.gen_commands_from_actions(actions), actions, strict=True))

    @property
    def over(self) -> bool:
        """Whether the quest is accomplished, or cannot be any more."""
        return bool(self.progress.completed or self.progress.failed)

    def observe(self, player: int = 0) -> str:
        """Return the goal, the room with what is in it, and what is carried."""
        room = self._others("at", "P")[0]
        lines = [
            self.goal,
            f"you are in the {self._names[room]}; exits: {', '.join(self._exits(room)) or 'none'}",
            f"you see: {', '.join(self._things('at', room)) or 'nothing'}",
            f"you carry: {', '.join(self._things('in', 'I')) or 'nothing'}",
        ]
        if self._show_commands:
            lines.append(f"commands: {', '.join(self.moves())}")
        return "\n".join(lines)

    def _others(self, relation: str, first: str) -> list[str]:
        return sorted(fact[2] for fact in self._facts if fact[0] == relation and fact[1] == first)

    def _exits(self, room: str) -> list[str]:
        doors = {fact[3]: fact[2] for fact in self._facts if fact[0] == "link" and fact[1] == room}
        exits = []
        for direction in _DIRECTIONS:
            for fact in self._facts:
                if fact[0] == f"{direction}_of" and fact[2] == room:
                    door = doors.get(fact[1])
                    exits.append(direction if door is None else f"{direction} ({self._named(door)})")
        return exits

    def _things(self, relation: str, where: str) -> list[str]:
        inside = sorted(fact[1] for fact in self._facts if fact[0] == relation and fact[2:] == (where,))
        return [self._described(thing) for thing in inside if thing != "P"]

    def _described(self, thing: str) -> str:
        """Name a thing with what lies on it, or in it when one can see that."""
        words = self._named(thing)
        for relation in ("on", "in"):
            if relation == "on" or ("open", thing) in self._facts:
                content = self._things(relation, thing)
                words += f" ({relation} it: {', '.join(content)})" if content else ""
        return words

    def _named(self, thing: str) -> str:
        state = [fact[0] for fact in self._facts if fact[1:] == (thing,) and fact[0] in _STATES]
        words = " ".join([*state, self._names[thing]])
        return f"{'an' if words[0].lower() in 'aeiou' else 'a'} {words}"

    def play(self, move: str) -> None:
        """Carry out a command that has an effect here; any other is refused."""
        words = " ".join(move.strip().strip(".!").split())
        spelled = {" ".join(command.split()).lower(): command for command in self._actions}
        command = spelled.get(words.lower())
        if command is None:
            known = words.partition(" ")[0].lower() in VERBS
            raise IllegalMove("that cannot be done here" if known else f"a command begins with {', '.join(VERBS)}")
        self.progress.update(self._actions[command])
        self._read()

    def moves(self) -> list[str]:
        """Return TextWorld's admissible commands."""
        return sorted(self._actions)

    def score(self, player: int = 0) -> float:
        """1 when the quest is accomplished."""
        return float(self.progress.completed)

    def way(self) -> list[str]:
        """Return the commands that accomplish the quest from here, by TextWorld's own account."""
        policy = self.progress.winning_policy
        return [] if policy is None else list(self._inform.gen_commands_from_actions(policy))


@dataclass(frozen=True)
class AdventureGenerator:
    """Houses with a quest, by TextWorld's seeds."""

    rooms: int = 4
    objects: int = 8
    quest: int = 4
    commands: bool = False
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("rooms", self.rooms, 1, 20)
        check_between("objects", self.objects, 1, 50)
        check_between("quest", self.quest, 1, 20)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one adventure."""
        for _ in range(_ATTEMPTS):
            seed = int(rng.integers(2**31))
            game = generate(self.rooms, self.objects, self.quest, seed)
            if game is not None:
                break
        else:
            raise ConfigError(f"TextWorld finds no quest of {self.quest} steps in {self.rooms} rooms")
        adventure = TextWorld(game, commands=self.commands)
        return {
            "prompt": prompt(adventure.observe(), self.instructions),
            "key": adventure.content(),
            "difficulty": float(self.quest),
            "metadata": {"seed": seed},
        }


class TextWorldEnv(GameEnv):
    """Accomplish a quest in a house. One that TextWorld counts as failed is lost.

    Options: `rooms`, `objects`, `quest` (how many commands it takes at least), `commands` (show the admissible
    commands), `max_turns` (default: three times as many), `instructions`, `split`.

    Demonstrations: `solve` is TextWorld's own walkthrough, `random` any admissible command.
    """

    blocking = True  # a house takes a quarter of a second to generate

    def __init__(
        self,
        *,
        rooms: int = 4,
        objects: int = 8,
        quest: int = 4,
        commands: bool = False,
        max_turns: int | None = None,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        _library()  # a missing package is named now, not at the first task
        told = (
            "A text adventure: do what is asked. End every turn with # and one command, such as #go west, #take key, "
            "#take key from box, #put key on table, #insert key into box, #open box, #unlock box with key, #eat apple "
            "or #drop key."
        )
        generator = AdventureGenerator(rooms, objects, quest, commands, told if instructions else "")
        tasks = task_source(ENV_ID, split, generator, AdventureGenerator())
        super().__init__(tasks, max_turns=3 * quest if max_turns is None else max_turns, render_mode=render_mode)
        self._sizes, self._commands = (rooms, objects, quest), commands

    def start(self, task: Task, rng: np.random.Generator) -> TextWorld:
        """Return the house of a task."""
        return TextWorld(generate(*self._sizes, task.metadata["seed"]), commands=self._commands)

    def oracle(self) -> Iterator[str]:
        """Follow the walkthrough."""
        assert isinstance(self.game, TextWorld)
        while True:
            yield self.game.way()[0]
