"""assay: reinforcement learning with verifiable rewards.

    import assay
    env = assay.make("assay/Countdown-v0")
    verifier = assay.make_verifier("math")

Importing assay registers its environments with Gymnasium. It does not import torch.
"""

from assay import envs as _envs  # registers the environments
from assay.core.registry import environment_ids, make
from assay.core.task import Task, TaskSet
from assay.core.tool import Tool, tool
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.verifiers import VERIFIERS, Evidence, Verifier, make_verifier, verify_text

__version__ = "0.1.0"

__all__ = [
    "VERIFIERS",
    "Evidence",
    "Task",
    "TaskSet",
    "Tool",
    "Verdict",
    "Verifier",
    "environment_ids",
    "make",
    "make_verifier",
    "no_verdict",
    "right",
    "tool",
    "verify_text",
    "wrong",
]

del _envs
