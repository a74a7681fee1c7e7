"""Designs that count: up, down, to a limit, in Gray code, in decimal, for a duty cycle, or pseudo-randomly."""

from __future__ import annotations

import numpy as np

from assay.envs.verilog.designs.base import Design, Inputs, Outputs, bits, choose, clocked, interface, random_reset


def counter(rng: np.random.Generator, level: int) -> Design:
    """Count modulo n, up or down; from level 2 with enable, from level 3 with load."""
    width = level + 2
    modulus = int(rng.integers(3, 1 << width)) if level > 1 else 1 << width
    down = bool(rng.integers(2))
    reset = random_reset(rng)
    inputs = {"en": 1} if level >= 2 else {}
    if level >= 3:
        inputs |= {"load": 1, "d": width}
    last = modulus - 1
    move = f"q <= (q == 0) ? {last} : q - 1" if down else f"q <= (q == {last}) ? 0 : q + 1"
    update = f"      if (load) q <= (d > {last}) ? {last} : d;\n      else " if level >= 3 else "      "
    update += f"if (en) {move};" if level >= 2 else f"{move};"
    words = f"q counts {'down' if down else 'up'} modulo {modulus}, from 0 after a reset"
    words += f": after 0 comes {last}." if down else f": after {last} comes 0."
    words += " It counts only while en is 1." if level >= 2 else ""
    words += f" While load is 1, q takes d instead, or {last} if d is larger, whatever en is." if level >= 3 else ""

    def step(q: int, given: Inputs) -> int:
        if given.get("load"):
            return min(given["d"], last)
        return (q + (-1 if down else 1)) % modulus if given.get("en", 1) else q

    return Design(
        "counter", level, interface(inputs, {"q": width}, reset), words, clocked(reset, "q <= 0;", update),
        lambda q, given: {"q": q}, step, 0, reset,
    )  # fmt: skip


def gray_counter(rng: np.random.Generator, level: int) -> Design:
    """Count in Gray code."""
    width = level + 1 + int(rng.integers(2))
    reset = random_reset(rng)
    enabled = level >= 2
    body = f"  reg {bits(width)}n;\n" + clocked(
        reset, "n <= 0;", "      if (en) n <= n + 1;" if enabled else "      n <= n + 1;"
    )
    body += "  assign g = n ^ (n >> 1);\n"
    words = f"g is a {width}-bit Gray code counter: 0 after a reset, and then the successor in the reflected binary Gray code"
    words += " at every clock while en is 1." if enabled else " at every clock."
    return Design(
        "gray counter", level, interface({"en": 1} if enabled else {}, {"g": width}, reset), words, body,
        lambda n, given: {"g": n ^ (n >> 1)}, lambda n, given: (n + given.get("en", 1)) % (1 << width), 0, reset,
    )  # fmt: skip


def decimal_counter(rng: np.random.Generator, level: int) -> Design:
    """Count in binary coded decimal; at level 3 in both directions."""
    digits = min(level, 2)
    width, top = 4 * digits, int(10**digits)
    both, down = level >= 3, level == 2 and bool(rng.integers(2))
    reset = random_reset(rng)
    start = int(rng.integers(top)) if level >= 2 else 0

    def lines(backward: bool) -> list[str]:
        edge, other, sign = ("0", "9", "-") if backward else ("9", "0", "+")
        found, condition = [], "en"
        for digit in range(digits):
            part = f"q[{4 * digit + 3}:{4 * digit}]"
            found.append(f"      if ({condition}) {part} <= ({part} == {edge}) ? {other} : {part} {sign} 1;")
            condition += f" && {part} == {edge}"
        return found

    if both:
        update = "\n".join(["      if (down) begin", *lines(True), "      end else begin", *lines(False), "      end"])
    else:
        update = "\n".join(lines(down))

    def code(n: int) -> int:
        return int(str(n), 16)

    words = f"q is a counter of {digits} decimal digit{'s' * (digits > 1)} in binary coded decimal (four bits a digit, the lowest digit in the lowest bits). While en is 1 it counts "
    words += "down by one if down is 1, otherwise up by one" if both else f"{'down' if down else 'up'} by one"
    words += f", modulo {top}. After a reset it is {start}."

    def step(n: int, given: Inputs) -> int:
        return (n + given["en"] * (-1 if given.get("down", down) else 1)) % top

    inputs = {"en": 1} | ({"down": 1} if both else {})
    return Design(
        "decimal counter", level, interface(inputs, {"q": width}, reset), words,
        clocked(reset, f"q <= {width}'h{code(start):x};", update), lambda n, given: {"q": code(n)}, step, start, reset,
    )  # fmt: skip


def divider(rng: np.random.Generator, level: int) -> Design:
    """A pulse in every n-th clock."""
    period = int(rng.integers(3, 5 * level + 4))
    reset = random_reset(rng)
    paused = level >= 2
    width = period.bit_length()
    move = f"n <= (n == {period - 1}) ? 0 : n + 1;"
    body = f"  reg {bits(width)}n;\n" + clocked(
        reset, "n <= 0;", f"      if (!hold) {move}" if paused else f"      {move}"
    )
    body += f"  assign tick = (n == {period - 1}){' && !hold' if paused else ''};\n"
    words = f"tick is 1 during one of every {period} clocks: an internal counter is 0 after a reset, counts up at every clock"
    words += ", does not count while hold is 1," if paused else ""
    words += f" and starts again after {period - 1}; tick is 1 while it is {period - 1}" + (
        " and hold is 0." if paused else "."
    )
    return Design(
        "divider", level, interface({"hold": 1} if paused else {}, {"tick": 1}, reset), words, body,
        lambda n, given: {"tick": int(n == period - 1 and not given.get("hold", 0))},
        lambda n, given: n if given.get("hold", 0) else (n + 1) % period, 0, reset,
    )  # fmt: skip


