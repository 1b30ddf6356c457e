"""Column types whose stored form is fixed, on SQLite and on PostgreSQL alike.

| kind | PostgreSQL | SQLite |
|---|---|---|
| uuid | uuid | VARCHAR(36), text in lower case |
| date | date | TEXT ``YYYY-MM-DD`` |
| instant | timestamptz | TEXT ``YYYY-MM-DD HH:MM:SS.ffffff`` in UTC |
| boolean | boolean | INTEGER 0 or 1 |
| decimal | numeric(p, s) | TEXT, exact at scale |
| json | jsonb | TEXT |

SQLite columns that hold dates and decimals are declared TEXT: the affinity of DATE and NUMERIC would rewrite them.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_INSTANT = "%Y-%m-%d %H:%M:%S.%f"


def _is_postgresql(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"


class Uuid(TypeDecorator[str]):
    """A UUID, text of 36 characters in Python."""

    impl = sa.String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the stored type for a dialect."""
        if _is_postgresql(dialect):
            return dialect.type_descriptor(postgresql.UUID(as_uuid=False))
        return dialect.type_descriptor(sa.String(36))


class Day(TypeDecorator[date]):
    """A calendar date; binds `date` or its ISO text."""

    impl = sa.Text()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the stored type for a dialect."""
        return dialect.type_descriptor(sa.Date() if _is_postgresql(dialect) else sa.Text())

    def process_bind_param(self, value: date | str | None, dialect: Dialect) -> date | str | None:
        """Turn a date or its ISO text into what the dialect stores."""
        if value is None:
            return None
        day = date.fromisoformat(value) if isinstance(value, str) else value
        return day if _is_postgresql(dialect) else day.isoformat()

    def process_result_value(self, value: date | str | None, dialect: Dialect) -> date | None:
        """Return a `date`, or None."""
        return date.fromisoformat(value) if isinstance(value, str) else value


class Instant(TypeDecorator[datetime]):
    """A moment; binds an aware `datetime` or its canonical UTC text, returns an aware `datetime` in UTC."""

    impl = sa.Text()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the stored type for a dialect."""
        return dialect.type_descriptor(sa.DateTime(timezone=True) if _is_postgresql(dialect) else sa.Text())

    def process_bind_param(self, value: datetime | str | None, dialect: Dialect) -> datetime | str | None:
        """Turn a moment into what the dialect stores; raises ValueError for a `datetime` without zone."""
        if value is None:
            return None
        moment = datetime.strptime(value, _INSTANT).replace(tzinfo=UTC) if isinstance(value, str) else value
        if moment.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        moment = moment.astimezone(UTC)
        return moment if _is_postgresql(dialect) else moment.strftime(_INSTANT)

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        """Return an aware `datetime` in UTC, or None."""
        if isinstance(value, str):
            return datetime.strptime(value, _INSTANT).replace(tzinfo=UTC)
        return value if value is None else value.astimezone(UTC)


class Flag(TypeDecorator[bool]):
    """Yes or no."""

    impl = sa.Boolean(create_constraint=False)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the stored type for a dialect."""
        return dialect.type_descriptor(sa.Boolean() if _is_postgresql(dialect) else sa.Integer())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> bool | int | None:
        """Turn a boolean into what the dialect stores."""
        return value if value is None or _is_postgresql(dialect) else int(value)

    def process_result_value(self, value: bool | int | None, dialect: Dialect) -> bool | None:
        """Return a boolean, or None."""
        return None if value is None else bool(value)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal number that keeps every digit.

    Args:
        precision: digits in all.
        scale: digits behind the point; values are stored with exactly so many.
    """

    impl = sa.Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale)
        self.precision = precision
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the stored type for a dialect."""
        numeric = sa.Numeric(self.precision, self.scale)
        return dialect.type_descriptor(numeric if _is_postgresql(dialect) else sa.Text())

    def process_bind_param(self, value: Decimal | str | int | None, dialect: Dialect) -> Decimal | str | None:
        """Turn a number or its text into what the dialect stores; raises ValueError when digits would get lost."""
        if value is None:
            return None
        exact = Decimal(value)
        stored = exact.quantize(Decimal(1).scaleb(-self.scale))
        if stored != exact:
            raise ValueError(f"more than {self.scale} digits behind the point")
        return stored if _is_postgresql(dialect) else f"{stored:f}"

    def process_result_value(self, value: Decimal | str | None, dialect: Dialect) -> Decimal | None:
        """Return a `Decimal`, or None."""
        return None if value is None else Decimal(value)


class JsonValue(TypeDecorator[Any]):
    """A JSON value; binds Python values, or text that is JSON already.  None is the SQL NULL, never JSON null."""

    impl = sa.Text()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the stored type for a dialect."""
        if _is_postgresql(dialect):
            return dialect.type_descriptor(postgresql.JSONB(none_as_null=True))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Turn a value, or its JSON text, into what the dialect stores."""
        if value is None:
            return None
        if _is_postgresql(dialect):
            return json.loads(value) if isinstance(value, str) else value
        if isinstance(value, str):
            return value
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the Python value, or None."""
        return json.loads(value) if isinstance(value, str) and not _is_postgresql(dialect) else value
