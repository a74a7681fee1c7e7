"""Claim: the verifier `math` is more accurate than Math-Verify and at least 40 times as fast, measured in one run.

    ASSAY_DATA=/path/to/data python benchmarks/math_verifier.py [--hostile] [--fuzz 100000] [--json out.json]

Reads `answer_pairs.jsonl` (labelled pairs) and `math_responses_odd.jsonl` (model solutions) from `ASSAY_DATA`. Both
graders get the same text in the same process; Math-Verify gets the answers of pairs within `$...$`, as it asks for.
A missing verdict counts as a miss on positives and as no error on negatives.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from assay.core.stats import mcnemar, wilson
from assay.core.task import Task
from assay.verifiers.answers.verifier import MathVerifier
from assay.verifiers.base import Evidence, run_verifier

Grader = Callable[[str, str], bool]


def rows_of(name: str) -> list[dict[str, Any]]:
    """Read a data file; exits with the reason when it is not there."""
    root = os.environ.get("ASSAY_DATA")
    path = Path(root or ".") / name
    if root is None or not path.exists():
        sys.exit(f"set ASSAY_DATA to the folder that holds {name}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def our_grader(verifier: MathVerifier) -> Grader:
    """Return our verifier as a plain function, through the guard that environments use."""

    @cache
    def task(target: str) -> Task:
        return Task(id="pair", prompt="", target=target)

    def grade(target: str, response: str) -> bool:
        return bool(run_verifier(verifier, task(target), Evidence(text=response)).correct)

    return grade


def math_verify_grader(*, answers: bool) -> Grader:
    """Return Math-Verify as a plain function; `answers` puts bare answers within dollar signs."""
    from math_verify import parse, verify

    def wrap(text: str) -> str:
        return text if not answers or "$" in text or "\\boxed" in text else f"${text}$"

    def grade(target: str, response: str) -> bool:
        return bool(verify(parse(wrap(target)), parse(wrap(response))))

    return grade


def timed(grade: Grader, pairs: Iterable[tuple[str, str]]) -> tuple[list[bool], list[float]]:
    """Return the verdicts and the seconds of each call."""
    verdicts, seconds = [], []
    for target, response in pairs:
        started = time.perf_counter()
        verdicts.append(grade(target, response))
        seconds.append(time.perf_counter() - started)
    return verdicts, seconds


def quantile(values: list[float], q: float) -> float:
    """Return the nearest-rank quantile."""
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def rate(errors: int, total: int) -> str:
    """Return a rate with its 95 % Wilson interval."""
    low, high = wilson(errors, total)
    return f"{errors:3d}/{total:<3d} = {errors / max(1, total):6.2%} [{low:.2%}, {high:.2%}]"


def accuracy() -> dict[str, Any]:
    """Compare false negatives and false positives on labelled pairs, and print the table."""
    rows = rows_of("answer_pairs.jsonl")
    pairs = [(str(r["target"]), str(r["response"])) for r in rows]
    theirs = math_verify_grader(answers=True)
    theirs("1", "1")
    verdicts = {}
    for name, grade in (("assay", our_grader(MathVerifier())), ("math-verify", theirs)):
        verdicts[name], seconds = timed(grade, pairs)
        shown = ", ".join(f"p{int(100 * q)} {1e3 * quantile(seconds, q):.2f}" for q in (0.5, 0.99))
        print(f"{name:12s} {shown}, max {1e3 * max(seconds):.1f} ms over {len(pairs)} pairs")
    subsets: dict[str, Callable[[dict[str, Any]], bool]] = {
        "undisputed, answers": lambda r: not r.get("dispute") and r["level"] == "answer",
        "undisputed, all": lambda r: not r.get("dispute"),
        "HardVerify, undisputed": lambda r: not r.get("dispute") and "HardVerify" in r["source"],
        "all pairs": lambda r: True,
    }
    table: dict[str, Any] = {}
    for label, chosen in subsets.items():
        index = [i for i, row in enumerate(rows) if chosen(row)]
        for name, given in verdicts.items():
            fn = sum(1 for i in index if rows[i]["correct"] and not given[i])
            fp = sum(1 for i in index if not rows[i]["correct"] and given[i])
            positives = sum(1 for i in index if rows[i]["correct"])
            print(f"{label:24s} {name:12s} FN {rate(fn, positives)}  FP {rate(fp, len(index) - positives)}")
            table[f"{label}/{name}"] = {"fn": fn, "fp": fp, "positives": positives, "negatives": len(index) - positives}
        right = {name: [given[i] == bool(rows[i]["correct"]) for i in index] for name, given in verdicts.items()}
        ours_only = sum(a and not b for a, b in zip(right["assay"], right["math-verify"], strict=True))
        theirs_only = sum(b and not a for a, b in zip(right["assay"], right["math-verify"], strict=True))
        p_value = mcnemar(ours_only, theirs_only)
        print(f"{label:24s} McNemar: ours alone right {ours_only}, theirs alone {theirs_only}, exact p = {p_value:.2g}")
        table[f"{label}/mcnemar"] = {"ours": ours_only, "theirs": theirs_only, "p": p_value}
    return table


def speed(repeats: int = 5) -> dict[str, Any]:
    """Compare time on long solution texts, and agreement with their labels."""
    rows = rows_of("math_responses_odd.jsonl")
    pairs = [(str(r["target"]), str(r["response"])) for r in rows]
    theirs = math_verify_grader(answers=False)
    wrapped: Grader = lambda target, response: theirs(f"${target}$", response)  # noqa: E731
    wrapped("1", "1")
    tasks = {target: Task(id="pair", prompt="", target=target) for target, _ in pairs}
    medians: dict[str, list[float]] = {"assay": [], "math-verify": []}
    means: dict[str, list[float]] = {"assay": [], "math-verify": []}
    ours_seconds: list[float] = []
    agreement: dict[str, int] = {}
    for _ in range(repeats):
        verifier = MathVerifier()  # a fresh one: no verdict of the last round is remembered

        def ours(target: str, response: str, verifier: MathVerifier = verifier) -> bool:
            return bool(verifier.verify(tasks[target], Evidence(text=response)).correct)

        for name, grade in (("assay", ours), ("math-verify", wrapped)):
            verdicts, seconds = timed(grade, pairs)
            medians[name].append(statistics.median(seconds))
            means[name].append(statistics.mean(seconds))
            agreement[name] = sum(v == bool(r["correct"]) for v, r in zip(verdicts, rows, strict=True))
            if name == "assay":
                ours_seconds += seconds
    out: dict[str, Any] = {"agreement": agreement, "rows": len(rows)}
    for label, values in (("median", medians), ("mean", means)):
        mine, other = statistics.median(values["assay"]), statistics.median(values["math-verify"])
        out[f"{label}_ratio"] = other / mine
        print(f"{label}: assay {1e6 * mine:.1f} us, math-verify {1e6 * other:.1f} us, ratio {other / mine:.1f}")
    out["per_second"] = 1 / statistics.median(means["assay"])
    print(f"assay: {out['per_second']:,.0f} verifications/s/core, p99 {1e3 * quantile(ours_seconds, 0.99):.2f} ms")
    print(f"agreement with {len(rows)} labels: {agreement}")
    return out


HOSTILE = {
    "towers": ["10^{10^{10}}", "9^{9^{9^9}}", "10**10**10", "7^{999999999}", r"\{7^{999999999},10^{10^{10}}\}"],
    "factorials": ["((10!)!)!", "(10^8)!", "100000000!", r"\binom{10^9}{5\cdot 10^8}"],
    "sums": [r"\sum_{k=1}^{10000000} \sqrt{k}", r"\prod_{k=1}^{100000000} (1+1/k^2)", r"\int_0^1 \sin(e^{x^x}) dx"],
    "digits": ["9" * 10**5, "9" * 10**6, r"\sqrt{" + "7" * 4000 + "}", "0." + "3" * 10**5],
    "nesting": [r"\frac{1}{" * 200 + "2" + "}" * 200, r"\sqrt{" * 500 + "2" + "}" * 500, "(" * 3000 + "1" + ")" * 3000,
                "{" * 20000 + "1" + "}" * 20000, r"\boxed{" * 5000, r"\text{" * 300 + "1" + "}" * 300],
    "length": [r"\{" + ",".join(map(str, range(3000))) + r"\}", "a b c " * 170000, "$ x " * 250000,
               r"\boxed{1}" * 20000, " " * 10**6, "$" * 10**6, r"\(" * 50000, "answer is " * 50000, "#### " * 50000],
    "angles": [r"\sin(10^{10^6})", r"\tan(10^{10^{10}})", r"x^y+y^x+\sin(xy)=\cos(x^{y^x})"],
}  # fmt: skip


def hostile(threads: int) -> float:
    """Grade hostile answers from many threads; returns the longest call in seconds."""
    verifier = MathVerifier()
    grade = our_grader(verifier)
    verifier.warm()  # the worker processes start once; this is not part of a call
    cases = [
        (gold, text)
        for gold in ("5", "x+1", r"\sqrt{2}+1", "1,2,3")
        for family in HOSTILE.values()
        for body in family
        for text in (body, rf"\boxed{{{body}}}", f"Answer: ${body}$")
    ]
    random.Random(0).shuffle(cases)

    def one(case: tuple[str, str]) -> tuple[float, bool]:
        started = time.perf_counter()
        accepted = grade(*case)
        return time.perf_counter() - started, accepted

    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(one, cases))
    verifier.close()
    longest = max(seconds for seconds, _ in results)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    accepted = sum(ok for _, ok in results)
    print(f"hostile: {len(cases)} calls from {threads} threads: longest {longest:.3f} s, peak {peak:.0f} MB,", end=" ")
    print(f"accepted {accepted}")
    return longest


_PIECES = [
    *"{}()[]^_+-*/=<>|,;:!%&$'\"#1237xynie", r"\frac", r"\sqrt", r"\left(", r"\right)", r"\text{", r"\\", r"\boxed{",
    r"\cup", r"\in", r"\pm", r"\infty", r"\pi", "0.5", "10^9", r"\sin", r"\log", r"\sum_{k=1}^n", r"\int_0^1", "dx",
    r"\begin{pmatrix}", r"\end{pmatrix}", r"\ldots", " and ", " or ", " cm", r"\{", r"\}", r"\cdot", r"^\circ", "1,000",
    "f(x)", r"\lfloor", r"\rfloor", "√", "²", "½", "∞", "解", "\x00", " answer is ",
]  # fmt: skip


def fuzz(count: int, seed: int = 0) -> float:
    """Grade random and mutated inputs; an exception ends the run. Returns the longest call in seconds."""
    chance = random.Random(seed)
    verifier = MathVerifier(worker=False)
    matrix = r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"
    seeds = ["x^2+1", r"\frac{1}{2}", "(1,2]", r"\{1,2,3\}", "5 cm", matrix, "x=3", "1,2,3"]
    longest = 0.0
    for _ in range(count):
        if chance.random() < 0.5:
            text = "".join(chance.choice(_PIECES) for _ in range(chance.randrange(1, 25)))
        else:
            letters = list(chance.choice(seeds))
            for _ in range(chance.randrange(1, 5)):
                at = chance.randrange(len(letters) + 1)
                letters[at : at + chance.randrange(2)] = [chance.choice(_PIECES)]
            text = "".join(letters)
        gold = chance.choice(seeds) if chance.random() < 0.8 else text
        started = time.perf_counter()
        verdict = verifier.verify_answer(gold, text)
        longest = max(longest, time.perf_counter() - started)
        if verdict.correct not in (True, False, None):
            sys.exit(f"no verdict on {text!r}")
    print(f"fuzz: {count} inputs, longest call {1e3 * longest:.0f} ms, no exception")
    return longest


def main() -> None:
    """Run the chosen parts."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--hostile", action="store_true", help="also grade hostile inputs from 1 and 64 threads")
    options.add_argument("--fuzz", type=int, default=0, metavar="N", help="also grade N random inputs")
    options.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = options.parse_args()
    out: dict[str, Any] = {"accuracy": accuracy(), "speed": speed()}
    if chosen.hostile:
        out["hostile_seconds"] = {threads: hostile(threads) for threads in (1, 64)}
    if chosen.fuzz:
        out["fuzz_seconds"] = fuzz(chosen.fuzz)
    if chosen.json:
        chosen.json.write_text(json.dumps(out, indent=2))


if __name__ == "__main__":
    main()
