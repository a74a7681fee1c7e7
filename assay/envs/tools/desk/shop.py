"""A shop: orders to cancel, return or change, addresses to correct, and totals to tell."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from assay.core.errors import ToolError
from assay.core.tool import ToolCall
from assay.envs.database import Rows
from assay.envs.tools.desk.domain import NAMES, Desk, Errand, Id, call, draw, email_of

RETURN_DAYS = 30
_COLOURS = ["red", "blue", "green", "black", "white", "grey"]
_GOODS = ["lamp", "chair", "kettle", "clock", "mug", "bag", "rug", "vase", "tent", "drum"]
Reason = Literal["not_yours", "shipped", "closed", "not_delivered", "too_late", "out_of_stock"]


class Shop(Desk):
    """Customers, products and orders."""

    name = "shop"
    schema = """
        CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
        CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, price INTEGER, stock INTEGER);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, product INTEGER, quantity INTEGER,
                             status TEXT, days_since_delivery INTEGER);
        CREATE TABLE refusals (order_id INTEGER PRIMARY KEY, reason TEXT);
    """
    policy = (
        "You serve one customer at the service desk of a shop, who says their email address. Rules:\n"
        "- Serve only the customer's own orders; refuse others with reason not_yours. Do not look up other customers.\n"
        "- Only pending orders can be cancelled or changed. Refuse with shipped when the order is shipped or "
        "delivered, with closed when it is cancelled or returned.\n"
        f"- Only orders delivered at most {RETURN_DAYS} days ago can be returned. Refuse with not_delivered when the "
        "order is pending or shipped, with closed when it is cancelled or returned, else with too_late.\n"
        "- A quantity can be raised only as far as the stock goes; else refuse with out_of_stock.\n"
        "- Record every refusal with the tool refuse. Change nothing that was not asked for.\n"
        "- When the customer wants to know a figure, write that figure and no other number.\n"
        "A turn without a tool call is a message to the customer. When all is done, say so in a message."
    )
    tool_names = (
        "find_customer",
        "list_orders",
        "get_order",
        "get_product",
        "cancel_order",
        "return_order",
        "change_quantity",
        "change_email",
        "refuse",
    )
    reasons = ("not_yours", "shipped", "closed", "not_delivered", "too_late", "out_of_stock")

    # -- tools ------------------------------------------------------------------------------------------------

    def find_customer(self, email: str) -> dict[str, Any]:
        """Find a customer by email address."""
        found = self.database.row(f"no customer {email!r}", "SELECT * FROM customers WHERE email = ?", email)
        self.see(found["id"])
        return found

    def list_orders(self, customer: Id) -> list[dict[str, Any]]:
        """List the orders of a customer."""
        self.see(customer)
        return self.database.rows(
            "SELECT orders.id, products.name AS product FROM orders JOIN products ON products.id = product "
            "WHERE customer = ? ORDER BY orders.id",
            customer,
        )

    def get_order(self, order: Id) -> dict[str, Any]:
        """Show an order."""
        return self.database.row(
            f"no order {order}",
            "SELECT orders.id, email, product, quantity, status, days_since_delivery "
            "FROM orders JOIN customers ON customers.id = customer WHERE orders.id = ?",
            order,
        )

    def get_product(self, product: Id) -> dict[str, Any]:
        """Show a product: its price and stock."""
        return self.database.row(f"no product {product}", "SELECT * FROM products WHERE id = ?", product)

    def cancel_order(self, order: Id) -> str:
        """Cancel an order and take its goods back into stock."""
        return self._close(order, "cancelled")

    def return_order(self, order: Id) -> str:
        """Take an order back and its goods into stock."""
        return self._close(order, "returned")

    def change_quantity(self, order: Id, quantity: Annotated[int, Field(ge=1, le=1000)]) -> str:
        """Change the quantity of an order; the stock changes with it."""
        row = self.get_order(order)
        more = quantity - row["quantity"]
        if more > self.get_product(row["product"])["stock"]:
            raise ToolError("there is not enough in stock")
        self.database.write("UPDATE orders SET quantity = ? WHERE id = ?", quantity, order)
        self.database.write("UPDATE products SET stock = stock - ? WHERE id = ?", more, row["product"])
        return "changed"

    def change_email(self, customer: Id, email: Annotated[str, Field(max_length=100)]) -> str:
        """Change a customer's email address."""
        self.database.row(f"no customer {customer}", "SELECT id FROM customers WHERE id = ?", customer)
        self.database.write("UPDATE customers SET email = ? WHERE id = ?", email, customer)
        return "changed"

    def refuse(self, order: Id, reason: Reason) -> str:
        """Record that a request about an order is refused, and why."""
        self.get_order(order)
        self.database.write("INSERT OR REPLACE INTO refusals VALUES (?, ?)", order, reason)
        return "refused"

    def _close(self, order: int, status: str) -> str:
        row = self.get_order(order)
        self.database.write("UPDATE orders SET status = ? WHERE id = ?", status, order)
        self.database.write("UPDATE products SET stock = stock + ? WHERE id = ?", row["quantity"], row["product"])
        return status

    # -- worlds and errands -----------------------------------------------------------------------------------

    def world(self, rng: np.random.Generator) -> Rows:
        """Return three customers with a few orders each; nobody orders the same product twice."""
        names = draw(rng, NAMES, 3)
        customers = [(i, name, email_of(name, rng)) for i, name in enumerate(names, 1)]
        goods = [
            f"{colour} {thing}" for colour, thing in zip(draw(rng, _COLOURS, 6), draw(rng, _GOODS, 6), strict=True)
        ]
        products = [(i, name, int(rng.integers(3, 60)), int(rng.integers(0, 9))) for i, name in enumerate(goods, 1)]
        numbers = iter((100 + rng.permutation(900)[:12]).tolist())
        orders = []
        for customer, _, _ in customers:
            for product in draw(rng, range(1, len(products) + 1), 4):
                status = ("pending", "pending", "shipped", "delivered", "delivered", "cancelled")[int(rng.integers(6))]
                days = int(rng.integers(1, 2 * RETURN_DAYS + 1)) if status == "delivered" else None
                orders.append((next(numbers), customer, product, int(rng.integers(1, 5)), status, days))
        return {"customers": customers, "products": products, "orders": orders, "refusals": []}

    def people(self, rows: Rows) -> list[tuple[int, str]]:
        """Return the customers."""
        return [(row[0], row[2]) for row in rows["customers"]]  # type: ignore[misc]

    def errands(self, rng: np.random.Generator, rows: Rows, caller: int, email: str, level: int) -> list[Errand]:
        """Return errands about every order; from level 2 on also quantities, addresses and totals."""
        products = {row[0]: row for row in rows["products"]}
        kinds = ("cancel", "return") if level == 1 else ("cancel", "return", "quantity", "total")
        found = []
        for order in draw(rng, rows["orders"], len(rows["orders"])):
            mine = order[1] == caller
            kind = kinds[int(rng.integers(len(kinds)))]
            if mine or kind in ("cancel", "return"):
                found.append(_errand(kind, order, products[order[2]], caller, email, rng, vague=level > 1 and mine))
        if level > 1:
            new = email_of(draw(rng, NAMES, 1)[0], rng)
            change = call("change_email", customer=caller, email=new)
            wish = f"My email address is now {new}, please change it."
            lookup = (call("find_customer", email=email),)
            found.append(Errand("email", wish, wish, lookup, (), change, change, subject="email"))
        return found

    def refusal(self, call: ToolCall, reason: str) -> ToolCall:
        """Return the refusal of a call about an order."""
        return ToolCall("refuse", {"order": call.arguments.get("order", 0), "reason": reason})


