"""What a report says in figures: cards, charts and tables made of a run's data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from markupsafe import Markup

from assay.evals.summary import Estimate, EvalSummary, Stratum
from assay.reports.charts import Line, interval_chart, line_chart
from assay.reports.load import RunData
from assay.trainers.signals import Alerts


@dataclass(frozen=True, slots=True)
class Card:
    """One figure at the top."""

    name: str
    value: str
    note: str = ""
    before: str = ""
    chart: Markup | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves under a title."""

    title: str
    caption: str
    svg: Markup
    legend: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TableData:
    """A table of text."""

    title: str
    header: list[str]
    rows: list[list[str]]


NO_BREAK_SPACE = "\u00a0"

_BEHAVIOUR = (
    ("Tokens an episode", "sampled by the agent", "tokens_per_episode"),
    ("Turns an episode", "", "turns"),
    ("Groups with a signal", "share of groups whose outcomes differ; the others teach nothing", "mixed"),
    ("Hit a limit", "share of episodes cut by a limit of turns, tokens or time", "truncated"),
    ("Out of room", "share of episodes that filled the model's context; what comes then is cut", "out_of_room"),
    ("Without a verdict", "episodes that were not scored; they teach nothing", "unscored"),
)
_HEALTH = (
    ("Entropy", "nats a token; near 0 the policy explores no more", "entropy"),
    ("Gradient norm", "before clipping", "grad_norm"),
    ("Engine against trainer", "KL of the two policies' log-probabilities, nats; should be near 0", "mismatch_kl"),
    ("Largest ratio", "of new to old probability of a token", "ratio_max"),
    ("Clipped", "share of tokens whose ratio is outside the clip range", "clip_fraction"),
    ("Loss", "its level says little: advantages are centred", "loss"),
    ("Learning rate", "", "learning_rate"),
    ("Explained variance", "of the returns by the critic; 1 is perfect, below 0 it does harm", "explained_variance"),
    ("Staleness", "updates between a token and the step that trains on it, mean over tokens", "staleness"),
    ("Tokens a second", "of the update", "tokens_per_second/update"),
    ("MFU", "share of the GPU's peak that the update's arithmetic reaches", "mfu"),
    ("Updates skipped", "gradients that were not finite, so far", "skipped_total"),
)


def ends(run: RunData) -> tuple[EvalSummary | None, EvalSummary]:
    """Return the first evaluation (None when there is only one) and the last."""
    first, last = min(run.evals), max(run.evals)
    return (None if first == last else run.evals[first]), run.evals[last]


def cards(run: RunData) -> Iterator[Card]:
    """Yield the figures that matter most."""
    if not run.evals:
        return
    before, after = ends(run)
    for k in after.pass_at:
        yield _estimate(f"pass@{k}", None if before is None else before.pass_at.get(k), after.pass_at[k])
    if after.majority is not None:
        yield _estimate("majority vote", None if before is None else before.majority, after.majority)
    was = "" if before is None else f"{before.tokens.mean:.1f}"
    yield Card("tokens an episode", f"{after.tokens.mean:.1f}", f"{after.turns.mean:.1f} turns", was)
    was = "" if before is None else str(before.unscored)
    yield Card("without a verdict", str(after.unscored), f"of {after.episodes} episodes", was)


def _estimate(name: str, before: Estimate | None, after: Estimate) -> Card:
    was = "" if before is None else f"{number(before)} {band(before).replace(' ', NO_BREAK_SPACE)}"
    return Card(name, number(after), band(after), was, interval_chart(before, after))


def learning(run: RunData) -> Iterator[Chart]:
    """Yield the curves that say whether it learns; none for a run that does not."""
    if not run.trained:
        return
    ks = sorted({k for summary in run.evals.values() for k in summary.pass_at})
    held_out = [line for k in ks if (line := _pass_line(run, k)) is not None]
    if held_out:
        yield _chart("Held-out tasks", "with intervals over tasks", held_out, y_range=(0.0, 1.0))
    names = {"correct": "right", "reward": "reward"}
    if run.curve("train", "correct") == run.curve("train", "reward"):
        del names["reward"]
    outcome = _lines(run, names)
    if outcome:
        title = "Training episodes: " + " and ".join(line.label for line in outcome)
        yield _chart(title, "mean of each step, and its moving average", outcome)
    parts = {name: name.removeprefix("reward/") for name in run.names("train", "reward/")}
    if len(parts) > 1:
        yield _chart("Parts of the reward", "mean over the scored episodes of each step", _lines(run, parts))


def warnings(run: RunData) -> Iterator[str]:
    """Yield what the run's early-warning signals said, in order."""
    alerts = Alerts()
    for row in run.metrics.get("train", []):
        yield from alerts.observe(row)


