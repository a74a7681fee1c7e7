"""assay/TextNav-v0: find a thing in a house and bring it where it belongs, in words.

    task: put the apple in the basket
    kitchen. exits: north, east. you see: fridge (closed). you carry: nothing

is answered by one command: `#north`, `#open fridge`, `#take apple`, `#put apple in basket`. What is in a closed
container is not seen until it is opened. The house of LMRL-Gym's Text-Nav, on an engine of our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.games.grid import Cell, shortest
from assay.envs.procedural import check_between, prompt, task_source

ENV_ID = "assay/TextNav-v0"
_WAYS: dict[str, Cell] = {"north": (-1, 0), "south": (1, 0), "west": (0, -1), "east": (0, 1)}
_ROOMS = ("kitchen", "bedroom", "bathroom", "hall", "cellar", "attic", "garage", "study", "pantry", "porch")
_CONTAINERS = ("fridge", "chest", "basket", "wardrobe", "drawer", "trunk", "cupboard", "box")
_THINGS = ("apple", "key", "book", "lamp", "coin", "hat", "cup", "rope", "letter", "ring")


class House(Game):
    """A house in progress.

    `plan` holds `rooms` (name -> ways to other rooms), `containers` (name -> room), `open` (containers that are open
    from the start), `things` (name -> room or container), `start`, and the goal: `thing` and `into`.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.rooms: Mapping[str, Mapping[str, str]] = plan["rooms"]
        self.containers: Mapping[str, str] = plan["containers"]
        self.things: dict[str, str] = dict(plan["things"])
        self.open = set(plan["open"])
        self.at: str = plan["start"]
        self.thing, self.into = str(plan["thing"]), str(plan["into"])

    @property
    def over(self) -> bool:
        """Whether the thing is where it belongs."""
        return self.things[self.thing] == self.into

    @property
    def visible(self) -> list[str]:
        """Things that can be taken here."""
        places = {self.at, *(name for name in self.open if self.containers[name] == self.at)}
        return [thing for thing, place in self.things.items() if place in places]

    def observe(self, player: int = 0) -> str:
        """Return the room, what is seen in it and what is carried."""
        seen = [thing for thing in self.visible if self.things[thing] == self.at]
        for name in self._here():
            inside = [thing for thing in self.things if self.things[thing] == name]
            held = f" with {' and '.join(inside)}" if inside else ""
            seen.append(f"{name} (open{held})" if name in self.open else f"{name} (closed)")
        carried = [thing for thing, place in self.things.items() if place == "carried"]
        return (
            f"{self.at}. exits: {', '.join(self.rooms[self.at])}. you see: {', '.join(seen) or 'nothing'}. "
            f"you carry: {', '.join(carried) or 'nothing'}"
        )

    def _here(self) -> list[str]:
        return [name for name, room in self.containers.items() if room == self.at]

    def play(self, move: str) -> None:
        """Obey one command."""
        text = re.sub(r"\b(the|a|an|go|walk)\b", " ", move.strip().strip(".!").lower())
        match text.split():
            case [way] if way in _WAYS:
                if way not in self.rooms[self.at]:
                    raise IllegalMove(f"there is no way {way}")
                self.at = self.rooms[self.at][way]
            case ["open", name]:
                if name not in self._here() or name in self.open:
                    raise IllegalMove(f"there is no closed {name} here")
                self.open.add(name)
            case ["take", thing]:
                if thing not in self.visible:
                    raise IllegalMove(f"there is no {thing} here")
                self.things[thing] = "carried"
            case ["put", thing, "in" | "into", name]:
                if self.things.get(thing) != "carried":
                    raise IllegalMove(f"you carry no {thing}")
                if name not in self._here() or name not in self.open:
                    raise IllegalMove(f"there is no open {name} here")
                self.things[thing] = name
            case _:
                raise IllegalMove("commands: north, south, west, east, open X, take X, put X in Y")

    def moves(self) -> list[str]:
        """Return the commands that do something here."""
        here = self._here()
        carried = [thing for thing, place in self.things.items() if place == "carried"]
        return [
            *self.rooms[self.at],
            *(f"open {name}" for name in here if name not in self.open),
            *(f"take {thing}" for thing in self.visible),
            *(f"put {thing} in {name}" for thing in carried for name in here if name in self.open),
        ]

    def score(self, player: int = 0) -> float:
        """1 when the thing is where it belongs."""
        return float(self.over)

    def way(self, room: str) -> list[str]:
        """Return a shortest way to a room."""
        way = shortest(self.at, lambda at: at == room, lambda at: self.rooms[at].items())
        assert way is not None  # all rooms are connected
        return way


