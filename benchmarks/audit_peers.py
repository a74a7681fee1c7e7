"""Does an audit without any labels rediscover what is known to be wrong with Math-Verify?

    python benchmarks/audit_peers.py [--labels FILE.jsonl]

The audit gets the name of the grader and nothing else: golds, right and wrong answers, attacks and probes are its own.
Each line of `KNOWN` is a published or measured defect of math-verify 0.9 and the findings that count as having found
it. Also printed: cases, seconds, and the error rates; with `--labels`, the same for labelled rows.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from assay.audits import FULL, AuditReport, RunLimits, audit, load_labels

KNOWN = {
    "bases are ignored (101_2 = 101_3)": ["certified/false-accept/base"],
    "units are ignored (5 cm = 5 m)": ["certified/false-accept/quantity"],
    "unit stripping eats variables (3m = 3)": ["certified/false-accept/polynomial"],
    "tiny numbers are equal (1e-7 = 2e-7, 1/2004! = 1/2006!)": ["certified/false-accept/tiny"],
    "large numbers are equal (sqrt(10^40+1) = 10^20)": ["certified/false-accept/huge"],
    "only a prefix is parsed (1-1/e = 1+1/e)": ["certified/false-accept/irrational"],
    "words are products of letters (east = seat)": ["certified/false-accept/word"],
    "the last side of a false equation counts (5 = 2+2=5)": ["attack/false-equation"],
    "text after the answer is ignored": ["attack/trailing"],
    "no verdict off the main thread": ["thread-dependent"],
    "hostile input burns seconds": ["hostile/killed"],
    "unicode digits and fractions are not read": ["certified/false-reject/full-width"],
}
IN_TRAINERS = {"hangs off the main thread once its time limits are off": ["hostile/thread-hang"]}


def report(name: str, known: dict[str, list[str]], result: AuditReport) -> None:
    kinds = {f.kind: f for f in result.findings}
    cases = result.latency.n + sum(r.success.n for r in result.exploits.families) if result.exploits else 0
    certified = result.certified.accuracy if result.certified else None
    print(f"\n{name}: {cases} cases in {result.seconds:.0f} s")
    for label, accuracy in (("certified", certified), ("labels", result.labels)):
        if accuracy:
            fn, fp = accuracy.fn, accuracy.fp
            print(f"  {label}: FN {fn.value:.1%} ({fn.events}/{fn.n}), FP {fp.value:.1%} ({fp.events}/{fp.n})")
    for defect, expected in known.items():
        found = [kinds[kind] for kind in expected if kind in kinds]
        shown = f"{found[0].count}/{found[0].total}" if found else "-"
        print(f"  {'found ' if found else 'MISSED'} {defect:60} {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    rows = load_labels(arguments.labels) if arguments.labels else ()
    plan = replace(FULL, limits=RunLimits(workers=arguments.workers))
    report("math-verify", KNOWN, audit("math-verify", rows, plan=plan, allow_unreadable=True))
    unlimited = audit("math-verify", options={"timeouts": False}, plan=replace(plan, certified=False, probes=False))
    report("math-verify without its time limits, as trainers call it", IN_TRAINERS, unlimited)


if __name__ == "__main__":
    main()
