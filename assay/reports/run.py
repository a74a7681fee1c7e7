"""The report of a run: one self-contained HTML file, readable without a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from assay.evals.summary import Estimate, EvalSummary, Stratum
from assay.reports.charts import Line, line_chart
from assay.reports.load import RunData, load_run
from assay.reports.transcripts import Pair, before_and_after, samples


@dataclass(frozen=True, slots=True)
class Card:
    """One figure at the top."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Charts under one heading."""

    title: str
    charts: list[Markup]


@dataclass(frozen=True, slots=True)
class TableData:
    """A table of text."""

    title: str
    header: list[str]
    rows: list[list[str]]


def write_report(run_dir: str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a training or evaluation run (default: `report.html` in it) and return its path."""
    run = load_run(run_dir)
    path = Path(out) if out is not None else run.path / "report.html"
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(render(run), encoding="utf-8")
    os.replace(draft, path)  # noqa: PTH105 - atomic, and says so
    return path


def render(run: RunData) -> str:
    """Return the report as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assay.reports"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    title, transcripts = _transcripts(run)
    return environment.get_template("run.html.j2").render(
        title=run.path.resolve().name,
        subtitle=_subtitle(run),
        cards=_cards(run),
        chart_sections=list(_chart_sections(run)) if run.trained else [],
        tables=list(_tables(run)),
        transcripts_title=title,
        transcripts=transcripts,
        config=run.config_text,
    )


def _subtitle(run: RunData) -> str:
    if not run.evals:
        return "no evaluation yet"
    last = run.evals[max(run.evals)]
    what = (
        f"{last.tasks} held-out tasks, {last.samples_per_task} samples each"
        if run.trained
        else (f"{last.tasks} tasks, {last.episodes} episodes")
    )
    return f"{what}; intervals at {last.level:.0%} by bootstrap over tasks"


def _cards(run: RunData) -> list[Card]:
    if not run.evals:
        return []
    first, last = run.evals[min(run.evals)], run.evals[max(run.evals)]
    cards = []
    for k in last.pass_at:
        after = last.pass_at[k]
        before = first.pass_at.get(k) if len(run.evals) > 1 else None
        value = _number(after) if before is None else f"{_number(before)} → {_number(after)}"
        note = _band(after) if before is None else f"{_band(before)} → {_band(after)}"
        cards.append(Card(f"pass@{k}", value, note))
    if last.majority is not None:
        cards.append(Card("majority vote", _number(last.majority), _band(last.majority)))
    tokens = f"{last.tokens.mean:.1f}"
    if len(run.evals) > 1:
        tokens = f"{first.tokens.mean:.1f} → {tokens}"
    cards.append(Card("tokens an episode", tokens, f"{last.turns.mean:.1f} turns"))
    cards.append(Card("without a verdict", str(last.unscored), f"of {last.episodes} episodes"))
    return cards


def _chart_sections(run: RunData) -> Iterator[Section]:
    ks = sorted({k for summary in run.evals.values() for k in summary.pass_at})
    held_out = [line for k in ks if (line := _pass_line(run, k)) is not None]
    learning = []
    if held_out:
        learning.append(_chart("Held-out tasks", held_out, y_range=(0.0, 1.02)))
    outcome = _lines(run, "train", {"correct": "outcome", "reward": "reward"})
    if outcome:
        learning.append(_chart("Training episodes", outcome))
    parts = {name: name.removeprefix("reward/") for name in run.names("train", "reward/")}
    if len(parts) > 1:
        learning.append(_chart("Parts of the reward", _lines(run, "train", parts)))
    if learning:
        yield Section("Learning", learning)
    behaviour = [
        _chart(title, lines)
        for title, names in (
            ("Tokens an episode", {"tokens_per_episode": "tokens"}),
            ("Turns an episode", {"turns": "turns"}),
            ("Share of groups with a signal", {"mixed": "mixed"}),
            ("Hit a limit", {"truncated": "truncated"}),
        )
        if (lines := _lines(run, "train", names)) and len({y for line in lines for y in line.y}) > 1
    ]
    if behaviour:
        yield Section("Behaviour", behaviour)
    update = [
        _chart(name.replace("_", " "), lines)
        for name in ("entropy", "grad_norm", "mismatch_kl", "clip_fraction", "loss", "ratio_max")
        if (lines := _lines(run, "train", {name: name}))
    ]
    seconds = {name: name.removeprefix("seconds/") for name in run.names("train", "seconds/")}
    if seconds:
        update.append(_chart("Seconds a step", _lines(run, "train", seconds)))
    warm = _lines(run, "warmstart", {"loss": "loss"})
    if warm:
        update.append(_chart("Warm start: loss", warm))
    if update:
        yield Section("Update", update)


def _chart(title: str, lines: list[Line], **options: Any) -> Markup:
    # The SVG is ours: labels are metric names, which matplotlib escapes.
    return Markup(line_chart(title, lines, **options))


def _lines(run: RunData, kind: str, names: dict[str, str]) -> list[Line]:
    lines = []
    for name, label in names.items():
        x, y = run.curve(kind, name)
        if x:
            lines.append(Line(label, x, y))
    return lines


def _pass_line(run: RunData, k: int) -> Line | None:
    points = [(step, s.pass_at[k]) for step, s in sorted(run.evals.items()) if k in s.pass_at]
    known = [(step, e.value, e.low, e.high) for step, e in points if e.value is not None]
    if not known:
        return None
    x = [float(step) for step, *_ in known]
    y = [value for _, value, _, _ in known]
    if any(low is None or high is None for _, _, low, high in known):
        return Line(f"pass@{k}", x, y)
    return Line(f"pass@{k}", x, y, [low or 0.0 for _, _, low, _ in known], [high or 0.0 for *_, high in known])


def _tables(run: RunData) -> Iterator[TableData]:
    if not run.evals:
        return
    first, last = run.evals[min(run.evals)], run.evals[max(run.evals)]
    sides = [last] if len(run.evals) == 1 else [first, last]
    names = ["pass@1"] if len(sides) == 1 else ["pass@1 before", "pass@1 after"]
    for title, tables in (("By difficulty", [s.by_difficulty for s in sides]), ("By tag", [s.by_tag for s in sides])):
        if len(tables[-1]) > 1:
            rows = [[key, str(s.tasks), *(_stratum(t.get(key)) for t in tables)] for key, s in tables[-1].items()]
            yield TableData(title, [title.removeprefix("By ").strip(), "tasks", *names], rows)
    yield TableData("Verdicts", ["status", *(_when(sides))], _verdict_rows(sides))


def _when(sides: list[EvalSummary]) -> list[str]:
    return ["episodes"] if len(sides) == 1 else ["before", "after"]


def _verdict_rows(sides: list[EvalSummary]) -> list[list[str]]:
    statuses = sorted({status for side in sides for status in side.verdicts})
    return [[status, *(str(side.verdicts.get(status, 0)) for side in sides)] for status in statuses]


def _stratum(stratum: Stratum | None) -> str:
    return "-" if stratum is None else f"{_number(stratum.pass_at_1)} {_band(stratum.pass_at_1)}"


def _transcripts(run: RunData) -> tuple[str, list[Pair]]:
    if not run.evals:
        return "", []
    first, last = min(run.evals), max(run.evals)
    if first == last:
        return "Episodes", samples(run.episodes(last))
    labels = (f"before (step {first})", f"after (step {last})")
    return "The same tasks before and after", before_and_after(run.episodes(first), run.episodes(last), labels)


def _number(estimate: Estimate) -> str:
    return "unknown" if estimate.value is None else f"{estimate.value:.3f}"


def _band(estimate: Estimate) -> str:
    return "" if estimate.low is None else f"[{estimate.low:.3f}, {estimate.high:.3f}]"
