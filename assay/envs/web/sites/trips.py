"""Errands over two sites: a value is read on one of them and used on the other.

The two lie under one address, `/mail/` and `/shop/`, and the start page links to both. Invariant: the value that is
carried stands on one page of the first site and nowhere in the wish.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assay.envs.database import Rows
from assay.envs.web.sites.admin import find_person, which_person
from assay.envs.web.sites.calendar import DAYS, ROOMS, book_steps, find_event, take
from assay.envs.web.sites.forum import post_steps, posted
from assay.envs.web.sites.mail import find_message, lose_message, replied, reply_steps, which_message
from assay.envs.web.sites.shop import find_product, lose_product, put, put_steps
from assay.envs.web.sites.site import Errand, Row, Step
from assay.envs.web.sites.theme import Theme
from assay.envs.web.sites.words import FIRST_NAMES, TOPICS, pick

START = Step("goto", "/")


@dataclass(frozen=True, slots=True)
class Place:
    """A site as an errand finds it: its name, its content and its look."""

    name: str
    rows: Rows
    theme: Theme


@dataclass(frozen=True, slots=True)
class Trip:
    """A kind of errand over two sites."""

    start: str
    """The site where a value is read."""
    end: str
    """The site where it is used."""
    errand: Callable[[np.random.Generator, Place, Place], Errand | None]
    """Returns an errand, or None when the two worlds have no room for one."""


def _quantity(rng: np.random.Generator, mail: Place, shop: Place) -> Errand | None:
    """Buy as many as a message asks for."""
    message, product = pick(rng, mail.rows["messages"]), pick(rng, shop.rows["products"])
    needed = int(_told(message, "We need ", " of them"))
    if int(product[4] or 0) < needed:
        return None
    return Errand(
        "quantity",
        f"Put the {product[1]} in the cart of the shop, as many as {which_message(message)} says that they need, but "
        "do not order.",
        _path(mail, find_message(mail.theme, message), shop, put_steps(shop.theme, product, needed)),
        put(product[0], needed),
        prevented=pick(rng, (lose_message(message), lose_product(product))),
    )


def _price(rng: np.random.Generator, shop: Place, mail: Place) -> Errand:
    """Tell somebody a price."""
    product, message = pick(rng, shop.rows["products"]), pick(rng, mail.rows["messages"])
    price = str(product[3])
    return Errand(
        "quote",
        f"Reply to {which_message(message)} with the price of the {product[1]} in the shop, and nothing else.",
        _path(shop, find_product(shop.theme, product), mail, reply_steps(mail.theme, message, price)),
        replied(message, price),
        prevented=pick(rng, (lose_message(message), lose_product(product))),
    )


def _salary(rng: np.random.Generator, admin: Place, mail: Place) -> Errand:
    """Tell somebody a salary."""
    person, message = pick(rng, admin.rows["people"]), pick(rng, mail.rows["messages"])
    salary = str(person[4])
    return Errand(
        "pay",
        f"Reply to {which_message(message)} with the salary of {which_person(person)}, and nothing else.",
        _path(admin, find_person(person), mail, reply_steps(mail.theme, message, salary)),
        replied(message, salary),
        prevented=lose_message(message),
    )


def _meeting(rng: np.random.Generator, mail: Place, calendar: Place) -> Errand | None:
    """Book a room at the time that a message names."""
    message = pick(rng, mail.rows["messages"])
    title, day, room = f"{pick(rng, FIRST_NAMES)} {pick(rng, TOPICS)}", pick(rng, DAYS), pick(rng, ROOMS)
    hour = _told(message, "of them, at ", ". ")
    if any(event[2:] == (day, hour, room) for event in calendar.rows["events"]):
        return None
    taken = (take("closed", day, hour, room),)
    return Errand(
        "meeting",
        f"Book the room {room} on {day}, at the time that {which_message(message)} names, for an event with the title: "
        f"{title}",
        _path(mail, find_message(mail.theme, message), calendar, book_steps(calendar.theme, title, day, hour, room)),
        (take(title, day, hour, room),),
        prevented=pick(rng, (lose_message(message), taken)),
    )


def _hour(rng: np.random.Generator, calendar: Place, forum: Place) -> Errand:
    """Tell a forum when an event is."""
    event, thread = pick(rng, calendar.rows["events"]), pick(rng, forum.rows["threads"])
    title, hour = str(thread[2]), str(event[3])
    return Errand(
        "announce",
        f"Reply in the thread {title!r} with the time of the event {event[1]!r} on {event[2]}, like 14:00, and nothing "
        "else.",
        _path(calendar, find_event(event), forum, post_steps(forum.theme, title, hour)),
        posted(thread[0], hour),
        prevented=(("DELETE FROM events WHERE id = ?", (event[0],)),),
    )


TRIPS: dict[str, Trip] = {
    "quantity": Trip("mail", "shop", _quantity),
    "quote": Trip("shop", "mail", _price),
    "pay": Trip("admin", "mail", _salary),
    "meeting": Trip("mail", "calendar", _meeting),
    "announce": Trip("calendar", "forum", _hour),
}
"""By the kind of their errands."""


def _path(start: Place, there: Sequence[Step], end: Place, then: Sequence[Step]) -> tuple[Step, ...]:
    return (Step("click", start.name), *there, START, Step("click", end.name), *then)


def _told(message: Row, before: str, after: str) -> str:
    """Return what stands in a message between two phrases."""
    return str(message[4]).partition(before)[2].partition(after)[0]
