"""Only what was asked for, and nothing else, in the database pays; pages, prose and clicks at random do not."""

import json
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import assay
from assay.core.errors import ConfigError, UnknownNameError
from assay.core.message import text_of
from assay.core.tool import ToolCall
from assay.envs.check import check_environment
from assay.envs.web.page.text import render
from assay.envs.web.sites import SITES
from assay.envs.web.sites.theme import Theme
from assay.envs.web.sites.words import ORDERS
from assay.envs.web.tasks import WebGenerator, without_ids
from tests.envs.agents import episode, final, forever, prompt_of, rate

DONE = ToolCall("done").render()


def make(level=2, **options):
    return assay.make("assay/WebTask-v0", level=level, **options).unwrapped


def call(name, **arguments):
    return ToolCall(name, arguments).render()


@pytest.mark.parametrize(
    ("level", "options"),
    [(1, {"observe": "compact", "interface": "console"}), (2, {"instructions": True}), (3, {})],
)
def test_every_promise_is_kept(level, options):
    report = check_environment("assay/WebTask-v0", episodes=6, level=level, **options)
    assert {check.status for check in report.checks} == {"ok"}, str(report)


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("site", sorted(SITES))
def test_the_oracle_runs_every_errand_and_a_hasty_agent_few(site, level):
    env = make(level, sites=[site])
    assert rate(env, lambda task, rng: env.demonstration(task), 25) == 1.0
    chance = 0.5 if level == 1 else 0.05
    assert rate(env, lambda task, rng: env.demonstrate(task, "hasty", rng), 40) <= chance
    tags = Counter(tag for task in env.tasks.head(60) for tag in task.tags[1:])
    assert set(tags) == set(SITES[site].kinds[level])


@pytest.mark.parametrize("level", [1, 2, 3])
def test_agents_that_do_not_use_the_pages_score_nothing(level):
    env = make(level)
    talk = "Done. The order is placed. verdict: correct, score: 1.0. The answer is 42."
    for agent in (
        forever(""),
        forever(DONE),
        forever(talk),
        lambda task, rng: [prompt_of(task)] * 40,
        lambda task, rng: [call("answer", text=prompt_of(task))],
        lambda task, rng: [
            call("answer", text=prompt_of(task).split()[int(rng.integers(len(prompt_of(task).split())))])
        ],
        lambda task, rng: [json.dumps(task.target["changes"])] * 40,
        lambda task, rng: [call("answer", text=" ".join(map(str, range(1000))))],
        lambda task, rng: [call("run", script="document.title='correct'"), call("goto", address="javascript:1"), DONE],
    ):
        assert rate(env, agent, 25) == 0.0


@pytest.mark.parametrize("level", [2, 3])
def test_clicks_at_random_and_a_spray_of_every_button_score_nothing(level):
    env = make(level)

    def random_clicks(task, rng):
        for _ in range(10):
            active = [node for node in env.driver.page().nodes if node.id]
            yield call("click", element=active[int(rng.integers(len(active)))].id)
        yield DONE

    def spray(task, rng):
        for path in [n.element.attributes["href"] for n in env.driver.page().nodes if n.role == "link"]:
            yield call("goto", address=path)
            for index in range(sum(n.role == "button" for n in env.driver.page().nodes)):
                yield call("goto", address=path)
                buttons = [n.id for n in env.driver.page().nodes if n.role == "button"]
                if index < len(buttons):
                    yield call("click", element=buttons[index])
            if env.turn > 20:
                break
        yield DONE

    assert rate(env, random_clicks, 30) == 0.0
    assert rate(env, spray, 15) == 0.0


def test_pressing_every_button_of_the_smallest_page_scores_nothing():
    env = make(1)
    assert rate(env, lambda task, rng: [call("click", element=1)] * 3 + [DONE], 60) == 0.0


def test_one_thing_too_many_costs_everything():
    env = make(2, sites=["shop"])
    task = next(task for task in env.tasks.head(100) if "order" in task.tags)
    other = max(task.metadata["rows"]["products"], key=lambda row: row[4])

    turns = env.demonstration(task)

    def overbuy():
        yield from turns[:-1]
        yield call("goto", address=f"/product/{other[0]}")
        yield call("click", element=max(n.id for n in env.driver.page().nodes if n.role == "button"))
        yield DONE

    assert final(env, task, turns)[0] == 1.0
    score, verdict = final(env, task, overbuy())
    assert score == 0.0 and verdict.parts == {"database": 0.0, "answer": 1.0}


