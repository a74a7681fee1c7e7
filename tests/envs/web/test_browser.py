"""A real browser shows the same pages and takes the same actions as the text driver, and its failures are faults."""

import contextlib
import os
import signal
import socket
import struct
import threading
from pathlib import Path

import pytest

import assay
from assay.core.errors import ConfigError, Fault, ToolError
from assay.core.message import text_of
from assay.core.tool import ToolCall
from assay.envs.check import check_environment
from assay.envs.web.page.text import render

pytestmark = pytest.mark.usefixtures("browser")
DONE = ToolCall("done").render()


def make(driver="browser", level=2, **options):
    return assay.make("assay/WebTask-v0", level=level, driver=driver, **options).unwrapped


def site(**pages):
    """An application with these pages; a page may be a (status, headers, text)."""
    asked = []

    async def app(scope, receive, send):
        asked.append((scope["method"], scope["path"]))
        page = pages.get(scope["path"].strip("/") or "home", (404, [], "missing"))
        status, headers, text = page if isinstance(page, tuple) else (200, [], page)
        headers = [(b"content-type", b"text/html; charset=utf-8"), *headers]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    app.asked = asked
    return app


@pytest.fixture
def driver():
    from assay.envs.web.drivers.browser import BrowserDriver

    driver = BrowserDriver(width=640, height=480)
    yield driver
    driver.close()


def number(driver, name):
    return next(node.id for node in driver.page().nodes if node.name == name)


def last(env, task):
    """Play the oracle's turns; return what comes with the last one."""
    turns = env.demonstration(task)
    env.reset(options={"task": task})
    return [env.step(turn) for turn in turns][-1][4]


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_both_drivers_show_the_same_and_the_same_turns_solve_both(level):
    text, real = make("text", level), make("browser", level)
    for index in range(5):
        task = text.tasks[index]
        turns = text.demonstration(task)
        assert text.reset(options={"task": task})[0] == real.reset(options={"task": task})[0]
        for turn in turns:
            seen, shown = text.step(turn), real.step(turn)
            assert seen[0] == shown[0] and seen[2] == shown[2], (turn, shown[4])
        assert seen[4]["verdict"].correct and shown[4]["verdict"].correct
    real.close()


def test_the_oracle_finds_its_way_in_the_browser_itself():
    env = make(level=2)
    for index in (20, 21):
        task = env.tasks[index]
        assert last(env, task)["verdict"].correct
    env.close()


@pytest.mark.slow
def test_every_promise_is_kept_with_a_browser_and_pictures():
    report = check_environment("assay/WebTask-v0", episodes=2, driver="browser", level=1, screenshot=True)
    assert {check.status for check in report.checks} <= {"ok", "skipped"}, str(report)


def test_a_picture_comes_with_every_message_and_points_can_be_clicked():
    env = make(level=1, screenshot=True, sites=["mail"])
    task = env.tasks[0]
    (opening,) = env.reset(options={"task": task})[0]
    assert [part["type"] for part in opening["content"]] == ["text", "image"]
    assert opening["content"][1]["image"].startswith("data:image/png;base64,iVBOR")
    wanted = task.metadata["steps"][0]["near"]
    box = next(n.element.box for n in env.driver.page().nodes if n.id and wanted in n.group.texts)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    (shown,), *_ = env.step(ToolCall("click_at", {"x": x, "y": y}).render())
    assert wanted not in text_of(shown) and shown["content"][1]["type"] == "image"
    (refused,), *_ = env.step(ToolCall("click_at", {"x": 5000, "y": 1}).render())
    assert "not on the screen" in text_of(refused)
    assert env.step(DONE)[4]["verdict"].correct
    env.close()


def test_a_picture_has_the_size_of_the_screen(driver):
    driver.open(site(home="<p>hello</p>"))
    assert struct.unpack(">II", driver.screenshot()[16:24]) == (640, 480)


