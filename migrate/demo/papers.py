"""What else a case left behind: documents, memos, relations and the log of changes."""

from __future__ import annotations

from functools import cache

import polars as pl

from migrate.demo import catalogue, filed, words
from migrate.demo.cases import case_facts
from migrate.demo.dice import Dice, part
from migrate.demo.world import World, clock, compact, day_of, stamp

_SUFFIXES = (
    ("doc", "application/msword"),
    ("pdf", "application/pdf"),
    ("pdf", "pdf"),
    ("docx", "application/vnd.openxmlformats-officedocument"),
)
_KINDS = (
    ("AANVR", "Aanvraagformulier"),
    ("BESLUI", "Besluit"),
    ("BRIEF", "Brief"),
    ("BIJL", "Bijlage"),
    ("ADVIES", "Advies"),
)


def document_rows(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    """Return ZKN_DOC, but for DOCID, of cases with their `case_states`: about 2.5 a case.

    Adds ``i``, ``reg`` and ``state`` of the case, ``kind_name``, ``named_by_file`` (the title), ``no_such_day``,
    ``changed_second``, and of the file ``on_drive``, ``sum_wrong`` and what `filed.with_files` adds.
    """
    frame = _several(world, cases, "documents", (0.95, 0.75, 0.5, 0.3))
    dice = world.dice("document", "n")
    code = dice.below("code", len(_KINDS))
    codes, titles = (pl.lit(pl.Series("k", [k[n] for k in _KINDS])).gather(code) for n in (0, 1))
    suffix = pl.lit(pl.Series("s", [s[0] for s in _SUFFIXES])).gather(dice.below("suffix", len(_SUFFIXES)))
    name = codes.str.to_lowercase() + pl.col("k").cast(pl.String) + "." + suffix
    version, blank = dice.share("version"), dice.share("author")
    incoming, no_such_day = codes.is_in(["AANVR", "BIJL"]), dice.chance("no such day", 0.001)
    day, second = compact(pl.col("reg")), dice.between("second", 30_600, 61_000)
    no_day = dice.share("no day") < 250_000
    rows = frame.select(
        "i",
        "n",
        "k",
        "ZAAKNR",
        "reg",
        "state",
        codes.alias("DOCCODE"),
        pl.when(part(blank, 0.06, 0.06)).then(name).otherwise(titles).alias("TITEL"),
        *_file(world, dice, name),
        pl.when(no_such_day).then(pl.col("reg").dt.strftime("%Y0931")).otherwise(day).alias("DATDOC"),
        pl.when(incoming).then(day).when(no_day).then(pl.lit("00000000")).alias("DATONTV"),
        pl.when(~incoming & dice.chance("sent", 0.7)).then(day).when(no_day).then(pl.lit("00000000")).alias("DATVERZ"),
        pl.when(incoming).then(pl.lit("I")).otherwise(dice.pick("direction", ("U", "N"))).alias("RICHTING"),
        pl.when(part(version, 0, 0.08))
        .then(dice.pick("odd version", ("def", "1a", "1.0", "v2")))
        .otherwise(dice.pick("version no", ("1", "1", "2")))
        .alias("VERSIE"),
        dice.pick("status", ("D", "D", "B", "V")).alias("STATUS"),
        pl.when(part(blank, 0, 0.06))
        .then(pl.lit(""))
        .otherwise(dice.pick("writer", catalogue.OFFICER_IDS))
        .alias("AUTEUR"),
        dice.pick("level", ("", "ZAAKVERTROUWELIJK", "OPENBAAR", "N.V.T.")).alias("VERTROUW"),
        pl.when(dice.chance("removed", 0.01)).then(pl.lit("J")).otherwise(pl.lit("N")).alias("VERWIJD"),
        stamp(pl.col("reg"), second).alias("MUTTIJD"),
        part(blank, 0, 0.12).alias("_Z28"),
        part(version, 0, 0.08).alias("_Z29"),
        titles.alias("kind_name"),
        part(blank, 0.06, 0.06).alias("named_by_file"),
        no_such_day.alias("no_such_day"),
        no_such_day.alias("_Z04_document"),
        second.alias("changed_second"),
    )
    return filed.with_files(world, rows)


def _file(world: World, dice: Dice, name: pl.Expr) -> list[pl.Expr]:
    """Return where a document's file lies and what is known of it (Z27: on a drive, empty, a sum missing or wrong)."""
    draw = dice.share("file")
    drive, empty, no_sum = part(draw, 0, 0.01), part(draw, 0.01, 0.003), part(draw, 0.013, 0.05)
    wrong_sum = part(draw, 0.013, 0.01)
    mimes = pl.lit(pl.Series("s", [s[1] for s in _SUFFIXES])).gather(dice.below("suffix", len(_SUFFIXES)))
    folder = pl.concat_str(
        pl.lit("\\"),
        pl.col("reg").dt.strftime("%Y"),
        pl.lit("\\"),
        pl.col("i").cast(pl.String).str.zfill(6),
        pl.lit("\\"),
    )
    return [
        (pl.when(drive).then(pl.lit("H:\\DOCS")).otherwise(filed.root(world)) + folder + name).alias("BESTAND"),
        mimes.alias("MIME"),
        pl.when(empty).then(0).otherwise(dice.between("size", 9_000, 4_000_000)).alias("GROOTTE"),
        pl.when(wrong_sum)
        .then(pl.lit("ONBEKEND"))
        .when(no_sum)
        .then(pl.lit(""))
        .otherwise(_hex(dice.bits("md5 a")) + _hex(dice.bits("md5 b")))
        .alias("MD5"),
        (drive | empty | no_sum).alias("_Z27"),
        drive.alias("on_drive"),
        empty.alias("empty"),
        wrong_sum.alias("sum_wrong"),
    ]


@cache
def _hex_digits() -> pl.Series:
    return pl.Series("hex", [f"{n:04x}" for n in range(65_536)])


def _hex(bits: pl.Expr) -> pl.Expr:
    digits = pl.lit(_hex_digits())
    return pl.concat_str([digits.gather(bits // (1 << shift) % 65_536) for shift in (0, 16, 32, 48)])


def _several(world: World, cases: pl.DataFrame, kind: str, shares: tuple[float, ...]) -> pl.DataFrame:
    """Return rows numbered ``n`` and, within their case, ``k``."""
    dice = world.dice(kind, "i")
    parts = [
        cases.filter(dice.chance(f"has {k}", share)).with_columns(pl.lit(k).cast(pl.Int64).alias("k"))
        for k, share in enumerate(shares)
    ]
    return pl.concat(parts).sort("i", "k").with_columns((pl.col("i") * 8 + pl.col("k")).alias("n"))


def memo_rows(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    """Return ZKN_MEMO, but for MEMOID, of cases with their `case_facts`: about one for every second case."""
    frame = _several(world, cases, "memos", (0.35, 0.15))
    dice = world.dice("memo", "n")
    call_back, draw = dice.chance("call back", 0.3), dice.share("text")
    text = dice.pick("which", words.MEMOS)
    day, second = pl.col("reg") + pl.duration(days=dice.between("after", 0, 20)), dice.between("second", 30_600, 61_000)
    done = dice.chance("done", 0.85)
    return frame.select(
        "i",
        "ZAAKNR",
        pl.when(call_back).then(pl.lit("TB")).otherwise(dice.pick("kind", ("NT", "NT", "CM"))).alias("SRT"),
        pl.when(part(draw, 0, 0.03))
        .then(pl.lit("{\\rtf1\\ansi ") + text + "\\par}")
        .when(part(draw, 0.03, 0.02))
        .then(text + " bsn 9" + dice.between("bsn", 10**7, 10**8 - 1).cast(pl.String))
        .otherwise(text + "\r\n")
        .alias("TEKST"),
        compact(day).alias("DATUM"),
        clock(second).alias("TIJD"),
        dice.pick("by", catalogue.OFFICER_IDS).alias("DOOR"),
        pl.when(call_back).then(dice.pick("for", catalogue.OFFICER_IDS)).alias("VOOR"),
        pl.when(~call_back).then(pl.lit("")).when(done).then(pl.lit("J")).otherwise(pl.lit("N")).alias("AFGEH"),
        pl.when(call_back & done)
        .then(compact(day + pl.duration(days=1)))
        .otherwise(pl.lit("00000000"))
        .alias("DATAFGEH"),
    )


def relation_rows(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    """Return ZKN_RELATIE of cases with their `case_facts`: some go both ways, dangle or lead nowhere new (Z33).

    Adds ``i`` and ``other``, the numbers of the two cases, ``dangling``, ``itself``, and ``back``: the second row of a
    relation that was entered on both cases, by the earlier one.
    """
    dice = world.dice("relation", "i")
    frame = cases.filter(dice.chance("has", 0.05) & (pl.col("i") > 50)).select(
        "i",
        pl.col("ZAAKNR").alias("ZAAKNR1"),
        (pl.col("i") - 1 - dice.below("which", 50)).alias("other"),
        dice.share("dirt").alias("draw"),
        dice.pick_of("kind", (("VV", 50), ("BD", 20), ("GR", 20), ("DZ", 10))).alias("SOORT"),
    )
    others = case_facts(world, frame.select(pl.col("other").alias("i")).unique().sort("i")).select(
        pl.col("i").alias("other"), pl.col("ZAAKNR").alias("ZAAKNR2")
    )
    frame = frame.join(others, on="other", how="left", maintain_order="left")
    dangling, itself, both = (
        part(pl.col("draw"), 0, 0.02),
        part(pl.col("draw"), 0.02, 0.001),
        part(pl.col("draw"), 0.021, 0.1),
    )
    frame = frame.with_columns(
        pl.when(dangling)
        .then(pl.lit("1999.") + pl.col("i").cast(pl.String))
        .when(itself)
        .then(pl.col("ZAAKNR1"))
        .otherwise(pl.col("ZAAKNR2"))
        .alias("ZAAKNR2"),
        pl.lit(None, dtype=pl.String).alias("OPM"),
        (dangling | itself | both).alias("_Z33"),
        dangling.alias("dangling"),
        itself.alias("itself"),
        pl.lit(False).alias("back"),
    )
    back = frame.filter(both).with_columns(
        pl.col("ZAAKNR2").alias("ZAAKNR1"),
        pl.col("ZAAKNR1").alias("ZAAKNR2"),
        pl.col("other").alias("i"),
        pl.col("i").alias("other"),
        pl.lit(True).alias("back"),
        pl.lit(None, dtype=pl.Boolean).alias("_Z33"),
    )
    return pl.concat([frame, back])


def log_rows(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    """Return ZKN_LOG, but for LOGID, of cases with their `case_facts`; physical deletes show here only (Z35)."""
    dice = world.dice("log", "i")
    second = dice.between("second", 30_600, 61_000)

    def rows(taken: pl.Expr, number: pl.Expr, action: str, day: pl.Expr, text: str) -> pl.DataFrame:
        return cases.filter(taken).select(
            "i",
            pl.lit("ZKN_ZAAK").alias("TABEL"),
            number.alias("SLEUTEL"),
            pl.lit(action).alias("ACTIE"),
            stamp(day, second).alias("TIJDSTIP"),
            dice.pick("who", catalogue.OFFICER_IDS).alias("MEDID"),
            pl.lit(text).alias("TEKST"),
        )

    later = pl.coalesce(day_of(pl.col("day") + 15), pl.col("reg"))
    return pl.concat(
        [
            rows(pl.lit(True), pl.col("ZAAKNR"), "I", pl.col("reg"), "nieuw"),
            rows(dice.chance("changed", 0.3), pl.col("ZAAKNR"), "U", later, "gewijzigd"),
            rows(pl.col("ghost").is_not_null(), pl.col("ghost"), "D", later, "verwijderd"),
        ]
    ).sort("i", "TIJDSTIP")
