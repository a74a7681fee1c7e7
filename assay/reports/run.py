"""The report of a run: one self-contained HTML file, readable without a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import jinja2

from assay.core.errors import ConfigError
from assay.reports import sections, watch
from assay.reports.load import RunData, load_run
from assay.reports.transcripts import Pair, before_and_after, samples


def write_report(run_dir: str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a training or evaluation run (default: `report.html` in it) and return its path.

    `ConfigError` when the file cannot be written.
    """
    run = load_run(run_dir)
    path = Path(out) if out is not None else run.path / "report.html"
    draft = path.with_name(path.name + ".tmp")
    text = render(run)
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)  # noqa: PTH105 - atomic, and says so
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}; name another file") from None
    return path


def render(run: RunData) -> str:
    """Return the report as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assay.reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    title, transcripts = _transcripts(run)
    return environment.get_template("run.html.j2").render(
        title=run.path.resolve().name,
        facts=list(_facts(run)),
        going_on=_going_on(run),
        alarm=watch.alarm(run),
        warnings=list(sections.warnings(run)),
        cards=list(sections.cards(run)),
        learning=[*sections.learning(run), *watch.disagreement(run)],
        tables=list(sections.tables(run)),
        transcripts_title=title,
        transcripts=transcripts,
        more=[("Behaviour", list(sections.behaviour(run))), ("Health of the updates", list(sections.health(run)))],
        config=run.config_text,
    )


def _facts(run: RunData) -> Iterator[str]:
    """Yield what was done, in a few words each."""
    env = run.config.get("env")
    yield str(env.get("id", "") if isinstance(env, dict) else env)
    if run.trained:
        algorithm = run.config.get("algorithm", {})
        yield f"{algorithm.get('advantage')} with {algorithm.get('loss')}"
        yield f"{run.step} of {run.config.get('steps')} steps in {_duration(run.seconds)}"
    else:
        yield str(run.config.get("agent", {}).get("model", ""))
    yield f"seed {run.config.get('seed')}"
    if run.evals:
        last = run.evals[max(run.evals)]
        yield f"{last.tasks} {'held-out ' if run.trained else ''}tasks, {last.samples_per_task} samples each"
        yield f"{last.level:.0%} intervals by bootstrap over tasks"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _going_on(run: RunData) -> str:
    """Return what is missing of a run that is not finished, or nothing."""
    if run.finished:
        return ""
    if run.trained:
        return f"Not finished: {run.step} of {run.config.get('steps')} steps are recorded."
    return f"Not finished: these are the {run.evals[0].episodes} episodes recorded so far."


def _transcripts(run: RunData) -> tuple[str, list[Pair]]:
    if not run.evals:
        return "", []
    first, last = min(run.evals), max(run.evals)
    if first == last:
        return "Episodes", samples(run.episodes(last))
    labels = (f"before (step {first})", f"after (step {last})")
    return "The same tasks before and after", before_and_after(run.episodes(first), run.episodes(last), labels)
