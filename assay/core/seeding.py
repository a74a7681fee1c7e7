"""Seeds and splits by hashing, so that no two streams meet.

Invariants:

* A seed is a hash of everything that names the stream. `seed + i` is never used: with it the item `i + 1` of
  seed 42 is the item `i` of seed 43, and a training set leaks into the test set next to it.
* A procedural problem belongs to exactly one split, decided by a hash of its *content*. Train and held-out tasks
  are therefore disjoint by construction, however small the space of problems is.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal

Split = Literal["train", "eval"]

EVAL_FRACTION = 0.1
"""Share of all problem contents that belong to the `eval` split."""


def derive_seed(*parts: str | int | float | bool | None) -> int:
    """Return a seed in [0, 2**63) that depends on every part and its position.

    >>> derive_seed("train", "assay/Countdown-v0", 0) != derive_seed("train", "assay/Countdown-v0", 1)
    True
    """
    blob = json.dumps(parts, separators=(",", ":"), ensure_ascii=False).encode()
    return int.from_bytes(hashlib.sha256(blob).digest()[:8], "big") >> 1


def split_of(content: str, eval_fraction: float = EVAL_FRACTION) -> Split:
    """Return the one split that a problem with this canonical content belongs to."""
    u = derive_seed("split", content) / 2**63
    return "eval" if u < eval_fraction else "train"


def short_hash(text: str, length: int = 12) -> str:
    """Return the first `length` hexadecimal digits of the SHA-256 of `text`: stable ids for rows and configs."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]
