"""audit_designs(): measure a grader of hardware designs on tasks with references, generated or published.

Certified designs give its false positives and negatives, cheats its ceiling. The report is the one of every audit.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from assay.audits.adapters import AnyVerifier, resolve
from assay.audits.case import Case
from assay.audits.corpora import UnreadableGold
from assay.audits.hardware.cases import Known, attack_designs, certified_designs, know
from assay.audits.programs import judge_programs
from assay.audits.report import AuditReport
from assay.audits.scope import AuditPlan
from assay.core.errors import DataError
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.sandboxes import Sandbox
from assay.verifiers.verilog.flow import verilog_sandbox
from assay.verifiers.verilog.golden import GoldenSource, UnusableReference

DESIGN_PLAN = AuditPlan(certified=True, attack=True, cases=600)


def audit_designs(
    verifier: AnyVerifier,
    tasks: Sequence[Task],
    *,
    options: Mapping[str, Any] | None = None,
    plan: AuditPlan = DESIGN_PLAN,
    sandbox: Sandbox | None = None,
) -> AuditReport:
    """Audit a grader of designs.

    Args:
        verifier: a registered name, `module:attribute`, a `Verifier`, or a function `f(completion, answer)`; it gets
            designs in a fenced block, and the target of `assay.verifiers.verilog.target`.
        tasks: tasks with a reference, as `assay.envs.verilog.layouts.design_tasks` reads them.
        options: for the verifier's factory.
        plan: `certified` and `attack` say what to do, `cases` and `attacks` how much of it.
        sandbox: where mutants are certified; the one for designs by default.

    Raises:
        ConfigError: no such verifier.
        DataError: no task with a reference that can be simulated.
    """
    started = time.perf_counter()
    source = resolve(verifier, options)
    runner = sandbox or verilog_sandbox()
    known, unreadable = _known(runner, tasks, plan.seed)
    if not known:
        raise DataError("no task has a reference that can be simulated: nothing is certain about any design")
    rng = np.random.default_rng(derive_seed("design certificates", plan.seed))
    certified: list[Case] = []
    for index in rng.permutation(len(known)) if plan.certified else ():
        if len(certified) >= plan.cases:
            break
        certified += certified_designs(runner, known[int(index)], rng)
    attacks = attack_designs(known, most=plan.attacks, seed=plan.seed) if plan.attack else []
    return judge_programs(
        source,
        plan,
        certified=certified[: plan.cases],
        attacks=attacks,
        unreadable=unreadable,
        language="verilog",
        started=started,
    )


def _known(sandbox: Sandbox, tasks: Sequence[Task], seed: int) -> tuple[list[Known], list[UnreadableGold]]:
    golden = GoldenSource()
    known: list[Known] = []
    broken: list[UnreadableGold] = []
    for task in tasks:
        try:
            known.append(know(sandbox, task, golden, seed))
        except (UnusableReference, ValueError) as error:
            broken.append(UnreadableGold(task.id, task.target, str(error)))
    return known, broken
