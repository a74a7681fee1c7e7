"""One self-contained HTML file from an audit: no scripts, no fonts, nothing fetched.

Everything shown is escaped: responses are hostile by design.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.audits.report import AuditReport


def render_html(report: AuditReport) -> str:
    """Return the report as an HTML page."""
    return render_data(report.to_json())


def render_data(data: dict[str, Any]) -> str:
    """Return the page for a report that was read back from JSON."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(resources.files("assay.audits").joinpath("report.html.j2").read_text("utf-8"))
    return template.render(r=data, short=short, snippet=lambda finding: snippet(data["verifier"], finding))


def short(value: object, width: int = 160) -> str:
    """Return a value as text of at most `width` characters, with nothing that a browser cannot show."""
    text = str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    text = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    return text if len(text) <= width else f"{text[:width]}… ({len(text)} characters)"


def snippet(verifier: str, finding: dict[str, Any]) -> str:
    """Return the lines of Python that show a finding; empty when it takes more than one call."""
    repro = finding["repro"]
    if not repro or not {"target", "response"} <= set(repro) or len(str(repro["response"])) > 300:
        return ""
    return (
        "from assay.audits import resolve\n"
        "from assay.verifiers import verify_text\n"
        f"print(verify_text(resolve({verifier!r}).build(), {repro['target']!r}, {repro['response']!r}))"
    )
