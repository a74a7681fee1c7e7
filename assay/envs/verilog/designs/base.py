"""A generated design: its words, its Verilog, and its meaning in Python, three times the same thing.

Expected outputs come from the meaning, so that no simulator is needed to make a task; a test holds that the Verilog
means the same. A model works on states and plain integers: `step` gives the state after a rising edge of the clock,
`output` the outputs for a state and the present inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from assay.verifiers.verilog.stimulus import Roles
from assay.verifiers.verilog.trace import Direction, Interface, Port, Stimulus

TOP = "TopModule"
CLOCK = "clk"
State: TypeAlias = Any
Inputs: TypeAlias = Mapping[str, int]
Outputs: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Reset:
    """How a design is reset."""

    name: str = "reset"
    active: int = 1
    asynchronous: bool = False

    @property
    def words(self) -> str:
        """The reset in words."""
        level = "high" if self.active else "low"
        return f"{self.name} is {'asynchronous' if self.asynchronous else 'synchronous'} and active {level}"

    @property
    def condition(self) -> str:
        """The reset as a condition in Verilog."""
        return self.name if self.active else f"!{self.name}"

    @property
    def edges(self) -> str:
        """What starts the clocked process."""
        asynchronous = f" or {'posedge' if self.active else 'negedge'} {self.name}"
        return f"posedge {CLOCK}" + (asynchronous if self.asynchronous else "")


@dataclass(frozen=True)
class Design:
    """One design."""

    family: str
    level: int
    interface: Interface
    words: str
    """What the module does; with the ports, all that a person needs to write it."""
    body: str
    """The reference's source between the port list and `endmodule`."""
    output: Callable[[State, Inputs], Outputs]
    step: Callable[[State, Inputs], State] | None = None
    """None for designs without a clock."""
    start: State = None
    """The state after a reset."""
    reset: Reset | None = None

    @property
    def roles(self) -> Roles:
        """Clock and reset."""
        resets = {} if self.reset is None else {self.reset.name: self.reset.active}
        return Roles((CLOCK,) if self.step else (), resets)

    def header(self, *, register: bool = True) -> str:
        """Return the module's head. `register`: outputs may be assigned in processes."""
        kinds = {"input": "input", "output": "output reg" if register else "output"}
        ports = [f"  {kinds[port.direction]} {_range(port.width)}{port.name}" for port in self.interface.ports]
        return f"module {TOP} (\n" + ",\n".join(ports) + "\n);\n"

    @property
    def reference(self) -> str:
        """The reference's source."""
        assigned = any(f"assign {port.name} " in self.body for port in self.interface.outputs)
        return f"{self.header(register=not assigned)}{self.body.rstrip()}\nendmodule\n"

    @property
    def specification(self) -> str:
        """Ports and behaviour in words."""
        ports = "\n".join(
            f" - {port.direction} {port.name}" + (f" ({port.width} bits)" if port.width > 1 else "")
            for port in self.interface.ports
        )
        clocked = f" State changes at the rising edge of {CLOCK}; {self.reset.words}." if self.reset else ""
        return f"Module {TOP} with the ports\n{ports}\n{self.words}{clocked}"


def interface(inputs: Mapping[str, int], outputs: Mapping[str, int], reset: Reset | None = None) -> Interface:
    """Return an interface; with a reset, clock and reset come first."""
    named: list[tuple[str, Direction, int]] = []
    if reset is not None:
        named += [(CLOCK, "input", 1), (reset.name, "input", 1)]
    named += [(name, "input", width) for name, width in inputs.items()]
    named += [(name, "output", width) for name, width in outputs.items()]
    return Interface(tuple(Port(*port) for port in named))


def clocked(reset: Reset, clear: str, update: str) -> str:
    """Return a clocked process: statements of the reset, and those of every other edge."""
    return (
        f"  always @({reset.edges})\n    if ({reset.condition}) begin {clear} end\n    else begin\n{update}\n    end\n"
    )


def golden(design: Design, stimulus: Stimulus) -> tuple[str, ...]:
    """Return the expected samples. Unknown (`x`) until the first reset."""
    inputs, outputs = design.interface.inputs, design.interface.outputs
    width = design.interface.output_width
    state: State = None
    known = design.step is None
    clock_before = 1
    sampled = stimulus.sampled()
    samples = []
    for index, row in enumerate(stimulus.rows):
        values, position = {}, 0
        for port in inputs:
            values[port.name] = int(row[position : position + port.width], 2)
            position += port.width
        if design.step is not None:
            rising = values[CLOCK] == 1 and clock_before == 0
            clock_before = values[CLOCK]
            reset = design.reset
            if reset is not None and values[reset.name] == reset.active and (rising or reset.asynchronous):
                state, known = design.start, True
            elif rising and known:
                state = design.step(state, values)
        if index not in sampled:
            continue
        if not known:
            samples.append("x" * width)
            continue
        answers = design.output(state, values)
        samples.append("".join(format(answers[port.name], f"0{port.width}b") for port in outputs))
    return tuple(samples)


def random_reset(rng: np.random.Generator) -> Reset:
    """Return one of the usual ways to reset."""
    active = int(rng.integers(2))
    asynchronous = bool(rng.integers(2))
    name = ("areset" if asynchronous else "reset") + ("" if active else "_n")
    return Reset(name, active, asynchronous)


def choose(rng: np.random.Generator, *options: Any) -> Any:
    """Return one of the options."""
    return options[int(rng.integers(len(options)))]


def bits(width: int) -> str:
    """Return the range of a vector, with a space after it; nothing for a single bit."""
    return _range(width)


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""
