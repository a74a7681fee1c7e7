"""Ports, stimuli and golden outputs: the data that a check compares, in plain bit strings.

A stimulus is a list of *rows*: all inputs, concatenated in port order, as they stand for one step of time. Between two
rows of a clocked design either the clock changes or data does, never both, so no simulator has a race to decide.
Outputs are sampled after the rows that `samples` names. Bits are `0`, `1` and `x`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

Direction = Literal["input", "output"]
_NAME = re.compile(r"[A-Za-z_]\w*")
_BITS = re.compile(r"[01x]+")


@dataclass(frozen=True, slots=True)
class Port:
    """One port of a design."""

    name: str
    direction: Direction
    width: int = 1

    def json(self) -> list[Any]:
        """Return the port as JSON."""
        return [self.name, self.direction, self.width]


@dataclass(frozen=True, slots=True)
class Interface:
    """All ports, in order."""

    ports: tuple[Port, ...]

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The inputs in order."""
        return tuple(port for port in self.ports if port.direction == "input")

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The outputs in order."""
        return tuple(port for port in self.ports if port.direction == "output")

    @property
    def input_width(self) -> int:
        """Bits of a row."""
        return sum(port.width for port in self.inputs)

    @property
    def output_width(self) -> int:
        """Bits of a sample."""
        return sum(port.width for port in self.outputs)

    def json(self) -> list[list[Any]]:
        """Return the ports as JSON."""
        return [port.json() for port in self.ports]


def read_interface(rows: Any) -> Interface:
    """Return the interface of `[[name, direction, width], ...]`. ValueError says what is wrong."""
    ports = []
    for row in rows if isinstance(rows, Sequence) else ():
        name, direction, width = row
        if not _NAME.fullmatch(str(name)) or direction not in ("input", "output") or not 1 <= int(width) <= 1 << 16:
            raise ValueError(f"{row!r} is no port; write [name, 'input' or 'output', width]")
        ports.append(Port(str(name), cast("Direction", direction), int(width)))
    if len({port.name for port in ports}) != len(ports) or not any(port.direction == "output" for port in ports):
        raise ValueError("a design needs ports of different names, and at least one output")
    return Interface(tuple(ports))


@dataclass(frozen=True, slots=True)
class Stimulus:
    """What is done to a design."""

    rows: tuple[str, ...]
    samples: tuple[int, ...] | None = None
    """Rows after which outputs are looked at, ascending; None for all."""

    @property
    def count(self) -> int:
        """How many samples a complete run gives."""
        return len(self.rows) if self.samples is None else len(self.samples)

    def sampled(self) -> frozenset[int]:
        """The rows after which outputs are looked at."""
        return frozenset(range(len(self.rows)) if self.samples is None else self.samples)

    def json(self) -> dict[str, Any]:
        """Return the stimulus as JSON."""
        return {
            "rows": " ".join(self.rows),
            **({} if self.samples is None else {"samples": list(self.samples)}),
        }


def read_bits(text: Any, width: int, what: str) -> tuple[str, ...]:
    """Return words of `width` bits from text that separates them by spaces. ValueError says what is wrong."""
    words = tuple(str(text).split())
    if not words or not all(len(word) == width and _BITS.fullmatch(word) for word in words):
        raise ValueError(f"{what} must be words of {width} bits 0, 1 or x, separated by spaces")
    return words


def read_stimulus(data: Any, interface: Interface) -> Stimulus:
    """Return the stimulus of a JSON object. ValueError says what is wrong with it."""
    if not isinstance(data, Mapping) or "rows" not in data:
        raise ValueError("a stimulus is an object with rows")
    rows = read_bits(data["rows"], max(1, interface.input_width), "rows")
    samples = data.get("samples")
    if samples is None:
        return Stimulus(rows)
    chosen = tuple(int(index) for index in samples)
    if not chosen or list(chosen) != sorted(set(chosen)) or chosen[-1] >= len(rows) or chosen[0] < 0:
        raise ValueError("samples must be ascending numbers of rows")
    return Stimulus(rows, chosen)
