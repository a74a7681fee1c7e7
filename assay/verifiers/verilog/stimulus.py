"""A stimulus for any design with a reference: the testbench generator.

Clock and reset are found by their names. Data is a mixture, since each kind finds faults that the others miss: all
zeros and ones, single bits, small steps from the last value, values held over several cycles (so that a counter with
an enable gets somewhere), and plain random words. Single-bit controls get a new probability of being 1 every few
cycles. How strong a stimulus is, is measured by mutants (`strength`), not assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from assay.verifiers.verilog.trace import Interface, Port, Stimulus

_CLOCK = re.compile(r"(?:\w*_)?(?:clk|clock)(?:_\w+)?|clk\w?", re.IGNORECASE)
_RESET = re.compile(
    r"(?:[asi]|sync_?|async_?|sys_?|i_)?(?:rst|reset|resetn|clear|clr)(?P<low>_?n|_?b|_?l|_ni)?(?:_i)?", re.IGNORECASE
)
_RESET_PROBABILITY = 0.012
_PHASE = 24
"""Cycles for which the character of the data stays the same."""


@dataclass(frozen=True, slots=True)
class Roles:
    """What the single-bit inputs are for."""

    clocks: tuple[str, ...] = ()
    resets: Mapping[str, int] | None = None
    """Reset -> the level at which it resets."""


def find_roles(interface: Interface) -> Roles:
    """Return clocks and resets by their names."""
    single = [port.name for port in interface.inputs if port.width == 1]
    clocks = tuple(name for name in single if _CLOCK.fullmatch(name))
    resets = {}
    for name in single:
        found = _RESET.fullmatch(name)
        if found and name not in clocks:
            low = found.group("low") or name.lower().endswith("resetn")
            resets[name] = 0 if low else 1
    return Roles(clocks, resets)


Words: TypeAlias = dict[str, int]
Pick: TypeAlias = Callable[[Callable[[], Words]], Words]
"""Chooses the data of the next cycle; draws as many proposals as it likes."""


def random_stimulus(
    interface: Interface,
    rng: np.random.Generator,
    cycles: int = 256,
    roles: Roles | None = None,
    pick: Pick = lambda draw: draw(),
) -> Stimulus:
    """Return a stimulus. Clocked designs start in reset; it comes back now and then.

    A cycle is three rows: the clock rises, it falls, data changes. Without a clock a cycle is one row.
    """
    roles = roles or find_roles(interface)
    data = [port for port in interface.inputs if port.name not in roles.clocks]
    source = _Data(data, roles, rng, exhaustive=not roles.clocks)
    rows: list[str] = []
    values: Words = dict.fromkeys(roles.clocks, 0)

    def emit() -> None:
        rows.append("".join(format(values[port.name], f"0{port.width}b") for port in interface.inputs) or "0")

    if not roles.clocks:
        for _ in range(cycles + len(source.exhausted)):
            values.update(pick(source.next))
            emit()
        return Stimulus(tuple(rows))
    values.update(pick(source.next))
    emit()
    for _ in range(cycles):
        for name in roles.clocks:
            values[name] = 1
            emit()
        for name in roles.clocks:
            values[name] = 0
            emit()
        values.update(pick(source.next))
        emit()
    return Stimulus(tuple(rows))


class _Data:
    """Words for the data inputs, one cycle after another."""

    def __init__(self, ports: list[Port], roles: Roles, rng: np.random.Generator, *, exhaustive: bool) -> None:
        self._ports, self._rng = ports, rng
        self._resets = dict(roles.resets or {})
        self._cycle = -1
        self._words = {port.name: 0 for port in ports}
        self._odds: dict[str, float] = {}
        self._kinds: dict[str, str] = {}
        width = sum(port.width for port in ports)
        self.exhausted = range(1 << width) if exhaustive and width <= 8 else range(0)
        """All words of a small design without a clock, which come first."""

    def next(self) -> Words:
        """Return the next words by port."""
        self._cycle += 1
        if self._cycle < len(self.exhausted):
            return self._spread(self._cycle)
        if self._cycle % _PHASE == 0 or not self._kinds:
            self._new_phase()
        return {port.name: self._next(port) for port in self._ports}

    def _spread(self, word: int) -> Words:
        values = {}
        for port in reversed(self._ports):
            values[port.name] = word & ((1 << port.width) - 1)
            word >>= port.width
        return values

    def _new_phase(self) -> None:
        rng = self._rng
        for port in self._ports:
            self._odds[port.name] = float(rng.choice([0.1, 0.5, 0.5, 0.9]))
            self._kinds[port.name] = str(rng.choice(["random", "random", "hold", "step", "corner", "sparse"]))

    def _next(self, port: Port) -> int:
        rng = self._rng
        if port.name in self._resets:
            active = self._cycle < 2 or rng.random() < _RESET_PROBABILITY
            return self._resets[port.name] if active else 1 - self._resets[port.name]
        if port.width == 1:
            return int(rng.random() < self._odds[port.name])
        old, top = self._words[port.name], (1 << port.width) - 1
        kind = self._kinds[port.name]
        if kind == "hold" and rng.random() < 0.8:
            new = old
        elif kind == "step":
            new = (old + int(rng.integers(-1, 2))) & top
        elif kind == "corner":
            half = 1 << (port.width - 1)
            new = (0, top, half, half - 1, 1, top - 1)[int(rng.integers(6))]
        elif kind == "sparse":
            new = 1 << int(rng.integers(port.width))
            new = new ^ top if rng.random() < 0.3 else new
        else:
            new = int.from_bytes(rng.bytes((port.width + 7) // 8), "little") & top
        self._words[port.name] = new
        return new
