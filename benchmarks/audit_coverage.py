"""How often do the intervals of an audit hold the truth? Simulated corpora with a known error rate.

    python benchmarks/audit_coverage.py [--runs 2000]

Rows of one problem share its difficulty (a beta-binomial with intra-class correlation rho). Printed: the coverage of
the interval that the report leads with, and of Wilson's, which takes rows for independent. 93 to 97 % is the target
for nominal 95 %.
"""

from __future__ import annotations

import argparse

import numpy as np

from assay.audits.rates import rate

SETTINGS = [
    # (error rate, problems, rows of a problem, correlation)
    (0.05, 200, 1, 0.0),
    (0.15, 400, 1, 0.0),
    (0.05, 150, 4, 0.1),
    (0.10, 100, 6, 0.2),
    (0.10, 100, 6, 0.5),
    (0.20, 60, 8, 0.3),
    (0.30, 40, 10, 0.2),
    (0.50, 30, 8, 0.5),
]


def corpus(rng: np.random.Generator, p: float, problems: int, size: int, rho: float) -> tuple[list[bool], list[str]]:
    """Return error flags and the problem of each row; problems have one to `2 size - 1` rows."""
    flags: list[bool] = []
    clusters: list[str] = []
    for problem in range(problems):
        n = int(rng.integers(1, 2 * size)) if size > 1 else 1
        rate_here = rng.beta(p * (1 / rho - 1), (1 - p) * (1 / rho - 1)) if rho > 0 else p
        flags += (rng.random(n) < rate_here).tolist()
        clusters += [str(problem)] * n
    return flags, clusters


def coverage(p: float, problems: int, size: int, rho: float, *, runs: int, seed: int = 0) -> tuple[float, float]:
    """Return the coverage of the leading interval and of Wilson's."""
    rng = np.random.default_rng(seed)
    held = np.zeros(2)
    for _ in range(runs):
        flags, clusters = corpus(rng, p, problems, size, rho)
        found = rate(flags, clusters)
        held += [found.interval.low <= p <= found.interval.high, found.wilson.low <= p <= found.wilson.high]
    report, wilson = held / runs
    return float(report), float(wilson)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    print(f"{'rate':>6} {'problems':>8} {'rows/p.':>8} {'rho':>5} {'report':>8} {'Wilson':>8}")
    for p, problems, size, rho in SETTINGS:
        report, wilson = coverage(p, problems, size, rho, runs=runs)
        print(f"{p:6.2f} {problems:8d} {size:8d} {rho:5.1f} {report:8.1%} {wilson:8.1%}")


if __name__ == "__main__":
    main()
