"""The analyser tells the weak form of a pattern from its usual repairs."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.verifiers.code.analyser import analyse, nested_repeat

# ruff: noqa: E501


@pytest.mark.parametrize(
    ("cwe", "weak", "mended"),
    [
        ("CWE-78", "import subprocess\ndef f(x): subprocess.run(['sh', '-c', x])", "import subprocess\ndef f(x): subprocess.run(['ls', x], shell=False)"),
        ("CWE-78", "import os\ndef f(x): os.system('ls ' + x)", "import os, shlex\ndef f(x): os.listdir(x)"),
        ("CWE-89", "def f(c, x):\n    q = f'SELECT {x}'\n    c.execute(q)", "def f(c, x):\n    q = 'SELECT ?'\n    c.execute(q, (x,))"),
        ("CWE-95", "def f(x): return eval(x)", "import ast\ndef f(x): return ast.literal_eval(x)"),
        ("CWE-22", "import os\ndef f(d, n): return open(os.path.join(d, n)).read()", "import os\ndef f(d, n): return open(os.path.join(d, os.path.basename(n))).read()"),
        ("CWE-377", "import tempfile\ndef f(): return tempfile.mktemp()", "import tempfile\ndef f(): return tempfile.mkstemp()"),
        ("CWE-502", "import yaml\ndef f(x): return yaml.load(x, Loader=yaml.Loader)", "import yaml\ndef f(x): return yaml.load(x, Loader=yaml.SafeLoader)"),
        ("CWE-502", "from pickle import loads\ndef f(x): return loads(x)", "import json\ndef f(x): return json.loads(x)"),
        ("CWE-916", "import hashlib\ndef f(p): return hashlib.md5(p)", "import hashlib\ndef f(p): return hashlib.scrypt(p, salt=b'x', n=2, r=1, p=1)"),
        ("CWE-338", "from random import choice\ndef f(): return choice('ab')", "import secrets\ndef f(): return secrets.choice('ab')"),
        ("CWE-208", "def f(token, b): return token == b", "import hmac\ndef f(token, b): return hmac.compare_digest(token, b)"),
        ("CWE-79", "def f(x): return '<p>' + x", "import html\ndef f(x): return '<p>' + html.escape(x)"),
        ("CWE-134", "def f(t, x): return t.format(x)", "def f(t, x): return 'a {}'.format(x)"),
        ("CWE-918", "def f(url): return 'a.example' in url", "from urllib.parse import urlsplit\ndef f(url): return urlsplit(url).hostname == 'a.example'"),
        ("CWE-1333", "import re\ndef f(x): return re.match(r'(a+)+b', x)", "import re\ndef f(x): return re.match(r'a+b', x)"),
    ],
)  # fmt: skip
def test_weak_and_mended(cwe, weak, mended):
    assert [finding.cwe for finding in analyse(weak)] == [cwe]
    assert not analyse(mended)


def test_a_finding_says_where():
    (finding,) = analyse("import os\n\n\nos.system(x)")
    assert (finding.cwe, finding.line) == ("CWE-78", 4)


@pytest.mark.parametrize(
    ("pattern", "nested"),
    [("(a+)+", True), ("(?:a*)*b", True), ("(a|b+)+", True), ("a+b+", False), ("(ab+)+", False), ("(a{1,3})+", False), ("(", False)],
)  # fmt: skip
def test_nested_repeats(pattern, nested):
    assert nested_repeat(pattern) is nested


@given(st.text(alphabet="import os.system()x=\n '\"[]:def f", max_size=80))
def test_any_text_is_analysed_or_refused(text):
    with contextlib.suppress(ValueError):
        analyse(text)
