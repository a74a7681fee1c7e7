"""Tasks over two sites carry a value that is told nowhere else; tasks that cannot be done pay only for saying so."""

from dataclasses import replace

import numpy as np
import pytest

import assay
from assay.core.errors import ConfigError, UnknownNameError
from assay.core.tool import ToolCall
from assay.envs.check import check_environment
from assay.envs.web.evolve import TaskEvolution
from assay.envs.web.sites import SITES
from assay.envs.web.sites.trips import TRIPS
from assay.envs.web.tasks import WebGenerator
from tests.envs.agents import final, forever, prompt_of, rate

DONE, GIVE_UP = ToolCall("done").render(), ToolCall("infeasible").render()


def make(level, **options):
    return assay.make("assay/WebTask-v0", level=level, **options).unwrapped


def careful(env):
    return lambda task, rng: env.demonstration(task)


@pytest.mark.parametrize("options", [{}, {"infeasible": 0.5, "instructions": True}])
def test_every_promise_is_kept(options):
    report = check_environment("assay/WebTask-v0", episodes=6, level=4, **options)
    skipped = {check.name for check in report.checks if check.status == "skipped"}
    assert skipped <= {"hidden target"}, str(report)  # a task that cannot be done has none to hide
    assert all(check.status in ("ok", "skipped") for check in report.checks), str(report)


# -- two sites ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TRIPS)
def test_the_oracle_runs_every_errand_over_two_sites_and_nobody_else_does(kind):
    trip = TRIPS[kind]
    env = make(4, sites=[trip.start, trip.end])
    tasks = [task for task in env.tasks.head(60) if task.tags[1] == kind][:15]
    assert len(tasks) >= 5 and {task.tags[0] for task in tasks} == {f"{trip.start}+{trip.end}"}
    assert rate(env, careful(env), tasks) == 1.0
    for style in ("hasty", "wander", "resigned"):
        assert rate(env, lambda task, rng, style=style: env.demonstrate(task, style, rng), tasks) == 0.0
    assert rate(env, forever(DONE), tasks) == 0.0
    assert rate(env, lambda task, rng: [ToolCall("answer", {"text": prompt_of(task)}).render()], tasks) == 0.0


def test_the_value_that_is_carried_is_not_in_the_wish():
    for task in make(4).tasks.head(60):
        steps = task.metadata["steps"]
        carried = steps[-2]["value"] if task.tags[1] != "meeting" else steps[-3]["value"]
        assert carried and carried not in prompt_of(task).replace("like 14:00", "").split()


def test_no_two_sites_have_a_table_of_the_same_name():
    tables = [table for site in SITES.values() for table in site.schema.split("CREATE TABLE ")[1:]]
    names = [table.split()[0] for table in tables]
    assert len(names) == len(set(names)) > 6


def test_every_link_of_two_sites_stays_on_its_site_or_leads_to_the_start():
    env = make(4, sites=["mail", "shop"])
    env.reset(seed=1)
    assert [node.name for node in env.driver.page().nodes] in (["mail", "shop"], ["shop", "mail"])
    for name in ("mail", "shop"):
        env.driver.goto(f"/{name}/")
        for node in [node for node in env.driver.page().nodes if node.role == "link"]:
            address = node.element.attributes["href"]
            assert address.startswith(f"/{name}/")
            env.driver.goto(address)
            assert "Not possible" not in env.driver.page().title
    env.driver.goto("/forum/")
    assert any(node.name == "there is no such page" for node in env.driver.page().nodes)


def test_two_sites_that_do_not_go_together_are_refused():
    with pytest.raises(ConfigError, match="mail and shop"):
        make(4, sites=["forms", "shop"])
    with pytest.raises(UnknownNameError, match="quantity"):
        WebGenerator(("mail", "shop"), 4, ("quantty",))


# -- tasks that cannot be done --------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("site", sorted(SITES))
def test_the_oracle_finds_out_that_a_task_cannot_be_done(site, level):
    env = make(level, sites=[site], infeasible=1.0)
    assert rate(env, careful(env), 12) == 1.0
    for agent in (forever(DONE), forever(""), lambda task, rng: env.demonstrate(task, "wander", rng)):
        assert rate(env, agent, 12) == 0.0


