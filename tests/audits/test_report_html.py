import json
import re
from html.parser import HTMLParser

import pytest

from assay.audits import FULL, Case, RunLimits, audit
from assay.audits.report_html import render_data, render_html, short, snippet
from tests.audits import fixtures

HOSTILE = "<script>alert(1)</script>\x00\ud800"


@pytest.fixture(scope="module")
def report():
    from dataclasses import replace

    rows = [
        Case("a", "1", HOSTILE, True),
        Case("b", "2", "2", True),
        Case("c", "2", "2", False),
        Case("d", "3", "4", False),
    ]
    plan = replace(FULL, cases=120, attacks=60, bank=2, hostile=RunLimits(seconds=0.5, memory_mb=1024))
    return audit(fixtures.Exact(), rows, plan=plan)


class Outline(HTMLParser):
    VOID = {"meta", "rect", "br", "link", "img"}

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_escaped_and_self_contained(report):
    page = render_html(report)
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert "script" not in outline.tags
    assert "&lt;script&gt;" in page
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import""", page)
    page.encode("utf-8")
    for heading in ("Findings", "Labelled rows", "Certified cases", "Attacks", "What this does to training"):
        assert f"<h2>{heading}</h2>" in page


def test_the_page_comes_from_the_json_alone(report):
    data = json.loads(json.dumps(report.to_json()))
    assert render_data(data) == render_html(report)


def test_labels_alone_make_a_page():
    page = render_html(audit(fixtures.exact, [Case("a", "1", "1", True)]))
    assert "<h2>Attacks</h2>" not in page


def test_snippets_run(capsys):
    finding = {"repro": {"target": "1", "response": "1.0"}}
    exec(snippet("tests.audits.fixtures:exact", finding), {})
    assert "correct=False" in capsys.readouterr().out
    assert snippet("x", {"repro": {"response": "1"}}) == ""


def test_short():
    assert short("x" * 200, 10) == "xxxxxxxxxx… (200 characters)"
    assert short("a\x00\u202eb") == "a\\x00\\u202eb"
