"""The small tables of both old systems as frames, in the columns of their schema."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from migrate.demo import catalogue


def _frame(columns: Sequence[str], rows: Sequence[tuple[str | int | None, ...]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=list(columns), orient="row")


def counter_tables() -> dict[str, pl.DataFrame]:
    """Return the small tables of BALIE."""
    desks = [(location[0], desk, f"Balie {desk}") for location in catalogue.LOCATIONS for desk in catalogue.DESKS]
    products = [(p.code, p.name, p.minutes, p.fee, p.case_type, "20080101", "99991231") for p in catalogue.PRODUCTS]
    employees: list[tuple[str, str, str, str]] = [
        (e.code, counter_name(n), "Publiekszaken", "J" if e.code in catalogue.LEFT_COUNTER else ("N", " ")[n % 2])
        for n, e in enumerate(catalogue.COUNTER_EMPLOYEES)
    ]
    employees.append((catalogue.TEST_USER, "Testgebruiker", "Beheer", "N"))
    return {
        "BLS_LOCATIE": _frame(("LOCCODE", "LOCNAAM", "ADRES", "IND_ACTIEF"), catalogue.LOCATIONS),
        "BLS_BALIE": _frame(("LOCCODE", "BALIENR", "OMSCHR"), desks),
        "BLS_PRODUCT": _frame(("PRODCODE", "PRODOMS", "NORMTIJD", "LEGES", "ZAAKTYPECD", "DATVAN", "DATTOT"), products),
        "BLS_WACHTRIJ": _frame(
            ("RIJCODE", "LOCCODE", "OMSCHR"), [(letter, None, name) for letter, name in catalogue.QUEUES]
        ),
        "BLS_MEDEW": _frame(("MEDCODE", "NAAM", "AFD", "IND_UIT"), employees),
        "BLS_CODE": _frame(("SOORT", "CODE", "OMSCHR"), catalogue.COUNTER_CODES),
    }


def counter_name(n: int) -> str:
    """Return the name of the n-th counter employee as BLS_MEDEW has it: some inverted, some plain, some a nickname."""
    employee = catalogue.COUNTER_EMPLOYEES[n]
    return (employee.inverted, employee.plain, employee.nickname)[n % 3]


def case_tables() -> dict[str, pl.DataFrame]:
    """Return the small tables of ZAAK."""
    types = [
        (t.code, t.version, t.name, t.period, t.period_kind, t.confidentiality, t.retention, t.valid_from, t.valid_to)
        for t in catalogue.CASE_TYPES
    ]
    phases = [
        (t.code, t.version, n, name, "J" if n == len(t.phases) else "N")
        for t in catalogue.CASE_TYPES
        for n, name in enumerate(t.phases, start=1)
    ]
    units = [
        (code, name, old, closed or ("00000000" if n % 2 else ""))
        for n, (code, name, old, closed) in enumerate(catalogue.DEPARTMENTS)
    ]
    officers = [
        (medid, surname, initials, unit, officer_mail(medid), left or ("00000000" if n % 2 else None))
        for n, (medid, surname, initials, unit, left) in enumerate(catalogue.OFFICERS)
    ]
    return {
        "ZKN_AFDELING": _frame(("AFDCODE", "AFDNAAM", "OUD_AFDCODE", "DATOPGEH"), units),
        "ZKN_MEDEW": _frame(("MEDID", "ACHTERNAAM", "VOORL", "AFDCODE", "EMAIL", "DATUIT"), officers),
        "ZKN_ZAAKTYPE": _frame(
            ("ZTCODE", "VERSIE", "ZTOMS", "DOORLOOP", "TERMSOORT", "VERTROUW", "BEWAARJR", "DATVAN", "DATTOT"), types
        ),
        "ZKN_STATUSTYPE": _frame(("ZTCODE", "VERSIE", "FASENR", "STATOMS", "IND_EIND"), phases),
        "ZKN_CODE": _frame(("SOORT", "CODE", "OMS", "VERVALLEN"), catalogue.CASE_CODES),
    }


def officer_mail(medid: str) -> str | None:
    """Return an officer's e-mail address as typed, NULL for those who never had one."""
    return None if medid in ("PRINSU", "VOSK") else f"{medid.capitalize()}@Tilburg.example"