def test_screenshots_right_after_a_navigation_never_fail(driver):
    driver.open(site(home="<a href=/other>go</a>", other="<a href=/>go</a>"))
    for _ in range(10):
        driver.click(number(driver, "go"))
        assert len(driver.screenshot()) > 500


def test_history_begins_with_the_episode(driver):
    app = site(home="<title>Home</title><a href=/b>go</a>", b="<title>B</title>")
    driver.open(app)
    with pytest.raises(ToolError, match="no page before"):
        driver.back()
    driver.click(number(driver, "go"))
    assert driver.page().title == "B"
    driver.back()
    assert driver.page().title == "Home"


def test_a_page_that_moves_on_by_itself_while_it_is_looked_at_is_no_fault(driver):
    last = 30
    move = "<title>{}</title><script>setTimeout(() => location.replace('/p{}'), {})</script>"
    pages = {f"p{i}": move.format(i, i + 1, i % 5) for i in range(last)}
    driver.open(site(**pages, **{f"p{last}": "<title>end</title>"}), "/p0")
    while driver.page().title != "end":
        driver.scroll("down")


def test_an_element_of_a_page_that_has_moved_on_is_refused(driver):
    driver.open(site(home="<a href=/other>go</a>", other="<a href=/>go</a>"))
    driver.page()
    driver.script("() => { location = '/other'; }")
    driver._run(driver.tab.settle())
    with pytest.raises(ToolError, match="changed by itself"):
        driver.click(1)
    assert driver.page().path == "/other"


def test_nothing_is_kept_from_one_episode_to_the_next(driver):
    leave = "<script>localStorage.x=1; document.cookie='x=1'; window.name='x'; sessionStorage.x=1</script>"
    look = "<script>document.write([localStorage.x, document.cookie, window.name, sessionStorage.x].join('|'))</script>"
    for _ in range(2):
        driver.open(site(home=leave))
        driver.open(site(home=look))
        assert [node.name for node in driver.page().nodes] in ([], ["|||"])


def test_a_tab_is_replaced_after_a_while(browser, monkeypatch):
    from assay.envs.web.drivers.browser import BrowserDriver

    driver = BrowserDriver(width=333, height=222)  # a size of its own, so its tabs are new
    monkeypatch.setattr("assay.envs.web.drivers.chrome.TAB_LIFE", 2)
    tabs = []
    for _ in range(4):
        driver.open(site(home="<p>x</p>"))
        tabs.append(driver.tab)
    assert tabs[0] is tabs[1] and tabs[1] is not tabs[2] and tabs[2] is tabs[3]
    assert not tabs[0].alive and tabs[3].alive
    driver.close()


def test_a_tab_goes_back_clean_and_is_used_by_the_next_driver(driver):
    from assay.envs.web.drivers.browser import BrowserDriver

    driver.open(site(home="<script>document.cookie = 'x=1; domain=.assay.test'</script><p>first</p>"))
    used = driver.tab
    driver.close()
    other = BrowserDriver(width=640, height=480)
    other.open(site(home="<script>document.write(document.cookie || 'clean')</script>"))
    assert other.tab is used and [node.name for node in other.page().nodes] == ["clean"]
    other.close()


def test_the_page_reaches_no_other_origin(driver):
    heard = []
    listener = _listen(heard)
    port = listener.getsockname()[1]
    out = f"http://127.0.0.1:{port}/"
    page = (
        f"<img src={out}img><script>const say = (word) => () => {{ document.title = word; }};"
        f"window.tried = fetch('{out}fetch').then(say('out'), say('shut')); new WebSocket('ws://127.0.0.1:{port}/ws');"
        f"window.open('{out}popup'); navigator.sendBeacon('{out}beacon');</script>"
        f"<a id=a href={out}link>link</a><button onclick=\"location='{out}move'\">move</button>"
        "<iframe src='file:///etc/passwd'></iframe>"
    )
    driver.open(site(home=page))
    driver.script("() => window.tried")
    driver.click(number(driver, "move"))
    with pytest.raises(ToolError, match="outside"):
        driver.click(number(driver, "link"))
    with pytest.raises(ToolError, match="outside"):
        driver.goto(out)
    assert driver.page().title == "shut" and driver.page().path == "/"
    listener.close()
    assert heard == []


