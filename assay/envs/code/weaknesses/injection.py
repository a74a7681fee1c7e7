"""Weaknesses where data is taken for code: shell, SQL, Python, HTML, format strings."""

from __future__ import annotations

from assay.envs.code.weaknesses.base import Draw, Family, Weakness, attack, call, fill

_SECRET_FILE = """
def _prepare():
    with open("key.txt", "w") as stream:
        stream.write("$marker")
_prepare()
"""

_SHELL = '''
import os
import subprocess


def $f($name):
    """Return what echo prints: "$greeting" and the name."""
    return $run
'''
_SHELL_REPAIRED = '''
import os
import subprocess


def $f($name):
    """Return what echo prints: "$greeting" and the name."""
    return subprocess.run(["echo", "$greeting", $name], capture_output=True, text=True).stdout
'''


def command_injection(draw: Draw) -> Weakness:
    """Put an argument into a command line for the shell."""
    f, name, greeting = draw.one(["greet", "announce", "say_hello"]), draw.one(["name", "who", "user"]), draw.word()
    marker = draw.marker()
    line = draw.one(
        [f'f"echo {greeting} {{{name}}}"', f'"echo {greeting} " + {name}', f'"echo {greeting} %s" % {name}']
    )
    run = draw.one(
        [f"subprocess.run({line}, shell=True, capture_output=True, text=True).stdout", f"os.popen({line}).read()"]
    )
    payloads = [
        "; cat key.txt",
        "$(cat key.txt)",
        "a && cat key.txt",
        "a | cat key.txt",
        "`cat key.txt`",
        "a\ncat key.txt",
    ]
    return Weakness(
        "command_injection", "CWE-78", "OS command injection", f,
        fill(_SHELL, f=f, name=name, greeting=greeting, run=run),
        fill(_SHELL_REPAIRED, f=f, name=name, greeting=greeting),
        tuple(call(word, expected=f"{greeting} {word}\n") for word in draw.words(3)),
        tuple(attack(payload, leaks=marker) for payload in payloads),
        fill(_SECRET_FILE, marker=marker),
    )  # fmt: skip


_SQL = '''
import sqlite3


def $f($path, $value):
    """Return the $column of all rows of the table $table whose $key is the given value."""
    connection = sqlite3.connect($path)
    try:
        rows = connection.execute($query).fetchall()
    finally:
        connection.close()
    return [row[0] for row in rows]
'''
_SQL_HARNESS = """
def _prepare():
    import sqlite3
    connection = sqlite3.connect("app.db")
    connection.execute("CREATE TABLE IF NOT EXISTS $table ($key TEXT, $column TEXT)")
    connection.execute("CREATE TABLE IF NOT EXISTS vault (secret TEXT)")
    rows = [("$one", "$two"), ("$three", "$four"), ("x", "$marker")]
    connection.executemany("INSERT INTO $table VALUES (?, ?)", rows)
    connection.execute("INSERT INTO vault VALUES ('$marker')")
    connection.commit()
    connection.close()
_prepare()
"""


def sql_injection(draw: Draw) -> Weakness:
    """Put an argument into the text of a query."""
    table, column, key, one, two, three, four = draw.words(7)
    f, value, marker = (
        draw.one(["find_rows", "look_up", "search"]),
        draw.one(["value", "wanted", "term"]),
        draw.marker(),
    )
    select = f"SELECT {column} FROM {table} WHERE {key} = "
    query = draw.one([
        f'f"{select}\'{{{value}}}\'"', f'"{select}\'" + {value} + "\'"', f'"{select}\'%s\'" % {value}',
        f'"{select}\'{{}}\'".format({value})',
    ])  # fmt: skip
    names = {"f": f, "path": "path", "value": value, "column": column, "table": table, "key": key}
    payloads = ["' OR '1'='1", "' UNION SELECT secret FROM vault --", "q' OR 1=1 --"]
    return Weakness(
        "sql_injection", "CWE-89", "SQL injection", f,
        fill(_SQL, query=query, **names), fill(_SQL, query=f'"{select}?", ({value},)', **names),
        (call("app.db", one, expected=[two]), call("app.db", three, expected=[four]), call("app.db", "-", expected=[])),
        tuple(attack("app.db", payload, leaks=marker) for payload in payloads),
        fill(_SQL_HARNESS, table=table, key=key, column=column, one=one, two=two, three=three, four=four,
             marker=marker),
    )  # fmt: skip


