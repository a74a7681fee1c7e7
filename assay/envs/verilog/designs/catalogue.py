"""All families of designs, and the generator of tasks from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.core.errors import UnknownNameError
from assay.core.task import Problem
from assay.envs.procedural import check_between, prompt, span
from assay.envs.verilog.designs import choosing, counting, sharing, watching
from assay.envs.verilog.designs.base import TOP, Design, golden
from assay.envs.verilog.designs.explore import exploring_stimulus

Family = Callable[[np.random.Generator, int], Design]

FAMILIES: dict[str, Family] = {
    "counter": counting.counter,
    "gray counter": counting.gray_counter,
    "decimal counter": counting.decimal_counter,
    "divider": counting.divider,
    "pwm": counting.pwm,
    "lfsr": counting.lfsr,
    "accumulator": counting.accumulator,
    "edge detector": watching.edge_detector,
    "sequence detector": watching.sequence_detector,
    "debouncer": watching.debouncer,
    "shift register": watching.shift_register,
    "alu": choosing.alu,
    "multiplexer": choosing.multiplexer,
    "priority encoder": choosing.priority_encoder,
    "rotator": choosing.rotator,
    "population count": choosing.counter_of_ones,
    "code converter": choosing.code_converter,
    "comparator": choosing.comparator,
    "arbiter": sharing.arbiter,
    "fifo": sharing.fifo,
    "stack": sharing.stack,
    "lock": sharing.lock,
}
"""Name -> family."""

INSTRUCTIONS = (
    "Write the Verilog module that is described. Answer with one ```verilog code block that holds the whole module. "
    "It must be synthesisable, and it may use no system tasks."
)
_CONTINUE = "Answer with one ```verilog code block that continues after this line, up to endmodule:"


def random_design(rng: np.random.Generator, levels: tuple[int, int], families: Sequence[str] = ()) -> Design:
    """Return a design of one of the families."""
    names = tuple(families) or tuple(FAMILIES)
    name = names[int(rng.integers(len(names)))]
    return FAMILIES[name](rng, int(rng.integers(levels[0], levels[1] + 1)))


@dataclass(frozen=True)
class DesignGenerator:
    """Tasks from the families."""

    levels: tuple[int, int] = (1, 3)
    families: tuple[str, ...] = ()
    """All of them when empty."""
    cycles: int = 256
    complete: bool = False
    """Give the module's head, to be continued."""
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", span("levels", self.levels, low=1, high=3))
        object.__setattr__(self, "families", tuple(self.families))
        check_between("cycles", self.cycles, 16, 10_000)
        for name in self.families:
            if name not in FAMILIES:
                raise UnknownNameError("family of designs", name, FAMILIES)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one problem."""
        design = random_design(rng, self.levels, self.families)
        stimulus = exploring_stimulus(design, rng, self.cycles)
        target = {
            "top": TOP,
            "ports": design.interface.json(),
            "stimulus": stimulus.json(),
            "expected": " ".join(golden(design, stimulus)),
            "reference": design.reference,
        }
        question = design.specification
        solution = design.reference
        if self.complete:
            head = design.header()
            target["prefix"] = head
            question = f"{question}\n{_CONTINUE}\n```verilog\n{head}```"
        return {
            "prompt": prompt(question, self.instructions),
            "key": design.specification,
            "target": target,
            "difficulty": float(design.level),
            "tags": (design.family.replace(" ", "-"), f"level-{design.level}"),
            "metadata": {"solution": solution},
        }