def _listen(heard):
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            try:
                heard.append(listener.accept())
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    return listener


def test_a_page_that_hangs_is_a_fault_and_the_next_episode_goes_on():
    from assay.envs.web.drivers.browser import BrowserDriver

    driver = BrowserDriver()
    driver.open(site(home="<button onclick='while (true) {}'>hang</button>"))
    hang, patience = number(driver, "hang"), driver.seconds
    driver.seconds = 2.0
    with pytest.raises(Fault, match="did not answer"):
        driver.click(hang)
    driver.seconds = patience
    with pytest.raises(Fault, match="no site"):
        driver.page()
    driver.open(site(home="<p>fine</p>"))
    assert [node.name for node in driver.page().nodes] == ["fine"]
    driver.close()


def test_a_site_that_breaks_is_a_fault(driver):
    async def broken(scope, receive, send):
        raise RuntimeError("out of order")

    with pytest.raises(Fault, match="out of order"):
        driver.open(broken)


def test_a_killed_browser_costs_the_episode_and_nothing_else(browser):
    env = make(level=1)
    task = env.tasks[0]
    turns = env.demonstration(task)
    env.reset(options={"task": task})
    os.kill(browser.run(browser.process(), 60), signal.SIGKILL)
    *_, reward, terminated, truncated, info = env.step(turns[0])
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["verdict"].score is None and "browser failed" in info["verdict"].reason
    env.reset(options={"task": task})
    assert [env.step(turn) for turn in turns][-1][4]["verdict"].correct
    env.close()


def test_nothing_is_left_of_a_browser_that_was_killed(browser_path, monkeypatch, tmp_path):
    from assay.envs.web.drivers.chrome import Chrome

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    chrome = Chrome()

    def process():
        with contextlib.suppress(Fault):
            return chrome.run(chrome.process(), 60)

    for _ in range(3):
        killed = process()
        os.kill(killed, signal.SIGKILL)
        while process() in (None, killed):  # until its death is noticed
            pass
    chrome.close()
    assert list(tmp_path.iterdir()) == []


def test_the_last_driver_takes_the_browser_along(browser_path):
    from assay.envs.web.drivers.chrome import Chrome

    chrome = Chrome()
    process = chrome.run(chrome.process(), 60)
    assert Path(f"/proc/{process}").exists()
    chrome.close()
    chrome.close()
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return
    assert state == "Z"


def test_several_threads_share_the_browser():
    envs = [make(level=1) for _ in range(4)]
    verdicts = []

    def play(env, index):
        verdicts.append(last(env, env.tasks[index])["verdict"].correct)

    threads = [threading.Thread(target=play, args=(env, i)) for i, env in enumerate(envs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [True] * 4
    for env in envs:
        env.close()


def test_options_that_make_no_sense_are_refused(monkeypatch):
    from assay.envs.web.drivers.browser import BrowserDriver
    from assay.envs.web.drivers.chrome import find_browser

    with pytest.raises(ConfigError, match="browser"):
        make("text", screenshot=True)
    with pytest.raises(ConfigError, match="pixels"):
        BrowserDriver(width=0)
    monkeypatch.setenv("ASSAY_BROWSER", "/nowhere/chrome")
    with pytest.raises(ConfigError, match="no such file"):
        find_browser()


def test_the_document_can_be_shown_as_markup():
    env = make("text", level=1, observe="html", sites=["mail"])
    (opening,) = env.reset(options={"task": env.tasks[0]})[0]
    assert "<button n=1>star</button>" in text_of(opening) and "<script" not in text_of(opening)
    assert render(env.driver.page(), "html") in text_of(opening)