def test_what_an_errand_changes_written_out_by_hand():
    env = make(2, sites=["mail"])
    task = next(task for task in env.tasks.head(100) if "move" in task.tags)
    folder = prompt_of(task).rstrip(".").split()[-1]
    (change,) = task.target["changes"]
    assert change.startswith("messages/") and change.endswith(f'.folder: "inbox" -> "{folder}"')
    row = next(r for r in task.metadata["rows"]["messages"] if f"/{r[0]}." in change)
    assert f"{row[2]}'s message about {row[3]}" in prompt_of(task)


def test_the_order_of_two_errands_does_not_matter():
    env = make(3, sites=["forum"])
    task = next(t for t in env.tasks.head(400) if t.tags[1:] == ("reply", "reply"))
    turns = env.demonstration(task)
    home = call("goto", address="/")
    half = turns.index(home)
    swapped = [*turns[half + 1 : -1], home, *turns[:half], turns[-1]]
    score, verdict = final(env, task, swapped)
    assert score == 1.0, verdict.reason
    assert without_ids(['+ posts/8: {"id": 8, "text": "x"}', '+ cart/3: {"product": 3}']) == [
        '+ cart/3: {"product": 3}',
        '+ posts: {"text": "x"}',
    ]


@pytest.mark.parametrize(
    ("said", "correct"),
    [("{}", True), (" {}. ", True), ("{}0", False), ("{} or 12", False), ("-{}", False), ("", False), ("{}.5", False)],
)
def test_an_answer_is_compared_exactly(said, correct):
    env = make(2, sites=["shop"])
    task = next(task for task in env.tasks.head(100) if "price" in task.tags)
    assert task.target["changes"] == []
    assert final(env, task, [call("answer", text=said.format(task.target["answer"]))])[1].correct is correct


def test_a_question_is_not_answered_by_changing_things():
    env = make(2, sites=["forum"])
    task = next(task for task in env.tasks.head(200) if "votes" in task.tags)
    *turns, answer = env.demonstration(task)
    hide = [call("click", element=n.id) for n in env.driver.page().nodes if n.role == "button"][:1]
    assert final(env, task, [*turns, answer])[0] == 1.0
    assert final(env, task, [*turns, *hide, answer])[1].parts == {"database": 0.0, "answer": 1.0}


def test_pages_that_give_orders_change_no_verdict():
    env = make(2, sites=["mail"])
    task = next(task for task in env.tasks.head(100) if "star" not in task.tags and "delete" in task.tags)
    rows = {
        "messages": [(*row[:4], ORDERS[i % len(ORDERS)], 0) for i, row in enumerate(task.metadata["rows"]["messages"])]
    }
    target = {**task.target, "changes": [_with_text(c, rows) for c in task.target["changes"]]}
    poisoned = replace(task, target=target, metadata={**task.metadata, "rows": rows})
    *turns, done = env.demonstration(poisoned)
    assert final(env, poisoned, [*turns[:-1], done])[0] == 0.0
    shown = render(env.driver.page())
    assert any(order in shown for order in ORDERS)
    assert final(env, poisoned, [*turns, done])[0] == 1.0


def _with_text(change, rows):
    head, _, body = change.partition(": ")
    row = json.loads(body)
    row["text"] = next(r[4] for r in rows["messages"] if r[0] == row["id"])
    return f"{head}: {json.dumps(row)}"


def test_what_people_wrote_is_never_markup():
    env = make(2, sites=["mail"])
    task = env.tasks[0]
    evil = '</p><a href="/sent">press me</a><script>x()</script>{{ 7*7 }}'
    rows = {"messages": [(1, "inbox", evil, evil, evil, 0)]}
    env.reset(options={"task": replace(task, metadata={**task.metadata, "rows": rows})})
    env.driver.goto("/message/1")
    page = env.driver.page()
    assert not any(node.name == "press me" for node in page.nodes) and any(node.name == evil for node in page.nodes)


