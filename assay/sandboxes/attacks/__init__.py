"""Hostile programs, to be run against any sandbox: `assay sandbox attack`, or `run_attacks(sandbox)`.

Each is a program that tries one thing and prints `BREACH` when it succeeds. A sandbox withstands it when nothing was
breached, the status is one that such a program deserves, the sandbox itself is unhurt, and the next job finds a clean
box. Grader hacks, which need a grader, are part of the tests of the code verifier.
"""

from assay.sandboxes.attacks.base import Attack, AttackOutcome, run_attacks
from assay.sandboxes.attacks.escape import ESCAPES
from assay.sandboxes.attacks.exhaustion import EXHAUSTIONS
from assay.sandboxes.attacks.honest import HONEST
from assay.sandboxes.attacks.leaks import LEAKS
from assay.sandboxes.attacks.network import NETWORK
from assay.sandboxes.attacks.persistence import PERSISTENCE

ATTACKS: tuple[Attack, ...] = (*ESCAPES, *NETWORK, *EXHAUSTIONS, *LEAKS, *PERSISTENCE)

__all__ = ["ATTACKS", "HONEST", "Attack", "AttackOutcome", "run_attacks"]
