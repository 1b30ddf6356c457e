"""How people, companies and callers are known and reached: what must become of numbers, telephones and e-mails.

A telephone number or an e-mail address of a person known to two systems is one record, and so is a citizen number: it
belongs to the party that holds it, also where a row of somebody else has it by mistake (Z21).
"""

from __future__ import annotations

import polars as pl

from migrate.demo.key_rows import filled, flag, key_rows, link

CASE_PERSON, CUSTOMER = "zaak.person", "balie.party"
NUMBERS = {CASE_PERSON: "zaak.person_identifier", CUSTOMER: "balie.party_identifier"}
ADDRESSES = {CASE_PERSON: "zaak.person_digital", CUSTOMER: "balie.party_digital"}
_SLOTS = ("telefoon", "mobiel", "email")
_EMPTY = "empty-slot"
_NO_ADDRESS = "een verzonnen of onleesbaar adres is geen adres (B17)"
_CUT = "een e-mailadres van 32 tekens is afgekapt (Z30) rule-failed"
_NO_NUMBER = "Geen burgerservicenummer bekend"
_WRONG_NUMBER = "wat geen burgerservicenummer kan zijn, blijft achter (B02)"


def reached_person() -> list[pl.Expr]:
    """Return of rows of `parties.case_persons` what `digital_keys` and `number_keys` need."""
    return [
        pl.col("TEL1").alias("d_telefoon"),
        pl.col("TEL2").alias("d_mobiel"),
        pl.col("EMAIL").alias("d_email"),
        pl.col("TEL1").alias("v_telefoon"),
        pl.col("TEL2").alias("v_mobiel"),
        pl.when(~pl.col("_Z30")).then(pl.col("EMAIL")).alias("v_email"),
        pl.lit(None, dtype=pl.String).alias("beside"),
        pl.col("_Z30").alias("cut"),
        filled(pl.col("BSN")).alias("number"),
        filled(pl.col("BSN")).alias("d_number"),
    ]


def reached_customer() -> list[pl.Expr]:
    """Return of rows of `parties.customers` what `digital_keys` and `number_keys` need."""
    written = filled(pl.col("SOFINR"))
    return [
        pl.col("TELNR").alias("d_telefoon"),
        pl.col("MOBIEL").alias("d_mobiel"),
        pl.col("EMAIL").alias("d_email"),
        pl.when(~pl.col("dummy_phone")).then(pl.col("p_phone")).alias("v_telefoon"),
        pl.col("MOBIEL").alias("v_mobiel"),
        pl.when(~pl.col("dummy_mail")).then(pl.col("p_mail")).alias("v_email"),
        # Behind the eleven signs of 013-1234567 stands when to call, or whom (B18).
        pl.when(pl.col("_B18")).then(pl.col("TELNR").str.slice(11).str.strip_chars()).alias("beside"),
        pl.lit(False).alias("cut"),
        pl.when(written.is_not_null() & ~pl.col("_B02").fill_null(False)).then(pl.col("p_bsn")).alias("number"),
        written.alias("d_number"),
    ]


