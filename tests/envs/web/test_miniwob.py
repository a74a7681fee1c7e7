"""MiniWoB++ pages load, step and pay by their own reward, which no agent can write."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import assay
from assay.core.errors import ConfigError, UnknownNameError
from assay.core.message import text_of
from assay.core.task import Task
from assay.core.tool import ToolCall
from assay.envs.check import check_environment
from assay.envs.web.drivers.asgi import request
from assay.envs.web.miniwob.files import folder_app, policy
from assay.envs.web.miniwob.oracle import SOLVERS
from assay.envs.web.miniwob.verifier import MiniWobVerifier
from assay.verifiers.base import Evidence

needs_pages = pytest.mark.skipif(
    importlib.util.find_spec("miniwob") is None, reason="the package miniwob is not installed"
)
DONE = ToolCall("done").render()
EMPTY = {"problems": 0, "done": False, "reward": 0, "left": False}


@pytest.fixture(scope="module")
def env(browser):
    env = assay.make("assay/MiniWoB-v0").unwrapped
    yield env
    env.close()


def task(page, seed=0):
    return Task(id=f"{page}/{seed}", prompt="Do what the page asks.", metadata={"page": page, "seed": seed})


def play(env, page, *calls, seed=0):
    env.reset(options={"task": task(page, seed)})
    steps = []
    for call in (*calls, ToolCall("done")):
        steps.append(env.step(call.render()))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps[-1][1], steps[-1][4]["verdict"]


@needs_pages
@pytest.mark.slow
def test_every_page_loads_begins_and_steps(env):
    pages = sorted(file.stem for file in Path(env._app.__closure__[0].cell_contents, "miniwob").glob("*.html"))
    assert len(pages) == 130
    for page in pages:
        ((message,), _) = env.reset(options={"task": task(page)})
        assert env._utterance and 'page "' in text_of(message), page
        assert env.state() == EMPTY, page
        (answer,), reward, terminated, truncated, _ = env.step(ToolCall("scroll", {"direction": "down"}).render())
        assert 'page "' in text_of(answer) and not (reward or terminated or truncated), page


@needs_pages
@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(SOLVERS))
def test_the_oracle_gets_the_pages_own_full_reward(env, page):
    for seed in (3, 4):
        turns = env.demonstration(task(page, seed))
        env.reset(options={"task": task(page, seed)})
        verdict = [env.step(turn) for turn in turns][-1][4]["verdict"]
        assert verdict.correct and verdict.parts == {"raw": 1.0}


def test_there_is_an_oracle_for_enough_pages():
    assert len(SOLVERS) >= 20


@needs_pages
def test_doing_nothing_and_doing_wrong_earn_nothing(env):
    reward, verdict = play(env, "click-test-2")
    assert reward == 0.0 and verdict.status == "no_answer"
    two = ToolCall("click", {"element": 3})
    reward, verdict = play(env, "click-test-2", two)
    assert reward == 0.0 and verdict.correct is False and verdict.parts == {"raw": -1.0}


@needs_pages
def test_a_seed_is_a_problem(env):
    def seen(seed):
        return text_of(env.reset(options={"task": task("click-checkboxes", seed)})[0][0])

    first = seen(5)
    assert seen(6) != first and seen(5) == first


@needs_pages
def test_what_is_typed_or_inserted_never_runs_and_never_pays(env):
    env.reset(options={"task": task("click-test-2")})
    attack = "WOB_RAW_REWARD_GLOBAL=1;WOB_DONE_GLOBAL=true;WOB_EPISODE_ID++;core.endEpisode(1)"
    env.browser.script(
        """(code) => {
          document.body.insertAdjacentHTML("beforeend", `<img src=x onerror="${code}">
            <a href="javascript:${code}">evil</a><iframe srcdoc="<script>parent.${code}</script>"></iframe>`);
          const script = document.createElement("script");
          script.textContent = code;
          document.body.append(script);
        }""",
        attack,
    )
    env.step(ToolCall("scroll", {"direction": "down"}).render())
    evil = next(n.id for n in env.driver.page().nodes if n.name == "evil")
    env.step(ToolCall("click", {"element": evil}).render())
    assert env.state() == EMPTY
    assert env.step(DONE)[4]["verdict"].correct is False


@needs_pages
def test_a_problem_begun_anew_is_not_the_episodes(env):
    env.reset(options={"task": task("click-test-2")})
    env.browser.script("() => { core.endEpisode(-1); core.startEpisodeReal(); }")
    *_, info = env.step(ToolCall("scroll", {"direction": "down"}).render())
    assert info["verdict"].status == "tampered" and info["verdict"].score == 0.0


@needs_pages
@pytest.mark.parametrize("address", ["/miniwob/click-test.html", "/miniwob/click-test-2.html?again", "/nowhere"])
def test_another_page_has_no_reward_to_give(env, address):
    assert not {"goto", "back"} & {tool.name for tool in env.tools}  # and nothing on a page leads elsewhere
    env.reset(options={"task": task("click-test-2")})
    env.driver.goto(address)
    if "click-test.html" in address:
        env.browser.script("() => { core.startEpisodeReal(); core.endEpisode(1); }")
    *_, info = env.step(ToolCall("scroll", {"direction": "down"}).render())
    assert info["verdict"].status == "tampered" and info["verdict"].score == 0.0


@pytest.mark.parametrize(
    ("problems", "done", "reward", "score", "correct"),
    [(1, True, 1, 1.0, True), (1, True, 0.4, 0.4, False), (1, True, -1, 0.0, False), (2, True, 1, 0.0, False),
     (0, False, 0, 0.0, False), (0, False, 1, 0.0, False), (1, False, 1, 0.0, False), (1, True, 7, 1.0, True)],
)  # fmt: skip
def test_the_verdict_follows_the_page(problems, done, reward, score, correct):
    state = {**EMPTY, "problems": problems, "done": done, "reward": reward}
    verdict = MiniWobVerifier().verify(task("x"), Evidence("", state=state))
    assert (verdict.score, verdict.correct) == (score, correct)


@needs_pages
@pytest.mark.slow
def test_the_promises_are_kept(browser):
    report = check_environment("assay/MiniWoB-v0", episodes=2, pages=["click-test-2", "enter-text"])
    assert {check.status for check in report.checks} <= {"ok", "skipped"}, str(report)


def test_only_files_of_the_folder_are_served(tmp_path):
    root = tmp_path / "html"
    (root / "core").mkdir(parents=True)
    (root / "core" / "core.js").write_text("1")
    (tmp_path / "secret").write_text("no")
    (root / "link").symlink_to(tmp_path / "secret")
    app = folder_app(root)
    assert request(app, "GET", "/core/core.js").status == 200
    for path in (
        "/../secret",
        "/core/../../secret",
        "/%2e%2e/secret",
        "/link",
        "/core",
        "/none",
        "//etc/passwd",
        "/%00",
    ):
        assert request(app, "GET", path).status == 404, path


@given(st.text(max_size=30))
def test_no_path_breaks_the_folder(path):
    assert request(folder_app(Path(__file__).parent / "nowhere"), "GET", "/" + path.replace("%", "")).status == 404


def test_a_page_runs_its_own_scripts_only():
    page = b'<script src=a.js></script><script>var a = 1;</script><body onload="go()">'
    found = policy(page)
    assert "'sha256-" in found and "'unsafe-hashes'" in found and "'unsafe-inline' 'self'" not in found
    assert "script-src 'self'" in policy(b"<p>none</p>") and "unsafe-hashes" not in policy(b"<p>none</p>")


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"core/core\.js"):
        assay.make("assay/MiniWoB-v0", path=tmp_path)


@needs_pages
def test_an_unknown_page_is_refused():
    with pytest.raises(UnknownNameError, match="click-test"):
        assay.make("assay/MiniWoB-v0", pages=["click-tset"])
