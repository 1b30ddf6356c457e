"""What must become of statuses, roles and properties of cases."""

from __future__ import annotations

import polars as pl

from migrate.demo.involved import ADVISER, APPLICANT, CONCERNED, CONTACT, HANDLER, PROXY, SECOND
from migrate.demo.key_cases import of_case
from migrate.demo.key_rows import at, filled, instant, key_rows, link

_NOON = 43_200
_KIND = {
    APPLICANT: "initiator",
    SECOND: "mede_initiator",
    HANDLER: "behandelaar",
    CONCERNED: "belanghebbende",
    PROXY: "belanghebbende",
    ADVISER: "adviseur",
    CONTACT: "klantcontacter",
}
_NAME = {
    "Kenteken": "kenteken",
    "Kenteken gehandicaptenvoertuig": "kenteken_gehandicapt",
    "Datum evenement": "datum_evenement",
    "Aantal bezoekers": "aantal_bezoekers",
    "Aantal verwachte bezoekers evenement": "aantal_bezoekers",
    "Bouwkosten": "bouwkosten",
    "Geschatte bouwkosten inclusief btw": "bouwkosten",
    "Spoed": "spoed",
    "BAG-nummer": "bag_nummer",
    "Locatie": "locatie",
    "Omschrijving locatie": "locatie",
    "Akkoord financiën": "akkoord_financien",
    "Ingangsdatum": "ingangsdatum",
}
_RELATION = {"VV": "vervolg", "BD": "bijdrage", "GR": "onderwerp"}
_FORMAT = {"TX": "tekst", "JN": "tekst", "BA": "tekst", "GE": "getal", "BD": "getal", "DT": "datum"}
_UNREADABLE = {"JN": "value code-unknown", "GE": "value number-invalid", "DT": "value date-invalid"}


def status_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.case_status for rows of `history.status_rows` with a STATID."""
    errors, outside, case = of_case()
    orphan = pl.col("orphan")
    second = pl.when(pl.col("no_time")).then(_NOON).otherwise(pl.col("second") + pl.col("same_moment").cast(pl.Int64))
    fields = case | {
        "status_type_id": link("zaak.status_type", pl.col("ZTCODE"), pl.col("VERSIE"), pl.col("FASENR")),
        "set_at": at(pl.col("day_set"), second),
        "explanation": pl.concat_str([filled(pl.col("OPM")), pl.col("STATOMS")], separator=" - ", ignore_nulls=True),
    }
    return key_rows(
        frame,
        pl.col("STATID").cast(pl.String),
        fields,
        errors=[(holds & ~orphan, text) for holds, text in errors]
        + [
            (orphan, "case_id orphan"),
            (orphan, "status_type_id required-missing"),
            (pl.col("_Z12"), "status_type_id orphan"),
        ],
        warnings=[
            (pl.col("no_time"), "het tijdstip van de status is bekend rule-failed"),
            (pl.col("same_moment"), "set_at moment-shifted"),
        ],
        outside=[(holds & ~orphan, text) for holds, text in outside],
    )


def role_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.case_role for numbered rows of `involved.role_rows`; the header wins."""
    errors, outside, case = of_case()
    part = pl.col("part")
    kind = part.replace_strict(_KIND, return_dtype=pl.String)
    other = (part == APPLICANT) & (pl.col("header_other") | pl.col("header_wrong"))
    sort = pl.when(other).then(pl.col("AANVRSRT")).otherwise(pl.col("SRT"))
    number = pl.when(other).then(pl.col("AANVRID")).otherwise(pl.col("REFID"))
    lost = ((part == APPLICANT) & pl.col("header_wrong")) | pl.col("dangling")
    nobody = (part == APPLICANT) & pl.col("header_unknown")
    held = pl.col("state").is_in(["rejected", "parked"])
    party = (
        pl.when(sort == "P")
        .then(link("zaak.person", number))
        .when(sort == "B")
        .then(link("zaak.company", number))
        .when(sort == "V")
        .then(link("zaak.free_party", pl.col("BETRID")))
    )
    actor = pl.when(sort == "M").then(
        pl.coalesce(link("zaak.actor", pl.col("officer")), link("zaak.unit", pl.col("AFDCODE")))
    )
    participant = (
        pl.when(sort.is_in(["P", "V"]))
        .then(pl.lit("natuurlijk_persoon"))
        .when(sort == "B")
        .then(pl.lit("niet_natuurlijk_persoon"))
        .when(pl.col("officer").is_null())
        .then(pl.lit("organisatorische_eenheid"))
        .otherwise(pl.lit("medewerker"))
    )
    registered = (
        pl.when(pl.col("_Z36")).then(instant(pl.col("entered"))).otherwise(at(pl.col("reg"), pl.col("changed_second")))
    )
    fields = case | {
        "role_type_id": link("seed.role_type", pl.col("ZTCODE"), pl.col("VERSIE"), kind),
        "participant_type": participant,
        "party_id": party,
        "actor_id": actor,
        "deviating_name": pl.when(sort == "V").then(pl.col("NAAM")),
        "registered_at": registered,
    }
    return key_rows(
        frame,
        pl.col("BETRID").cast(pl.String),
        fields,
        # A rule is judged only where all fields have their value.
        errors=[*errors, (lost, "party_id orphan"), (nobody & ~held, "een partij of een medewerker rule-failed")],
        warnings=[
            ((part == APPLICANT) & pl.col("header_other"), "zaak en betrokkene noemen dezelfde aanvrager rule-failed"),
        ],
        outside=outside,
    )


