"""A table of staff: sort, filter and turn its pages, and edit the right one among people of the same name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.envs.database import Rows
from assay.envs.web.sites.blocks import Field, Form, Link, Links, Record, Records, Redirect, View
from assay.envs.web.sites.site import Errand, Row, Site, Step, Visit, Writes, get, listing, post
from assay.envs.web.sites.theme import Theme
from assay.envs.web.sites.words import draw, numbers, people, pick, short_words

_TEAMS = ("sales", "support", "finance", "design")
_ROLES = ("member", "lead", "deputy", "trainee")
_SORTS = {"name": "name, id", "team": "team, id", "salary": "salary DESC, id"}


class Admin(Site):
    """One table of people."""

    name = "admin"
    schema = """
        CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, team TEXT, role TEXT, salary INTEGER, active INTEGER);
    """
    kinds = {
        1: ("deactivate",),
        2: ("salary", "role", "switch off", "lookup"),
        3: ("best paid", "total", "salary", "role"),
    }

    def menu(self, theme: Theme) -> Sequence[Link]:
        """Return home and the teams."""
        return (*super().menu(theme), *(Link(team, f"/?team={team}") for team in _TEAMS))

    @get("/")
    def table(self, visit: Visit) -> View:
        """List people."""
        if visit.theme.plain:
            found = visit.database.rows("SELECT * FROM people WHERE active = 1 ORDER BY id")
            button = visit.say("deactivate")
            plain = [Record((row["name"],), (Form("/deactivate", button, (), {"person": row["id"]}),)) for row in found]
            return View("people", (Records(("name",), plain),))
        team, sort = visit.values.get("team", ""), visit.values.get("sort", "name")
        order = _SORTS.get(sort, _SORTS["name"])
        found = visit.database.rows(f"SELECT * FROM people WHERE ? IN ('', team) ORDER BY {order}", team)
        rows = [Record((Link(row["name"], f"/person/{row['id']}"), row["team"], row["salary"])) for row in found]
        sorts = Links([Link(f"{visit.say(key)} ↓", f"/?team={team}&sort={key}") for key in _SORTS])
        columns = (visit.say("name"), visit.say("team"), visit.say("salary"))
        keep = {"team": team, "sort": sort}
        return View(team or visit.say("all"), (sorts, *listing(visit, "/", columns, rows, keep=keep)))

    @get("/person/{number:int}")
    def person(self, visit: Visit, number: int) -> View:
        """Show a person's record, to be edited."""
        row = _person(visit, number)
        fields = (
            Field("team", visit.say("team"), "choice", row["team"], _TEAMS),
            Field("role", visit.say("role"), "choice", row["role"], _ROLES),
            Field("salary", visit.say("salary"), value=str(row["salary"])),
            Field("active", visit.say("active"), "tick", "yes" if row["active"] else ""),
        )
        return View(row["name"], (Form("/person", visit.say("save"), fields, {"person": number}),))

    @post("/person")
    def save(self, visit: Visit) -> Redirect:
        """Save a record."""
        row = _person(visit, visit.number("person"))
        visit.database.write(
            "UPDATE people SET team = ?, role = ?, salary = ?, active = ? WHERE id = ?",
            visit.choice("team", _TEAMS),
            visit.choice("role", _ROLES),
            visit.number("salary", 0, 10**6),
            int("active" in visit.values),
            row["id"],
        )
        return Redirect(f"/?team={row['team']}")

    @post("/deactivate")
    def deactivate(self, visit: Visit) -> Redirect:
        """Switch an account off."""
        visit.database.write("UPDATE people SET active = 0 WHERE id = ?", _person(visit, visit.number("person"))["id"])
        return Redirect("/")

    # -- worlds and errands -----------------------------------------------------------------------------------

    def world(self, rng: np.random.Generator, level: int) -> Rows:
        """Return people; from level 2 on every name occurs in two teams."""
        if level == 1:
            return {"people": [(i, name, "", "", 0, 1) for i, name in enumerate(short_words(rng, 3), 1)]}
        names = people(rng, 9)
        placed = [(name, team) for name in names for team in draw(rng, _TEAMS, 2)]
        salaries, ids = numbers(rng, len(placed), 300, 900), numbers(rng, len(placed))
        staff = [
            (number, name, team, pick(rng, _ROLES), 100 * salary, 1)
            for number, (name, team), salary in zip(ids, placed, salaries, strict=True)
        ]
        return {"people": draw(rng, staff, len(staff))}

    def errand(self, kind: str, rng: np.random.Generator, rows: Rows, theme: Theme) -> Errand | None:
        """Return an errand about one person, or a team."""
        say = theme.say
        person = pick(rng, rows["people"])
        team = str(person[2])
        members = [row for row in rows["people"] if row[2] == team]
        if kind == "best paid":
            person = max(members, key=lambda row: int(row[4] or 0))
        number, name, _, role, salary, _ = person
        off = (("UPDATE people SET active = 0 WHERE id = ?", (number,)),)
        # Without them somebody else is the best paid one.
        lost: Writes = () if kind == "best paid" else (("DELETE FROM people WHERE id = ?", (number,)),)
        if theme.plain:
            step = Step("click", say("deactivate"), near=str(name))
            return Errand(kind, f"deactivate {name}", (step,), off, prevented=lost)
        find, which = find_person(person), which_person(person)
        save = Step("click", say("save"))
        if kind == "lookup":
            wish = f"What is the role and the salary of {which}? Answer like: member 12300"
            return Errand(kind, wish, find, answer=f"{role} {salary}", subject=team, prevented=lost)
        if kind == "total":
            total = sum(int(row[4] or 0) for row in members)
            wish = f"What do all people in team {team} earn together? Answer with the number."
            return Errand(kind, wish, (Step("click", team),), answer=str(total), subject=team)
        if kind == "switch off":
            steps = (*find, Step("tick", say("active")), save)
            return Errand(kind, f"Deactivate {which}.", steps, off, subject=team, prevented=lost)
        if kind == "salary":
            raised = int(salary or 0) + 100 * int(rng.integers(1, 20))
            steps = (*find, Step("type", say("salary"), str(raised)), save)
            paid = (("UPDATE people SET salary = ? WHERE id = ?", (raised, number)),)
            wish = f"Set the salary of {which} to {raised}."
            return Errand(kind, wish, steps, paid, subject=team, prevented=lost)
        new = pick(rng, [other for other in _ROLES if other != role])
        who = f"the person with the highest salary in team {team}" if kind == "best paid" else which
        steps = (*find, Step("choose", say("role"), new), save)
        made = (("UPDATE people SET role = ? WHERE id = ?", (new, number)),)
        return Errand(kind, f"Make {who} a {new}.", steps, made, subject=team, prevented=lost)


def which_person(person: Row) -> str:
    """Return the words that mean a person and nobody else."""
    return f"{person[1]} in team {person[2]}"


def find_person(person: Row) -> tuple[Step, ...]:
    """Return how a person's record is opened, from the start page."""
    return Step("click", str(person[2])), Step("click", str(person[1]), near=str(person[2]))


def _person(visit: Visit, number: int) -> dict[str, Any]:
    return visit.database.row("there is no such person", "SELECT * FROM people WHERE id = ?", number)