def behaviour(run: RunData) -> Iterator[Chart]:
    """Yield the curves that say how it acts; those that never change are left out."""
    yield from _each(run, _BEHAVIOUR)


def health(run: RunData) -> Iterator[Chart]:
    """Yield the curves that say whether the updates are sound."""
    yield from _each(run, _HEALTH)
    seconds = {name: name.removeprefix("seconds/") for name in run.names("train", "seconds/")}
    if seconds:
        yield _chart("Seconds a step", "", _lines(run, seconds))
    warm = _lines(run, {"loss": "loss"}, "warmstart")
    if warm:
        yield _chart("Warm start: loss", "negative log-likelihood of the demonstrations, nats a token", warm)


def tables(run: RunData) -> Iterator[TableData]:
    """Yield the tables: estimates of an evaluation, strata, verdicts, reasons for missing ones."""
    if not run.evals:
        return
    before, after = ends(run)
    sides = [after] if before is None else [before, after]
    if before is None:
        yield _estimates(after)
    when = ["pass@1"] if before is None else ["pass@1 before", "pass@1 after"]
    for name, strata in (("difficulty", [s.by_difficulty for s in sides]), ("tag", [s.by_tag for s in sides])):
        if len(strata[-1]) > 1:
            rows = [[key, str(s.tasks), *(_stratum(t.get(key)) for t in strata)] for key, s in strata[-1].items()]
            yield TableData(f"By {name}", [name, "tasks", *when], rows)
    statuses = sorted({status for side in sides for status in side.verdicts})
    if statuses != ["ok"]:
        rows = [[status, *(str(side.verdicts.get(status, 0)) for side in sides)] for status in statuses]
        yield TableData("Verdicts", ["status", *(["episodes"] if before is None else ["before", "after"])], rows)
    if after.unscored_reasons:
        rows = [[reason, str(count)] for reason, count in after.unscored_reasons.items()]
        yield TableData("Why episodes have no verdict", ["reason", "episodes"], rows)


def _estimates(summary: EvalSummary) -> TableData:
    rows = {f"pass@{k}": estimate for k, estimate in summary.pass_at.items()}
    rows |= {f"pass^{k}": estimate for k, estimate in summary.pass_all.items() if k > 1}
    if summary.majority is not None:
        rows["majority vote"] = summary.majority
    header = ["", "estimate", f"{summary.level:.0%} interval"]
    if not summary.unscored:
        return TableData("Estimates", header, [[name, number(e), band(e)] for name, e in rows.items()])
    bounds = [[name, number(e), band(e), f"{e.worst:.3f} to {e.best:.3f}"] for name, e in rows.items()]
    return TableData("Estimates", [*header, "if unscored were wrong to right"], bounds)


def _each(run: RunData, wanted: tuple[tuple[str, str, str], ...]) -> Iterator[Chart]:
    for title, caption, name in wanted:
        lines = _lines(run, {name: title.lower()})
        if lines and len(set(lines[0].y)) > 1:
            yield _chart(title, caption, lines)


def _chart(title: str, caption: str, lines: list[Line], y_range: tuple[float, float] | None = None) -> Chart:
    legend = [line.label for line in lines] if len(lines) > 1 else []
    return Chart(title, caption, line_chart(lines, y_range=y_range), legend)


def _lines(run: RunData, names: dict[str, str], kind: str = "train") -> list[Line]:
    curves = [(label, *run.curve(kind, name)) for name, label in names.items()]
    return [Line(label, x, y) for label, x, y in curves if x]


def _pass_line(run: RunData, k: int) -> Line | None:
    points = [(step, s.pass_at[k]) for step, s in sorted(run.evals.items()) if k in s.pass_at]
    known = [(float(step), e.value, e.low, e.high) for step, e in points if e.value is not None]
    if not known:
        return None
    x, y = [step for step, *_ in known], [value for _, value, _, _ in known]
    low, high = [e for _, _, e, _ in known if e is not None], [e for *_, e in known if e is not None]
    return Line(f"pass@{k}", x, y, low, high) if len(low) == len(high) == len(x) else Line(f"pass@{k}", x, y)


def _stratum(stratum: Stratum | None) -> str:
    return "-" if stratum is None else f"{number(stratum.pass_at_1)} {band(stratum.pass_at_1)}"


def number(estimate: Estimate) -> str:
    """Return the value with three decimals."""
    return "unknown" if estimate.value is None else f"{estimate.value:.3f}"


def band(estimate: Estimate) -> str:
    """Return the interval."""
    return "" if estimate.low is None else f"[{estimate.low:.3f}, {estimate.high:.3f}]"