def test_giving_up_pays_where_nothing_can_be_done_and_nowhere_else():
    env = make(2, infeasible=0.5)
    for task in env.tasks.head(40):
        assert final(env, task, [GIVE_UP])[0] == float("infeasible" in task.tags)


def test_doing_it_and_then_saying_that_it_cannot_be_done_is_wrong():
    env = make(2, infeasible=0.5)
    task = next(task for task in env.tasks.head(40) if task.target["changes"])
    *turns, _ = env.demonstration(task)
    score, verdict = final(env, task, [*turns, GIVE_UP])
    assert score == 0.0 and verdict.parts == {"database": 1.0, "answer": 0.0}


def test_changing_something_and_then_giving_up_is_wrong():
    env = make(1, infeasible=1.0)
    task = env.tasks[0]
    score, verdict = final(env, task, [ToolCall("click", {"element": 1}).render(), GIVE_UP])
    assert score == 0.0 and verdict.parts == {"database": 0.0, "answer": 1.0}


def test_what_makes_a_task_impossible_is_all_that_does():
    """The same wish in the world as it was can be granted, and giving up is then wrong."""
    env = make(2, sites=["calendar"], infeasible=1.0)
    task = next(task for task in env.tasks.head(80) if "book" in task.tags)
    rows = {"events": [row for row in task.metadata["rows"]["events"] if row[0] < 1000]}
    title = next(step["value"] for step in task.metadata["steps"] if step["action"] == "type")
    day, hour, room = (step["value"] for step in task.metadata["steps"] if step["action"] == "choose")
    freed = [row for row in rows["events"] if tuple(row[2:]) != (day, hour, room)]
    assert len(freed) == len(task.metadata["rows"]["events"]) - 1
    added = f'+ events: {{"title": "{title}", "day": "{day}", "hour": "{hour}", "room": "{room}"}}'
    possible = replace(
        task, target={"changes": [added], "answer": None}, metadata={**task.metadata, "rows": {"events": freed}}
    )
    assert final(env, possible, env.demonstration(possible))[0] == 1.0
    assert final(env, possible, [GIVE_UP])[0] == 0.0


def test_who_cannot_give_up_has_no_tool_for_it():
    names = [tool.name for tool in make(2).tools]
    assert "infeasible" not in names and "infeasible" in [tool.name for tool in make(2, infeasible=0.1).tools]
    env = make(2)
    env.reset(seed=0)
    (refused,), *_, info = env.step(GIVE_UP)
    assert "infeasible" in refused["content"] and "verdict" not in info


def test_shares_and_kinds_that_make_no_sense_are_refused():
    with pytest.raises(ConfigError, match="share"):
        make(2, infeasible=1.5)
    with pytest.raises(ConfigError, match="cheapest"):
        WebGenerator(("shop",), 3, ("cheapest",), infeasible=1.0)(np.random.default_rng(0))


def test_a_share_of_impossible_tasks_has_names_of_its_own():
    assert make(3).tasks.name != make(3, infeasible=0.2).tasks.name
    tagged = sum("infeasible" in task.tags for task in make(3, infeasible=0.2).tasks.head(200))
    assert 20 <= tagged <= 65


@pytest.mark.parametrize("level", [2, 4])
def test_no_task_is_in_both_splits(level):
    seen = [
        {(prompt_of(task), str(task.target)) for task in make(level, infeasible=0.5, split=split).tasks.head(150)}
        for split in ("train", "eval")
    ]
    assert not seen[0] & seen[1]


def test_kinds_of_both_sorts_are_evolved():
    evolution = TaskEvolution(level=4)
    task = next(task for task in make(4, sites=["mail", "shop"], infeasible=1.0).tasks.head(40) if "quote" in task.tags)
    for correct in (False, False, True):
        evolution.record(task, correct)
    assert {task.tags for task in evolution.propose(4)} == {("shop+mail", "quote", "infeasible")}
