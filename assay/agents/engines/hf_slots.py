"""Who owns which row of the key-value cache of `HFEngine`. Pure bookkeeping, no tensors.

Invariants:

* Active sequences live in the slots of `rows`, the first ones of the cache, so that a batch is a view and not a copy.
  A sequence that ended leaves a hole there. Holes are computed along, as padding; when a quarter of the slots are
  holes, sequences from the end move into them.
* A sequence that ended is *kept* where it is until its room is needed; then the oldest ones go first. A request whose
  tokens begin with all that a kept slot holds takes it over, where it is if that is a hole: the turns of a
  conversation normally follow one another in one slot, and nothing moves.
* Whenever a sequence changes its slot, `copy` is called with (source slot, target slot, number of tokens), so the cache
  agrees with the table. The copies of one call are made all at once: sources are read before targets are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

HOLES = 0.25
"""Share of holes at which the slots are closed up."""


class Sequential(Protocol):
    """What the table needs to know of a sequence."""

    tokens: list[int]
    cached: int
    """How many of the first tokens have their keys and values in the slot."""
    slot: int

    @property
    def ended(self) -> bool:
        """Whether nobody waits for more tokens."""
        ...


S = TypeVar("S", bound=Sequential)
Copies = list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Placement(Generic[S]):
    """What to do for new sequences: compute the leaders, then copy these to the followers."""

    leaders: list[S]
    """By the number of tokens to compute, so that batches of them need little padding."""
    followers: list[tuple[S, S]]
    """(leader, follower) with equal tokens: the follower's slot gets all that the leader's then holds."""


class SlotTable(Generic[S]):
    """Slots of active and of kept sequences."""

    def __init__(self, capacity: int, copy: Callable[[Copies], None]) -> None:
        self.capacity, self._copy = capacity, copy
        self.rows: list[S | None] = []
        """Active sequences by slot; None is a hole."""
        self._kept: dict[int, S] = {}

    @property
    def active(self) -> list[S]:
        """The active sequences."""
        return [row for row in self.rows if row is not None]

    @property
    def used(self) -> int:
        """One more than the highest slot in use."""
        return max([len(self.rows), *(row.slot + 1 for row in self._kept.values())])

    def release(self) -> None:
        """Make holes of the sequences that ended."""
        for slot, row in enumerate(self.rows):
            if row is not None and row.ended:
                self.rows[slot] = None
                if row.cached:
                    key = _key(row.tokens, row.cached)
                    self._kept.pop(key, None)  # an older one of the same tokens; what is put in again is the newest
                    self._kept[key] = row

    def tidy(self) -> None:
        """Close the holes when they are too many. To be called after `place`, which may fill them."""
        while self.rows and self.rows[-1] is None:
            self.rows.pop()
        if self.rows.count(None) > HOLES * len(self.rows):
            self._close_up()

    def place(self, arrivals: Sequence[S]) -> Placement[S]:
        """Make sequences active and hand each the longest kept prefix of its tokens, if there is any.

        The caller makes sure that there is room: `len(active) + len(arrivals) <= capacity`.
        """
        groups: dict[tuple[int, ...], list[S]] = {}
        for row in arrivals:
            groups.setdefault(tuple(row.tokens), []).append(row)
        found = [(group[0], *self._find(group[0].tokens)) for group in groups.values()]
        followers = [(group[0], follower) for group in groups.values() for follower in group[1:]]
        heirs: dict[int, S] = {}
        moved: list[tuple[S, S | None]] = []
        for row, prefix, key in found:
            row.cached = prefix.cached if prefix else 0
            if prefix is not None and self._kept.pop(key, None) and prefix.slot < len(self.rows):
                row.slot = prefix.slot
                self.rows[row.slot] = heirs[id(prefix)] = row
            else:
                moved.append((row, prefix))
        if len(self.rows) + len(moved) + len(followers) > self.capacity:
            self._close_up()
        copies = self._make_room(len(self.rows), len(self.rows) + len(moved) + len(followers))
        for row, prefix in moved:
            self._append(row)
            if prefix is not None:
                source = heirs.get(id(prefix), prefix)
                copies.append((source.slot, row.slot, prefix.cached))
        for _, follower in followers:
            self._append(follower)
        self._copy(copies)
        leaders = sorted((row for row, _, _ in found), key=lambda row: len(row.tokens) - row.cached)
        return Placement(leaders, followers)

    def forget(self) -> list[S]:
        """Empty the table; return the sequences that were active and have not ended, with nothing cached."""
        rows = [row for row in self.active if not row.ended]
        for row in rows:
            row.cached = 0
        self.rows, self._kept = [], {}
        return rows

    def _append(self, row: S) -> None:
        row.slot = len(self.rows)
        self.rows.append(row)

    def _close_up(self) -> None:
        """Swap the last active sequences with what the holes keep."""
        left = len(self.active)
        holes = [slot for slot in range(left) if self.rows[slot] is None]
        movers = [row for row in self.rows[left:] if row is not None]
        kept = {row.slot: row for row in self._kept.values()}
        copies: Copies = []
        for hole, mover in zip(holes, movers, strict=True):
            copies.append((mover.slot, hole, mover.cached))
            if hole in kept:
                copies.append((hole, mover.slot, kept[hole].cached))
                kept[hole].slot = mover.slot
            self.rows[hole], mover.slot = mover, hole
        del self.rows[left:]
        self._copy(copies)

    def _make_room(self, begin: int, end: int) -> Copies:
        """Return the copies that free the slots from `begin` to `end`; drop the oldest where room is short."""
        behind = [key for key, row in self._kept.items() if row.slot >= begin]
        for key in behind[: max(len(behind) - (self.capacity - end), 0)]:
            del self._kept[key]
        occupied = {row.slot for row in self._kept.values()}
        free = (slot for slot in range(end, self.capacity) if slot not in occupied)
        copies: Copies = []
        for row in self._kept.values():
            if begin <= row.slot < end:
                target = next(free)
                copies.append((row.slot, target, row.cached))
                row.slot = target
        return copies

    def _find(self, tokens: Sequence[int]) -> tuple[S | None, int]:
        """Return the kept sequence that covers most of `tokens` but the last, which must be computed anyway."""
        best, best_key, key = None, 0, 0
        if self._kept:
            for length, token in enumerate(tokens[:-1], start=1):
                key = hash((key, token))
                row = self._kept.get(key)
                if row is not None and row.cached == length and row.tokens[:length] == tokens[:length]:
                    best, best_key = row, key
        return best, best_key


def _key(tokens: Sequence[int], length: int) -> int:
    key = 0
    for token in tokens[:length]:
        key = hash((key, token))
    return key
