"""A library: loans to renew or end, books to borrow, and charges to tell."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from assay.core.errors import ToolError
from assay.core.tool import ToolCall
from assay.envs.database import Rows
from assay.envs.tools.desk.domain import NAMES, Desk, Errand, Id, call, draw, email_of

MAX_RENEWALS = 2
MAX_LOANS = 3
CHARGE = 3
"""What a day of delay costs."""
_FIRST = ["silent", "golden", "broken", "hidden", "frozen", "distant", "burning", "lonely"]
_SECOND = ["river", "garden", "tower", "island", "letter", "winter", "mirror", "harbour"]
Reason = Literal["not_yours", "overdue", "renewed_twice", "reserved", "no_copy", "too_many_loans"]


class Library(Desk):
    """Members, books, loans and reservations."""

    name = "library"
    schema = """
        CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
        CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, copies INTEGER);
        CREATE TABLE loans (id INTEGER PRIMARY KEY, member INTEGER, book INTEGER, days_overdue INTEGER,
                            renewals INTEGER, status TEXT);
        CREATE TABLE reservations (id INTEGER PRIMARY KEY, member INTEGER, book INTEGER);
        CREATE TABLE refusals (subject TEXT PRIMARY KEY, reason TEXT);
    """
    policy = (
        "You serve one member at the desk of a library, who says their email address. Rules:\n"
        "- Serve only the member's own loans; refuse others with reason not_yours. Do not look up other members.\n"
        f"- A loan can be renewed unless it is overdue (overdue), was renewed {MAX_RENEWALS} times (renewed_twice), or "
        "its book is reserved (reserved). Where several reasons hold, give the first in this order.\n"
        "- A book can be lent unless no copy is left (no_copy) or the member has "
        f"{MAX_LOANS} loans (too_many_loans); again the first reason counts.\n"
        f"- A day overdue costs {CHARGE}. Anyone may bring back anybody's book.\n"
        "- Record every refusal with the tool refuse; the subject is loan and its number, or book and its number, such "
        "as loan 17. Change nothing that was not asked for.\n"
        "- When the member wants to know a figure, write that figure and no other number.\n"
        "A turn without a tool call is a message to the member. When all is done, say so in a message."
    )
    tool_names = (
        "find_member",
        "find_book",
        "list_loans",
        "get_loan",
        "list_reservations",
        "renew_loan",
        "end_loan",
        "lend_book",
        "refuse",
    )
    reasons = ("not_yours", "overdue", "renewed_twice", "reserved", "no_copy", "too_many_loans")

    # -- tools ------------------------------------------------------------------------------------------------

    def find_member(self, email: str) -> dict[str, Any]:
        """Find a member by email address."""
        found = self.database.row(f"no member {email!r}", "SELECT * FROM members WHERE email = ?", email)
        self.see(found["id"])
        return found

    def find_book(self, title: str) -> dict[str, Any]:
        """Find a book by title: its number and how many copies are left."""
        return self.database.row(f"no book {title!r}", "SELECT * FROM books WHERE title = ?", title)

    def list_loans(self, member: Id) -> list[dict[str, Any]]:
        """List the open loans of a member."""
        self.see(member)
        return self.database.rows(
            "SELECT loans.id, title FROM loans JOIN books ON books.id = book "
            "WHERE member = ? AND status = 'open' ORDER BY loans.id",
            member,
        )

    def get_loan(self, loan: Id) -> dict[str, Any]:
        """Show a loan."""
        return self.database.row(
            f"no loan {loan}",
            "SELECT loans.id, email, book, days_overdue, renewals, status "
            "FROM loans JOIN members ON members.id = member WHERE loans.id = ?",
            loan,
        )

    def list_reservations(self, book: Id) -> list[dict[str, Any]]:
        """List the reservations of a book."""
        return self.database.rows("SELECT id FROM reservations WHERE book = ?", book)

    def renew_loan(self, loan: Id) -> str:
        """Renew a loan."""
        self.get_loan(loan)
        self.database.write("UPDATE loans SET renewals = renewals + 1, days_overdue = 0 WHERE id = ?", loan)
        return "renewed"

    def end_loan(self, loan: Id) -> str:
        """Take a book back."""
        row = self.get_loan(loan)
        self.database.write("UPDATE loans SET status = 'ended' WHERE id = ?", loan)
        self.database.write("UPDATE books SET copies = copies + 1 WHERE id = ?", row["book"])
        return "ended"

    def lend_book(self, member: Id, book: Id) -> str:
        """Lend a book to a member."""
        self.database.row(f"no member {member}", "SELECT id FROM members WHERE id = ?", member)
        if not self.database.row(f"no book {book}", "SELECT copies FROM books WHERE id = ?", book)["copies"]:
            raise ToolError("no copy is left")
        self.database.write(
            "INSERT INTO loans VALUES ((SELECT max(id) + 1 FROM loans), ?, ?, 0, 0, 'open')", member, book
        )
        self.database.write("UPDATE books SET copies = copies - 1 WHERE id = ?", book)
        return "lent"

    def refuse(self, subject: str, reason: Reason) -> str:
        """Record that a request is refused, and why."""
        self.database.write("INSERT OR REPLACE INTO refusals VALUES (?, ?)", subject.strip().lower()[:100], reason)
        return "refused"

    # -- worlds and errands -----------------------------------------------------------------------------------

    def world(self, rng: np.random.Generator) -> Rows:
        """Return three members with two or three loans each, of different books."""
        members = [(i, name, email_of(name, rng)) for i, name in enumerate(draw(rng, NAMES, 3), 1)]
        titles = [f"The {a} {b}" for a, b in zip(draw(rng, _FIRST, 8), draw(rng, _SECOND, 8), strict=True)]
        books = [(i, title, int(rng.integers(0, 3))) for i, title in enumerate(titles, 1)]
        numbers = iter(sorted((100 + rng.permutation(900)[:9]).tolist()))
        loans = []
        for member, _, _ in members:
            for book in draw(rng, range(1, len(books) + 1), int(rng.integers(2, MAX_LOANS + 1))):
                overdue = int(rng.integers(1, 20)) if rng.random() < 0.35 else 0
                loans.append((next(numbers), member, book, overdue, int(rng.integers(0, MAX_RENEWALS + 1)), "open"))
        reserved = [
            (i, int(rng.integers(1, 4)), book) for i, book in enumerate(draw(rng, range(1, len(books) + 1), 3), 1)
        ]
        return {"members": members, "books": books, "loans": loans, "reservations": reserved, "refusals": []}

    def people(self, rows: Rows) -> list[tuple[int, str]]:
        """Return the members."""
        return [(row[0], row[2]) for row in rows["members"]]  # type: ignore[misc]

    def errands(self, rng: np.random.Generator, rows: Rows, caller: int, email: str, level: int) -> list[Errand]:
        """Return loans to renew; from level 2 on also books to bring back or borrow, and charges."""
        titles = {row[0]: str(row[1]) for row in rows["books"]}
        reserved = {row[2] for row in rows["reservations"]}
        kinds = ("renew",) if level == 1 else ("renew", "renew", "end", "charge")
        found = []
        for loan in draw(rng, rows["loans"], len(rows["loans"])):
            mine = loan[1] == caller
            kind = kinds[int(rng.integers(len(kinds)))]
            if (mine or kind == "renew") and (loan[3] or kind != "charge"):
                title = titles[loan[2]]
                vague = level > 1 and mine
                found.append(_about_loan(kind, loan, title, loan[2] in reserved, caller, email, vague=vague))
        if level > 1:
            mine = [row for row in rows["loans"] if row[1] == caller]
            borrowed = {row[2] for row in mine}
            found += [_borrow(b, len(mine), caller, email) for b in draw(rng, rows["books"], 8) if b[0] not in borrowed]
        return found

    def refusal(self, call: ToolCall, reason: str) -> ToolCall:
        """Return the refusal of a call about a loan or a book."""
        what = "loan" if "loan" in call.arguments else "book"
        return ToolCall("refuse", {"subject": f"{what} {call.arguments.get(what, 0)}", "reason": reason})


def _about_loan(kind: str, loan: Any, title: str, reserved: bool, caller: int, email: str, *, vague: bool) -> Errand:
    number, owner, book, overdue, renewals, _ = loan
    checks = [call("get_loan", loan=number)]
    attempt: ToolCall | None = None
    figure, reason = None, ""
    if kind == "renew":
        wish, attempt = "Please renew {}.", call("renew_loan", loan=number)
        checks.append(call("list_reservations", book=book))
        if owner != caller:
            reason = "not_yours"
        elif overdue:
            reason = "overdue"
        elif renewals >= MAX_RENEWALS:
            reason = "renewed_twice"
        elif reserved:
            reason = "reserved"
    elif kind == "end":
        wish, attempt = "I bring back {}.", call("end_loan", loan=number)
    else:
        wish, figure = "What do I owe for {}?", CHARGE * overdue
    right = call("refuse", subject=f"loan {number}", reason=reason) if reason else attempt
    lookup = (call("find_member", email=email), call("list_loans", member=caller)) if vague else ()
    spoken = wish.format(title if vague else f"loan {number}")
    return Errand(
        kind, wish.format(f"loan {number}"), spoken, lookup, tuple(checks), attempt, right, figure, subject=title
    )


def _borrow(book: Any, loans: int, caller: int, email: str) -> Errand:
    number, title, copies = book
    reason = "" if copies else "no_copy"
    if not reason and loans >= MAX_LOANS:
        reason = "too_many_loans"
    attempt = call("lend_book", member=caller, book=number)
    right = call("refuse", subject=f"book {number}", reason=reason) if reason else attempt
    wish = f"I would like to borrow {title}."
    lookup = (call("find_member", email=email), call("find_book", title=title))
    return Errand("borrow", wish, wish, lookup, (call("list_loans", member=caller),), attempt, right, subject=title)
