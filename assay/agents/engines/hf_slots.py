"""Who owns which row of the key-value cache of `HFEngine`. Pure bookkeeping, no tensors.

Invariants:

* Active sequences occupy the slots 0, 1, ..., n - 1, in the order of `active`.
* A sequence that ended is *kept* in a slot behind them until its room is needed; then the oldest one goes first. A
  request whose tokens begin with all that a kept row holds takes the row over.
* Methods return the copies (source slot, target slot, number of tokens) that make the cache agree with the table.
  They are meant all at once: every source is read before any target is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


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
    """What to do for new sequences: copy kept prefixes, compute the leaders, then copy these to the followers."""

    copies: Copies
    leaders: list[S]
    """In adjacent slots, by the number of tokens to compute, so that batches of them need little padding."""
    followers: list[tuple[S, S]]
    """(leader, follower) with equal tokens: the follower's slot gets all that the leader's then holds."""


class SlotTable(Generic[S]):
    """Slots of active and of kept sequences."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.active: list[S] = []
        self._kept: dict[int, S] = {}

    @property
    def used(self) -> int:
        """One more than the highest slot in use."""
        return max([len(self.active), *(row.slot + 1 for row in self._kept.values())])

    def release(self) -> Copies:
        """Move ended sequences from the active to the kept ones, and close the gaps with the last active rows."""
        rows = self.active
        ended = [row for row in rows if row.ended]
        if not ended:
            return []
        left = len(rows) - len(ended)
        movers = [row for row in rows[left:] if not row.ended]
        gaps = [row for row in ended if row.slot < left]
        copies: Copies = []
        for mover, gap in zip(movers, gaps, strict=True):
            copies += [(mover.slot, gap.slot, mover.cached), (gap.slot, mover.slot, gap.cached)]
            rows[gap.slot] = mover
            mover.slot, gap.slot = gap.slot, mover.slot
        del rows[left:]
        for row in ended:
            if row.cached:
                self._kept[_key(row.tokens, row.cached)] = row
        return copies

    def place(self, arrivals: Sequence[S]) -> Placement[S]:
        """Append sequences to the active ones and hand each the longest kept prefix of its tokens, if there is any.

        The caller makes sure that there is room: `len(active) + len(arrivals) <= capacity`.
        """
        groups: dict[tuple[int, ...], list[S]] = {}
        for row in arrivals:
            groups.setdefault(tuple(row.tokens), []).append(row)
        found = [(group[0], *self._find(group[0].tokens)) for group in groups.values()]
        found.sort(key=lambda match: len(match[0].tokens) - (match[1].cached if match[1] else 0))
        for _, _, key in found:
            self._kept.pop(key, None)
        copies = self._make_room(len(self.active) + len(arrivals))
        for row, prefix, _ in found:
            self._append(row)
            if prefix is not None:
                row.cached = prefix.cached
                if prefix.slot != row.slot:
                    copies.append((prefix.slot, row.slot, prefix.cached))
        followers = [(group[0], follower) for group in groups.values() for follower in group[1:]]
        for _, follower in followers:
            self._append(follower)
        return Placement(copies, [row for row, _, _ in found], followers)

    def _append(self, row: S) -> None:
        row.slot, row.cached = len(self.active), 0
        self.active.append(row)

    def _make_room(self, active: int) -> Copies:
        """Free the slots below `active`: move kept sequences behind it, and drop the oldest if they are too many."""
        while self._kept and active + len(self._kept) > self.capacity:
            del self._kept[next(iter(self._kept))]
        occupied = {row.slot for row in self._kept.values()}
        free = (slot for slot in range(active, self.capacity) if slot not in occupied)
        copies: Copies = []
        for row in self._kept.values():
            if row.slot < active:
                target = next(free)
                copies.append((row.slot, target, row.cached))
                row.slot = target
        return copies

    def forget(self) -> list[S]:
        """Empty the table; return the sequences that were active and have not ended, with nothing cached."""
        rows = [row for row in self.active if not row.ended]
        for row in rows:
            row.cached = 0
        self.active, self._kept = [], {}
        return rows

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
