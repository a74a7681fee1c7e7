"""A calendar of rooms: look events up, cancel, move and book them, and never two at once in one room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.core.errors import ToolError
from assay.envs.database import Rows, Value
from assay.envs.web.sites.blocks import Facts, Field, Form, Link, Links, Record, Records, Redirect, View
from assay.envs.web.sites.site import Errand, Row, Site, Step, Visit, Writes, get, listing, post
from assay.envs.web.sites.theme import Theme
from assay.envs.web.sites.words import FIRST_NAMES, HOURS, TOPICS, draw, numbers, pick, short_words

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
ROOMS = ("Oak", "Elm", "Birch")


class Calendar(Site):
    """Events, each at an hour of a day in a room."""

    name = "calendar"
    schema = "CREATE TABLE events (id INTEGER PRIMARY KEY, title TEXT, day TEXT, hour TEXT, room TEXT);"
    kinds = {1: ("cancel",), 2: ("cancel", "move", "book", "when"), 3: ("first free", "move", "book", "when")}

    def menu(self, theme: Theme) -> Sequence[Link]:
        """Return home, the form for a new event, the rooms and the days."""
        days = (Link(day, f"/?day={day}") for day in DAYS)
        return (*super().menu(theme), Link(theme.say("new"), "/new"), Link(theme.say("room"), "/rooms"), *days)

    @get("/")
    def week(self, visit: Visit) -> View:
        """List the events of a day, or of all."""
        if visit.theme.plain:
            found = visit.database.rows("SELECT * FROM events ORDER BY id")
            plain = [Record((row["title"],), (_cancel(visit, row["id"]),)) for row in found]
            return View("events", (Records(("title",), plain),))
        day = visit.values.get("day", "")
        found = visit.database.rows("SELECT * FROM events WHERE ? IN ('', day) ORDER BY hour, room", day)
        found.sort(key=lambda row: DAYS.index(row["day"]))
        rows = [Record((Link(row["title"], f"/event/{row['id']}"), row["day"], row["room"])) for row in found]
        columns = (visit.say("title"), visit.say("day"), visit.say("room"))
        return View(day or visit.say("all"), listing(visit, "/", columns, rows, keep={"day": day} if day else None))

    @get("/event/{number:int}")
    def event(self, visit: Visit, number: int) -> View:
        """Show an event."""
        row = _event(visit, number)
        facts = Facts([(visit.say(key), row[key]) for key in ("day", "hour", "room")])
        fields = (_choice(visit, "day", DAYS, row["day"]), _choice(visit, "hour", HOURS, row["hour"]))
        move = Form("/move", visit.say("save"), fields, {"event": number})
        return View(row["title"], (facts, move, _cancel(visit, number)))

    @get("/new")
    def new(self, visit: Visit) -> View:
        """Ask for a new event."""
        fields = (
            Field("title", visit.say("title")),
            _choice(visit, "day", DAYS, DAYS[0]),
            _choice(visit, "hour", HOURS, HOURS[0]),
            _choice(visit, "room", ROOMS, ROOMS[0]),
        )
        return View(visit.say("new"), (Form("/book", visit.say("save"), fields),))

    @get("/day/{day}/{room}")
    def plan(self, visit: Visit, day: str, room: str) -> View:
        """Show which hours of a room are taken."""
        taken = visit.database.rows(
            "SELECT hour, title FROM events WHERE day = ? AND room = ? ORDER BY hour", day, room
        )
        rows = [Record(tuple(row.values())) for row in taken]
        return View(f"{room}, {day}", (Records((visit.say("hour"), visit.say("title")), rows),))

    @get("/rooms")
    def rooms(self, visit: Visit) -> View:
        """Link to the plan of every room on every day."""
        return View(
            visit.say("room"), [Links([Link(f"{room}, {day}", f"/day/{day}/{room}") for day in DAYS]) for room in ROOMS]
        )

    @post("/cancel")
    def cancel(self, visit: Visit) -> Redirect:
        """Cancel an event."""
        visit.database.write("DELETE FROM events WHERE id = ?", _event(visit, visit.number("event"))["id"])
        return Redirect("/")

    @post("/move")
    def move(self, visit: Visit) -> Redirect:
        """Move an event to a free hour."""
        row = _event(visit, visit.number("event"))
        day, hour = visit.choice("day", DAYS), visit.choice("hour", HOURS)
        _check_free(visit, day, hour, row["room"])
        visit.database.write("UPDATE events SET day = ?, hour = ? WHERE id = ?", day, hour, row["id"])
        return Redirect(f"/event/{row['id']}")

    @post("/book")
    def book(self, visit: Visit) -> Redirect:
        """Book a room at a free hour."""
        title = visit.text("title", longest=100)
        day, hour, room = visit.choice("day", DAYS), visit.choice("hour", HOURS), visit.choice("room", ROOMS)
        _check_free(visit, day, hour, room)
        visit.database.write("INSERT INTO events VALUES (NULL, ?, ?, ?, ?)", title, day, hour, room)
        return Redirect(f"/?day={day}")

    # -- worlds and errands -----------------------------------------------------------------------------------

    def world(self, rng: np.random.Generator, level: int) -> Rows:
        """Return a week with events, some of the same name on different days."""
        if level == 1:
            return {"events": [(i, word, "", "", "") for i, word in enumerate(short_words(rng, 3), 1)]}
        titles = [
            f"{name}: {topic}" for name, topic in zip(draw(rng, FIRST_NAMES, 5), draw(rng, TOPICS, 5), strict=True)
        ]
        named = draw(rng, [(title, day) for title in titles for day in DAYS], 12)
        taken = {(day, hour, room): None for day in DAYS for hour in HOURS for room in ROOMS}
        events = []
        for number, (title, day) in zip(numbers(rng, len(named)), named, strict=True):
            # Mornings fill up first, so that a free hour has to be looked for.
            hour, room = pick(rng, [(h, r) for h in HOURS[:5] for r in ROOMS if (day, h, r) in taken])
            del taken[day, hour, room]
            events.append((number, title, day, hour, room))
        return {"events": events}

    def errand(self, kind: str, rng: np.random.Generator, rows: Rows, theme: Theme) -> Errand | None:
        """Return an errand about one event, or about a new one."""
        say = theme.say
        events = rows["events"]
        number, title, day, hour, room = pick(rng, events)
        find = find_event((number, title, day, hour, room))
        lost: Writes = (("DELETE FROM events WHERE id = ?", (number,)),)
        if kind == "cancel":
            if theme.plain:
                press = (Step("click", say("cancel"), near=str(title)),)
                return Errand(kind, f"cancel {title}", press, lost, prevented=lost)
            wish = f"Cancel the event {title!r} on {day}."
            steps = (*find, Step("click", say("cancel")))
            return Errand(kind, wish, steps, lost, subject=str(room), prevented=lost)
        taken = {event[2:] for event in events}
        if kind in ("book", "first free"):
            new, when, where = f"{pick(rng, FIRST_NAMES)} {pick(rng, TOPICS)}", pick(rng, DAYS), pick(rng, ROOMS)
            hours = [hour for hour in HOURS if (when, hour, where) not in taken]
            at = hours[0] if kind == "first free" else pick(rng, hours)
            start = "at the first hour when it is free" if kind == "first free" else f"at {at}"
            wish = f"Book the room {where} on {when} {start} for an event with the title: {new}"
            full = tuple(take(title, when, each, where) for each in (hours if kind == "first free" else [at]))
            fill = book_steps(theme, new, when, at, where)
            return Errand(kind, wish, fill, (take(new, when, at, where),), subject=where, prevented=full)
        about = str(room)
        if kind == "when":
            wish = f"At what time is the event {title!r} on {day}? Answer like 14:00."
            return Errand(kind, wish, find, answer=str(hour), subject=about, prevented=lost)
        free = [(d, h) for d in DAYS for h in HOURS if (d, h, room) not in taken]
        new_day, new_hour = pick(rng, free)
        wish = f"Move the event {title!r} on {day} to {new_day} at {new_hour}."
        steps = (
            *find,
            Step("choose", say("day"), new_day),
            Step("choose", say("hour"), new_hour),
            Step("click", say("save")),
        )
        moved = (("UPDATE events SET day = ?, hour = ? WHERE id = ?", (new_day, new_hour, number)),)
        return Errand(kind, wish, steps, moved, subject=about, prevented=lost)


def find_event(event: Row) -> tuple[Step, ...]:
    """Return how a person opens an event, from the start page."""
    return Step("click", str(event[2])), Step("click", str(event[1]))


def book_steps(theme: Theme, title: str, day: str, hour: str, room: str) -> tuple[Step, ...]:
    """Return how a person books a room, from the start page."""
    say = theme.say
    return (
        Step("click", say("new")),
        Step("type", say("title"), title),
        *(Step("choose", say(key), value) for key, value in (("day", day), ("hour", hour), ("room", room))),
        Step("click", say("save")),
    )


def take(title: Value, day: str, hour: str, room: str) -> tuple[str, tuple[Value, ...]]:
    """Return what a booking comes to."""
    return "INSERT INTO events VALUES (NULL, ?, ?, ?, ?)", (title, day, hour, room)


def _cancel(visit: Visit, number: int) -> Form:
    return Form("/cancel", visit.say("cancel"), hidden={"event": number})


def _choice(visit: Visit, name: str, options: Sequence[str], value: str) -> Field:
    return Field(name, visit.say(name), "choice", value, options)


def _event(visit: Visit, number: int) -> dict[str, Any]:
    return visit.database.row("there is no such event", "SELECT * FROM events WHERE id = ?", number)


def _check_free(visit: Visit, day: str, hour: str, room: str) -> None:
    if visit.database.rows("SELECT id FROM events WHERE day = ? AND hour = ? AND room = ?", day, hour, room):
        raise ToolError(f"the room {room} is taken on {day} at {hour}")