_EVAL = '''
import ast


def $f($text):
    """Return the value of a Python literal, such as $example."""
    return $evaluate
'''


def code_injection(draw: Draw) -> Weakness:
    """Read a literal by evaluating it."""
    f, text, marker = (
        draw.one(["parse_option", "read_value", "load_setting"]),
        draw.one(["text", "source"]),
        draw.marker(),
    )
    a, b = draw.number(), draw.number()
    evaluate = draw.one([f"eval({text})", f"eval({text}, {{}})", f'eval(compile({text}, "option", "eval"))'])
    payloads = ["open('key.txt').read()", "__import__('os').popen('cat key.txt').read()", "[*open('key.txt')]"]
    return Weakness(
        "code_injection", "CWE-95", "eval injection", f,
        fill(_EVAL, f=f, text=text, example=f"[{a}, {b}]", evaluate=evaluate),
        fill(_EVAL, f=f, text=text, example=f"[{a}, {b}]", evaluate=f"ast.literal_eval({text})"),
        (call(f"[{a}, {b}]", expected=[a, b]), call(f"{{'x': {a}}}", expected={"x": a}), call("None", expected=None)),
        tuple(attack(payload, leaks=marker) for payload in payloads),
        fill(_SECRET_FILE, marker=marker),
    )  # fmt: skip


_HTML = '''
import html


def $f($text):
    """Return the text as a page element."""
    return $element
'''


def cross_site_scripting(draw: Draw) -> Weakness:
    """Put a text into HTML as it is."""
    f, text, cls = draw.one(["render", "show_comment", "as_html"]), draw.one(["text", "comment"]), draw.word()
    one, two = draw.words(2)
    if draw.one([True, False]):
        shape, leak = "<p class='{cls}'>{value}</p>", "<script>"
        payloads = ["<script>steal()</script>", f"{one}<script>", "</p><script>steal()</script><p>"]
    else:
        shape, leak = "<a class='{cls}' title=\"{value}\">note</a>", '" onclick='
        payloads = ['" onclick="steal()', f'{one}" onclick="steal()" x="']

    def element(value: str) -> str:
        return "f'''" + shape.format(cls=cls, value="{" + value + "}") + "'''"

    return Weakness(
        "cross_site_scripting", "CWE-79", "cross-site scripting", f,
        fill(_HTML, f=f, text=text, element=element(text)),
        fill(_HTML, f=f, text=text, element=element(f"html.escape({text})")),
        tuple(call(value, expected=shape.format(cls=cls, value=value)) for value in (one, two, f"{one} {two}")),
        tuple(attack(payload, leaks=leak) for payload in payloads),
    )  # fmt: skip


_FORMAT = '''
API_KEY = "unset"


class Account:
    def __init__(self, name):
        self.name = name


def $f($template, $name):
    """Fill the name of an account into a template, where {user.name} stands for it."""
    return $result
'''


def format_string(draw: Draw) -> Weakness:
    """Let the template come from outside, and reach objects."""
    f, template, name = draw.one(["fill_in", "personalise", "expand"]), draw.one(["template", "pattern"]), "name"
    one, two, marker = *draw.words(2), draw.marker()
    unsafe = draw.one(
        [f"{template}.format(user=Account({name}))", f'{template}.format_map({{"user": Account({name})}})']
    )
    return Weakness(
        "format_string", "CWE-134", "uncontrolled format string", f,
        fill(_FORMAT, f=f, template=template, name=name, result=unsafe),
        fill(_FORMAT, f=f, template=template, name=name, result=f'{template}.replace("{{user.name}}", {name})'),
        (call("Dear {user.name}!", one, expected=f"Dear {one}!"), call("Good day.", two, expected="Good day."),
         call("{user.name}, {user.name}", two, expected=f"{two}, {two}")),
        (attack("{user.__init__.__globals__[API_KEY]}", one, leaks=marker),
         attack("{user.__class__.__init__.__globals__}", one, leaks=marker)),
        fill('API_KEY = "$marker"\n', marker=marker),
    )  # fmt: skip


FAMILIES: tuple[Family, ...] = (command_injection, sql_injection, code_injection, cross_site_scripting, format_string)