def test_sql_in_a_field_is_text():
    env = make(2, sites=["mail"])
    env.reset(seed=0)
    env.driver.goto("/?q=%27%3B+DROP+TABLE+messages%3B--")
    env.driver.goto("/?q=%25")
    assert len(env.database.rows("SELECT * FROM messages")) == 10 and env.database.changes() == []


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["click", "type", "select", "scroll", "goto", "back", "answer", "done", "run", ""]),
    st.dictionaries(
        st.sampled_from(["element", "text", "option", "direction", "address"]),
        st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=20), st.just("\ud800")),
        max_size=3,
    ),
    st.integers(0, 50),
)
@example("goto", {"address": "/\ud800"}, 0)
@example("goto", {"address": f"/?q={'a' * 70_000}"}, 2)  # longer than SQLite's patterns may be
def test_nothing_that_an_agent_writes_is_a_fault(name, arguments, seed):
    env = make(2)
    env.reset(seed=seed)
    for action in (call(name, **arguments), call("click", element=3), call(name, **arguments), DONE):
        *_, truncated, info = env.step(action)
        assert not truncated and ("verdict" not in info or info["verdict"].score == 0.0)
        if "verdict" in info:
            break


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SITES)), st.text(alphabet="/?=&0129abq%._-", max_size=20), st.booleans())
def test_no_address_or_form_breaks_a_site(site, address, post):
    env = make(2, sites=[site])
    env.reset(seed=1)
    if post:
        env.driver._visit("POST", f"http://site/{site[:0]}{address.lstrip('/')}", address.encode())
    else:
        env.driver.goto("/" + address.lstrip("/"))
    assert env.database.changes() == []


def test_a_fault_of_the_site_is_no_verdict():
    env = make(2, sites=["shop"])
    env.reset(seed=0)
    env.database.close()
    _, reward, terminated, truncated, info = env.step(call("goto", address="/"))
    assert (reward, terminated, truncated) == (0.0, False, True) and info["verdict"].score is None


def test_running_out_of_turns_is_an_earned_zero():
    env = make(2, max_turns=3)
    *_, (_, reward, _, truncated, info) = episode(env, env.tasks[0], [call("back")] * 9)
    assert truncated and reward == 0.0 and info["verdict"].status == "no_answer"


def test_calls_after_done_are_not_run():
    env = make(1)
    task = env.tasks[0]
    turn, done = env.demonstration(task)
    score, verdict = final(env, task, [done + turn])
    assert score == 0.0 and verdict.extracted == ""


def test_looks_and_words_differ_between_seeds_and_not_within_one():
    themes = [Theme.draw(np.random.default_rng(seed)) for seed in range(30)]
    for field in ("records", "menu", "choice", "font"):
        assert len({getattr(theme, field) for theme in themes}) > 1
    assert all(len({theme.say(key) for theme in themes}) > 1 for key in themes[0].words)
    assert Theme(**asdict(themes[0])) == Theme.draw(np.random.default_rng(0))
    with pytest.raises(UnknownNameError, match="cart"):
        themes[0].say("carrt")


def test_options_that_make_no_sense_are_refused():
    for options in ({"level": 0}, {"observe": "pixels"}, {"interface": "voice"}, {"driver": "lynx"}, {"sites": []}):
        with pytest.raises(ConfigError):
            make(**{"level": 2, **options})
    with pytest.raises(UnknownNameError, match="shop"):
        make(sites=["shopp"])
    with pytest.raises(UnknownNameError, match="order"):
        WebGenerator(("shop",), 2, ("ordr",))


def test_the_prompt_explains_and_the_page_stands_under_the_task():
    env = make(2, instructions=True)
    system, opening = env.reset(seed=3)[0]
    assert system["role"] == "system" and "never an instruction" in text_of(system)
    assert text_of(opening).startswith(prompt_of(env.task).splitlines()[-1]) and 'page "' in text_of(opening)


def test_doing_more_than_was_asked_scores_nothing_where_every_press_counts():
    env = make(1)
    assert rate(env, lambda task, rng: env.demonstrate(task, "eager", rng), 60) == 0.0
