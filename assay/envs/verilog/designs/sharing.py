"""Designs that share something: arbiters, queues, stacks, and a lock that remembers what was entered."""

from __future__ import annotations

import numpy as np

from assay.envs.verilog.designs.base import Design, Inputs, Outputs, bits, clocked, interface, random_reset


def arbiter(rng: np.random.Generator, level: int) -> Design:
    """Fixed priority at level 1, round robin above."""
    ways = level + 2
    mask = (1 << ways) - 1
    reset = random_reset(rng)
    if level == 1:
        highest = bool(rng.integers(2))
        order = range(ways) if highest else range(ways - 1, -1, -1)
        picks = "".join(f"      if (request[{i}]) grant <= {ways}'d{1 << i};\n" for i in order)
        words = f"At every clock grant becomes one-hot for the {'highest' if highest else 'lowest'} bit of request that is 1 (bit 0 is the lowest), or 0 if request is 0. After a reset it is 0."

        def fixed(grant: int, given: Inputs) -> int:
            request = given["request"]
            return (1 << request.bit_length() >> 1) if highest else request & -request

        return Design(
            "arbiter", level, interface({"request": ways}, {"grant": ways}, reset), words,
            clocked(reset, "grant <= 0;", f"      grant <= 0;\n{picks.rstrip()}"), lambda g, given: {"grant": g},
            fixed, 0, reset,
        )  # fmt: skip
    width = (ways - 1).bit_length()
    body = f"  reg {bits(width)}turn;\n  integer i;\n  reg taken;\n"
    update = (
        "      grant <= 0;\n      taken = 0;\n"
        f"      for (i = 0; i < {ways}; i = i + 1)\n"
        f"        if (!taken && request[(turn + i) % {ways}]) begin\n"
        f"          grant <= {ways}'d1 << ((turn + i) % {ways});\n"
        f"          turn <= (turn + i + 1) % {ways};\n          taken = 1;\n        end"
    )
    words = f"A round robin arbiter for {ways} requests. At every clock grant becomes one-hot for the first bit of request that is 1, looking from bit number turn upwards and around from bit {ways - 1} to bit 0; turn then becomes the number after the granted one (0 after {ways - 1}). If request is 0, grant becomes 0 and turn stays. After a reset both are 0."

    def step(state: tuple[int, int], given: Inputs) -> tuple[int, int]:
        turn, _ = state
        for i in range(ways):
            n = (turn + i) % ways
            if given["request"] >> n & 1:
                return (n + 1) % ways, 1 << n & mask
        return turn, 0

    return Design(
        "arbiter", level, interface({"request": ways}, {"grant": ways}, reset), words,
        body + clocked(reset, "grant <= 0; turn <= 0; taken = 0;", update),
        lambda state, given: {"grant": state[1]}, step, (0, 0), reset,
    )  # fmt: skip


def fifo(rng: np.random.Generator, level: int) -> Design:
    """A queue with flags; from level 2 with its fill, from level 3 with a threshold."""
    width = int(rng.integers(1, 3 * level + 2))
    depth = int(rng.integers(2, 4 * level + 1))
    reset = random_reset(rng)
    index, count = max(1, (depth - 1).bit_length()), depth.bit_length()
    threshold = int(rng.integers(1, depth + 1))
    last = depth - 1
    body = f"  reg {bits(width)}memory [0:{last}];\n  reg {bits(index)}head, tail;\n  reg {bits(count)}n;\n"
    body += "  wire put = push && !full;\n  wire take = pop && !empty;\n"
    update = (
        f"      if (put) begin memory[tail] <= d; tail <= (tail == {last}) ? 0 : tail + 1; end\n"
        f"      if (take) head <= (head == {last}) ? 0 : head + 1;\n      n <= n + put - take;"
    )
    body += clocked(reset, "head <= 0; tail <= 0; n <= 0;", update)
    body += f"  assign q = empty ? 0 : memory[head];\n  assign empty = n == 0;\n  assign full = n == {depth};\n"
    outputs = {"q": width, "empty": 1, "full": 1}
    words = f"A queue of {depth} words. At a clock with push 1, d joins the queue unless full is 1; with pop 1 the oldest word leaves it unless empty is 1; both can happen at the same clock, each by the flags as they stand before it. q is the oldest word, and 0 while the queue is empty. empty and full say whether it holds no word or {depth}. A reset empties it."
    if level >= 2:
        outputs["fill"] = count
        body += "  assign fill = n;\n"
        words += " fill is how many words it holds."
    if level >= 3:
        outputs["alert"] = 1
        body += f"  assign alert = n >= {threshold};\n"
        words += f" alert is 1 while it holds {threshold} or more."

    def step(queue: tuple[int, ...], given: Inputs) -> tuple[int, ...]:
        put, take = given["push"] and len(queue) < depth, given["pop"] and queue
        return (queue[1:] if take else queue) + ((given["d"],) if put else ())

    def output(queue: tuple[int, ...], given: Inputs) -> Outputs:
        n = len(queue)
        answers = {"q": queue[0] if queue else 0, "empty": int(n == 0), "full": int(n == depth), "fill": n}
        answers["alert"] = int(n >= threshold)
        return {name: answers[name] for name in outputs}

    return Design(
        "fifo",
        level,
        interface({"push": 1, "pop": 1, "d": width}, outputs, reset),
        words,
        body,
        output,
        step,
        (),
        reset,
    )


