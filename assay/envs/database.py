"""An in-memory SQLite database that lives for one episode, and what changed in it.

Invariants: the first column of every table is its key. The database itself logs every row that is written
(triggers), so a change that is made and undone leaves a trace. What an agent can put into an argument never raises
anything but `ToolError`: a fault would spare it the verdict.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from assay.core.errors import ToolError

Value = int | str | None
Rows = Mapping[str, Sequence[Sequence[Value]]]
"""The rows of every table, in the order of its columns."""

_TABLE = re.compile(r"CREATE TABLE (\w+) \((\w+)")


class Database:
    """The tables of one episode."""

    def __init__(self, schema: str, rows: Rows) -> None:
        # The runner may step an environment from several threads, one after another.
        self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._connection.deserialize(_empty(schema))
        self._connection.execute("BEGIN")
        for table, content in rows.items():
            if content:
                places = ",".join("?" * len(content[0]))
                self._connection.executemany(f"INSERT INTO {table} VALUES ({places})", content)
        self._connection.execute("DELETE FROM _writes")
        self._connection.execute("COMMIT")
        self._before = {table: self._content(table) for table, _ in _TABLE.findall(schema)}

    def rows(self, sql: str, *values: Value) -> list[dict[str, Any]]:
        """Return what a query finds."""
        cursor = self._execute(sql, values)
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def row(self, missing: str, sql: str, *values: Value) -> dict[str, Any]:
        """Return the first row that a query finds; without one the agent is told what is `missing`."""
        cursor = self._execute(sql, values)
        found = cursor.fetchone()
        if found is None:
            raise ToolError(missing)
        return dict(zip([column[0] for column in cursor.description], found, strict=True))

    def write(self, sql: str, *values: Value) -> None:
        """Change something."""
        self._execute(sql, values)

    def changes(self) -> list[str]:
        """Return how the content differs from the first one, sorted: `orders/17.status: "pending" -> "cancelled"`."""
        found = []
        for table, before in self._before.items():
            after = self._content(table)
            if after == before:
                continue
            cursor = self._connection.execute(f"SELECT * FROM {table} LIMIT 0")
            columns = [column[0] for column in cursor.description]
            for key in before.keys() | after.keys():
                name, old, new = f"{table}/{key}", before.get(key), after.get(key)
                if old is None or new is None:
                    row = dict(zip(columns, new or old or (), strict=True))
                    found.append(f"{'+' if old is None else '-'} {name}: {json.dumps(row)}")
                elif old != new:
                    found += [
                        f"{name}.{column}: {json.dumps(was)} -> {json.dumps(now)}"
                        for column, was, now in zip(columns, old, new, strict=True)
                        if was != now
                    ]
        return sorted(found)

    def content(self) -> dict[str, list[tuple[Value, ...]]]:
        """Return the rows of every table as they are now."""
        return {table: list(self._content(table).values()) for table in self._before}

    def touched(self) -> list[str]:
        """Return the rows that were ever written, such as `orders/17`, sorted."""
        return sorted(
            {f"{row[0]}/{row[1]}" for row in self._connection.execute("SELECT DISTINCT name, key FROM _writes")}
        )

    def close(self) -> None:
        """Drop everything. Idempotent."""
        self._connection.close()

    def _execute(self, sql: str, values: Sequence[Value]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except (OverflowError, UnicodeEncodeError):
            raise ToolError("an argument is out of range, or not valid text") from None

    def _content(self, table: str) -> dict[Value, tuple[Value, ...]]:
        return {row[0]: row for row in self._connection.execute(f"SELECT * FROM {table}")}


@lru_cache(maxsize=32)
def _empty(schema: str) -> bytes:
    """Return the image of an empty database that logs its writes: setting up triggers for each episode is slow."""
    script = [schema, "CREATE TABLE _writes (name TEXT, key TEXT);"]
    for table, key in _TABLE.findall(schema):
        for event, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")):
            script.append(
                f"CREATE TRIGGER {event}_{table} AFTER {event} ON {table} "
                f"BEGIN INSERT INTO _writes VALUES ('{table}', {row}.{key}); END;"
            )
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript("\n".join(script))
        return bytes(connection.serialize())
    finally:
        connection.close()
