"""A forum: threads with posts to read, answer, pin, lock and hide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.core.errors import ToolError
from assay.envs.database import Rows, Value
from assay.envs.web.sites.blocks import Field, Form, Link, Record, Records, Redirect, View
from assay.envs.web.sites.site import Errand, Site, Step, Visit, Writes, get, like, listing, post, search_form
from assay.envs.web.sites.theme import Theme
from assay.envs.web.sites.words import ADJECTIVES, FIRST_NAMES, TOPICS, chatter, draw, numbers, pick, short_words

_SECTIONS = ("general", "help", "market")


class Forum(Site):
    """Threads in sections, and their posts."""

    name = "forum"
    schema = """
        CREATE TABLE threads (id INTEGER PRIMARY KEY, section TEXT, title TEXT, pinned INTEGER, locked INTEGER);
        CREATE TABLE posts (id INTEGER PRIMARY KEY, thread INTEGER, author TEXT, text TEXT, votes INTEGER,
                            hidden INTEGER);
    """
    kinds = {1: ("pin",), 2: ("pin", "lock", "hide", "reply", "votes"), 3: ("top author", "hide top", "hide", "reply")}

    def menu(self, theme: Theme) -> Sequence[Link]:
        """Return home and the sections."""
        return (*super().menu(theme), *(Link(section, f"/?section={section}") for section in _SECTIONS))

    @get("/")
    def threads(self, visit: Visit) -> View:
        """List threads."""
        if visit.theme.plain:
            found = visit.database.rows("SELECT * FROM threads WHERE pinned = 0 ORDER BY id")
            plain = [Record((row["title"],), (_button("pin", visit, row["id"]),)) for row in found]
            return View("threads", (Records(("title",), plain),))
        section, query = visit.values.get("section", ""), visit.values.get("q", "")
        found = visit.database.rows(
            "SELECT * FROM threads WHERE ? IN ('', section) AND title LIKE ? ESCAPE '!' ORDER BY pinned DESC, id",
            section,
            like(query),
        )
        rows = [Record((Link(row["title"], f"/thread/{row['id']}"), row["section"])) for row in found]
        columns = (visit.say("subject"), visit.say("kind"))
        keep = {"section": section, "q": query}
        return View(section or visit.say("all"), (search_form(visit), *listing(visit, "/", columns, rows, keep=keep)))

    @get("/thread/{number:int}")
    def thread(self, visit: Visit, number: int) -> View:
        """Show a thread."""
        row = _thread(visit, number)
        found = visit.database.rows("SELECT * FROM posts WHERE thread = ? AND hidden = 0 ORDER BY id", number)
        posts = [
            Record(
                (post["author"], post["text"], post["votes"]),
                (Form("/hide", visit.say("hide"), (), {"post": post["id"]}),),
            )
            for post in found
        ]
        columns = (visit.say("author"), visit.say("message"), visit.say("votes"))
        answer = Form("/reply", visit.say("post"), (Field("text", visit.say("message"), "lines"),), {"thread": number})
        buttons = [_button(what, visit, number) for what in ("pin", "lock")]
        return View(row["title"], (Records(columns, posts), *buttons, *(() if row["locked"] else (answer,))))

    @post("/pin")
    def pin(self, visit: Visit) -> Redirect:
        """Pin a thread."""
        visit.database.write("UPDATE threads SET pinned = 1 WHERE id = ?", _thread(visit, visit.number("thread"))["id"])
        return Redirect("/")

    @post("/lock")
    def lock(self, visit: Visit) -> Redirect:
        """Lock a thread."""
        row = _thread(visit, visit.number("thread"))
        visit.database.write("UPDATE threads SET locked = 1 WHERE id = ?", row["id"])
        return Redirect(f"/thread/{row['id']}")

    @post("/hide")
    def hide(self, visit: Visit) -> Redirect:
        """Hide a post."""
        row = visit.database.row("there is no such post", "SELECT * FROM posts WHERE id = ?", visit.number("post"))
        visit.database.write("UPDATE posts SET hidden = 1 WHERE id = ?", row["id"])
        return Redirect(f"/thread/{row['thread']}")

    @post("/reply")
    def reply(self, visit: Visit) -> Redirect:
        """Answer in a thread that is not locked."""
        row, text = _thread(visit, visit.number("thread")), visit.text("text")
        if row["locked"]:
            raise ToolError("this thread is locked")
        visit.database.write("INSERT INTO posts VALUES (NULL, ?, 'You', ?, 0, 0)", row["id"], text)
        return Redirect(f"/thread/{row['id']}")

    # -- worlds and errands -----------------------------------------------------------------------------------

    def world(self, rng: np.random.Generator, level: int) -> Rows:
        """Return threads; from level 2 on with posts of the same few people in all of them."""
        if level == 1:
            return {"threads": [(i, "", title, 0, 0) for i, title in enumerate(short_words(rng, 3), 1)]}
        titles = [f"{adjective} {topic}" for topic in draw(rng, TOPICS, 4) for adjective in draw(rng, ADJECTIVES, 3)]
        authors = draw(rng, FIRST_NAMES, 6)
        threads, posts = [], []
        ids = iter(sorted(numbers(rng, 4 * len(titles))))
        for number, title in zip(numbers(rng, len(titles)), titles, strict=True):
            threads.append((number, pick(rng, _SECTIONS), title, 0, 0))
            votes = numbers(rng, 4, 1, 400)
            posts += [
                (next(ids), number, author, chatter(rng, level), score, 0)
                for author, score in zip(draw(rng, authors, 4), votes, strict=True)
            ]
        return {"threads": threads, "posts": posts}

    def errand(self, kind: str, rng: np.random.Generator, rows: Rows, theme: Theme) -> Errand | None:
        """Return an errand about one thread."""
        say = theme.say
        number, _, title, _, _ = pick(rng, rows["threads"])
        pinned = (("UPDATE threads SET pinned = 1 WHERE id = ?", (number,)),)
        lost: Writes = (("DELETE FROM threads WHERE id = ?", (number,)),)
        if theme.plain:
            press = (Step("click", say("pin"), near=str(title)),)
            return Errand(kind, f"pin {title}", press, pinned, prevented=lost)
        find = find_thread(theme, str(title))
        about = str(number)
        which = f"the thread {title!r}"
        if kind == "pin":
            steps = (*find, Step("click", say("pin")))
            return Errand(kind, f"Pin {which}.", steps, pinned, subject=about, prevented=lost)
        if kind == "lock":
            locked = (("UPDATE threads SET locked = 1 WHERE id = ?", (number,)),)
            steps = (*find, Step("click", say("lock")))
            return Errand(kind, f"Lock {which}.", steps, locked, subject=about, prevented=lost)
        if kind == "reply":
            text = f"I would take the {pick(rng, ADJECTIVES)} one."
            steps, said = post_steps(theme, str(title), text), posted(number, text)
            return Errand(kind, f"Reply in {which}: {text}", steps, said, subject=about, prevented=lost)
        posts = [row for row in rows["posts"] if row[1] == number]
        chosen = max(posts, key=lambda row: int(row[4] or 0)) if "top" in kind else pick(rng, posts)
        post, _, author, _, votes, _ = chosen
        if "top" not in kind:
            lost = (("DELETE FROM posts WHERE id = ?", (post,)),)
        if kind == "votes":
            wish = f"How many votes has {author}'s post in {which}? Answer with the number."
            return Errand(kind, wish, find, answer=str(votes), subject=about, prevented=lost)
        if kind == "top author":
            wish = f"Who wrote the post with the most votes in {which}, and how many are they? Answer like: Bob 12"
            return Errand(kind, wish, find, answer=f"{author} {votes}", subject=about, prevented=lost)
        what = "the post with the most votes" if kind == "hide top" else f"{author}'s post"
        take_down = (*find, Step("click", say("hide"), near=str(author)))
        hidden = (("UPDATE posts SET hidden = 1 WHERE id = ?", (post,)),)
        return Errand(kind, f"Hide {what} in {which}.", take_down, hidden, subject=about, prevented=lost)


def find_thread(theme: Theme, title: str) -> tuple[Step, ...]:
    """Return how a person opens a thread, from the start page."""
    return Step("type", theme.say("query"), title), Step("click", theme.say("search")), Step("click", title)


def post_steps(theme: Theme, title: str, text: str) -> tuple[Step, ...]:
    """Return how a person answers in a thread, from the start page."""
    return (
        *find_thread(theme, title),
        Step("type", theme.say("message"), text),
        Step("click", theme.say("post")),
    )


def posted(thread: Value, text: str) -> Writes:
    """Return what an answer in a thread comes to."""
    return (("INSERT INTO posts VALUES (NULL, ?, 'You', ?, 0, 0)", (thread, text)),)


def _button(what: str, visit: Visit, number: int) -> Form:
    return Form(f"/{what}", visit.say(what), hidden={"thread": number})


def _thread(visit: Visit, number: int) -> dict[str, Any]:
    return visit.database.row("there is no such thread", "SELECT * FROM threads WHERE id = ?", number)
