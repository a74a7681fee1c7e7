"""The text driver does what a browser does with links, forms, fields and the history."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import Fault, ToolError
from assay.envs.web.drivers.asgi import request
from assay.envs.web.drivers.text import TextDriver

PAGES = {
    "/": "<title>Home</title><a href='/form?x=1'>form</a><a href='http://elsewhere/'>out</a>"
    "<a href='javascript:x'>script</a><a href=sub/page>relative</a>",
    "/form": "<form action=/sent method=post><input name=line value=a><textarea name=lines>b</textarea>"
    "<select name=size><option value=s>Small<option value=m>Medium</select>"
    "<input type=checkbox name=tick value=yes><input type=radio name=way value=air checked>"
    "<input type=radio name=way value=sea>"
    "<input type=hidden name=key value=7><input name=off value=1 disabled><input value=nameless>"
    "<button name=act value=one>One</button><button name=act value=two>Two</button>"
    "<button type=button>Dead</button></form>"
    "<form action=/sent><input name=q><button>Get</button></form>",
    "/sub/page": "<p>sub</p>",
    "/radios": "<input type=radio name=way checked aria-label=loose>"
    "<form><input type=radio name=way checked aria-label=one><input type=radio name=way hidden checked>"
    "<input type=radio name=way aria-label=two><input type=radio name=size checked aria-label=small></form>"
    "<form><input type=radio name=way checked aria-label=other></form>",
    "/loop": None,
}
received: list[tuple[str, str, list[tuple[str, str]]]] = []


async def app(scope, receive, send):
    body = (await receive())["body"]
    path, query = scope["path"], scope["query_string"].decode()
    received.append((scope["method"], path, parse_qsl((body.decode() or query), keep_blank_values=True)))
    if path == "/sent" and scope["method"] == "POST":
        headers, page, status = [(b"location", b"/sent?done=1")], "", 303
    elif path == "/loop":
        headers, page, status = [(b"location", b"/loop")], "", 302
    else:
        headers, page, status = [], PAGES.get(path, "<p>nothing here</p>"), 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": page.encode()})


@pytest.fixture
def driver():
    received.clear()
    driver = TextDriver()
    driver.open(app)
    return driver


def number(driver, name, index=0):
    return [node.id for node in driver.page().nodes if node.name == name][index]


def test_links_are_followed_and_back_returns(driver):
    driver.click(number(driver, "form"))
    assert driver.page().path == "/form?x=1" and received[-1] == ("GET", "/form", [("x", "1")])
    driver.back()
    assert driver.page().title == "Home"
    driver.click(number(driver, "relative"))
    assert driver.page().path == "/sub/page"
    driver.back()
    with pytest.raises(ToolError, match="no page before"):
        driver.back()


def test_radio_buttons_of_one_name_and_form_exclude_each_other(driver):
    def chosen():
        return [element.attributes.get("aria-label", "hidden") for element in document.walk() if element.checked]

    driver.goto("/radios")
    document = driver.page().document
    driver.click(number(driver, "two"))
    assert chosen() == ["loose", "two", "small", "other"]
    driver.click(number(driver, "loose"))
    assert chosen() == ["loose", "two", "small", "other"]


def test_a_form_sends_what_a_browser_would_send(driver):
    driver.goto("/form")
    driver.type(number(driver, "line"), "é & ü")
    driver.type(number(driver, "lines"), "one\ntwo")
    driver.select(number(driver, "size"), " medium ")
    driver.click(number(driver, "tick"))
    driver.click(number(driver, "way", 1))
    driver.click(number(driver, "Two"))
    assert received[-2] == (
        "POST",
        "/sent",
        [
            ("line", "é & ü"),
            ("lines", "one\r\ntwo"),
            ("size", "m"),
            ("tick", "yes"),
            ("way", "sea"),
            ("key", "7"),
            ("act", "two"),
        ],
    )
    assert driver.page().path == "/sent?done=1"
    driver.back()
    assert driver.page().path == "/form"


def test_a_form_that_gets_puts_its_fields_into_the_address(driver):
    driver.goto("/form")
    driver.type(number(driver, "q"), "a b")
    driver.click(number(driver, "Get"))
    assert driver.page().path == "/sent?q=a+b" and received[-1] == ("GET", "/sent", [("q", "a b")])


def test_a_button_that_sends_nothing_does_nothing(driver):
    driver.goto("/form")
    before = len(received)
    driver.click(number(driver, "Dead"))
    assert len(received) == before


@pytest.mark.parametrize(
    "address", ["http://elsewhere/", "//elsewhere/", "javascript:x", "file:///etc/passwd", "http://[", "data:,x"]
)
def test_nothing_leads_out_of_the_site(driver, address):
    with pytest.raises(ToolError, match=r"outside|not an address"):
        driver.goto(address)
    for name in ("out", "script"):
        with pytest.raises(ToolError, match="outside"):
            driver.click(number(driver, name))
    assert {path for _, path, _ in received} == {"/"}


def test_mistakes_are_told(driver):
    driver.goto("/form")
    for wrong, said in [
        (lambda: driver.click(99), "no element"),
        (lambda: driver.type(number(driver, "Two"), "x"), "is a button"),
        (lambda: driver.select(number(driver, "size"), "Huge"), "Small | Medium"),
        (lambda: driver.type(number(driver, "line"), "x" * 6000), "at most"),
        (lambda: driver.type(number(driver, "line"), "\x00"), "no keyboard"),
    ]:
        with pytest.raises(ToolError, match=said.replace("|", r"\|")):
            wrong()


def test_a_site_that_redirects_for_ever_or_waits_or_breaks_is_a_fault(driver):
    with pytest.raises(Fault, match="without end"):
        driver.goto("/loop")

    class Never:
        def __await__(self):
            yield

    async def slow(scope, receive, send):
        await Never()

    with pytest.raises(Fault, match="at once"):
        request(slow, "GET", "/")
    with pytest.raises(Fault, match="no site"):
        TextDriver().page()


@given(st.text(max_size=60))
def test_no_address_breaks_the_driver(address):
    driver = TextDriver()
    driver.open(app)
    try:
        driver.goto(address)
    except ToolError:
        assert driver.page().path == "/"
    except Fault as fault:
        assert "loop" in str(fault)
