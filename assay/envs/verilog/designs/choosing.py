"""Designs without a clock: select, encode, decode, compute, convert."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.envs.verilog.designs.base import Design, Inputs, Outputs, choose, interface

_SIGNS = ("without signs", "in two's complement")
_OPERATIONS: tuple[tuple[str, str, Callable[[int, int], int]], ...] = (
    ("a plus b", "a + b", lambda a, b: a + b),
    ("a minus b", "a - b", lambda a, b: a - b),
    ("b minus a", "b - a", lambda a, b: b - a),
    ("a and b, bit by bit", "a & b", lambda a, b: a & b),
    ("a or b, bit by bit", "a | b", lambda a, b: a | b),
    ("a exclusive or b, bit by bit", "a ^ b", lambda a, b: a ^ b),
    ("the inverse of a, bit by bit", "~a", lambda a, b: ~a),
    ("a shifted left by one", "a << 1", lambda a, b: a << 1),
    ("a shifted right by one, 0 coming in", "a >> 1", lambda a, b: a >> 1),
    ("1 if a is less than b without signs, otherwise 0", "a < b", lambda a, b: int(a < b)),
    ("1 if a equals b, otherwise 0", "a == b", lambda a, b: int(a == b)),
    ("the larger of a and b, without signs", "(a > b) ? a : b", lambda a, b: max(a, b)),
    ("the smaller of a and b, without signs", "(a < b) ? a : b", lambda a, b: min(a, b)),
)


def alu(rng: np.random.Generator, level: int) -> Design:
    """Some operations on two words."""
    width = 4 * level
    selector = level
    chosen = rng.permutation(len(_OPERATIONS))[: 1 << selector]
    operations = [_OPERATIONS[int(index)] for index in chosen]
    mask = (1 << width) - 1
    arms = "".join(f"      {selector}'d{i}: y = {source};\n" for i, (_, source, _) in enumerate(operations))
    body = f"  always @* begin\n    case (op)\n{arms}      default: y = 0;\n    endcase\n  end\n"
    outputs = {"y": width}
    if level >= 2:
        outputs["zero"] = 1
        body = body.replace("    endcase\n", "    endcase\n    zero = (y == 0);\n")
    words = f"y depends on op: {'; '.join(f'{i}: {said}' for i, (said, _, _) in enumerate(operations))}."
    words += f" Results are cut to {width} bits." + (" zero is 1 if y is 0." if level >= 2 else "")

    def output(state: None, given: Inputs) -> Outputs:
        y = operations[given["op"]][2](given["a"], given["b"]) & mask
        return {"y": y, "zero": int(y == 0)} if level >= 2 else {"y": y}

    return Design("alu", level, interface({"op": selector, "a": width, "b": width}, outputs), words, body, output)


def multiplexer(rng: np.random.Generator, level: int) -> Design:
    """One of several words, with what is chosen beyond the last."""
    ways = int(rng.integers(2, 4)) if level == 1 else int(rng.integers(3, 5)) if level == 2 else int(rng.integers(5, 9))
    width = int(choose(rng, 1, 2, 4)) * level
    selector = max(1, (ways - 1).bit_length())
    other = int(rng.integers(1 << width))
    arms = "".join(f"      {i}: y = d{i};\n" for i in range(ways))
    body = f"  always @*\n    case (sel)\n{arms}      default: y = {other};\n    endcase\n"
    words = f"y is the input d0 to d{ways - 1} that sel names by its number"
    words += f"; for other values of sel it is {other}." if ways < 1 << selector else "."
    if ways == 1 << selector:
        body = body.replace(f"default: y = {other}", "default: y = 0")
    inputs = {f"d{i}": width for i in range(ways)} | {"sel": selector}
    return Design(
        "multiplexer", level, interface(inputs, {"y": width}), words, body,
        lambda state, given: {"y": given.get(f"d{given['sel']}", other)},
    )  # fmt: skip


def priority_encoder(rng: np.random.Generator, level: int) -> Design:
    """The number of the first bit that is 1."""
    width = (4, 6, 10)[level - 1]
    highest = bool(rng.integers(2))
    out = (width - 1).bit_length()
    order = range(width - 1, -1, -1) if not highest else range(width)  # the last assignment wins
    arms = "".join(f"    if (d[{i}]) n = {i};\n" for i in order)
    body = f"  always @* begin\n    n = 0;\n{arms}    valid = |d;\n  end\n"
    words = f"n is the number of the {'highest' if highest else 'lowest'} bit of d that is 1 (bit 0 is the lowest), and 0 if there is none. valid is 1 if any bit of d is 1."

    def output(state: None, given: Inputs) -> Outputs:
        d = given["d"]
        first = d.bit_length() - 1 if highest else (d & -d).bit_length() - 1
        return {"n": max(first, 0), "valid": int(d != 0)}

    return Design("priority encoder", level, interface({"d": width}, {"n": out, "valid": 1}), words, body, output)


def rotator(rng: np.random.Generator, level: int) -> Design:
    """Rotate or shift by a variable amount."""
    width = (4, 8, 16)[level - 1]
    amount = width.bit_length() - 1
    left, rotates = bool(rng.integers(2)), bool(rng.integers(2))
    arithmetic = not rotates and not left and level >= 2
    mask = (1 << width) - 1
    if rotates:
        twice = f"{{d, d}} {'<<' if left else '>>'} n"
        body = f"  wire [{2 * width - 1}:0] both = {twice};\n"
        body += f"  assign y = both[{2 * width - 1}:{width}];\n" if left else f"  assign y = both[{width - 1}:0];\n"
    elif arithmetic:
        body = "  assign y = $signed(d) >>> n;\n"
    else:
        body = f"  assign y = d {'<<' if left else '>>'} n;\n"
    how = "rotated" if rotates else "shifted"
    into = "" if rotates else ", copies of its highest bit coming in" if arithmetic else ", zeros coming in"
    words = f"y is d {how} {'left' if left else 'right'} by n bits{into}."

    def output(state: None, given: Inputs) -> Outputs:
        d, n = given["d"], given["n"]
        if rotates:
            n = n if left else (width - n) % width
            return {"y": (d << n | d >> (width - n)) & mask}
        if arithmetic and d >> (width - 1):
            return {"y": ((d | ~mask) >> n) & mask}
        return {"y": (d << n if left else d >> n) & mask}

    return Design("rotator", level, interface({"d": width, "n": amount}, {"y": width}), words, body, output)


def counter_of_ones(rng: np.random.Generator, level: int) -> Design:
    """How many bits are 1, and whether that is enough."""
    width = int(rng.integers(2 * level + 1, 4 * level + 2))
    out = width.bit_length()
    threshold = int(rng.integers(2, width))
    ones = bool(rng.integers(2))
    text = f"  integer i;\n  always @* begin\n    n = 0;\n    for (i = 0; i < {width}; i = i + 1) n = n + {'d[i]' if ones else '!d[i]'};\n"
    text += f"    enough = (n >= {threshold});\n  end\n" if level >= 2 else "  end\n"
    outputs = {"n": out} | ({"enough": 1} if level >= 2 else {})
    words = f"n is how many bits of d are {int(ones)}." + (
        f" enough is 1 if n is at least {threshold}." if level >= 2 else ""
    )

    def output(state: None, given: Inputs) -> Outputs:
        n = given["d"].bit_count() if ones else width - given["d"].bit_count()
        return {"n": n, "enough": int(n >= threshold)} if level >= 2 else {"n": n}

    return Design("population count", level, interface({"d": width}, outputs), words, text, output)


def code_converter(rng: np.random.Generator, level: int) -> Design:
    """Between binary, Gray code, one-hot and thermometer code."""
    width = level + 2
    kind = str(choose(rng, "to gray", "from gray", "one-hot", "thermometer"))
    inverted = level >= 2 and bool(rng.integers(2))
    wide = width if "gray" in kind else 1 << min(width, 4)
    width = width if "gray" in kind else min(width, 4)
    sign = "~" if inverted else ""
    mask = (1 << wide) - 1
    if kind == "to gray":
        body, words = f"  assign y = {sign}(d ^ (d >> 1));\n", "y is the reflected binary Gray code of the number d."
        convert: Callable[[int], int] = lambda d: d ^ (d >> 1)  # noqa: E731
    elif kind == "from gray":
        bit = "!(^(d >> i))" if inverted else "^(d >> i)"
        body = f"  integer i;\n  always @*\n    for (i = 0; i < {width}; i = i + 1) y[i] = {bit};\n"
        words = "y is the number whose reflected binary Gray code is d."

        def convert(d: int) -> int:
            n = 0
            while d:
                n, d = n ^ d, d >> 1
            return n
    elif kind == "one-hot":
        body, words = (
            f"  assign y = {sign}({wide}'d1 << d);\n",
            "y has a 1 in the place that d names (0 is the lowest), and zeros elsewhere.",
        )
        convert = lambda d: 1 << d  # noqa: E731
    else:
        body = f"  assign y = {sign}(({wide + 1}'d1 << d) - 1);\n"
        words = "y has as many ones as d says, in its lowest bits, and zeros elsewhere."
        convert = lambda d: (1 << d) - 1  # noqa: E731
    words += " All bits of y are then inverted." if inverted else ""
    return Design(
        "code converter", level, interface({"d": width}, {"y": wide}), words, body,
        lambda state, given: {"y": (convert(given["d"]) ^ (mask if inverted else 0)) & mask},
    )  # fmt: skip


def comparator(rng: np.random.Generator, level: int) -> Design:
    """Less, equal, greater, with and without signs."""
    width = int(rng.integers(level + 1, 3 * level + 3))
    signed = bool(rng.integers(2))
    absolute = level >= 3
    a, b = ("$signed(a)", "$signed(b)") if signed else ("a", "b")
    body = f"  assign less = {a} < {b};\n  assign equal = a == b;\n"
    outputs = {"less": 1, "equal": 1}
    words = f"a and b are numbers {_SIGNS[signed]}. less is 1 if a is less than b; equal is 1 if they are equal."
    if level >= 2:
        body += f"  assign least = {a} < {b} ? a : b;\n"
        outputs["least"] = width
        words += " least is the smaller of the two."
    if absolute:
        body += f"  assign distance = {a} < {b} ? b - a : a - b;\n"
        outputs["distance"] = width
        words += f" distance is the larger minus the smaller, cut to {width} bits."
    mask = (1 << width) - 1

    def value(n: int) -> int:
        return n - (1 << width) if signed and n >> (width - 1) else n

    def output(state: None, given: Inputs) -> Outputs:
        x, y = value(given["a"]), value(given["b"])
        answers = {
            "less": int(x < y), "equal": int(x == y), "least": min(x, y) & mask, "distance": abs(x - y) & mask
        }  # fmt: skip
        return {name: answers[name] for name in outputs}

    return Design("comparator", level, interface({"a": width, "b": width}, outputs), words, body, output)
