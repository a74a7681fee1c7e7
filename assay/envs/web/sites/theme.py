"""Theme: one look and one wording of a site, drawn from a seed.

The same errand on two themes has different labels, orders, layouts and colours; what the site does is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assay.core.errors import UnknownNameError

# fmt: off
WORDING: dict[str, tuple[str, ...]] = {
    "search": ("Search", "Find", "Look up"),
    "query": ("Search for", "Words to find", "Keywords"),
    "next": ("Next", "More", "Next page"),
    "previous": ("Previous", "Back a page", "Earlier page"),
    "save": ("Save", "Save changes", "Update"),
    "delete": ("Delete", "Remove", "Discard"),
    "send": ("Send", "Send now", "Submit"),
    "continue": ("Continue", "Next step", "Go on"),
    "all": ("All", "Everything", "Any"),
    "buy": ("Add to cart", "Add to basket", "Put in cart"),
    "cart": ("Cart", "Basket", "Your cart"),
    "checkout": ("Checkout", "Go to checkout", "Pay"),
    "order": ("Place order", "Order now", "Buy now"),
    "quantity": ("Quantity", "How many", "Pieces"),
    "price": ("Price", "Costs", "Unit price"),
    "stock": ("In stock", "Available", "Left"),
    "kind": ("Kind", "Category", "Department"),
    "delivery": ("Delivery", "Shipping", "Delivery method"),
    "gift": ("Gift wrap", "This is a gift", "Wrap it"),
    "home": ("Home", "Start", "Overview"),
    "star": ("Star", "Flag", "Mark"),
    "move": ("Move", "File", "Move message"),
    "folder": ("Folder", "Move to", "Put in"),
    "reply": ("Reply", "Answer", "Send reply"),
    "forward": ("Forward", "Pass on", "Send on"),
    "message": ("Message", "Text", "Your text"),
    "sender": ("From", "Sender", "Written by"),
    "subject": ("Subject", "About", "Topic"),
    "recipient": ("To", "Recipient", "Send to"),
    "day": ("Day", "Weekday", "On"),
    "hour": ("Hour", "Time", "At"),
    "room": ("Room", "Place", "Where"),
    "title": ("Title", "Name of event", "What"),
    "new": ("New event", "Add event", "Book a room"),
    "cancel": ("Cancel event", "Call off", "Drop event"),
    "pin": ("Pin", "Stick to top", "Keep on top"),
    "lock": ("Lock", "Close thread", "Freeze"),
    "hide": ("Hide", "Hide post", "Take down"),
    "votes": ("Votes", "Score", "Points"),
    "post": ("Post", "Post reply", "Publish"),
    "author": ("Author", "By", "Posted by"),
    "name": ("Name", "Full name", "Person"),
    "team": ("Team", "Department", "Group"),
    "role": ("Role", "Position", "Job"),
    "salary": ("Salary", "Pay", "Yearly pay"),
    "active": ("Active", "Enabled", "Account is active"),
    "deactivate": ("Deactivate", "Disable", "Switch off"),
    "plan": ("Plan", "Package", "Option"),
    "country": ("Country", "Nation", "Country of residence"),
    "region": ("Region", "Province", "State or region"),
    "email": ("Email", "Email address", "E-mail"),
    "agree": ("I agree to the terms", "Accept terms", "Terms accepted"),
    "news": ("Send me the newsletter", "Newsletter", "Keep me posted"),
    "apply": ("Apply", "Send application", "Finish"),
}
"""What a label may be called; a site looks its labels up by the key."""
# fmt: on
_FIRST = ("Blue", "Old", "North", "Quick", "Plain", "Green", "River", "Stone", "Bright", "Little")
_SECOND = ("Barn", "Harbour", "Mill", "Corner", "Garden", "Station", "Lane", "Bridge", "Square", "Field")
_RECORDS, _MENUS, _CHOICES = ("table", "cards", "list"), ("top", "side", "bottom"), ("menu", "radio")
_FONTS = ("sans-serif", "serif", "monospace")


@dataclass(frozen=True, slots=True)
class Theme:
    """How a site looks and what it calls things. JSON-serialisable through `dataclasses.asdict`."""

    brand: str = ""
    records: str = "list"
    menu: str = "top"
    choice: str = "menu"
    font: str = "sans-serif"
    hue: int = 0
    gap: int = 8
    """Pixels between things."""
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether the site is bare: no brand, no menu, no headings. The smallest pages there are."""
        return not self.brand

    def say(self, key: str) -> str:
        """Return this theme's word for a label; a bare site uses the key itself."""
        if key not in WORDING:
            raise UnknownNameError("label", key, WORDING)
        return key if self.plain else self.words[key]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Theme:
        """Return a random theme."""
        draws = iter(rng.integers(0, 2**31, size=len(WORDING) + 8).tolist())

        def pick(pool: tuple[Any, ...]) -> Any:
            return pool[next(draws) % len(pool)]

        return cls(
            brand=f"{pick(_FIRST)} {pick(_SECOND)}",
            records=pick(_RECORDS),
            menu=pick(_MENUS),
            choice=pick(_CHOICES),
            font=pick(_FONTS),
            hue=next(draws) % 360,
            gap=4 + next(draws) % 12,
            words={key: pick(pool) for key, pool in WORDING.items()},
        )


PLAIN = Theme()
"""The bare theme of the first level."""