def _errand(
    kind: str, order: Any, product: Any, caller: int, email: str, rng: np.random.Generator, *, vague: bool
) -> Errand:
    number, owner, _, quantity, status, days = order
    name = product[1]
    checks = [call("get_order", order=number)]
    attempt: ToolCall | None = None
    figure = None
    reason = "" if owner == caller else "not_yours"
    if kind == "cancel":
        wish, attempt = "Please cancel {}.", call("cancel_order", order=number)
        reason = reason or _not_pending(status)
    elif kind == "return":
        wish, attempt = "I want to return {}.", call("return_order", order=number)
        reason = reason or _not_returnable(status, days)
    elif kind == "quantity":
        wanted = quantity + int(rng.integers(1, 6))
        wish, attempt = (
            f"Please make it {wanted} pieces in {{}}.",
            call("change_quantity", order=number, quantity=wanted),
        )
        checks.append(call("get_product", product=product[0]))
        reason = _not_pending(status) or ("out_of_stock" if wanted - quantity > product[3] else "")
    else:
        wish, figure = "What is the total price of {}?", quantity * product[2]
        checks.append(call("get_product", product=product[0]))
    right = call("refuse", order=number, reason=reason) if reason else attempt
    named = wish.format(f"my order of the {name}" if vague else f"order {number}")
    lookup = (call("find_customer", email=email), call("list_orders", customer=caller)) if vague else ()
    return Errand(
        kind, wish.format(f"order {number}"), named, lookup, tuple(checks), attempt, right, figure, subject=name
    )


def _not_pending(status: str) -> str:
    if status in ("shipped", "delivered"):
        return "shipped"
    return "" if status == "pending" else "closed"


def _not_returnable(status: str, days: int | None) -> str:
    if status in ("pending", "shipped"):
        return "not_delivered"
    if days is None:
        return "closed"
    return "too_late" if days > RETURN_DAYS else ""
