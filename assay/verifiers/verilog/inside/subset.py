"""Whether a design is written in the part of the language that means the same to simulation and to synthesis.

Asked only for designs that synthesis cannot read, because its front end knows less of SystemVerilog than the parser and
the simulator do: then nothing but the source is simulated, and this takes the place of comparing it with its netlist.
"""

from __future__ import annotations

from typing import Any

import pyslang
from pyslang import syntax

_TIMED = frozenset({
    "WaitStatement", "WaitForkStatement", "WaitOrderStatement", "ForeverStatement", "DelayControl", "Delay3",
    "OneStepDelay", "CycleDelay", "BlockingEventTriggerStatement", "NonblockingEventTriggerStatement", "FinalBlock",
    "RealType", "ShortRealType", "RealTimeType", "StringType", "EventType", "IffEventClause", "RepeatedEventControl",
})  # fmt: skip


def synthesizable(source: str) -> bool:
    """Whether processes wait for nothing but edges, or for all that they read; `source` is what the gate handed on."""
    root = syntax.SyntaxTree.fromText(source, pyslang.SourceManager()).root
    allowed, timing, sound = 0, 0, True

    def look(node: Any) -> None:
        nonlocal allowed, timing, sound
        kind = node.kind.name
        if kind in _TIMED:
            sound = False
        elif kind == "TimingControlStatement":
            timing += 1
        elif kind in ("AlwaysBlock", "AlwaysFFBlock"):
            controlled = node.statement.kind.name == "TimingControlStatement" and _complete(
                node.statement.timingControl
            )
            allowed += controlled
            sound &= controlled

    root.visit(look)
    return sound and timing == allowed


def _complete(control: Any) -> bool:
    """Whether a process wakes for `*`, or for edges only."""
    if control.kind.name == "ImplicitEventControl":
        return True
    if control.kind.name != "EventControlWithExpression":
        return False
    events = []

    def look(node: Any) -> None:
        if node.kind.name == "SignalEventExpression":
            events.append(node.edge.rawText)

    control.visit(look)
    return bool(events) and all(edge in ("posedge", "negedge") for edge in events)
