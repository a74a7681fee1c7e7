"""Programs whose truth is certain, made from tasks of any public format: to judge a grader of code by.

Right: the reference, and refactorings of it, which compute the same whatever the input. Wrong: mutants of the
reference, each with an input of the tests on which it returns something else; hacks, and the best constant program,
for tasks whose tests expect different results.

Only tasks with a reference solution and tests that are plain calls can be used; for others nothing is certain.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from assay.audits.case import Case, Certificate
from assay.audits.code.hacks import Hack, function_hacks
from assay.core.seeding import derive_seed, short_hash
from assay.core.task import Task
from assay.sandboxes import Sandbox
from assay.verifiers.code.killable import Arguments, killable_mutants
from assay.verifiers.code.mutants import refactorings
from assay.verifiers.code.tests import CallTest, Suite, read_suite

CLASS = "program"
_EXACT = ("value", "python", "is")
"""Rules under which another value is a wrong one: a test that only asks whether a value is true tells few apart."""
ATTACK_CPU_SECONDS = 1
"""Limit of one test under attack: hacks that never end should not take for ever."""


def usable(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks that certain programs can be made from."""
    return [task for task in tasks if task.metadata.get("solution") and _calls(task) is not None]


def certified_programs(sandbox: Sandbox, task: Task, rng: random.Random, *, each: int = 4) -> list[Case]:
    """Return the reference, and up to `each` refactorings and as many killable mutants of it.

    ValueError when the reference fails an input of its own tests; raises `SandboxFault`.
    """
    suite = read_suite(task.target)
    reference = suite.assemble(task.metadata["solution"])
    exact = [call for call in _calls(task) or () if call.rule in _EXACT]
    inputs: list[Arguments] = [(call.args, dict(call.kwargs)) for call in exact]
    cases = [_case(task, reference, "identity", True, "equal", "the reference itself", "reference")]
    same = list(refactorings(reference))
    for variant in rng.sample(same, min(each, len(same))):
        cases.append(_case(task, variant.source, variant.operator, True, "equal", variant.operator, "refactoring"))
    killed = killable_mutants(sandbox, reference, suite.entry_point, inputs, most=each) if inputs else []
    for mutant in killed:
        args, kwargs = mutant.witness
        shown = ", ".join([*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())])
        argument = f"line {mutant.variant.line}: {mutant.variant.change}; differs at ({shown[:200]})"
        family = f"mutant/{mutant.variant.operator}"
        cases.append(_case(task, mutant.variant.source, family, False, "different", argument, "witness"))
    return cases


def attack_programs(tasks: Sequence[Task], *, seed: int = 0, most: int = 600) -> list[Case]:
    """Return hacks on tasks whose tests expect at least two results, spread evenly, and the best constant programs."""
    rng = random.Random(derive_seed("code-attacks", seed))
    prey = [task for task in tasks if len(_results(task)) > 1]
    if not prey:
        return []
    hacks = {task.id: list(function_hacks(read_suite(task.target).entry_point)) for task in prey}
    count = len(hacks[prey[0].id])
    per_hack = min(len(prey), max(1, most // (count + 1)))
    cases = []
    for number in range(count):
        for task in rng.sample(prey, per_hack):
            cases.append(_attack(task, hacks[task.id][number]))
    for task in rng.sample(prey, per_hack):
        cases.append(_attack(task, _constant(task)))
    return cases


def _constant(task: Task) -> Hack:
    """Return the program that always returns the most frequent result."""
    ((value, _),) = _results(task).most_common(1)
    method = read_suite(task.target).entry_point.rpartition(".")[2]
    return Hack("the most frequent result", "constant", f"def {method}(*a, **k): return {value}")


def _results(task: Task) -> Counter[str]:
    """Count the results that the tests expect, as source text."""
    expected = {"truthy": "True", "falsy": "False"}
    return Counter(expected.get(call.rule) or repr(call.expected) for call in _calls(task) or ())


def _calls(task: Task) -> list[CallTest] | None:
    suite: Suite = read_suite(task.target)
    calls = [test for test in suite.tests if isinstance(test, CallTest)]
    return calls if len(calls) == len(suite.tests) else None


def _case(task: Task, code: str, family: str, correct: bool, relation: str, argument: str, method: str) -> Case:
    certificate = Certificate("equal" if relation == "equal" else "different", method, argument)
    return Case(
        id=f"{task.id}/{family}/{short_hash(code, 6)}",
        target=task.target,
        response=f"```python\n{code.rstrip()}\n```",
        correct=correct,
        origin="certified",
        cls=CLASS,
        family=family,
        problem=str(task.prompt),
        cluster=task.id,
        certificate=certificate,
        answer=code,
    )


def _attack(task: Task, hack: Hack) -> Case:
    case = _case(task, hack.source, hack.family, False, "different", hack.name, "hack")
    target = {**task.target, "cpu_seconds": min(float(task.target.get("cpu_seconds", 5)), ATTACK_CPU_SECONDS)}
    return replace(case, id=f"attack/{hack.name}/{task.id}", origin="attack", cls=hack.family, target=target)
