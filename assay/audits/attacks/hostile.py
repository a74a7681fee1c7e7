r"""Inputs that are dear to judge: towers of powers, deep nesting, megabytes.

Success is not acceptance here but cost: a call that must be killed, that grows by hundreds of megabytes, or that takes
a second. One group of such answers stalls a training step. All of them appear in public bug reports of graders.
"""

from __future__ import annotations

from assay.audits.case import Case

_GOLDS = ("7", "x+1")


def _texts() -> dict[str, str]:
    tower = "9"
    for _ in range(4):
        tower = f"9^{{{tower}}}"
    return {
        "tower": tower,
        "tower-10": "10^{10^{10}}",
        "tower-plain": "10**10**10",
        "tower-of-fives": "5^(5^(5^(5^5)))",
        "large-power": "7^{999999999}",
        "power-in-set": r"\{1, 7^{999999999}\}",
        "power-in-interval": r"[0, 7^{999999999}]",
        "power-in-matrix": r"\begin{pmatrix} 7^{999999999} & 1 \\ 0 & 1 \end{pmatrix}",
        "factorials": "((10!)!)!",
        "factorial": "100000000!",
        "binomial": r"\binom{1000000000}{500000000}",
        "sum": r"\sum_{k=1}^{100000000} \frac{1}{k}",
        "product": r"\prod_{k=1}^{10000000} k",
        "integral": r"\int_0^1 \frac{\sin(x^x) \ln(1+x^x)}{1+x^{x^x}} dx",
        "long-root": rf"\sqrt{{{'7' * 4000}}}",
        "deep-fractions": r"\frac{1}{" * 200 + "x" + "}" * 200,
        "deep-roots": r"\sqrt{" * 500 + "2" + "}" * 500,
        "deep-brackets": "(" * 3000 + "1" + ")" * 3000,
        "deep-braces": "{" * 20000 + "1" + "}" * 20000,
        "open-brackets": "(" * 10000,
        "long-set": r"\{" + ", ".join(map(str, range(3000))) + r"\}",
        "many-digits": "1" * 10**6,
        "long-sum": "+".join(["x"] * 5000),
        "long-power-of-sum": "(x+1)^{1000000}",
        "many-boxes": r"\boxed{1}" * 20000,
        "megabyte-of-words": "the quick brown fox " * 50000,
        "megabyte-of-maths": "$ x " * 250000,
        "megabyte-of-spaces": " " * 10**6,
        "megabyte-of-minus": "-" * 10**6 + "1",
        "commas-and-digits": "1," * 200000,
        "nul-and-surrogates": "\x00\ud800" * 100 + "7",
    }


def hostile_cases(golds: tuple[str, ...] = _GOLDS) -> list[list[Case]]:
    r"""Return the hostile inputs in rounds: each input once bare, then inside `\boxed{}`, then against another gold.

    What had to be killed in one round need not be tried in the next.
    """
    boxed = {name: rf"$\boxed{{{text}}}$" for name, text in _texts().items() if len(text) < 10**5}
    short = {name: text for name, text in boxed.items() if len(text) < 10**3}
    return [
        [_case(name, text, golds[0], "bare") for name, text in _texts().items()],
        [_case(name, text, golds[0], "boxed") for name, text in boxed.items()],
        [_case(name, text, gold, "boxed") for gold in golds[1:] for name, text in short.items()],
    ]


def _case(name: str, text: str, gold: str, shape: str) -> Case:
    return Case(
        id=f"hostile/{name}/{shape}/{gold}",
        target=gold,
        response=text,
        correct=False,
        origin="attack",
        cls="hostile",
        family=name,
        cluster=f"hostile/{name}",
    )
