"""Gates for continuous integration: limits that an audit must keep, and a baseline that it must not fall behind.

A gate reads the *upper* end of the exact interval (Clopper-Pearson), or of the one that allows for clusters where that
is higher, and never the point estimate: no error in 20 cases does not show an error rate below 1 %. A gate on
something that was not measured fails, since it shows nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from assay.audits.findings import NO_VERDICT
from assay.core.errors import ConfigError, DataError, SchemaError
from assay.core.stats import mcnemar

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Gates:
    """Limits; None switches a gate off."""

    max_fp_upper: float | None = None
    """Upper end of the exact interval of the false-positive rate."""
    max_fn_upper: float | None = None
    max_ceiling: float | None = None
    """Success rate of the most successful attack family."""
    max_p99_ms: float | None = None
    max_critical: int | None = None
    """Number of critical findings."""

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if value is not None and (not math.isfinite(value) or value < 0):
                raise ConfigError(f"gate {f.name} must be a number that is not negative, not {value}")
            if value is not None and f.name in ("max_fp_upper", "max_fn_upper", "max_ceiling") and value > 1:
                raise ConfigError(f"gate {f.name} is a rate between 0 and 1, not {value:g}; 1 % is 0.01")


def check_gates(report: Mapping[str, Any], gates: Gates) -> list[str]:
    """Return one line for each gate that the report (as JSON data) does not pass; empty when all pass.

    One is always there: an audit without a single verdict passes nothing.
    """
    failed = [f["title"] for f in report["findings"] if f["kind"] == NO_VERDICT]
    part = report.get("labels") or report.get("certified")
    for name, rate, limit in (
        ("false-positive", "fp", gates.max_fp_upper),
        ("false-negative", "fn", gates.max_fn_upper),
    ):
        if limit is None:
            continue
        if part is None or part[rate]["n"] == 0:
            failed.append(f"{name} rate: not measured, so its gate {limit:g} cannot be passed")
            continue
        upper = max(part[rate]["clopper_pearson"][1], part[rate]["interval"][1])
        if upper > limit:
            events, n = part[rate]["events"], part[rate]["n"]
            more = f"; without any error it takes {cases_needed(limit)} cases" if events == 0 else ""
            failed.append(f"{name} rate: upper end {upper:.4g} > {limit:g} ({events} of {n} wrong{more})")
    attacks = report.get("attacks")
    if gates.max_ceiling is not None:
        if not attacks or not attacks["ceiling"]:
            failed.append(f"attack ceiling: no attack was run, so its gate {gates.max_ceiling:g} cannot be passed")
        elif attacks["ceiling"]["success"]["rate"] > gates.max_ceiling:
            success, family = attacks["ceiling"]["success"]["rate"], attacks["ceiling"]["family"]
            failed.append(f"attack ceiling: {success:.4g} > {gates.max_ceiling:g} (family {family!r})")
    if gates.max_p99_ms is not None and report["latency"]["p99"] > gates.max_p99_ms:
        failed.append(f"p99 latency: {report['latency']['p99']:.4g} ms > {gates.max_p99_ms:g} ms")
    critical = [f["title"] for f in report["findings"] if f["severity"] == "critical"]
    if gates.max_critical is not None and len(critical) > gates.max_critical:
        failed.append(f"critical findings: {len(critical)} > {gates.max_critical} ({critical[0]})")
    return failed


def cases_needed(limit: float, level: float = 0.95) -> int:
    """Return how many cases without any error push the upper end of the exact two-sided interval down to `limit`."""
    if not 0 < limit < 1:
        raise ConfigError(f"a limit between 0 and 1 is needed, not {limit:g}")
    return math.ceil(math.log((1 - level) / 2) / math.log1p(-limit))


def load_baseline(path: str | Path) -> dict[str, Any]:
    """Read the JSON of an earlier audit. `DataError` or `SchemaError` when it is none, or is newer than this assay."""
    try:
        data = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path=str(path)) from None
    except ValueError:
        raise DataError("is not the JSON of an audit", path=str(path)) from None
    if not isinstance(data, dict) or "findings" not in data or "latency" not in data:
        raise DataError("is not the JSON of an audit", path=str(path))
    if data.get("schema_version", 0) > SCHEMA_VERSION:
        raise SchemaError(f"{path}: written by a newer assay (schema {data['schema_version']})")
    return data


def regressions(report: Mapping[str, Any], baseline: Mapping[str, Any], *, alpha: float = 0.05) -> list[str]:
    """Return one line for each way in which a report is worse than its baseline (both as JSON data).

    New kinds of finding, and error rates that rose on the cases that both have: paired by case id and tested exactly
    (McNemar), so that noise of other cases is no regression. Improvements are silent.
    """
    known = {f["kind"] for f in baseline["findings"]}
    worse = [
        f"new finding: {f['title']} ({f['kind']})"
        for f in report["findings"]
        if f["kind"] not in known and f["severity"] != "info"
    ]
    for part in ("labels", "certified"):
        now, before = report.get(part), baseline.get(part)
        if not now or not before:
            continue
        shared = set(now["accepted"]) & set(before["accepted"])
        for error in ("FP", "FN"):
            errors = [
                {d["id"] for d in side["disagreements"] if d["error"] == error and d["id"] in shared}
                for side in (now, before)
            ]
            new, mended = len(errors[0] - errors[1]), len(errors[1] - errors[0])
            p = mcnemar(new, mended)
            if new > mended and p < alpha:
                worse.append(f"{part}: {new} new {error} against {mended} mended (p = {p:.3g})")
    return worse