def digital_keys(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the answer keys of the digital addresses of merged people, with ``mapping``, ``t`` and ``record``.

    Args:
        rows: of both systems, with ``mapping``, ``key``, ``rank``, ``t``, ``record`` (the party) and what
            `reached_person` and `reached_customer` give.
    """
    slots = pl.concat(
        [
            rows.select(
                "mapping",
                "rank",
                "t",
                pl.col("record").alias("party"),
                pl.concat_str(pl.col("key"), pl.lit(f"|{slot}")).alias("key"),
                pl.lit("email" if slot == "email" else "telefoonnummer").alias("kind"),
                filled(pl.col(f"d_{slot}")).alias("written"),
                pl.col(f"v_{slot}").alias("value"),
                (pl.col("beside") if slot == "telefoon" else pl.lit(None, dtype=pl.String)).alias("beside"),
                (pl.col("cut") if slot == "email" else pl.lit(False)).alias("cut"),
            )
            for slot in _SLOTS
        ]
    )
    good = pl.when(pl.col("written").is_not_null()).then(pl.col("value"))
    slots = slots.with_columns(good.alias("value")).sort("rank", "mapping", "key")
    same = ["party", "kind", "value"]
    of_slot = pl.col("mapping").replace_strict(ADDRESSES, return_dtype=pl.String) + ":" + pl.col("key")
    slots = slots.with_columns(
        pl.when(pl.col("value").is_not_null()).then(of_slot.first().over(same)).otherwise(of_slot).alias("record"),
        pl.col("beside").drop_nulls().first().over(same).alias("beside"),
    )
    made = key_rows(
        slots,
        pl.col("key"),
        {
            "party_id": pl.col("party"),
            "address_type": pl.col("kind"),
            "value": pl.col("value"),
            "description": pl.col("beside"),
            "is_default": flag(False),
        },
        errors=[(pl.col("cut"), _CUT)],
        outside=[
            (pl.col("written").is_null(), _EMPTY),
            (pl.col("value").is_null() & ~pl.col("cut"), _NO_ADDRESS),
        ],
    )
    return made.hstack(slots.select("record", "mapping", "t"))


def number_keys(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the answer keys of the citizen numbers of merged people, with ``mapping``, ``t`` and ``record``.

    Args:
        rows: as for `digital_keys`, with ``by_number`` and ``disputed``.
    """
    holds = pl.col("by_number") & ~pl.col("disputed") & pl.col("number").is_not_null()
    holder = pl.when(holds).then(pl.col("record")).drop_nulls().first().over("number")
    rows = rows.sort("rank", "mapping", "key").with_columns(
        holder.alias("party"),
        (pl.col("mapping").replace_strict(NUMBERS, return_dtype=pl.String) + ":" + pl.col("key")).alias("own"),
    )
    rows = rows.with_columns(
        pl.when(pl.col("number").is_not_null()).then(pl.col("own").first().over("number")).alias("record")
    )
    made = key_rows(
        rows.drop("reason", "outcome"),
        pl.col("key"),
        {
            "party_id": pl.col("party"),
            "register_code": pl.lit("brp"),
            "object_type_code": pl.lit("natuurlijk_persoon"),
            "id_type_code": pl.lit("bsn"),
            "value": pl.col("number"),
            "is_verified": flag(True),
        },
        outside=[
            (pl.col("d_number").is_null(), _NO_NUMBER),
            (pl.col("number").is_null(), _WRONG_NUMBER),
        ],
    )
    return made.hstack(rows.select(pl.coalesce("record", "own").alias("record"), "mapping", "t"))


def company_number_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.company_identifier for rows of `parties.companies` (Z38)."""
    company = pl.col("BEDRID").cast(pl.String)
    slots = {
        "kvk_nummer": ("niet_natuurlijk_persoon", pl.col("KVKNR").str.zfill(8)),
        "rsin": ("niet_natuurlijk_persoon", pl.col("RSIN")),
        "vestigingsnummer": ("vestiging", filled(pl.col("VESTNR"))),
    }
    made = [
        key_rows(
            frame,
            company + f"|{slot}",
            {
                "party_id": link("zaak.company", company),
                "register_code": pl.lit("hr"),
                "object_type_code": pl.lit(kind),
                "id_type_code": pl.lit(slot),
                "value": number,
                "parent_identifier_id": link("zaak.company_identifier", company, pl.lit("kvk_nummer"))
                if slot == "vestigingsnummer"
                else pl.lit(None, dtype=pl.String),
                "is_verified": flag(True),
            },
            outside=[(number.is_null(), _EMPTY)],
        )
        for slot, (kind, number) in slots.items()
    ]
    return pl.concat(made)


def company_digital_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.company_digital for rows of `parties.companies`."""
    company = pl.col("BEDRID").cast(pl.String)
    return _digital(frame, company, "party_id", link("zaak.company", company), {"telefoon": "TEL", "email": "EMAIL"})


def caller_digital_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of kcc.contact_digital for the rows of a month's file that count."""
    number = pl.col("Contactnr")
    slots = {"telefoon": "Telefoon", "email": "E-mailadres"}
    return _digital(frame, number, "contact_id", link("kcc.contact", number), slots)


def _digital(frame: pl.DataFrame, key: pl.Expr, owner: str, link_to: pl.Expr, slots: dict[str, str]) -> pl.DataFrame:
    made = [
        key_rows(
            frame,
            key + f"|{slot}",
            {
                owner: link_to,
                "address_type": pl.lit("email" if slot == "email" else "telefoonnummer"),
                "value": pl.col(column),
                "is_default": flag(False),
            },
            outside=[(filled(pl.col(column)).is_null(), _EMPTY)],
        )
        for slot, column in slots.items()
    ]
    return pl.concat(made)
