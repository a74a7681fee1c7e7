"""The reader agrees with Python's own parser on what servers render, and never raises on what they do not."""

from html import escape
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from assay.envs.web.page.dom import VOID, Element
from assay.envs.web.page.html import parse
from assay.envs.web.page.text import render
from assay.envs.web.page.tree import read_page

TAGS = ("div", "span", "b", "ul", "article", "em", "section")
words = st.text(alphabet="ab <>&\"'é\n", max_size=8)


def markup(tag, attributes, inner):
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{tag}{written}>{''.join(inner)}</{tag}>"


def documents():
    text = words.map(escape)
    attributes = st.dictionaries(st.sampled_from(["id", "class", "title"]), words, max_size=2)

    def element(children):
        return st.builds(markup, st.sampled_from(TAGS), attributes, st.lists(children, max_size=3))

    void = st.sampled_from(["<br>", "<hr>", '<input type="text" value="x">', "<!-- <b>no</b> -->"])
    return st.recursive(text | void, element, max_leaves=12)


class Standard(HTMLParser):
    """The events of a document by the standard library, texts that are only white space left out."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.events = []

    def handle_starttag(self, tag, attrs):
        self.events.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        self.events.append(("/", tag))

    def handle_data(self, data):
        if data.strip():
            self.events.append(("text", data))


def events(element: Element):
    for child in element.children:
        if isinstance(child, str):
            yield ("text", child)
        else:
            yield (child.tag, child.attributes)
            yield from events(child)
            if child.tag not in VOID:
                yield ("/", child.tag)


@given(documents())
def test_the_standard_library_reads_the_same(html):
    standard = Standard()
    standard.feed(html)
    standard.close()
    merged = []
    for event in events(parse(html)):
        merged.append(event)
    assert [e for e in merged if e[0] != "text"] == [e for e in standard.events if e[0] != "text"]
    assert "".join(e[1] for e in merged if e[0] == "text").split() == (
        "".join(e[1] for e in standard.events if e[0] == "text").split()
    )


@given(st.text(alphabet="<>/ab\"'=! -&;#\n", max_size=80))
def test_no_text_raises(text):
    render(read_page(parse(text), "/"))


def test_scripts_and_comments_are_not_read():
    page = read_page(
        parse("<p>a</p><script>if (1 < 2) document.write('<a href=/x>x</a>')</script><!-- <p>c</p> -->"), "/"
    )
    assert [node.name for node in page.nodes] == ["a"]


def test_state_comes_from_the_attributes():
    root = parse(
        '<input name=a value="x"><input type=checkbox name=b checked><textarea name=c>\none\ntwo</textarea>'
        "<select name=d><option value=1>One<option value=2 selected>Two</select>"
    )
    fields = {e.attributes["name"]: e for e in root.walk() if "name" in e.attributes}
    assert fields["a"].value == "x" and fields["b"].checked and fields["c"].value == "one\ntwo"
    assert fields["d"].value == "2" and [o.text() for o in fields["d"].options()] == ["One", "Two"]


def test_elements_are_numbered_named_and_grouped():
    page = read_page(
        parse(
            "<title>Shop</title><h1>Goods</h1><table><tr><td><a href=/1>lamp</a></td><td>12</td>"
            "<td><form><button>Buy</button></form></td></tr><tr><td><a href=/2>tent</a></td><td>7</td></tr></table>"
            '<label for=q>Words</label><input id=q name=q value="x  y"><input type=hidden name=h value=1>'
            "<label><input type=checkbox checked> Gift</label>"
            "<fieldset><legend>Way</legend><label><input type=radio name=w value=a> air</label></fieldset>"
            "<select aria-label=Size><option>S<option selected>M</select><div hidden><a href=/no>no</a></div>"
        ),
        "/list?page=1",
    )
    assert render(page).splitlines() == [
        'page "Shop" at /list?page=1',
        'heading "Goods"',
        "row",
        '  link "lamp" [1]',
        '  text "12"',
        '  button "Buy" [2]',
        "row",
        '  link "tent" [3]',
        '  text "7"',
        'textbox "Words" [4] = "x y"',
        'checkbox "Gift" [5] on',
        "group",
        '  text "Way"',
        '  radio "air" [6] off',
        'combobox "Size" [7] = "M" of S | M',
    ]
    assert render(page, "compact").splitlines() == [
        "Goods",
        "lamp#1 12 Buy#2",
        "tent#3 7",
        "Words#4=x y",
        "Gift#5=on",
        "Way air#6=off",
        "Size#7=M(S/M)",
    ]


@given(words)
def test_no_content_fakes_a_line_of_the_tree(text):
    page = read_page(parse(f"<p>{escape(text)}</p><a href=/ title='{escape(text)}'>{escape(text)}</a>"), "/")
    assert len(render(page).splitlines()) == 1 + len(page.nodes)
