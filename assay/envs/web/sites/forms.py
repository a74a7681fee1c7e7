"""A form in three steps: fields that depend on each other, checks, and one record at the end.

What was filled in so far travels in hidden fields, so nothing is written before the last step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.core.errors import ToolError
from assay.envs.database import Rows
from assay.envs.web.sites.blocks import Facts, Field, Form, Link, Record, Records, Redirect, View
from assay.envs.web.sites.site import Errand, Site, Step, Visit, Writes, get, post
from assay.envs.web.sites.theme import Theme
from assay.envs.web.sites.words import TOPICS, people, pick, short_words

_REGIONS = {
    "Norland": ("Coast", "Hills", "Lakes"),
    "Sudonia": ("Plains", "Delta", "Islands"),
    "Estia": ("Forest", "Steppe", "Valley"),
}
_PLANS = ("basic", "family", "student", "senior")


class Forms(Site):
    """Applications for a membership, and the plans there are."""

    name = "forms"
    schema = """
        CREATE TABLE plans (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE applications (id INTEGER PRIMARY KEY, name TEXT, email TEXT, country TEXT, region TEXT, plan TEXT,
                                   news INTEGER, text TEXT);
    """
    kinds = {1: ("choose",), 2: ("short",), 3: ("long",)}

    def menu(self, theme: Theme) -> Sequence[Link]:
        """Return home and the list of applications."""
        return (*super().menu(theme), Link(theme.say("all"), "/list"))

    @get("/")
    def start(self, visit: Visit) -> View:
        """Begin an application."""
        if visit.theme.plain:
            plain = [Record((name,), (Form("/choose", "apply", (), {"plan": name}),)) for name in _plans(visit)]
            return View("plans", (Records(("plan",), plain),))
        fields = (
            Field("name", visit.say("name")),
            Field("email", visit.say("email")),
            Field("country", visit.say("country"), "choice", next(iter(_REGIONS)), tuple(_REGIONS)),
        )
        return View("1 / 3", (Form("/2", visit.say("continue"), fields, method="get"),))

    @get("/2")
    def region(self, visit: Visit) -> View:
        """Ask for what depends on the country."""
        kept = _person(visit)
        regions, plans = _REGIONS[kept["country"]], _plans(visit)
        fields = (
            Field("region", visit.say("region"), "choice", regions[0], regions),
            Field("plan", visit.say("plan"), "choice", plans[0], plans),
        )
        return View("2 / 3", (Form("/3", visit.say("continue"), fields, kept, "get"),))

    @get("/3")
    def confirm(self, visit: Visit) -> View:
        """Show what was filled in, and ask for consent."""
        kept = {**_person(visit), **_membership(visit)}
        fields = (
            Field("text", visit.say("message"), "lines"),
            Field("news", visit.say("news"), "tick", "yes"),
            Field("agree", visit.say("agree"), "tick"),
        )
        facts = Facts([(visit.say(key), value) for key, value in kept.items()])
        return View("3 / 3", (facts, Form("/apply", visit.say("apply"), fields, kept)))

    @post("/apply")
    def apply(self, visit: Visit) -> Redirect:
        """Record an application."""
        if "agree" not in visit.values:
            raise ToolError(f"please tick: {visit.say('agree')}")
        filled = {**_person(visit), **_membership(visit)}
        text, news = visit.values.get("text", "").strip()[:500], int("news" in visit.values)
        _insert(visit, *filled.values(), news, text)
        return Redirect("/list")

    @post("/choose")
    def choose(self, visit: Visit) -> Redirect:
        """Record the choice of a plan, and offer it no more."""
        plan = visit.database.row("there is no such plan", "SELECT * FROM plans WHERE name = ?", visit.text("plan"))
        _insert(visit, "", "", "", "", plan["name"], 0, "")
        return Redirect("/")

    @get("/list")
    def applications(self, visit: Visit) -> View:
        """List the applications."""
        rows = visit.database.rows("SELECT name, plan FROM applications ORDER BY id")
        columns = (visit.say("name"), visit.say("plan"))
        return View(visit.say("all"), (Records(columns, [Record(tuple(row.values())) for row in rows]),))

    # -- worlds and errands -----------------------------------------------------------------------------------

    def world(self, rng: np.random.Generator, level: int) -> Rows:
        """Return plans."""
        names = short_words(rng, 3) if level == 1 else _PLANS
        return {"plans": list(enumerate(names, 1))}

    def errand(self, kind: str, rng: np.random.Generator, rows: Rows, theme: Theme) -> Errand | None:
        """Return an application to fill in."""
        say = theme.say
        if kind == "choose":
            plan = str(pick(rng, rows["plans"])[1])
            press, chosen = (Step("click", "apply", near=plan),), _record("", "", "", "", plan, 0, "")
            return Errand(kind, f"apply {plan}", press, chosen, prevented=_withdrawn(plan))
        (name,) = people(rng, 1)
        email = f"{name.split()[0].lower()}{int(rng.integers(10, 1000))}@mail.org"
        country = pick(rng, tuple(_REGIONS))
        region, plan, news = pick(rng, _REGIONS[country]), pick(rng, _PLANS), int(rng.integers(2))
        text = f"About the {pick(rng, TOPICS)}, call me." if kind == "long" else ""
        extra = f", with the message: {text}" if text else "."
        with_news = f"{'with' if news else 'without'} the newsletter"
        wish = f"Apply for the plan {plan} for {name}, {email}, in {country}, {region}, {with_news}{extra}"
        steps = [
            Step("type", say("name"), name),
            Step("type", say("email"), email),
            Step("choose", say("country"), country),
            Step("click", say("continue")),
            Step("choose", say("region"), region),
            Step("choose", say("plan"), plan),
            Step("click", say("continue")),
            Step("tick", say("agree")),
        ]
        if text:
            steps.append(Step("type", say("message"), text))
        if not news:
            steps.append(Step("tick", say("news")))
        writes = _record(name, email, country, region, plan, news, text)
        steps.append(Step("click", say("apply")))
        return Errand(kind, wish, tuple(steps), writes, subject=email, prevented=_withdrawn(plan))


_INSERT = "INSERT INTO applications VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"


def _insert(visit: Visit, *values: Any) -> None:
    visit.database.write(_INSERT, *values)


def _plans(visit: Visit) -> list[str]:
    return [row["name"] for row in visit.database.rows("SELECT name FROM plans ORDER BY id")]


def _withdrawn(plan: str) -> Writes:
    return (("DELETE FROM plans WHERE name = ?", (plan,)),)


def _record(*values: str | int) -> Writes:
    return ((_INSERT, values),)


def _person(visit: Visit) -> dict[str, str]:
    email = visit.text("email", longest=100)
    if email.count("@") != 1 or "." not in email.partition("@")[2]:
        raise ToolError("email: this is no address")
    return {
        "name": visit.text("name", longest=100),
        "email": email,
        "country": visit.choice("country", tuple(_REGIONS)),
    }


def _membership(visit: Visit) -> dict[str, str]:
    regions = _REGIONS[_person(visit)["country"]]
    return {"region": visit.choice("region", regions), "plan": visit.choice("plan", _plans(visit))}
