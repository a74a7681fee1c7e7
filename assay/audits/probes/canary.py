"""Code-execution canary: does the verifier run the text that it judges?

Each payload would create a file of its own in a directory of ours if it were evaluated as Python, by `eval`, by
`sympy.parse_expr`, by a shell or by an unsafe YAML loader. A file that exists afterwards is proof, whatever the
verdict was. Golds vary, because graders choose their code path by the gold.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from assay.audits.case import Case, Trial
from assay.audits.findings import Finding, repro, smallest
from assay.audits.trials import RunLimits, VerifierSource, run_cases

_GOLDS = ("7", r"2\pi", "(1,2)", "[1,2]", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", "x+1", "x=2", "3/4", "50\\%")
_PAYLOADS = (
    'open("{path}","w")',
    "open('{path}','w').close()",
    'open("{path}","w")#@&',
    '__import__("pathlib").Path("{path}").touch()',
    '[open("{path}","w"),2]',
    '(open("{path}","w"),2)',
    '[__import__("pathlib").Path("{path}").touch()]',
    '\\pi*len([open("{path}","w")])',
    'x=open("{path}","w")',
    '\\boxed{{open("{path}","w")}}',
    '$\\boxed{{[open("{path}","w"),2]}}$',
    "$(touch {path})",
    "`touch {path}`",
    "; touch {path}",
    "!!python/object/apply:builtins.open ['{path}', 'w']",
    '```python\nopen("{path}","w")\n```',
)


def canary_probe(
    source: VerifierSource, limits: RunLimits, golds: Sequence[Case], *, wrap: str = "{answer}"
) -> tuple[list[Trial], list[Finding]]:
    """Run every payload against golds of several kinds; return the trials, and a finding if a file appeared."""
    with tempfile.TemporaryDirectory(prefix="assay-canary-") as directory:
        files: dict[str, Path] = {}
        cases: list[Case] = []
        targets = [Case("own", gold, gold, None) for gold in _GOLDS] + list(golds[:3])
        for g, gold in enumerate(targets):
            for p, payload in enumerate(_PAYLOADS):
                path = Path(directory) / f"c{g}-{p}"
                text = payload.format(path=path)
                shapes = dict.fromkeys([text, wrap.replace("{answer}", text)])
                for s, shape in enumerate(shapes):
                    case_id = f"canary/{g}/{p}/{s}"
                    files[case_id] = path
                    cases.append(_case(case_id, gold, shape))
        trials = run_cases(source, cases, limits)
        executed = [t for t in trials if files[t.case.id].exists()]
    if not executed:
        return trials, []
    found = Finding(
        kind="code-execution",
        severity="critical",
        title="the verifier executes the text that it judges",
        count=len(executed),
        total=len(trials),
        detail="A response created a file on this machine. Any policy or user can run code where rewards are computed.",
        repro=repro(smallest(executed)),
    )
    return trials, [found]


def _case(case_id: str, gold: Case, text: str) -> Case:
    return Case(
        id=case_id,
        target=gold.target,
        response=text,
        correct=False,
        origin="probe",
        cls="canary",
        family="canary",
        problem=gold.problem,
        metadata=gold.metadata,
    )
