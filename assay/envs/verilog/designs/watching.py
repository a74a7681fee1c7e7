"""Designs that watch a signal: edges, sequences, glitches, and what was shifted in."""

from __future__ import annotations

import numpy as np

from assay.envs.verilog.designs.base import Design, Inputs, Outputs, bits, choose, clocked, interface, random_reset


def edge_detector(rng: np.random.Generator, level: int) -> Design:
    """Rising, falling or any edges, for each bit."""
    width = (1, 4, 8)[level - 1]
    kind = str(choose(rng, "rising", "falling", "any"))
    sticky = level >= 3
    reset = random_reset(rng)
    seen = {"rising": "d & ~last", "falling": "~d & last", "any": "d ^ last"}[kind]
    body = f"  reg {bits(width)}last;\n"
    mask = (1 << width) - 1
    update = f"      last <= d;\n      edges <= {'edges | ' if sticky else ''}({seen});"
    body += clocked(reset, "last <= 0; edges <= 0;", update)
    which = {"rising": "from 0 to 1", "falling": "from 1 to 0", "any": "in either direction"}[kind]
    each = "each bit of edges" if width > 1 else "edges"
    words = f"At every clock d is compared with d at the clock before (0 after a reset): {each} becomes 1 if "
    words += ("that bit of d" if width > 1 else "d") + f" changed {which}, "
    words += "and then stays 1 until a reset." if sticky else "otherwise 0."
    words += " After a reset edges is 0."

    def step(state: tuple[int, int], given: Inputs) -> tuple[int, int]:
        last, edges = state
        d = given["d"]
        found = {"rising": d & ~last, "falling": ~d & last, "any": d ^ last}[kind] & mask
        return d, (edges | found) if sticky else found

    return Design(
        "edge detector", level, interface({"d": width}, {"edges": width}, reset), words, body,
        lambda state, given: {"edges": state[1]}, step, (0, 0), reset,
    )  # fmt: skip


def sequence_detector(rng: np.random.Generator, level: int) -> Design:
    """A bit pattern in a serial input, overlapping or not, seen at once or a clock later."""
    length = level + 2
    pattern = int(rng.integers(1, (1 << length) - 1))
    overlapping = bool(rng.integers(2)) if level >= 2 else True
    mealy = level >= 3 and bool(rng.integers(2))
    reset = random_reset(rng)
    count = (length + 1).bit_length()
    text = format(pattern, f"0{length}b")
    full = f"(n >= {length - 1} && {{past, x}} == {length}'b{text})"
    forget = "" if overlapping else f" if ({full}) n <= 0; else"
    update = f"      past <= {{past[{length - 3}:0], x}};\n     {forget} if (n < {length - 1}) n <= n + 1;"
    if length == 2:
        update = update.replace("{past[-1:0], x}", "x")
    body = f"  reg {bits(length - 1)}past;\n  reg {bits(count)}n;\n"
    if mealy:
        body += clocked(reset, "past <= 0; n <= 0;", update) + f"  assign found = {full};\n"
    else:
        body += clocked(reset, "past <= 0; n <= 0; found <= 0;", update + f"\n      found <= {full};")
    words = f"x is a serial input, one bit at every clock. The pattern is {text}, its left bit first. "
    words += (
        "found is 1, without waiting for the clock, while x completes the pattern together with the bits taken at the last clocks. "
        if mealy
        else "found is 1 for one clock after the clock at which the last bit of the pattern was taken. "
    )
    words += (
        "Patterns may overlap."
        if overlapping
        else "Patterns do not overlap: a bit that was part of a found pattern is not part of another."
    )
    words += " A reset forgets all bits."

    def complete(state: tuple[tuple[int, ...], int], given: Inputs) -> bool:
        return (*state[0], given["x"])[-length:] == tuple(map(int, text))

    def step(state: tuple[tuple[int, ...], int], given: Inputs) -> tuple[tuple[int, ...], int]:
        done = complete(state, given)
        past = (*state[0], given["x"])[-(length - 1) :]
        return (() if done and not overlapping else past), int(done)

    def output(state: tuple[tuple[int, ...], int], given: Inputs) -> Outputs:
        return {"found": int(complete(state, given)) if mealy else state[1]}

    return Design(
        "sequence detector", level, interface({"x": 1}, {"found": 1}, reset), words, body, output, step, ((), 0), reset
    )


def debouncer(rng: np.random.Generator, level: int) -> Design:
    """Follow an input only once it has been stable."""
    stable = int(rng.integers(2, 3 + level))
    reset = random_reset(rng)
    pulse = level >= 3
    width = stable.bit_length()
    body = f"  reg {bits(width)}n;\n"
    clear = "n <= 0; clean <= 0;" + (" pressed <= 0;" if pulse else "")
    update = f"      if (noisy == clean) n <= 0;\n      else if (n == {stable - 1}) begin clean <= noisy; n <= 0; end\n      else n <= n + 1;"
    update += f"\n      pressed <= noisy && !clean && n == {stable - 1};" if pulse else ""
    words = f"clean follows noisy once noisy has had the other value at {stable} clocks in a row: at the last of them clean takes it. A clock at which noisy equals clean starts the count again. After a reset clean is 0 and nothing is counted."
    words += " pressed is 1 for the one clock after clean has become 1, and 0 after a reset." if pulse else ""

    def step(state: tuple[int, int, int], given: Inputs) -> tuple[int, int, int]:
        n, clean, _ = state
        if given["noisy"] == clean:
            return 0, clean, 0
        return (0, given["noisy"], given["noisy"]) if n == stable - 1 else (n + 1, clean, 0)

    def output(state: tuple[int, int, int], given: Inputs) -> Outputs:
        return {"clean": state[1], "pressed": state[2]} if pulse else {"clean": state[1]}

    outputs = {"clean": 1} | ({"pressed": 1} if pulse else {})
    return Design(
        "debouncer", level, interface({"noisy": 1}, outputs, reset), words, body + clocked(reset, clear, update),
        output, step, (0, 0, 0), reset,
    )  # fmt: skip


def shift_register(rng: np.random.Generator, level: int) -> Design:
    """Shift left or right, arithmetically, with load."""
    width = 4 * level
    reset = random_reset(rng)
    left = bool(rng.integers(2))
    both, load = level >= 2, level >= 3
    mask = (1 << width) - 1
    inputs = {"d": 1} | ({"right" if left else "left": 1} if both else {}) | ({"load": 1, "p": width} if load else {})
    shifts = {True: f"q <= {{q[{width - 2}:0], d}};", False: f"q <= {{d, q[{width - 1}:1]}};"}
    other = "right" if left else "left"
    update = "      if (load) q <= p;\n      else " if load else "      "
    update += f"if ({other}) {shifts[not left]} else {shifts[left]}" if both else shifts[left]
    words = f"At every clock q is shifted {'left' if left else 'right'} by one bit, and d becomes its {'lowest' if left else 'highest'} bit."
    words += (
        f" While {other} is 1 it is shifted {other} instead, and d becomes its {'highest' if left else 'lowest'} bit."
        if both
        else ""
    )
    words += " While load is 1 q takes p and is not shifted." if load else ""
    words += " After a reset q is 0."

    def step(q: int, given: Inputs) -> int:
        if given.get("load"):
            return given["p"]
        leftward = left != bool(given.get(other, 0))
        return ((q << 1 | given["d"]) & mask) if leftward else (q >> 1 | given["d"] << (width - 1))

    return Design(
        "shift register", level, interface(inputs, {"q": width}, reset), words, clocked(reset, "q <= 0;", update),
        lambda q, given: {"q": q}, step, 0, reset,
    )  # fmt: skip