def free_party_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.free_party for rows of `involved.role_rows` with a BETRID."""
    return key_rows(
        frame,
        pl.col("BETRID").cast(pl.String),
        {"party_type": pl.lit("persoon"), "surname": pl.col("NAAM"), "is_active": pl.lit("1")},
        outside=[(pl.col("SRT") != "V", "Alleen partijen in vrije tekst; de andere hebben een eigen record")],
    )


def property_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.case_property for rows of `properties.property_rows` with a KENMID."""
    errors, outside, case = of_case()
    name = pl.col("NAAM").replace_strict(_NAME, default=None, return_dtype=pl.String)
    fields = case | {
        "name": name,
        "format": pl.col("sort").replace_strict(_FORMAT, return_dtype=pl.String),
        "value": pl.col("value"),
    }
    unreadable = [(pl.col("unreadable") & (pl.col("sort") == sort), text) for sort, text in _UNREADABLE.items()]
    return key_rows(
        frame,
        pl.col("KENMID").cast(pl.String),
        fields,
        errors=[*errors, (name.is_null(), "name too-long"), *unreadable],
        outside=outside,
    )


def relation_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.case_relation for rows of `papers.relation_rows`.

    The frame has ``state`` and ``other_state``, the states of the two cases.
    """
    errors, outside, _ = of_case()
    state = pl.col("other_state")
    lost = [
        (pl.col("dangling"), "related_case_id orphan"),
        (~pl.col("dangling") & state.is_in(["rejected", "parked"]), "related_case_id link-waiting"),
        (~pl.col("dangling") & (state == "out_of_scope"), "related_case_id link-out-of-scope"),
    ]
    known = ~pl.any_horizontal(holds for holds, _ in lost)
    again = "De andere richting van een relatie die er al is, of een zaak met zichzelf (Z33)"
    return key_rows(
        frame,
        pl.concat_str([pl.col("ZAAKNR1"), pl.col("ZAAKNR2")], separator="|"),
        {
            "case_id": link("zaak.case", pl.col("ZAAKNR1")),
            "related_case_id": pl.when(known).then(link("zaak.case", pl.col("ZAAKNR2"))),
            "related_identification": pl.when(~known).then(pl.col("ZAAKNR2")),
            "relation_type": pl.col("SOORT").replace_strict(_RELATION, default=None, return_dtype=pl.String),
            "explanation": filled(pl.col("OPM")),
        },
        errors=errors,
        warnings=lost,
        outside=[
            (pl.col("back") | pl.col("itself"), again),
            (pl.col("SOORT") == "DZ", "Een deelzaak noemt zelf haar hoofdzaak"),
            *outside,
        ],
    )