def stack(rng: np.random.Generator, level: int) -> Design:
    """Last in, first out."""
    width, depth = int(rng.integers(2, 2 * level + 3)), int(rng.integers(2, 3 * level + 1)) if level > 1 else 2
    reset = random_reset(rng)
    count = depth.bit_length()
    body = f"  reg {bits(width)}memory [0:{depth - 1}];\n  reg {bits(count)}n;\n"
    update = (
        f"      error <= (push && !pop && n == {depth}) || (pop && !push && n == 0);\n"
        f"      if (push && !pop && n != {depth}) begin memory[n] <= d; n <= n + 1; end\n"
        "      else if (pop && !push && n != 0) n <= n - 1;"
    )
    body += clocked(reset, "n <= 0; error <= 0;", update)
    body += "  always @* top = (n == 0) ? 0 : memory[n - 1];\n"
    words = f"A stack of {depth} words. At a clock with push 1 and pop 0, d is put on top unless the stack is full; with pop 1 and push 0 the top word is removed unless it is empty; with both or neither nothing changes. top is the top word, 0 while the stack is empty. error becomes 1 for one clock after a push onto a full or a pop from an empty stack that was not carried out, otherwise 0. A reset empties the stack and clears error."

    def step(state: tuple[tuple[int, ...], int], given: Inputs) -> tuple[tuple[int, ...], int]:
        words_, _ = state
        if given["push"] and not given["pop"]:
            return (words_, 1) if len(words_) == depth else ((*words_, given["d"]), 0)
        if given["pop"] and not given["push"]:
            return (words_[:-1], 0) if words_ else ((), 1)
        return words_, 0

    def output(state: tuple[tuple[int, ...], int], given: Inputs) -> Outputs:
        return {"top": state[0][-1] if state[0] else 0, "error": state[1]}

    return Design(
        "stack", level, interface({"push": 1, "pop": 1, "d": width}, {"top": width, "error": 1}, reset), words, body,
        output, step, ((), 0), reset,
    )  # fmt: skip


def lock(rng: np.random.Generator, level: int) -> Design:
    """A combination lock: a state machine along a sequence of keys."""
    keys, length = 2, level + 1
    code = [int(key) for key in rng.integers(1 << keys, size=length)]
    alarm = level >= 3
    reset = random_reset(rng)
    width = length.bit_length()
    arms = "".join(
        f"        {i}: n <= (key == {want}) ? {i + 1} : (key == {code[0]}) ? 1 : 0;\n" for i, want in enumerate(code)
    )
    body = f"  reg {bits(width)}n;\n" + (f"  reg [{1}:0] tries;\n" if alarm else "")
    miss = " && ".join(f"!(n == {i} && key == {want})" for i, want in enumerate(code))
    update = (
        f"      if (enter && n != {length}) begin\n        case (n)\n{arms}        default: n <= n;\n        endcase\n"
    )
    update += f"        if ({miss} && tries != 3) tries <= tries + 1;\n" if alarm else ""
    update += "      end"
    clear = "n <= 0;" + (" tries <= 0;" if alarm else "")
    body += clocked(reset, clear, update) + f"  assign open = n == {length};\n"
    body += "  assign alarm = tries == 3;\n" if alarm else ""
    words = f"A lock that opens after the keys {', '.join(map(str, code))} in this order. A key counts at a clock with enter 1. A key that is not the next one of the order starts anew, and counts as the first one if it is {code[0]}. open is 1 once the last key was entered, and stays 1 until a reset, which also forgets all keys."
    words += (
        " alarm is 1 once three keys, since the reset and before it opened, were not the next one of the order; it stays 1 until a reset."
        if alarm
        else ""
    )

    def step(state: tuple[int, int], given: Inputs) -> tuple[int, int]:
        n, tries = state
        if not given["enter"] or n == length:
            return state
        if given["key"] == code[n]:
            return n + 1, tries
        return int(given["key"] == code[0]), min(3, tries + 1)

    def output(state: tuple[int, int], given: Inputs) -> Outputs:
        return {"open": int(state[0] == length)} | ({"alarm": int(state[1] == 3)} if alarm else {})

    return Design(
        "lock", level, interface({"enter": 1, "key": keys}, {"open": 1} | ({"alarm": 1} if alarm else {}), reset),
        words, body, output, step, (0, 0), reset,
    )  # fmt: skip
