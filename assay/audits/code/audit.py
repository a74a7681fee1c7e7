"""audit_code(): measure a grader of programs on code tasks in any public format.

Certified programs give its false positives and negatives, hacks its ceiling. The report is the one of every audit.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from assay.audits.adapters import AnyVerifier, resolve
from assay.audits.case import Case
from assay.audits.code.cases import attack_programs, certified_programs, usable
from assay.audits.corpora import UnreadableGold
from assay.audits.programs import judge_programs
from assay.audits.report import AuditReport
from assay.audits.scope import AuditPlan
from assay.core.errors import DataError
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.sandboxes import LocalSandbox, Sandbox

CODE_PLAN = AuditPlan(certified=True, attack=True, cases=600)


def audit_code(
    verifier: AnyVerifier,
    tasks: Sequence[Task],
    *,
    options: Mapping[str, Any] | None = None,
    plan: AuditPlan = CODE_PLAN,
    sandbox: Sandbox | None = None,
) -> AuditReport:
    """Audit a grader of code.

    Args:
        verifier: a registered name, `module:attribute`, a `Verifier`, or a function `f(completion, answer)`; it gets
            programs in a fenced block, and the tests of `assay.verifiers.code.tests` as its target.
        tasks: code tasks, as `assay.envs.code.rows.code_task` reads them.
        options: for the verifier's factory.
        plan: `certified` and `attack` say what to do, `cases` and `attacks` how much of it.
        sandbox: where mutants are certified; a local one by default.

    Raises:
        ConfigError: no such verifier.
        DataError: no task that certain programs can be made from.
    """
    started = time.perf_counter()
    source = resolve(verifier, options)
    known = usable(tasks)
    if not known:
        raise DataError("no task has a solution and tests that are plain calls: nothing is certain about any program")
    rng = random.Random(derive_seed("code-audit", plan.seed))
    chosen = rng.sample(known, len(known))
    certified, unreadable = _certified(chosen, rng, plan.cases, sandbox) if plan.certified else ([], [])
    attacks = attack_programs(chosen, seed=plan.seed, most=plan.attacks) if plan.attack else []
    return judge_programs(
        source,
        plan,
        certified=certified,
        attacks=attacks,
        unreadable=unreadable,
        language="python",
        started=started,
    )


def _certified(
    tasks: Sequence[Task], rng: random.Random, most: int, sandbox: Sandbox | None
) -> tuple[list[Case], list[UnreadableGold]]:
    """Return certified programs of as many tasks as needed, and the tasks whose reference fails its own tests."""
    runner = sandbox or LocalSandbox(1)
    cases: list[Case] = []
    broken: list[UnreadableGold] = []
    try:
        for task in tasks:
            if len(cases) >= most:
                break
            try:
                cases += certified_programs(runner, task, rng)
            except ValueError as error:
                broken.append(UnreadableGold(task.id, task.target, str(error)))
    finally:
        if sandbox is None:
            runner.close()
    return cases[:most], broken
