"""A travel agency: flights to cancel, move or book, rooms to book, and prices to tell."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from assay.core.errors import ToolError
from assay.core.tool import ToolCall
from assay.envs.database import Rows
from assay.envs.tools.desk.domain import NAMES, Desk, Errand, Id, call, draw, email_of

NOTICE_DAYS = 2
"""A saver ticket can be moved when its flight leaves later than that."""
GOLD_DISCOUNT = 10
"""What a gold traveller saves on a night."""
_CITIES = ["Rome", "Oslo", "Lima", "Cairo", "Quito", "Delhi", "Seoul", "Perth"]
_HOTELS = ["Golden Anchor", "Old Mill", "White Swan", "Green Lantern", "Blue Door", "Red Lion", "Silver Fox"]
Reason = Literal["not_yours", "flown", "closed", "not_refundable", "other_city", "too_late", "full"]


class Travel(Desk):
    """Travellers, flights from one airport, tickets, and hotels."""

    name = "travel"
    schema = """
        CREATE TABLE travellers (id INTEGER PRIMARY KEY, name TEXT, email TEXT, tier TEXT);
        CREATE TABLE flights (id INTEGER PRIMARY KEY, city TEXT, days_ahead INTEGER, price INTEGER, seats INTEGER);
        CREATE TABLE tickets (id INTEGER PRIMARY KEY, traveller INTEGER, flight INTEGER, fare TEXT, status TEXT);
        CREATE TABLE hotels (id INTEGER PRIMARY KEY, name TEXT, price INTEGER, rooms INTEGER);
        CREATE TABLE stays (id INTEGER PRIMARY KEY, traveller INTEGER, hotel INTEGER, nights INTEGER);
        CREATE TABLE refusals (subject TEXT PRIMARY KEY, reason TEXT);
    """
    policy = (
        "You serve one traveller at a travel agency, who says their email address. Rules:\n"
        "- Serve only the traveller's own tickets; refuse others with reason not_yours. Do not look up other "
        "travellers.\n"
        "- A ticket that was flown (flown) or cancelled (closed) can neither be cancelled nor moved.\n"
        "- A ticket with fare saver cannot be cancelled (not_refundable), unless the traveller's tier is gold.\n"
        "- A ticket can be moved only to a flight to the same city (other_city). With fare saver that takes more than "
        f"{NOTICE_DAYS} days before the ticket's flight leaves (too_late), whatever the tier. The new flight must have "
        "a seat (full). Where several reasons hold, give the first in the order of these rules.\n"
        "- Who asks for the cheapest flight wants that one and no other: refuse with full when it has no seat, and so "
        "for a hotel without a room.\n"
        f"- A gold traveller pays {GOLD_DISCOUNT} less for each night in a hotel.\n"
        "- Record every refusal with the tool refuse; the subject is ticket, flight or hotel and its number, such as "
        "ticket 417. Change nothing that was not asked for.\n"
        "- When the traveller wants to know a figure, write that figure and no other number.\n"
        "A turn without a tool call is a message to the traveller. When all is done, say so in a message."
    )
    tool_names = (
        "find_traveller",
        "list_tickets",
        "get_ticket",
        "list_flights",
        "get_flight",
        "find_hotel",
        "cancel_ticket",
        "move_ticket",
        "book_flight",
        "book_room",
        "refuse",
    )
    reasons = ("not_yours", "flown", "closed", "not_refundable", "other_city", "too_late", "full")

    # -- tools ------------------------------------------------------------------------------------------------

    def find_traveller(self, email: str) -> dict[str, Any]:
        """Find a traveller by email address: number and tier."""
        found = self.database.row(f"no traveller {email!r}", "SELECT * FROM travellers WHERE email = ?", email)
        self.see(found["id"])
        return found

    def list_tickets(self, traveller: Id) -> list[dict[str, Any]]:
        """List the tickets of a traveller."""
        self.see(traveller)
        return self.database.rows(
            "SELECT tickets.id, city FROM tickets JOIN flights ON flights.id = flight WHERE traveller = ? "
            "ORDER BY tickets.id",
            traveller,
        )

    def get_ticket(self, ticket: Id) -> dict[str, Any]:
        """Show a ticket."""
        return self.database.row(
            f"no ticket {ticket}",
            "SELECT tickets.id, email, flight, fare, status FROM tickets "
            "JOIN travellers ON travellers.id = traveller WHERE tickets.id = ?",
            ticket,
        )

    def list_flights(self, city: str) -> list[dict[str, Any]]:
        """List the flights to a city, with the days until they leave, the price, and the seats that are left."""
        return self.database.rows("SELECT * FROM flights WHERE city = ? ORDER BY id", city)

    def get_flight(self, flight: Id) -> dict[str, Any]:
        """Show a flight."""
        return self.database.row(f"no flight {flight}", "SELECT * FROM flights WHERE id = ?", flight)

    def find_hotel(self, name: str) -> dict[str, Any]:
        """Find a hotel by name: its number, the price of a night, and the rooms that are left."""
        return self.database.row(f"no hotel {name!r}", "SELECT * FROM hotels WHERE name = ?", name)

    def cancel_ticket(self, ticket: Id) -> str:
        """Cancel a ticket and free its seat."""
        self._add_seats(self.get_ticket(ticket)["flight"], 1)
        self.database.write("UPDATE tickets SET status = 'cancelled' WHERE id = ?", ticket)
        return "cancelled"

    def move_ticket(self, ticket: Id, flight: Id) -> str:
        """Move a ticket to another flight."""
        old = self.get_ticket(ticket)["flight"]
        self._take_seat(flight)
        self._add_seats(old, 1)
        self.database.write("UPDATE tickets SET flight = ? WHERE id = ?", flight, ticket)
        return "moved"

    def book_flight(self, traveller: Id, flight: Id) -> str:
        """Book a flight for a traveller, at fare flexible."""
        self._check_traveller(traveller)
        self._take_seat(flight)
        self.database.write(
            "INSERT INTO tickets VALUES ((SELECT max(id) + 1 FROM tickets), ?, ?, 'flexible', 'booked')",
            traveller,
            flight,
        )
        return "booked"

    def book_room(self, traveller: Id, hotel: Id, nights: Annotated[int, Field(ge=1, le=100)]) -> str:
        """Book a room in a hotel for a traveller."""
        self._check_traveller(traveller)
        if not self.database.row(f"no hotel {hotel}", "SELECT rooms FROM hotels WHERE id = ?", hotel)["rooms"]:
            raise ToolError("the hotel is full")
        self.database.write("UPDATE hotels SET rooms = rooms - 1 WHERE id = ?", hotel)
        self.database.write(
            "INSERT INTO stays VALUES ((SELECT coalesce(max(id), 0) + 1 FROM stays), ?, ?, ?)", traveller, hotel, nights
        )
        return "booked"

    def refuse(self, subject: str, reason: Reason) -> str:
        """Record that a request is refused, and why."""
        self.database.write("INSERT OR REPLACE INTO refusals VALUES (?, ?)", subject.strip().lower()[:100], reason)
        return "refused"

    def _check_traveller(self, traveller: int) -> None:
        self.database.row(f"no traveller {traveller}", "SELECT id FROM travellers WHERE id = ?", traveller)

    def _take_seat(self, flight: int) -> None:
        if not self.get_flight(flight)["seats"]:
            raise ToolError("the flight is full")
        self._add_seats(flight, -1)

    def _add_seats(self, flight: int, seats: int) -> None:
        self.database.write("UPDATE flights SET seats = seats + ? WHERE id = ?", seats, flight)

    # -- worlds and errands -----------------------------------------------------------------------------------

    def world(self, rng: np.random.Generator) -> Rows:
        """Return three travellers with four tickets each, to different cities with two or three flights each."""
        travellers = [
            (i, name, email_of(name, rng), "gold" if rng.random() < 0.4 else "basic")
            for i, name in enumerate(draw(rng, NAMES, 3), 1)
        ]
        cities = [city for city in draw(rng, _CITIES, 5) for _ in range(int(rng.integers(2, 4)))]
        prices = draw(rng, range(40, 400), len(cities))
        flights = [
            (10 + i, city, int(rng.integers(1, 7)), price, int(rng.integers(0, 3)))
            for i, (city, price) in enumerate(zip(cities, prices, strict=True), 1)
        ]
        numbers = iter((100 + rng.permutation(900)[:12]).tolist())
        tickets = []
        for traveller, *_ in travellers:
            for city in draw(rng, sorted(set(cities)), 4):
                flight = draw(rng, [row[0] for row in flights if row[1] == city], 1)[0]
                fare = ("saver", "saver", "flexible")[int(rng.integers(3))]
                status = ("booked", "booked", "booked", "booked", "flown", "cancelled")[int(rng.integers(6))]
                tickets.append((next(numbers), traveller, flight, fare, status))
        hotels = [
            (i, name, int(rng.integers(30, 120)), int(rng.integers(0, 3)))
            for i, name in enumerate(draw(rng, _HOTELS, 5), 1)
        ]
        return {
            "travellers": travellers,
            "flights": flights,
            "tickets": tickets,
            "hotels": hotels,
            "stays": [],
            "refusals": [],
        }

    def people(self, rows: Rows) -> list[tuple[int, str]]:
        """Return the travellers."""
        return [(row[0], row[2]) for row in rows["travellers"]]  # type: ignore[misc]

    def errands(self, rng: np.random.Generator, rows: Rows, caller: int, email: str, level: int) -> list[Errand]:
        """Return tickets to cancel or move; from level 2 on also flights and rooms to book, and prices to tell."""
        flights: dict[Any, Any] = {row[0]: row for row in rows["flights"]}
        gold = any(row[0] == caller and row[3] == "gold" for row in rows["travellers"])
        found = []
        for ticket in draw(rng, rows["tickets"], len(rows["tickets"])):
            vague = level > 1 and ticket[1] == caller
            if rng.random() < 0.5:
                found.append(_cancel(ticket, flights, caller, email, gold=gold, vague=vague))
            else:
                found.append(_move(ticket, flights, caller, email, rng, vague=vague))
        if level > 1:
            cities = sorted({row[1] for row in flights.values()})
            found += [_fly(city, flights, caller, email) for city in draw(rng, cities, len(cities))]
            for i, hotel in enumerate(draw(rng, rows["hotels"], len(rows["hotels"]))):
                nights = int(rng.integers(2, 7))
                found.append(_stay(hotel, nights, caller, email, gold=gold, ask=i % 2 == 0))
        return [found[i] for i in rng.permutation(len(found)).tolist()]

    def refusal(self, call: ToolCall, reason: str) -> ToolCall:
        """Return the refusal of a call about a ticket, a flight or a hotel."""
        what = next((what for what in ("ticket", "flight", "hotel") if what in call.arguments), "ticket")
        return ToolCall("refuse", {"subject": f"{what} {call.arguments.get(what, 0)}", "reason": reason})


def _lookup(email: str, caller: int) -> tuple[ToolCall, ...]:
    return call("find_traveller", email=email), call("list_tickets", traveller=caller)


def _unusable(ticket: Any, caller: int) -> str:
    """Return why a ticket cannot be touched at all, or nothing."""
    if ticket[1] != caller:
        return "not_yours"
    return {"flown": "flown", "cancelled": "closed"}.get(ticket[4], "")


def _about_ticket(
    kind: str, wish: str, ticket: Any, city: str, checks: list[ToolCall], attempt: ToolCall, reason: str,
    lookup: tuple[ToolCall, ...],
) -> Errand:  # fmt: skip
    number = ticket[0]
    right = call("refuse", subject=f"ticket {number}", reason=reason) if reason else attempt
    spoken = wish.format(f"my flight to {city}" if lookup else f"ticket {number}")
    checks = [call("get_ticket", ticket=number), *checks]
    return Errand(kind, wish.format(f"ticket {number}"), spoken, lookup, tuple(checks), attempt, right, subject=city)


def _cancel(ticket: Any, flights: dict[Any, Any], caller: int, email: str, *, gold: bool, vague: bool) -> Errand:
    reason = _unusable(ticket, caller) or ("not_refundable" if ticket[3] == "saver" and not gold else "")
    checks = [call("find_traveller", email=email)]
    attempt, city = call("cancel_ticket", ticket=ticket[0]), flights[ticket[2]][1]
    lookup = _lookup(email, caller) if vague else ()
    return _about_ticket("cancel", "Please cancel {}.", ticket, city, checks, attempt, reason, lookup)


def _move(
    ticket: Any, flights: dict[Any, Any], caller: int, email: str, rng: np.random.Generator, *, vague: bool
) -> Errand:
    old = flights[ticket[2]]
    same = [row for row in flights.values() if row[1] == old[1] and row is not old]
    new = draw(rng, same if rng.random() < 0.8 else [row for row in flights.values() if row[1] != old[1]], 1)[0]
    reason = _unusable(ticket, caller)
    if not reason and new[1] != old[1]:
        reason = "other_city"
    elif not reason and ticket[3] == "saver" and old[2] <= NOTICE_DAYS:
        reason = "too_late"
    elif not reason and not new[4]:
        reason = "full"
    checks = [call("get_flight", flight=old[0]), call("get_flight", flight=new[0])]
    attempt = call("move_ticket", ticket=ticket[0], flight=new[0])
    lookup = _lookup(email, caller) if vague else ()
    wish = f"Please move {{}} to flight {new[0]}."
    return _about_ticket("move", wish, ticket, old[1], checks, attempt, reason, lookup)


def _fly(city: str, flights: dict[Any, Any], caller: int, email: str) -> Errand:
    cheapest = min((row for row in flights.values() if row[1] == city), key=lambda row: row[3])
    attempt = call("book_flight", traveller=caller, flight=cheapest[0])
    right = attempt if cheapest[4] else call("refuse", subject=f"flight {cheapest[0]}", reason="full")
    wish = f"Please book me on the cheapest flight to {city}."
    lookup = (call("find_traveller", email=email), call("list_flights", city=city))
    return Errand("fly", wish, wish, lookup, (), attempt, right, subject=city)


def _stay(hotel: Any, nights: int, caller: int, email: str, *, gold: bool, ask: bool) -> Errand:
    number, name, price, rooms = hotel
    lookup = (call("find_traveller", email=email), call("find_hotel", name=name))
    if ask:
        wish = f"What would {nights} nights in the {name} cost me?"
        figure = nights * (price - GOLD_DISCOUNT * gold)
        return Errand("price", wish, wish, lookup, (), None, None, figure, subject=name)
    attempt = call("book_room", traveller=caller, hotel=number, nights=nights)
    right = attempt if rooms else call("refuse", subject=f"hotel {number}", reason="full")
    wish = f"Please book me a room in the {name} for {nights} nights."
    return Errand("stay", wish, wish, lookup, (), attempt, right, subject=name)