def pwm(rng: np.random.Generator, level: int) -> Design:
    """Pulse width modulation."""
    width = level + 2
    reset = random_reset(rng)
    centred = bool(rng.integers(2)) and level >= 2
    latched = level >= 3
    top = (1 << width) - 1
    duty = "held" if latched else "duty"
    body = f"  reg {bits(width)}n;\n" + (f"  reg {bits(width)}held;\n" if latched else "")
    clear = "n <= 0;" + (" held <= 0;" if latched else "")
    update = "      n <= n + 1;" + (f"\n      if (n == {top}) held <= duty;" if latched else "")
    body += clocked(reset, clear, update)
    body += f"  assign out = n >= {top} - {duty} + 1;\n" if centred else f"  assign out = n < {duty};\n"
    if centred:
        body = body.replace(f"n >= {top} - {duty} + 1", f"{{1'b0, n}} + {duty} > {top}")
    words = f"An internal {width}-bit counter n is 0 after a reset, counts up at every clock and wraps around."
    words += (
        f" The duty cycle in use is taken from duty at the clock at which n goes from {top} to 0; it is 0 after a reset."
        if latched
        else ""
    )
    used = "the duty cycle in use" if latched else "duty"
    words += (
        f" out is 1 in the last clocks of a period: while n + {used} is larger than {top} (a sum without overflow)."
        if centred
        else f" out is 1 while n is less than {used}."
    )

    def step(state: tuple[int, int], given: Inputs) -> tuple[int, int]:
        n, held = state
        return (n + 1) & top, given["duty"] if n == top else held

    def output(state: tuple[int, int], given: Inputs) -> Outputs:
        n, used = state[0], state[1] if latched else given["duty"]
        return {"out": int(n + used > top if centred else n < used)}

    return Design("pwm", level, interface({"duty": width}, {"out": 1}, reset), words, body, output, step, (0, 0), reset)


_TAPS = {3: (3, 2), 4: (4, 3), 5: (5, 3), 6: (6, 5), 7: (7, 6), 8: (8, 6, 5, 4)}


def lfsr(rng: np.random.Generator, level: int) -> Design:
    """A linear feedback shift register: Fibonacci or Galois."""
    width = int(rng.integers(level + 2, level + 5))
    taps = _TAPS[min(width, 8)]
    width = min(width, 8)
    galois = level >= 2 and bool(rng.integers(2))
    reset = random_reset(rng)
    start = int(rng.integers(1, 1 << width))
    mask = sum(1 << (tap - 1) for tap in taps)
    if galois:
        update = f"      q <= (q >> 1) ^ (q[0] ? {width}'d{mask} : {width}'d0);"
        words = f"q is a Galois shift register: at every clock it is shifted right by one, a 0 comes in, and if the bit shifted out was 1, the result is xored with {mask}."
    else:
        feedback = " ^ ".join(f"q[{tap - 1}]" for tap in taps)
        update = f"      q <= {{q[{width - 2}:0], {feedback}}};"
        words = f"q is a Fibonacci shift register: at every clock it is shifted left by one, and the new lowest bit is the exclusive or of the bits {', '.join(str(tap - 1) for tap in taps)} (0 is the lowest)."
    words += f" After a reset q is {start}."

    def step(q: int, given: Inputs) -> int:
        if galois:
            return (q >> 1) ^ (mask if q & 1 else 0)
        return (q << 1 | (q & mask).bit_count() & 1) & ((1 << width) - 1)

    return Design(
        "lfsr", level, interface({}, {"q": width}, reset), words, clocked(reset, f"q <= {start};", update),
        lambda q, given: {"q": q}, step, start, reset,
    )  # fmt: skip


def accumulator(rng: np.random.Generator, level: int) -> Design:
    """Add up, and saturate."""
    width = level + 3
    reset = random_reset(rng)
    top = (1 << width) - 1
    subtracts = level >= 2
    limit = int(choose(rng, top, int(rng.integers(top // 2, top)))) if level >= 3 else top
    body = f"  wire {bits(width + 1)}sum = {{1'b0, q}} + d;\n"
    update = "      if (sub) q <= (q < d) ? 0 : q - d;\n      else " if subtracts else "      "
    update += f"q <= (sum > {limit}) ? {limit} : sum;"
    words = f"At every clock d is added to q, but q stays at {limit} where the sum would be larger."
    words += (
        " While sub is 1, d is subtracted instead, and q stays at 0 where the difference would be negative."
        if subtracts
        else ""
    )
    words += " After a reset q is 0."

    def step(q: int, given: Inputs) -> int:
        return max(0, q - given["d"]) if given.get("sub") else min(limit, q + given["d"])

    return Design(
        "accumulator", level, interface(({"sub": 1} if subtracts else {}) | {"d": width - 2}, {"q": width}, reset), words,
        body + clocked(reset, "q <= 0;", update), lambda q, given: {"q": q}, step, 0, reset,
    )  # fmt: skip
