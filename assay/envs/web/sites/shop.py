"""A shop: search, options, a cart, and a checkout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.core.errors import ToolError
from assay.envs.database import Rows, Value
from assay.envs.web.sites.blocks import Facts, Field, Form, Link, Links, Prose, Record, Records, Redirect, View
from assay.envs.web.sites.site import Errand, Row, Site, Step, Visit, Writes, get, like, listing, post, search_form
from assay.envs.web.sites.theme import Theme
from assay.envs.web.sites.words import ADJECTIVES, chatter, draw, numbers, pick, short_words

_GOODS = ("lamp", "chair", "kettle", "clock", "tent", "drum", "shelf", "mirror")
_DELIVERY = ("standard", "express", "pick up")


class Shop(Site):
    """Products, a cart and orders."""

    name = "shop"
    schema = """
        CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, kind TEXT, price INTEGER, stock INTEGER, text TEXT);
        CREATE TABLE cart (product INTEGER PRIMARY KEY, quantity INTEGER);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, product INTEGER, quantity INTEGER, delivery TEXT, gift INTEGER);
    """
    kinds = {1: ("cart",), 2: ("order", "price", "empty"), 3: ("cheapest", "order", "price")}

    def menu(self, theme: Theme) -> Sequence[Link]:
        """Return home and cart."""
        return (*super().menu(theme), Link(theme.say("cart"), "/cart"))

    @get("/")
    def products(self, visit: Visit) -> View:
        """List what a search finds."""
        query = visit.values.get("q", "")
        found = visit.database.rows(
            "SELECT * FROM products WHERE name LIKE ? ESCAPE '!' AND id NOT IN (SELECT product FROM cart) ORDER BY id"
            if visit.theme.plain
            else "SELECT * FROM products WHERE name LIKE ? ESCAPE '!' ORDER BY id",
            like(query),
        )
        if visit.theme.plain:
            plain = [Record((row["name"],), (_buy(visit, row["id"]),)) for row in found]
            return View("Products", (Records(("name",), plain),))
        rows = [Record((Link(row["name"], f"/product/{row['id']}"), row["kind"])) for row in found]
        columns = (visit.say("name"), visit.say("kind"))
        return View("Products", (search_form(visit), *listing(visit, "/", columns, rows, keep={"q": query})))

    @get("/product/{number:int}")
    def product(self, visit: Visit, number: int) -> View:
        """Show a product."""
        row = _product(visit, number)
        facts = Facts([(visit.say(key), row[key]) for key in ("kind", "price", "stock")])
        quantity = Field("quantity", visit.say("quantity"), value="1")
        return View(row["name"], (facts, Prose(row["text"]), _buy(visit, number, quantity)))

    @post("/cart")
    def add(self, visit: Visit) -> Redirect:
        """Put a product in the cart, or more of it."""
        row = _product(visit, visit.number("product"))
        quantity = visit.number("quantity", 1, 99) if "quantity" in visit.values else 1
        inside = visit.database.rows("SELECT quantity FROM cart WHERE product = ?", row["id"])
        quantity += inside[0]["quantity"] if inside else 0
        if quantity > row["stock"]:
            raise ToolError("there is not enough in stock")
        visit.database.write("INSERT OR REPLACE INTO cart VALUES (?, ?)", row["id"], quantity)
        return Redirect("/" if visit.theme.plain else "/cart")

    @get("/cart")
    def cart(self, visit: Visit) -> View:
        """Show the cart."""
        rows = [
            Record(
                (row["name"], row["quantity"], row["price"]),
                (Form("/cart/remove", visit.say("delete"), hidden={"product": row["product"]}),),
            )
            for row in _cart(visit)
        ]
        columns = (visit.say("name"), visit.say("quantity"), visit.say("price"))
        return View(visit.say("cart"), (Records(columns, rows), Links((Link(visit.say("checkout"), "/checkout"),))))

    @post("/cart/remove")
    def remove(self, visit: Visit) -> Redirect:
        """Take a product out of the cart."""
        visit.database.write("DELETE FROM cart WHERE product = ?", visit.number("product"))
        return Redirect("/cart")

    @get("/checkout")
    def checkout(self, visit: Visit) -> View:
        """Ask how the cart shall be sent."""
        fields = (
            Field("delivery", visit.say("delivery"), "choice", _DELIVERY[0], _DELIVERY),
            Field("gift", visit.say("gift"), "tick"),
        )
        return View(visit.say("checkout"), (Form("/order", visit.say("order"), fields),))

    @post("/order")
    def order(self, visit: Visit) -> Redirect:
        """Order what is in the cart."""
        delivery, gift = visit.choice("delivery", _DELIVERY), int("gift" in visit.values)
        rows = _cart(visit)
        if not rows:
            raise ToolError("the cart is empty")
        for row in rows:
            visit.database.write(
                "INSERT INTO orders VALUES (NULL, ?, ?, ?, ?)", row["product"], row["quantity"], delivery, gift
            )
            visit.database.write("UPDATE products SET stock = stock - ? WHERE id = ?", row["quantity"], row["product"])
        visit.database.write("DELETE FROM cart")
        return Redirect("/orders")

    @get("/orders")
    def orders(self, visit: Visit) -> View:
        """List the orders."""
        rows = visit.database.rows(
            "SELECT orders.id, name, quantity, delivery FROM orders JOIN products ON products.id = product ORDER BY 1"
        )
        columns = ("No.", visit.say("name"), visit.say("quantity"), visit.say("delivery"))
        return View("Orders", (Records(columns, [Record(tuple(row.values())) for row in rows]),))

    # -- worlds and errands -----------------------------------------------------------------------------------

    def world(self, rng: np.random.Generator, level: int) -> Rows:
        """Return products; from level 2 on several pages of near-duplicates, and something in the cart."""
        if level == 1:
            names = short_words(rng, 3)
            return {"products": [(i, name, "", 1, 9, "") for i, name in enumerate(names, 1)]}
        goods = draw(rng, _GOODS, 3)
        names = [f"{adjective} {thing}" for thing in goods for adjective in draw(rng, ADJECTIVES, 4)]
        prices = numbers(rng, len(names), 10, 400)
        products = [
            (number, name, name.split()[-1], price, int(rng.integers(0, 9)), chatter(rng, level))
            for number, name, price in zip(numbers(rng, len(names)), draw(rng, names, len(names)), prices, strict=True)
        ]
        return {"products": products}

    def errand(self, kind: str, rng: np.random.Generator, rows: Rows, theme: Theme) -> Errand | None:
        """Return an errand about one product."""
        product = pick(rng, rows["products"])
        if kind == "cheapest":
            thing = str(product[2])
            stocked = [row for row in rows["products"] if row[2] == thing and row[4]]
            if not stocked:
                return None
            product = min(stocked, key=lambda row: int(row[3] or 0))
        number, name, _, price, stock, _ = product
        say, lost = theme.say, lose_product(product)
        if kind == "cart":
            step = Step("click", say("buy"), near=str(name))
            return Errand(kind, f"buy {name}", (step,), put(number, 1), prevented=lost)
        if kind == "price":
            wish = f"What is the price of the {name}? Answer with the number."
            look = find_product(theme, product)
            return Errand(kind, wish, look, answer=str(price), subject=str(number), prevented=lost)
        if not isinstance(stock, int) or stock < 1:
            return None
        quantity = 1 + int(rng.integers(min(stock, 4)))
        fill = put_steps(theme, product, quantity)
        if kind == "empty":
            wish = f"Put {quantity} of the {name} in the cart, but do not order."
            return Errand(kind, wish, fill, put(number, quantity), subject="cart", prevented=lost)
        delivery, gift = pick(rng, _DELIVERY), int(rng.integers(2))
        what = f"the cheapest {product[2]} that is in stock" if kind == "cheapest" else f"the {name}"
        wish = f"Order {quantity} of {what}, delivery {delivery}, {'with' if gift else 'without'} gift wrap."
        pay = [Step("click", say("checkout")), Step("choose", say("delivery"), delivery)]
        if gift:
            pay.append(Step("tick", say("gift")))
        writes = (
            ("INSERT INTO orders VALUES (NULL, ?, ?, ?, ?)", (number, quantity, delivery, gift)),
            ("UPDATE products SET stock = stock - ? WHERE id = ?", (quantity, number)),
        )
        scarce: Writes = (("UPDATE products SET stock = ? WHERE id = ?", (quantity - 1, number)),)
        if kind == "cheapest":  # without it another one is the cheapest
            scarce = ()
        steps = (*fill, *pay, Step("click", say("order")))
        return Errand(kind, wish, steps, writes, subject="cart", prevented=scarce)


def find_product(theme: Theme, product: Row) -> tuple[Step, ...]:
    """Return how a person opens a product, from the start page."""
    name = str(product[1])
    return Step("type", theme.say("query"), name), Step("click", theme.say("search")), Step("click", name)


def put_steps(theme: Theme, product: Row, quantity: int) -> tuple[Step, ...]:
    """Return how a person puts a product in the cart, from the start page."""
    return (
        *find_product(theme, product),
        Step("type", theme.say("quantity"), str(quantity)),
        Step("click", theme.say("buy")),
    )


def put(product: Value, quantity: int) -> Writes:
    """Return what putting a product in an empty cart comes to."""
    return (("INSERT INTO cart VALUES (?, ?)", (product, quantity)),)


def lose_product(product: Row) -> Writes:
    """Return what takes a product off the shelves."""
    return (("DELETE FROM products WHERE id = ?", (product[0],)),)


def _buy(visit: Visit, number: int, *fields: Field) -> Form:
    return Form("/cart", visit.say("buy"), fields, hidden={"product": number})


def _product(visit: Visit, number: int) -> dict[str, Any]:
    return visit.database.row("there is no such product", "SELECT * FROM products WHERE id = ?", number)


def _cart(visit: Visit) -> list[dict[str, Any]]:
    return visit.database.rows(
        "SELECT product, name, quantity, price FROM cart JOIN products ON products.id = product ORDER BY product"
    )
