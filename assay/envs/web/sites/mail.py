"""A mailbox: find, read, answer, forward, file and delete messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.envs.database import Rows
from assay.envs.web.sites.blocks import Facts, Field, Form, Link, Prose, Record, Records, Redirect, View
from assay.envs.web.sites.site import (
    ACROSS,
    Errand,
    Row,
    Site,
    Step,
    Visit,
    Writes,
    get,
    like,
    listing,
    post,
    search_form,
)
from assay.envs.web.sites.theme import Theme
from assay.envs.web.sites.words import FIRST_NAMES, HOURS, TOPICS, chatter, draw, numbers, pick, short_words

_FOLDERS = ("inbox", "archive", "work", "family")


class Mail(Site):
    """Messages in folders, and what was sent."""

    name = "mail"
    schema = """
        CREATE TABLE messages (id INTEGER PRIMARY KEY, folder TEXT, sender TEXT, subject TEXT, text TEXT, star INTEGER);
        CREATE TABLE sent (id INTEGER PRIMARY KEY, recipient TEXT, subject TEXT, text TEXT);
    """
    kinds = {1: ("star",), 2: ("move", "delete", "reply", "code"), 3: ("relay", "forward", "move", "code")}

    def menu(self, theme: Theme) -> Sequence[Link]:
        """Return home and the folders."""
        return (*super().menu(theme), *(Link(folder, f"/?folder={folder}") for folder in _FOLDERS[1:]))

    @get("/")
    def folder(self, visit: Visit) -> View:
        """List a folder, or what a search finds in all of them."""
        if visit.theme.plain:
            found = visit.database.rows("SELECT * FROM messages WHERE star = 0 ORDER BY id")
            plain = [Record((row["sender"],), (_button("star", visit, row["id"]),)) for row in found]
            return View("inbox", (Records(("sender",), plain),))
        folder, query = visit.values.get("folder", _FOLDERS[0]), visit.values.get("q", "")
        found = visit.database.rows(
            "SELECT * FROM messages WHERE (folder = ? OR ? <> '') "
            "AND (subject LIKE ? ESCAPE '!' OR sender LIKE ? ESCAPE '!') ORDER BY id",
            folder,
            query,
            like(query),
            like(query),
        )
        rows = [Record((Link(row["subject"], f"/message/{row['id']}"), row["sender"])) for row in found]
        columns = (visit.say("subject"), visit.say("sender"))
        keep = {"folder": folder, "q": query}
        return View(folder, (search_form(visit), *listing(visit, "/", columns, rows, keep=keep)))

    @get("/message/{number:int}")
    def message(self, visit: Visit, number: int) -> View:
        """Show a message and what can be done with it."""
        row = _message(visit, number)
        hidden = {"message": number}
        return View(
            row["subject"],
            (
                Facts(((visit.say("sender"), row["sender"]), (visit.say("subject"), row["subject"]))),
                Prose(row["text"]),
                _button("star", visit, number),
                _button("delete", visit, number),
                Form(
                    "/move",
                    visit.say("move"),
                    (Field("folder", visit.say("folder"), "choice", row["folder"], _FOLDERS),),
                    hidden,
                ),
                Form("/reply", visit.say("reply"), (Field("text", visit.say("message"), "lines"),), hidden),
                Form("/forward", visit.say("forward"), (Field("recipient", visit.say("recipient")),), hidden),
            ),
        )

    @post("/star")
    def star(self, visit: Visit) -> Redirect:
        """Star a message."""
        row = _message(visit, visit.number("message"))
        visit.database.write("UPDATE messages SET star = 1 WHERE id = ?", row["id"])
        return Redirect("/")

    @post("/delete")
    def delete(self, visit: Visit) -> Redirect:
        """Delete a message."""
        visit.database.write("DELETE FROM messages WHERE id = ?", _message(visit, visit.number("message"))["id"])
        return Redirect("/")

    @post("/move")
    def move(self, visit: Visit) -> Redirect:
        """Move a message."""
        row, folder = _message(visit, visit.number("message")), visit.choice("folder", _FOLDERS)
        visit.database.write("UPDATE messages SET folder = ? WHERE id = ?", folder, row["id"])
        return Redirect(f"/?folder={folder}")

    @post("/reply")
    def reply(self, visit: Visit) -> Redirect:
        """Answer a message."""
        return _send(visit, "Re: ", _message(visit, visit.number("message"))["sender"], visit.text("text"))

    @post("/forward")
    def forward(self, visit: Visit) -> Redirect:
        """Pass a message on."""
        text = _message(visit, visit.number("message"))["text"]
        return _send(visit, "Fwd: ", visit.text("recipient", longest=100), text)

    @get("/sent")
    def sent(self, visit: Visit) -> View:
        """List what was sent."""
        rows = visit.database.rows("SELECT recipient, subject FROM sent ORDER BY id")
        columns = (visit.say("recipient"), visit.say("subject"))
        return View("sent", (Records(columns, [Record(tuple(row.values())) for row in rows]),))

    # -- worlds and errands -----------------------------------------------------------------------------------

    def world(self, rng: np.random.Generator, level: int) -> Rows:
        """Return messages; from level 2 on people write several times, and some of the texts hold a code."""
        if level == 1:
            return {"messages": [(i, "inbox", who, "", "", 0) for i, who in enumerate(short_words(rng, 3), 1)]}
        senders, topics = draw(rng, FIRST_NAMES, 4), draw(rng, TOPICS, 4)
        pairs = draw(rng, [(sender, topic) for sender in senders for topic in topics], 10)
        codes = numbers(rng, len(pairs), 1000, 10_000)
        messages = []
        for number, (sender, topic), code in zip(sorted(numbers(rng, len(pairs))), pairs, codes, strict=True):
            told = f"The code is {code}."
            if level == ACROSS:
                told += f" We need {int(rng.integers(1, 5))} of them, at {pick(rng, HOURS)}."
            messages.append((number, "inbox", sender, topic, f"{chatter(rng, level)} {told} {chatter(rng, level)}", 0))
        return {"messages": messages}

    def errand(self, kind: str, rng: np.random.Generator, rows: Rows, theme: Theme) -> Errand | None:
        """Return an errand about one message, or two."""
        say = theme.say
        message, other = draw(rng, rows["messages"], 2)
        number, _, sender, subject, text, _ = message
        if kind == "star":
            writes = (("UPDATE messages SET star = 1 WHERE id = ?", (number,)),)
            star = (Step("click", say("star"), near=str(sender)),)
            return Errand(kind, f"star {sender}", star, writes, prevented=lose_message(message))
        find = find_message(theme, message)
        which = which_message(message)
        about, lost = str(number), lose_message(message)
        if kind == "code":
            code = str(text).partition("The code is ")[2][:4]
            return Errand(kind, f"What is the code in {which}?", find, answer=code, subject=about, prevented=lost)
        if kind == "delete":
            steps = (*find, Step("click", say("delete")))
            return Errand(kind, f"Delete {which}.", steps, lost, None, about, lost)
        if kind == "move":
            folder = pick(rng, _FOLDERS[1:])
            steps = (*find, Step("choose", say("folder"), folder), Step("click", say("move")))
            writes_move = (("UPDATE messages SET folder = ? WHERE id = ?", (folder, number)),)
            return Errand(kind, f"Move {which} to {folder}.", steps, writes_move, None, about, lost)
        if kind == "forward":
            recipient = pick(rng, [name for name in FIRST_NAMES if name != sender])
            steps = (*find, Step("type", say("recipient"), recipient), Step("click", say("forward")))
            sent = _sent(recipient, f"Fwd: {subject}", str(text))
            return Errand(kind, f"Forward {which} to {recipient}.", steps, sent, None, about, lost)
        if kind == "relay":
            code = str(other[4]).partition("The code is ")[2][:4]
            wish = f"Reply to {which} with the code in {which_message(other)}, and nothing else."
            before = (*find_message(theme, other), Step("goto", "/"))
            lost = lose_message(other)
        else:
            code = f"I will see to the {pick(rng, TOPICS)}"
            wish, before = f"Reply to {which}: {code}", ()
        return Errand(
            kind, wish, (*before, *reply_steps(theme, message, code)), replied(message, code), None, about, lost
        )


def which_message(message: Row) -> str:
    """Return the words that mean a message and no other."""
    return f"{message[2]}'s message about {message[3]}"


def find_message(theme: Theme, message: Row) -> tuple[Step, ...]:
    """Return how a person opens a message, from the start page."""
    query = Step("type", theme.say("query"), str(message[2]))
    return query, Step("click", theme.say("search")), Step("click", str(message[3]), near=str(message[2]))


def reply_steps(theme: Theme, message: Row, text: str) -> tuple[Step, ...]:
    """Return how a person answers a message, from the start page."""
    return (
        *find_message(theme, message),
        Step("type", theme.say("message"), text),
        Step("click", theme.say("reply")),
    )


def replied(message: Row, text: str) -> Writes:
    """Return what an answer to a message comes to."""
    return _sent(str(message[2]), f"Re: {message[3]}", text)


def lose_message(message: Row) -> Writes:
    """Return what deletes a message."""
    return (("DELETE FROM messages WHERE id = ?", (message[0],)),)


def _button(what: str, visit: Visit, number: int) -> Form:
    return Form(f"/{what}", visit.say(what), hidden={"message": number})


def _message(visit: Visit, number: int) -> dict[str, Any]:
    return visit.database.row("there is no such message", "SELECT * FROM messages WHERE id = ?", number)


def _send(visit: Visit, prefix: str, recipient: str, text: str) -> Redirect:
    subject = _message(visit, visit.number("message"))["subject"]
    visit.database.write("INSERT INTO sent VALUES (NULL, ?, ?, ?)", recipient, prefix + subject, text)
    return Redirect("/sent")


def _sent(recipient: str, subject: str, text: str) -> Writes:
    return (("INSERT INTO sent VALUES (NULL, ?, ?, ?)", (recipient, subject, text)),)
