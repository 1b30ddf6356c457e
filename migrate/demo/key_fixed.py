"""What must become of the small tables and of the catalogue files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from migrate.demo import catalogue
from migrate.demo.fixed_tables import counter_name, officer_mail
from migrate.demo.key_rows import cut_at_word, filled, flag, key_rows, link

_ROLES = (
    "initiator",
    "mede_initiator",
    "behandelaar",
    "belanghebbende",
    "adviseur",
    "beslisser",
    "zaakcoordinator",
    "klantcontacter",
)
_LEVEL = {"": "zaakvertrouwelijk", "n.v.t.": "zaakvertrouwelijk"}
_NAME_LENGTH = 80


def fixed_keys(codes: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield mapping and answer key of the small tables.

    Args:
        codes: the folder ``codes`` of the workspace, whose ``seed`` holds the catalogue files.
    """
    yield from _seed(codes / "seed")
    yield "balie.actor", _counter_employees()
    yield "zaak.unit", _units()
    yield "zaak.actor", _officers()
    yield "zaak.case_type", _case_types()
    yield "zaak.status_type", _status_types()


def _seed(folder: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    def read(name: str) -> pl.DataFrame:
        return pl.read_csv(folder / f"{name}.csv", infer_schema=False).with_columns(pl.all().fill_null(""))

    code = pl.col("code")
    active = flag(pl.col("active") == "J")
    yield "seed.channel", key_rows(read("channel"), code, {"code": code, "name": pl.col("name"), "is_active": active})
    yield (
        "seed.actor",
        key_rows(
            read("actor"),
            code,
            {"actor_type": pl.col("type"), "name": pl.col("name"), "employee_code": code, "is_active": active},
        ),
    )
    of_type = link("zaak.case_type", pl.col("ztcode"), pl.col("versie"))
    results = read("result_type")
    yield (
        "seed.result_type",
        key_rows(
            results,
            pl.concat_str(["ztcode", "versie", "code"], separator="|"),
            {
                "case_type_id": of_type,
                "description": pl.col("description"),
                "generic_description": pl.col("generic"),
                "archive_nomination": pl.col("nomination"),
                "archive_period": filled(pl.col("period")),
                "archive_derivation": pl.lit("afgehandeld"),
            },
        ),
    )
    roles = read("role_type").unpivot(_ROLES, index=["ztcode", "versie"], variable_name="role", value_name="name")
    yield (
        "seed.role_type",
        key_rows(
            roles,
            pl.concat_str(["ztcode", "versie", "role"], separator="|"),
            {"case_type_id": of_type, "description": pl.col("name"), "generic_description": pl.col("role")},
            outside=[(pl.col("name") == "", "empty-slot")],
        ),
    )


def _counter_employees() -> pl.DataFrame:
    rows = [
        (e.code, counter_name(n), "0" if e.code in catalogue.LEFT_COUNTER else "1")
        for n, e in enumerate(catalogue.COUNTER_EMPLOYEES)
    ]
    frame = pl.DataFrame(
        [*rows, (catalogue.TEST_USER, "Testgebruiker", "1")], schema=["code", "name", "active"], orient="row"
    )
    code = pl.col("code")
    return key_rows(
        frame,
        code,
        {
            "actor_type": pl.lit("medewerker"),
            "name": pl.col("name"),
            "employee_code": code,
            "is_active": pl.col("active"),
        },
        outside=[(code == catalogue.TEST_USER, "De testgebruiker is geen medewerker (B29)")],
    )


def _units() -> pl.DataFrame:
    frame = pl.DataFrame(
        [(code, name, flagged(not closed)) for code, name, _, closed in catalogue.DEPARTMENTS],
        schema=["code", "name", "active"],
        orient="row",
    )
    code = pl.col("code")
    return key_rows(
        frame,
        code,
        {
            "actor_type": pl.lit("organisatorische_eenheid"),
            "name": pl.col("name"),
            "employee_code": code,
            "is_active": pl.col("active"),
        },
    )


def flagged(value: bool) -> str:
    """Write a truth as ``0`` or ``1``."""
    return "1" if value else "0"


def _officers() -> pl.DataFrame:
    rows = [
        (medid, f"{initials} {surname}", (officer_mail(medid) or "").lower(), unit, flagged(not left))
        for medid, surname, initials, unit, left in catalogue.OFFICERS
    ]
    frame = pl.DataFrame(rows, schema=["code", "name", "email", "unit", "active"], orient="row")
    return key_rows(
        frame,
        pl.col("code"),
        {
            "actor_type": pl.lit("medewerker"),
            "name": pl.col("name"),
            "employee_code": pl.col("code"),
            "email": filled(pl.col("email")),
            "unit_id": link("zaak.unit", pl.col("unit")),
            "is_active": pl.col("active"),
        },
    )


def _case_types() -> pl.DataFrame:
    rows = [
        (
            t.code,
            t.version,
            t.name,
            _LEVEL.get(t.confidentiality, t.confidentiality.lower().replace(" ", "_")),
            _period(t.period),
            _day(t.valid_from),
            None if t.valid_to == "99991231" else _day(t.valid_to),
        )
        for t in catalogue.CASE_TYPES
    ]
    frame = pl.DataFrame(rows, schema=["code", "version", "name", "level", "period", "from", "to"], orient="row")
    return key_rows(
        frame,
        pl.concat_str(["code", pl.col("version").cast(pl.String)], separator="|"),
        {
            "code": pl.col("code"),
            "description": cut_at_word(pl.col("name"), _NAME_LENGTH),
            "confidentiality": pl.col("level"),
            "internal_external": pl.lit("extern"),
            "processing_period": pl.col("period"),
            "extension_possible": pl.lit("1"),
            "suspension_possible": pl.lit("1"),
            "valid_from": pl.col("from"),
            "valid_to": pl.col("to"),
        },
        warnings=[(pl.col("name").str.len_chars() > _NAME_LENGTH, "description truncated")],
    )


def _period(text: str) -> str:
    if text.startswith("P"):
        return text
    number = "".join(c for c in text if c.isdigit())
    return f"P{number}{'D' if text.endswith('d') else 'W'}"


def _day(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def _status_types() -> pl.DataFrame:
    rows = [
        (t.code, t.version, n, name, flagged(n == len(t.phases)))
        for t in catalogue.CASE_TYPES
        for n, name in enumerate(t.phases, start=1)
    ]
    frame = pl.DataFrame(rows, schema=["code", "version", "phase", "name", "final"], orient="row")
    parts = [pl.col(name).cast(pl.String) for name in ("code", "version", "phase")]
    return key_rows(
        frame,
        pl.concat_str(parts, separator="|"),
        {
            "case_type_id": link("zaak.case_type", pl.col("code"), pl.col("version")),
            "sequence": pl.col("phase"),
            "description": pl.col("name"),
            "is_final": pl.col("final"),
            "inform_customer": pl.lit("0"),
        },
    )
