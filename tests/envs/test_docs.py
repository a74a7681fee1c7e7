"""The table in `docs/environments.md` is the registry, nothing more and nothing less.

`ASSAY_WRITE_DOCS=1 pytest tests/envs/test_docs.py` writes it anew.
"""

import inspect
import os
import re
import sys
from pathlib import Path

import gymnasium

import assay
from assay.core.registry import load

PAGE = Path(__file__).parents[2] / "docs" / "environments.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def row(env_id: str) -> str:
    entry = load(str(gymnasium.spec(env_id).entry_point))
    summary = (sys.modules[entry.__module__].__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    summary = re.sub(r"^assay/\S+?(,? and assay/\S+?)*: ", "", summary).strip().rstrip(".:").replace("|", "\\|")
    parameters = inspect.signature(entry.__init__).parameters.values()
    options = [
        f"`{p.name}`" if p.default is p.empty else f"`{p.name}={p.default!r}`"
        for p in parameters
        if p.kind is p.KEYWORD_ONLY and p.name != "render_mode"
    ]
    styles = ", ".join(f"`{style}`" for style in entry.demonstration_styles) or "none"
    return f"| `{env_id}` | {summary} | {', '.join(options)} | {styles} |"


def table() -> str:
    ids = [i for i in assay.environment_ids() if i.startswith("assay/")]
    head = "| id | what the agent does | options and defaults | demonstrations |\n|---|---|---|---|"
    return "\n".join([head, *map(row, ids)])


def test_the_table_lists_every_environment_with_every_option():
    before, _, rest = PAGE.read_text().partition(BEGIN)
    shown, _, after = rest.partition(END)
    if os.environ.get("ASSAY_WRITE_DOCS"):
        PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}")
        return
    assert shown.strip() == table(), "run ASSAY_WRITE_DOCS=1 pytest tests/envs/test_docs.py"
