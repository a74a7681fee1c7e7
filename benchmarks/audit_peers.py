"""Does an audit without any labels rediscover what is known to be wrong with the graders that people train on?

    python benchmarks/audit_peers.py [--only NAME ...] [--labels FILE.jsonl] [--workers 2]

The audit gets the name of a grader and nothing else: golds, right and wrong answers, attacks and probes are its own.
Each line of `PEERS` is a published or measured defect of that grader and the findings that count as having found it.
Graders that are not installed are skipped and named. Versions known to import: math-verify 0.9.0, trl 1.16.0,
verl 0.9.1 (with pylatexenc, ray, tensordict), lm_eval 0.4.13 (minerva wants antlr4-python3-runtime 4.11).
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import resource
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assay.audits import FULL, AuditPlan, AuditReport, Case, RunLimits, audit, load_labels
from assay.core.errors import ConfigError


@dataclass(frozen=True)
class Peer:
    """A grader, and what is known to be wrong with it."""

    spec: str
    package: str
    defects: Mapping[str, Sequence[str]]
    """Defect, and prefixes of the kinds of finding that count as having found it."""
    options: Mapping[str, Any] = field(default_factory=dict)
    plan: AuditPlan = FULL


ATTACKS = replace(FULL, certified=False, probes=False)
PEERS = {
    "math-verify": Peer(
        "math-verify",
        "math_verify",
        {
            "bases are ignored (101_2 = 101_3)": ["certified/false-accept/base"],
            "units are ignored (5 cm = 5 m)": ["certified/false-accept/quantity"],
            "unit stripping eats variables (3m = 3)": ["certified/false-accept/polynomial"],
            "tiny numbers are equal (1/2004! = 1/2006!)": ["certified/false-accept/tiny"],
            "large numbers are equal (sqrt(10^40+1) = 10^20)": ["certified/false-accept/huge"],
            "only a prefix is parsed (1-1/e = 1+1/e)": ["certified/false-accept/irrational"],
            "words are products of letters (east = seat)": ["certified/false-accept/word"],
            "the last side of a false equation counts (5 = 2+2=5)": ["attack/false-equation"],
            "text after the answer is ignored": ["attack/trailing"],
            "no verdict off the main thread": ["thread-dependent"],
            "hostile input burns seconds": ["hostile/killed"],
            "unicode digits and fractions are not read": ["certified/false-reject/full-width"],
        },
    ),
    "math-verify without its time limits, as trainers call it off the main thread": Peer(
        "math-verify",
        "math_verify",
        {"hangs off the main thread": ["hostile/thread-hang"]},
        {"timeouts": False},
        ATTACKS,
    ),
    "TRL accuracy_reward": Peer(
        "trl:trl.rewards:accuracy_reward",
        "trl",
        {"hangs off the main thread": ["hostile/thread-hang"], "hostile input burns seconds": ["hostile/killed"]},
    ),
    "verl prime_math": Peer(
        "verl.utils.reward_score.prime_math:compute_score",
        "verl",
        {
            "the symbolic stage never fires (TypeError, swallowed)": [
                "dead-function/verl.utils.reward_score.prime_math.grader:symbolic_equal"
            ],
            "text of the model is executed (CVE-2026-6878)": ["code-execution"],
        },
    ),
    "verl math_dapo": Peer(
        "verl.utils.reward_score.math_dapo:compute_score",
        "verl",
        {
            "only what follows the last = counts (x+y=1 is 1)": ["attack/false-equation"],
            "equal values are strings: nothing is compared": ["dead-capability"],
        },
    ),
    "verl math_reward (Hendrycks)": Peer(
        "verl.utils.reward_score.math_reward:compute_score",
        "verl",
        {"equal values are strings: nothing is compared": ["dead-capability"]},
    ),
    "lm-eval minerva_math": Peer(
        "lm-eval:lm_eval.tasks.minerva_math.utils:process_results",
        "lm_eval",
        {
            "silently 0 off the main thread (SIGALRM)": ["thread-dependent"],
            "only what follows the last = counts (x+y=1 is 1)": ["attack/false-equation", "certified/false-accept/equ"],
            "hostile input burns seconds": ["hostile/killed", "hostile/slow"],
        },
    ),
}


def report(name: str, peer: Peer, result: AuditReport, processor: float) -> int:
    """Print what was found, and return the number of known defects that were not."""
    cases = result.latency.n + sum(r.success.n for r in result.exploits.families) if result.exploits else 0
    print(f"\n{name}: {cases} cases, {processor:.0f} s of processor time, {result.seconds:.0f} s on the clock")
    certified = result.certified.accuracy if result.certified else None
    for label, accuracy in (("certified", certified), ("labels", result.labels)):
        if accuracy and accuracy.fn.n and accuracy.fp.n:
            fn, fp = accuracy.fn, accuracy.fp
            print(f"  {label}: FN {fn.value:.1%} ({fn.events}/{fn.n}), FP {fp.value:.1%} ({fp.events}/{fp.n})")
    missed = 0
    for defect, prefixes in peer.defects.items():
        found = [f for f in result.findings if f.kind.startswith(tuple(prefixes))]
        missed += not found
        shown = f"{found[0].count}/{found[0].total}" if found else "-"
        print(f"  {'found ' if found else 'MISSED'} {defect:60} {shown}")
    expected = tuple(prefix for prefixes in peer.defects.values() for prefix in prefixes)
    more = [f for f in result.findings if f.severity in ("critical", "high") and not f.kind.startswith(expected)]
    if more:
        print("  besides: " + "; ".join(f"{f.kind} {f.count}/{f.total}" for f in more))
    return missed


def processor_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Send what graders print (some log every comparison) to nowhere, file descriptor and all."""
    logging.disable(logging.CRITICAL)
    saved = [os.dup(fd) for fd in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for fd in (1, 2):
            os.dup2(nowhere, fd)
        yield
    finally:
        for fd, old in zip((1, 2), saved, strict=True):
            os.dup2(old, fd)
            os.close(old)
        os.close(nowhere)
        logging.disable(logging.NOTSET)


def main() -> None:
    """Audit every peer that is installed; exit with 1 when a known defect was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=list(PEERS), choices=list(PEERS), metavar="NAME")
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    rows: Sequence[Case] = load_labels(arguments.labels) if arguments.labels else ()
    missed = 0
    for name in arguments.only:
        peer = PEERS[name]
        if find_spec(peer.package) is None:
            print(f"\n{name}: skipped, {peer.package} is not installed")
            continue
        plan = replace(peer.plan, limits=RunLimits(workers=arguments.workers))
        before = processor_seconds()
        try:
            with silence():
                result = audit(peer.spec, rows, options=peer.options, plan=plan, allow_unreadable=True)
        except ConfigError as error:
            print(f"\n{name}: skipped, {error}")
            continue
        missed += report(name, peer, result, processor_seconds() - before)
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
