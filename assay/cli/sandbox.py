"""`assay sandbox`: what is enforced on this machine, what it costs, and whether it withstands attacks."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from assay.cli.common import out

group = typer.Typer(help="Examine the sandbox that untrusted programs run in.", no_args_is_help=True)
Preload = Annotated[str, typer.Option(help="Modules to have imported: plain, numpy or sympy.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(group, name="sandbox")


@group.command()
def doctor(preload: Preload = "plain") -> None:
    """Show which isolation works here, found by trying. Exit code 1 below tier 3 (namespaces)."""
    from assay.sandboxes import Job, LocalSandbox, Tier

    with LocalSandbox(1, preload=preload, min_tier=Tier.NONE) as sandbox:
        report = sandbox.capabilities()
        result = sandbox.run(Job(source="print('ok')"))
    table = Table(title=f"local sandbox: tier {report.tier.value} ({report.tier.name.lower()})", box=None)
    for name, state in report.mechanisms.items():
        table.add_row(
            "[green]active[/]" if state == "active" else "[yellow]missing[/]", name, "" if state == "active" else state
        )
    table.add_row("[green]ok[/]" if result.ok else "[bold red]failed[/]", "a job", result.reason)
    out.print(table)
    if report.tier < Tier.NAMESPACES or not result.ok:
        raise typer.Exit(1)


@group.command()
def bench(
    rounds: Annotated[int, typer.Option(min=5, help="Rounds, interleaved.")] = 50, preload: Preload = "plain"
) -> None:
    """Measure latency against a bare Python process, in the same run."""
    from assay.sandboxes import Job, LocalSandbox, Tier
    from assay.sandboxes.measure import BARE, bare_python, kill_overshoot, latencies, run_checked

    with LocalSandbox(1, preload=preload, min_tier=Tier.NONE) as sandbox:
        rows = latencies(
            {
                BARE: bare_python,
                "sandbox: pass": lambda: run_checked(sandbox, Job(source="pass")),
                "sandbox: writes a file": lambda: run_checked(sandbox, Job(source="open('x', 'w').write('y')")),
                "sandbox: a command": lambda: run_checked(sandbox, Job(argv=("/bin/true",))),
            },
            rounds,
        )
        late = kill_overshoot(sandbox)
    table = Table("what", "p10 ms", "p50 ms", "p10 / bare", box=None)
    base = rows[0].quantile(0.1)
    for row in rows:
        low, middle = row.quantile(0.1), row.quantile(0.5)
        table.add_row(row.name, f"{1000 * low:.2f}", f"{1000 * middle:.2f}", f"{low / base:.2f}")
    out.print(table)
    out.print(f"a job over its wall limit is killed {1000 * late:.1f} ms late")


@group.command()
def attack(
    match: Annotated[str, typer.Option(help="Only attacks whose name contains this.")] = "",
    min_tier: Annotated[int, typer.Option(help="Accept isolation down to this tier.")] = 3,
) -> None:
    """Run the attack catalogue, then the programs that must work. Exit code 1 when anything is wrong."""
    from assay.core.errors import ConfigError
    from assay.sandboxes import Job, LocalSandbox
    from assay.sandboxes.attacks import ATTACKS, HONEST, run_attacks

    chosen = [candidate for candidate in ATTACKS if match in candidate.name]
    honest = {name: source for name, source in HONEST.items() if match in name}
    if not chosen and not honest:
        raise ConfigError(f"no attack has {match!r} in its name")
    with LocalSandbox(1, min_tier=min_tier) as sandbox:
        bad = []
        for outcome in run_attacks(sandbox, chosen):
            if not outcome.withstood:
                bad.append(outcome.attack.name)
                out.print(f"[bold red]{outcome.attack.name}[/]: {outcome.problem}", soft_wrap=True, highlight=False)
        for name, source in honest.items():
            result = sandbox.run(Job(source=source, stdin=b"ok\n"))
            if not result.ok or not result.text.startswith("ok"):
                bad.append(name)
                out.print(f"[bold red]honest program {name}[/]: {result.status} {result.reason}", highlight=False)
        tier = sandbox.capabilities().tier
    out.print(f"tier {tier.value}: {len(chosen)} attacks and {len(honest)} honest programs, {len(bad)} problems")
    if bad:
        raise typer.Exit(1)