@dataclass(frozen=True)
class HouseGenerator:
    """Houses of `rooms` rooms on a grid, a container for every second room, and `things` things."""

    rooms: int = 4
    things: int = 3
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("rooms", self.rooms, 2, len(_ROOMS))
        check_between("things", self.things, 1, len(_THINGS))

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one house with an errand."""
        names = [_ROOMS[i] for i in rng.permutation(len(_ROOMS))[: self.rooms].tolist()]
        places: dict[Cell, str] = {(0, 0): names[0]}
        ways: dict[str, dict[str, str]] = {name: {} for name in names}
        for name in names[1:]:
            free = [
                (cell, way, (cell[0] + step[0], cell[1] + step[1]))
                for cell in places
                for way, step in _WAYS.items()
                if (cell[0] + step[0], cell[1] + step[1]) not in places
            ]
            cell, way, new = free[int(rng.integers(len(free)))]
            places[new] = name
            ways[places[cell]][way], ways[name][_BACK[way]] = name, places[cell]
        count = max(2, self.rooms // 2)
        containers = {
            _CONTAINERS[i]: names[int(rng.integers(self.rooms))]
            for i in rng.permutation(len(_CONTAINERS))[:count].tolist()
        }
        spots = [*names, *containers]
        things = {
            _THINGS[i]: spots[int(rng.integers(len(spots)))]
            for i in rng.permutation(len(_THINGS))[: self.things].tolist()
        }
        thing = next(iter(things))
        into = [name for name in containers if name != things[thing]]
        plan = {
            "rooms": ways,
            "containers": containers,
            "things": things,
            "open": [name for name in containers if rng.random() < 0.3],
            "start": names[int(rng.integers(self.rooms))],
            "thing": thing,
            "into": into[int(rng.integers(len(into)))],
        }
        house = House(plan)
        return {
            "prompt": prompt(f"task: put the {thing} in the {plan['into']}\n{house.observe()}", self.instructions),
            "key": repr(plan),
            "target": f"{things} {containers}",
            "difficulty": float(self.rooms),
            "metadata": plan,
        }


_BACK = {"north": "south", "south": "north", "west": "east", "east": "west"}


class TextNavEnv(GameEnv):
    """Bring a thing where it belongs.

    Options: `rooms` (2 to 10), `things` (1 to 10), `max_turns` (default: eight for each room), `instructions`, `split`.

    Demonstrations: `solve` goes straight, `random` does anything that does something.
    """

    def __init__(
        self,
        *,
        rooms: int = 4,
        things: int = 3,
        max_turns: int | None = None,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        turns = 8 * rooms if max_turns is None else max_turns
        told = (
            "Do the task in a house. Closed containers hide what is in them. End every turn with # and one command: "
            f"north, south, west, east, open X, take X, put X in Y; such as #open fridge. You have {turns} turns."
        )
        generator = HouseGenerator(rooms, things, told if instructions else "")
        tasks = task_source(ENV_ID, split, generator, HouseGenerator())
        super().__init__(tasks, max_turns=turns, render_mode=render_mode)

    def start(self, task: Task, rng: np.random.Generator) -> House:
        """Return the house of a task."""
        return House(task.metadata)

    def oracle(self) -> Iterator[str]:
        """Fetch the thing and put it where it belongs."""
        house = self.game
        assert isinstance(house, House)
        place = house.things[house.thing]
        yield from house.way(house.containers.get(place, place))
        if place in house.containers and place not in house.open:
            yield f"open {place}"
        yield f"take {house.thing}"
        yield from house.way(house.containers[house.into])
        if house.into not in house.open:
            yield f"open {house.into}"
        yield f"put {house.thing} in {house.into}"
