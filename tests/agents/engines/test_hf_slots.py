"""The slot table against a fake cache of lists: whatever happens, a slot holds the tokens that the table says."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from assay.agents.engines.hf_slots import HOLES, Copies, SlotTable


@dataclass(eq=False)
class Row:
    tokens: list[int]
    left: int
    cached: int = 0
    slot: int = -1
    ended: bool = False
    turns: int = field(default=1)


class Cache:
    """Slots of tokens. A computed token goes to its slot; a copy brings the first tokens of another slot."""

    def __init__(self, capacity: int) -> None:
        self.slots: list[list[int]] = [[] for _ in range(capacity)]
        self.copied = 0

    def copy(self, copies: Copies) -> None:
        assert len({target for _, target, _ in copies}) == len(copies)
        old = [list(slot) for slot in self.slots]
        for source, target, length in copies:
            assert len(old[source]) >= length
            self.slots[target] = old[source][:length]
        self.copied += len(copies)

    def compute(self, row: Row) -> None:
        """A model would compute the rest from what is cached, so this must be the beginning of the tokens."""
        assert self.slots[row.slot][: row.cached] == row.tokens[: row.cached]
        self.slots[row.slot] = list(row.tokens)
        row.cached = len(row.tokens)


def step(table: SlotTable[Row], cache: Cache, arrivals: list[Row], draw: random.Random) -> list[Row]:
    """What the engine does in one step. Returns the rows that ended in it."""
    table.release()
    placement = table.place(arrivals)
    assert {id(row) for row in arrivals} == {id(r) for r in placement.leaders} | {id(f) for _, f in placement.followers}
    new = [len(row.tokens) - row.cached for row in placement.leaders]
    assert new == sorted(new)
    for leader in placement.leaders:
        assert leader.cached < len(leader.tokens)
        cache.compute(leader)
    cache.copy([(leader.slot, follower.slot, leader.cached) for leader, follower in placement.followers])
    for leader, follower in placement.followers:
        follower.cached = leader.cached
        assert follower.tokens == leader.tokens
    table.release()
    table.tidy()
    assert table.rows.count(None) <= HOLES * len(table.rows)
    assert table.used <= table.capacity
    for slot, row in enumerate(table.rows):
        assert row is None or row.slot == slot
    for row in table.active:
        if row.cached < len(row.tokens):
            cache.compute(row)
        row.tokens.append(draw.randrange(3))
        row.left -= 1
        row.ended = row.left <= 0 or draw.random() < 0.05
    return [row for row in table.active if row.ended]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 30))
def test_slots_hold_what_the_table_says(seed: int, capacity: int, requests: int) -> None:
    draw = random.Random(seed)
    cache, waiting = Cache(capacity), []
    table: SlotTable[Row] = SlotTable(capacity, cache.copy)
    for _ in range(requests):
        prompt = [draw.randrange(3) for _ in range(draw.randrange(1, 5))]
        waiting += [Row(list(prompt), draw.randrange(1, 6)) for _ in range(draw.randrange(1, 4))]
    for _ in range(20_000):
        if not waiting and not table.rows:
            break
        room = capacity - sum(not row.ended for row in table.active)
        count = draw.randrange(min(room, len(waiting)) + 1)
        arrivals, waiting = waiting[:count], waiting[count:]
        for row in step(table, cache, arrivals, draw):
            for _ in range(draw.choice([0, 1, 1, 2]) if row.turns < 4 else 0):
                suffix = [draw.randrange(3) for _ in range(draw.randrange(3))]
                waiting.append(Row([*row.tokens, *suffix], draw.randrange(1, 6), turns=row.turns + 1))
        if draw.random() < 0.02:
            waiting += table.forget()
            cache.slots = [[] for _ in range(capacity)]
    assert not waiting


def test_turns_of_conversations_stay_in_their_slots() -> None:
    """As long as everyone speaks again at once, nothing is ever copied and only new tokens are computed."""
    draw = random.Random(0)
    cache = Cache(8)
    table: SlotTable[Row] = SlotTable(8, cache.copy)
    rows = [Row([i, i, i], 1 + i % 3) for i in range(8)]
    arrivals, turns = list(rows), 0
    while turns < 40:
        for row in arrivals:
            row.ended = False
        ended = step(table, cache, arrivals, draw)
        arrivals = [Row([*row.tokens, 7], 2) for row in ended]
        turns += len(ended)
        table.release()
        assert all(table._find(row.tokens)[0] is not None for row in arrivals)
    assert cache.copied == 0


def test_the_oldest_kept_sequence_goes_first() -> None:
    draw = random.Random(0)
    cache = Cache(3)
    table: SlotTable[Row] = SlotTable(3, cache.copy)
    for token in range(3):
        row = Row([token, token], 1)
        step(table, cache, [row], draw)
        row.ended = True
    step(table, cache, [Row([9, 9], 1)], draw)
    table.release()
    assert [table._find([token, token, token])[0] is not None for token in (0, 1, 2, 9)] == [False, True, True, True]
