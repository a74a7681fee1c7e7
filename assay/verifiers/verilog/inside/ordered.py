"""Writes a long chain of logic in a netlist as a process that calculates it in order, for simulation.

A simulator of events calculates the end of a chain of additions anew for every link that changes: work by the square of
its length. In order, every link is calculated once. Both settle at the same values, but differ *within* an instant, so
netlists with registers, whose clock could meet their data there, are left as they are; and in the others what is no
plain logic: reads of memories, drivers that can let go, loops.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

Bits: TypeAlias = tuple[str, int, int]
"""Name, lowest and highest index; a name alone has all indices."""

_HIGHEST = 2**31
_RANGE = r"(?:signed )?(?:\[\d+:\d+\] )?"
_NAME = r"(\\\S+ |[A-Za-z_]\w*)"
_LINE = re.compile(
    r"    .*|  (?:wire|reg|input|output|inout|assign|initial|end|function|endfunction)\b.*"
    r"|(?:module|endmodule)\b.*|/\*.*|"
)
_ASSIGNMENT = re.compile(r"  assign (.+?) = (.+);")
_WIRE = re.compile(rf"  wire ({_RANGE}){_NAME};")
_INPUT = re.compile(rf"  (?:input|inout) ({_RANGE}){_NAME};")
_FUNCTION = re.compile(rf"  function ({_RANGE}){_NAME};")
_USE = re.compile(rf"(?<![\w$'\\]){_NAME}(?:\[(\d+)(?::(\d+))?\])?")
_LETS_GO = re.compile(r"'s?[bh][\da-fx?]*z")


@dataclass(frozen=True, slots=True)
class _Link:
    """One assignment: what it writes and what it reads."""

    writes: tuple[Bits, ...]
    reads: tuple[Bits, ...]


def ordered(netlist: str, long: int) -> str:
    """Return the netlist, as Yosys writes it without attributes, in order if a chain in it has so many links."""
    lines = netlist.splitlines()
    if not all(map(_LINE.fullmatch, lines)):
        return netlist
    links = _plain(lines)
    before = _before(links)
    depths: dict[int, int] = {}
    try:
        for number in TopologicalSorter(before).static_order():
            depths[number] = 1 + max((depths[other] for other in before[number]), default=0)
    except CycleError:
        return netlist
    written = {name for link in links.values() for name, _, _ in link.writes}
    awaited = sorted({name for link in links.values() for name, _, _ in link.reads} - written)
    if not awaited or max(depths.values()) < long:
        return netlist
    process = [lines[number].replace("  assign ", "    ", 1) for number in depths]
    texts = []
    for number, line in enumerate(lines):
        if line == "endmodule":
            texts += ["  always begin", *process, f"    @({' or '.join(awaited)});", "  end", line]
        elif (wire := _WIRE.fullmatch(line)) is not None and wire[2] in written:
            texts.append(f"  reg {wire[1]}{wire[2]};")
        elif number not in links:
            texts.append(line)
    return "\n".join(texts) + "\n"


def _plain(lines: list[str]) -> dict[int, _Link]:
    """Return the assignments that a process can take over, by line: all drivers of a wire, or none."""
    wires, inputs, functions = (_declared(pattern, lines) for pattern in (_WIRE, _INPUT, _FUNCTION))
    links: dict[int, _Link] = {}
    kept = set(inputs)
    for number, line in enumerate(lines):
        if (match := _ASSIGNMENT.fullmatch(line)) is None:
            continue
        link = _Link(_bits(match[1]), tuple(use for use in _bits(match[2]) if use[0] not in functions))
        if all(name in wires for name, _, _ in link.reads) and not _LETS_GO.search(match[2]):
            links[number] = link
        else:
            kept |= {name for name, _, _ in link.writes}
    while left := [number for number, link in links.items() if any(name in kept for name, _, _ in link.writes)]:
        for number in left:
            kept |= {name for name, _, _ in links.pop(number).writes}
    return links


def _declared(pattern: re.Pattern[str], lines: list[str]) -> set[str]:
    return {match[2] for line in lines if (match := pattern.fullmatch(line))}


def _bits(text: str) -> tuple[Bits, ...]:
    uses = []
    for name, first, last in _USE.findall(text):
        bounds = (int(first), int(last or first)) if first else (0, _HIGHEST)
        uses.append((name, min(bounds), max(bounds)))
    return tuple(uses)


def _before(links: dict[int, _Link]) -> dict[int, set[int]]:
    """Return for each line those that have to come before it."""
    writers = defaultdict(list)
    for number, link in links.items():
        for name, low, high in link.writes:
            writers[name].append((low, high, number))
    return {
        number: {
            other
            for name, low, high in link.reads
            for first, last, other in writers[name]
            if first <= high and low <= last
        }
        for number, link in links.items()
    }
