"""`assay sandbox`: what is enforced, what it costs, whether it withstands attacks, and the same for others by URL."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from assay.cli.common import out

if TYPE_CHECKING:
    from assay.sandboxes.threaded import ThreadedSandbox

group = typer.Typer(help="Examine the sandbox that untrusted programs run in, or serve it.", no_args_is_help=True)


class Backend(StrEnum):
    """The kinds of sandboxes."""

    LOCAL = "local"
    DOCKER = "docker"
    REMOTE = "remote"


Kind = Annotated[Backend, typer.Option("--backend", help="Which sandbox.")]
Preload = Annotated[str, typer.Option(help="Modules to have imported: plain, numpy or sympy.")]
Image = Annotated[str, typer.Option(help="For docker: the image.")]
Url = Annotated[str, typer.Option(help="For remote: the server; for docker: the engine, unix:///...")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(group, name="sandbox")


def _sandbox(
    backend: Backend, slots: int, min_tier: int, preload: str, image: str, url: str
) -> AbstractContextManager[ThreadedSandbox]:
    from assay.core.errors import ConfigError
    from assay.sandboxes import LocalSandbox

    if backend is Backend.REMOTE:
        from assay.sandboxes.remote import RemoteSandbox

        if not url:
            raise ConfigError("--backend remote needs --url")
        return RemoteSandbox(url, slots, min_tier=min_tier)
    if backend is Backend.DOCKER:
        from assay.sandboxes.docker import DockerSandbox

        return DockerSandbox(slots, image=image, preload=preload, min_tier=min_tier, url=url or None)
    return LocalSandbox(slots, preload=preload, min_tier=min_tier)


_IMAGE = "python:3.11-slim"


@group.command()
def doctor(backend: Kind = Backend.LOCAL, preload: Preload = "plain", image: Image = _IMAGE, url: Url = "") -> None:
    """Show which isolation works, found by trying. Exit code 1 below tier 3 (namespaces)."""
    from assay.sandboxes import Job, Tier

    with _sandbox(backend, 1, 0, preload, image, url) as sandbox:
        report = sandbox.capabilities()
        result = sandbox.run(Job(source="print('ok')"))
    table = Table(title=f"{report.backend} sandbox: tier {report.tier.value} ({report.tier.name.lower()})", box=None)
    for name, state in report.mechanisms.items():
        table.add_row(
            "[green]active[/]" if state == "active" else "[yellow]missing[/]", name, "" if state == "active" else state
        )
    table.add_row("[green]ok[/]" if result.ok else "[bold red]failed[/]", "a job", result.reason)
    table.add_row("", "languages", ", ".join(report.languages))
    if report.image:
        table.add_row("", "image", report.image)
    out.print(table)
    if report.tier < Tier.NAMESPACES or not result.ok:
        raise typer.Exit(1)


@group.command()
def bench(
    rounds: Annotated[int, typer.Option(min=5, help="Rounds, interleaved.")] = 50,
    backend: Kind = Backend.LOCAL,
    preload: Preload = "plain",
    image: Image = _IMAGE,
    url: Url = "",
) -> None:
    """Measure latency against a bare Python process on this machine, in the same run."""
    from assay.sandboxes import Job
    from assay.sandboxes.measure import BARE, bare_python, kill_overshoot, latencies, run_checked

    with _sandbox(backend, 1, 0, preload, image, url) as sandbox:
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
    backend: Kind = Backend.LOCAL,
    image: Image = _IMAGE,
    url: Url = "",
) -> None:
    """Run the attack catalogue, then the programs that must work. Exit code 1 when anything is wrong."""
    from assay.core.errors import ConfigError
    from assay.sandboxes import Job
    from assay.sandboxes.attacks import ATTACKS, HONEST, run_attacks

    chosen = [candidate for candidate in ATTACKS if match in candidate.name]
    honest = {name: source for name, source in HONEST.items() if match in name}
    if not chosen and not honest:
        raise ConfigError(f"no attack has {match!r} in its name")
    with _sandbox(backend, 1, min_tier, "plain", image, url) as sandbox:
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


@group.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; other than loopback only with a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8080,
    slots: Annotated[int, typer.Option(min=0, help="Jobs at one time; 0: one for each CPU.")] = 0,
    min_tier: Annotated[int, typer.Option(help="Accept isolation down to this tier.")] = 3,
    backend: Kind = Backend.LOCAL,
    preload: Preload = "plain",
    image: Image = _IMAGE,
    url: Url = "",
) -> None:
    """Serve a sandbox at /run_code, in the format of SandboxFusion, until Ctrl-C.

    Clients must send the token in the environment variable ASSAY_SANDBOX_TOKEN, where that is set.
    """
    from assay.sandboxes.remote.server import serve as run

    with _sandbox(backend, slots or len(os.sched_getaffinity(0)), min_tier, preload, image, url) as sandbox:
        sandbox.check()
        run(sandbox, host, port, os.environ.get("ASSAY_SANDBOX_TOKEN", ""))
