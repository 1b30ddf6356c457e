"""ZKN_ZAAK: what the old system wrote down about each case, with the dirt of thirteen years."""

from __future__ import annotations

from datetime import date

import polars as pl

from migrate.demo import catalogue, words
from migrate.demo.dice import Dice, part
from migrate.demo.world import COMPANY_BASE, PERSON_BASE, World, clock, compact, stamp

NO_VALUE = ("N.V.T.", "nvt", "-", "X")
"""Texts that people type where a field has no value (Z18)."""
SUBJECT_LENGTH = 80
_LEGAL_DAYS = 14


def case_rows(world: World, facts: pl.DataFrame) -> pl.DataFrame:
    """Return ZKN_ZAAK for cases with their `case_states`; adds what an answer key needs to know of the dirt."""
    dice = world.dice("casefile", "i")
    frame = facts.with_columns(*_texts(dice), *_codes(dice), *_result(dice), *_handler(dice), *_names(world, dice))
    frame = frame.with_columns(*_dates(dice), *_money(dice), *_archive(dice), *_stamps(dice))
    return frame.with_columns(
        pl.when(pl.col("deleted"))
        .then(pl.lit("J"))
        .otherwise(dice.pick("not deleted", ("N", "N", "N", "")))
        .alias("DELETED"),
        pl.when(pl.col("closed"))
        .then(pl.lit("AF"))
        .when(pl.col("reached") == 1)
        .then(pl.lit("NW"))
        .otherwise(dice.pick_of("open", (("OP", 80), ("ST", 12), ("VV", 8))))
        .alias("STATUS"),
        pl.col("reached").alias("FASENR"),
        pl.when(pl.col("parent").is_not_null())
        .then(pl.coalesce("between_nr", "parent_nr"))
        .when(dice.chance("no parent", 0.5))
        .then(pl.lit(""))
        .alias("HOOFDZAAK"),
        pl.when(pl.col("reg") < pl.lit(date(2009, 1, 1))).then(dice.chance("old number", 0.6)).alias("_Z31"),
        pl.col("deleted").alias("_Z35"),
        pl.when(pl.col("reg") < pl.lit(date(2009, 1, 1))).then(pl.col("no_statuses")).alias("_Z10"),
        pl.when(pl.col("closed")).then(pl.col("reopened")).alias("_Z13"),
        pl.when(pl.col("two")).then(True).alias("_Z32"),
    ).with_columns(
        pl.when(pl.col("_Z31"))
        .then(_old_number())
        .when(dice.chance("no old number", 0.3))
        .then(pl.lit(""))
        .alias("ZAAKID_OUD")
    )


def _old_number() -> pl.Expr:
    return pl.lit("W") + pl.col("reg").dt.strftime("%y") + "/" + pl.col("i").cast(pl.String).str.zfill(6)


def _texts(dice: Dice) -> list[pl.Expr]:
    long = dice.chance("long subject", 0.22)
    subjects = [
        pl.when(pl.col("ZTCODE") == code).then(dice.pick(f"subject {code}", texts))
        for code, texts in words.SUBJECTS.items()
    ]
    place = dice.pick("where", words.STREETS) + " " + dice.between("house", 1, 240).cast(pl.String)
    subject = pl.coalesce(*subjects) + " " + place
    long_subject = subject + dice.pick("tail", words.TAILS)
    memo_draw = dice.share("memo")
    note = dice.pick("memo text", words.MEMOS)
    private = (
        pl.when(dice.chance("which secret", 0.5))
        .then(pl.lit(" bsn 9") + dice.between("secret bsn", 10**7, 10**8 - 1).cast(pl.String))
        .otherwise(pl.lit(" tel. 06") + dice.between("secret phone", 10**7, 10**8 - 1).cast(pl.String))
    )
    has_memo, leaks = memo_draw < 400_000, part(memo_draw, 0, 0.4 * 0.02)
    memo = pl.when(leaks).then(note + private).otherwise(note)
    rtf, control, nul = (
        part(memo_draw, 0.02, 0.4 * 0.02),
        part(memo_draw, 0.04, 0.4 * 0.01),
        part(memo_draw, 0.06, 0.4 * 0.002),
    )
    written = (
        pl.when(rtf)
        .then(pl.lit("{\\rtf1\\ansi\\pard ") + memo + "\\par}")
        .when(control)
        .then(pl.lit("\x0b") + memo + "\x1f")
        .when(nul)
        .then(memo + "\x00")
        .otherwise(memo)
    )
    return [
        pl.when(long).then(long_subject).otherwise(subject).alias("subject"),
        pl.when(long).then(long_subject).otherwise(subject).alias("ONDERWERP"),
        long.alias("_Z22"),
        pl.when(has_memo).then(memo).alias("memo"),
        pl.when(has_memo).then(written).when(memo_draw < 700_000).then(pl.lit("")).alias("TOELICHT"),
        pl.when(has_memo).then(rtf | control | nul).alias("_Z23"),
        pl.when(has_memo).then(leaks).alias("_Z24"),
    ]


def _codes(dice: Dice) -> list[pl.Expr]:
    """Return channel and confidentiality: none in so many words (Z18), unknown or in small letters (Z19)."""
    channel, draw, level = (
        dice.pick_of("channel", catalogue.CHANNEL_WEIGHTS),
        dice.share("channel dirt"),
        dice.share("confidentiality"),
    )
    none, unknown, folded = part(draw, 0, 0.03), part(draw, 0.06, 0.003), part(draw, 0.065, 0.007)
    story = pl.col("story")
    true_channel = pl.when(story).then(pl.lit("BALIE")).otherwise(channel)
    return [
        true_channel.alias("channel"),
        none.alias("channel_none"),
        unknown.alias("channel_unknown"),
        pl.when(none)
        .then(dice.pick("no channel", NO_VALUE))
        .when(unknown)
        .then(dice.pick("odd channel", ("BEELD", "KIOSK")))
        .when(folded)
        .then(true_channel.str.to_lowercase())
        .otherwise(true_channel)
        .alias("KANAAL"),
        pl.when(level < 30_000)
        .then(dice.pick("no level", (*NO_VALUE, "onbekend")))
        .when(level < 560_000)
        .then(pl.lit(""))
        .when(level < 600_000)
        .then(pl.lit("vertrouwelijk"))
        .when(level < 640_000)
        .then(pl.lit("BEPERKT OPENBAAR"))
        .otherwise(pl.lit("ZAAKVERTROUWELIJK"))
        .alias("VERTROUW"),
        pl.when(level < 560_000)
        .then(None)
        .when(level < 600_000)
        .then(pl.lit("vertrouwelijk"))
        .when(level < 640_000)
        .then(pl.lit("beperkt_openbaar"))
        .otherwise(pl.lit("zaakvertrouwelijk"))
        .alias("confidentiality"),
        (none | (level < 30_000)).alias("_Z18"),
        (unknown | folded).alias("_Z19"),
    ]


def _result(dice: Dice) -> list[pl.Expr]:
    """Return the result of a closed case: missing (Z07), unknown or in small letters (Z19)."""
    result, draw = dice.pick_of("result", catalogue.RESULT_WEIGHTS), dice.share("result dirt")
    no_result, bad_result, low_result = part(draw, 0, 0.04), part(draw, 0.04, 0.003), part(draw, 0.05, 0.007)
    return [
        result.alias("result"),
        bad_result.alias("result_unknown"),
        no_result.alias("result_none"),
        pl.when(~pl.col("closed"))
        .then(pl.lit(""))
        .when(no_result)
        .then(pl.lit(""))
        .when(bad_result)
        .then(pl.lit("VERLN"))
        .when(low_result)
        .then(result.str.to_lowercase())
        .otherwise(result)
        .alias("RESCODE"),
        pl.when(pl.col("closed")).then(no_result).alias("_Z07"),
        pl.when(pl.col("closed")).then(bad_result | low_result).alias("_Z19_result"),
    ]


def _handler(dice: Dice) -> list[pl.Expr]:
    """Return the handler: a code, and for 40 % a name as typed, a team or nothing useful (Z14)."""
    who = dice.below("handler", len(catalogue.OFFICERS))
    ids = pl.lit(pl.Series("ids", catalogue.OFFICER_IDS)).gather(who)
    typed = [
        pl.Series("typed", [form.format(i=i, s=s) for _, s, i, _, _ in catalogue.OFFICERS])
        for form in ("{i}{s}", "{i} {s}", "{s}, {i}")
    ]
    draw = dice.share("handler as")
    named = part(draw, 0, 0.25)
    form = dice.below("form of name", 3)
    name = pl.coalesce([pl.when(form == n).then(pl.lit(series).gather(who)) for n, series in enumerate(typed)])
    nobody = part(draw, 0.25, 0.15)
    return [
        pl.when(~nobody).then(ids).alias("handler"),
        pl.when(named)
        .then(name)
        .when(nobody)
        .then(dice.pick("nobody", catalogue.TEAM_NAMES + catalogue.UNLISTED_HANDLERS))
        .otherwise(ids)
        .alias("BEHAND"),
        (named | nobody).alias("_Z14"),
    ]


def _names(world: World, dice: Dice) -> list[pl.Expr]:
    """Return the applicant in the header: unknown or of a wrong sort (Z15), or not the one of the roles (Z16)."""
    draw = dice.share("header")
    unknown, wrong = part(draw, 0, 0.022), part(draw, 0.022, 0.008)
    other = part(draw, 0.03, 0.01)
    true_sort = pl.when(pl.col("company").is_null()).then(pl.lit("P")).otherwise(pl.lit("B"))
    true_id = pl.coalesce(pl.col("person") + PERSON_BASE, pl.col("company") + COMPANY_BASE)
    someone = dice.below("someone", world.case_persons - 1)
    # Never the applicant itself: the numbers from it on move up by one.
    someone = someone + (someone >= pl.col("person").fill_null(world.case_persons)).cast(pl.Int64)
    return [
        true_sort.alias("applicant_sort"),
        true_id.alias("applicant_id"),
        unknown.alias("header_unknown"),
        wrong.alias("header_wrong"),
        other.alias("header_other"),
        pl.when(wrong)
        .then(true_sort.replace({"P": "B", "B": "P"}))
        .when(other)
        .then(pl.lit("P"))
        .otherwise(true_sort)
        .alias("AANVRSRT"),
        pl.when(unknown).then(0).when(other).then(someone + PERSON_BASE).otherwise(true_id).alias("AANVRID"),
        (unknown | wrong).alias("_Z15"),
        other.alias("_Z16"),
    ]


def _optional(dice: Dice, name: str, value: pl.Expr, given: pl.Expr) -> pl.Expr:
    """Write an optional date: a quarter of the missing ones as zeros (Z01), the rest empty or NULL."""
    draw = dice.share(f"no {name}")
    return (
        pl.when(given).then(value).when(draw < 250_000).then(pl.lit("00000000")).when(draw < 600_000).then(pl.lit(""))
    )


def _dates(dice: Dice) -> list[pl.Expr]:
    reg, start = pl.col("reg"), pl.col("start")
    planned = start + pl.duration(days=pl.col("days"))
    latest = planned + pl.duration(days=_LEGAL_DAYS)
    has_plan, plan_typo, latest_typo = (
        dice.chance("planned", 0.8),
        dice.chance("planned typo", 0.002),
        dice.chance("latest typo", 0.002),
    )
    has_latest = has_plan & dice.chance("latest", 0.7)

    def typo(day: pl.Expr, name: str) -> pl.Expr:
        late, early = pl.lit("21") + compact(day).str.slice(2), pl.lit("02") + compact(day).str.slice(2)
        return pl.when(dice.chance(name, 0.5)).then(late).otherwise(early)

    return [
        compact(reg).alias("DATREG"),
        pl.when(pl.col("_Z04"))
        .then(start.dt.strftime("%Y0230"))
        .when(pl.col("start_unknown"))
        .then(pl.when(pl.col("start_zeros")).then(pl.lit("00000000")))
        .otherwise(compact(start))
        .alias("DATSTART"),
        pl.when(has_plan & ~plan_typo).then(planned).alias("planned"),
        (has_plan & plan_typo).alias("planned_typo"),
        _optional(
            dice,
            "planned",
            pl.when(plan_typo).then(typo(planned, "plan typo kind")).otherwise(compact(planned)),
            has_plan,
        ).alias("DATSTREEF"),
        pl.when(has_latest & ~latest_typo).then(latest).alias("latest"),
        (has_latest & latest_typo).alias("latest_typo"),
        _optional(
            dice,
            "latest",
            pl.when(latest_typo).then(typo(latest, "latest typo kind")).otherwise(compact(latest)),
            has_latest,
        ).alias("DATFATAAL"),
        (pl.when(has_plan).then(plan_typo)).alias("_Z05"),
        (pl.when(has_latest).then(latest_typo)).alias("_Z05_latest"),
        _optional(dice, "end", compact(pl.col("ended")), pl.col("ended").is_not_null()).alias("DATAFH"),
        pl.when(pl.col("ended").is_null()).then(dice.share("no end") < 250_000).alias("_Z01"),
    ]


def _money(dice: Dice) -> list[pl.Expr]:
    pay = dice.pick_of("payment", (("N", 45), ("O", 10), ("D", 3), ("G", 30), ("", 12)))
    paid = pay.is_in(["D", "G"]) & dice.chance("payment day", 0.9)
    day = pl.col("reg") + pl.duration(days=dice.between("paid after", 0, 12))
    suspended, extended = dice.chance("suspended", 0.03), dice.chance("extended", 0.04)
    days = dice.pick("extended by", ("14", "42", "56")).cast(pl.Int64)
    return [
        pay.alias("BETIND"),
        pl.when(paid).then(day).alias("paid_on"),
        _optional(dice, "paid", compact(day), paid).alias("DATBET"),
        pl.when(pay.is_in(["D", "G", "O"])).then((dice.between("fee", 900, 90_000) / 100).round(2)).alias("LEGES"),
        pl.when(suspended).then(pl.lit("J")).otherwise(dice.pick("not suspended", ("N", "N", ""))).alias("OPSCHORT"),
        pl.when(suspended).then(dice.pick("why suspended", words.SUSPENSIONS)).alias("OPSCHREDEN"),
        pl.when(extended).then(days).when(dice.chance("no extension", 0.5)).then(0).alias("VERLDAGEN"),
    ]


def _archive(dice: Dice) -> list[pl.Expr]:
    """Return the retention: Z02 ``99991231`` for ever, Z39 days that are past already."""
    closed, final = pl.col("closed"), pl.col("final")
    forever = pl.col("retention") >= 100
    past = closed & ~forever & (final.dt.year() < 2018) & dice.chance("past", 0.063)
    due = pl.when(past).then(final.dt.year() + 1).otherwise(final.dt.year() + pl.col("retention") + 1)
    known = past | (closed & ~forever & (due >= 2020))
    named = pl.when(past | known).then(True).otherwise(dice.chance("nomination", 0.6))
    return [
        pl.when(~closed)
        .then(pl.lit(""))
        .when(forever)
        .then(pl.lit("B"))
        .when(named)
        .then(pl.lit("V"))
        .otherwise(pl.lit(""))
        .alias("ARCHIEF"),
        pl.when(known).then(pl.date(due, 1, 1)).alias("destroy_on"),
        past.alias("destroy_past"),
        pl.when(closed & forever)
        .then(pl.lit("99991231"))
        .otherwise(_optional(dice, "destroy", due.cast(pl.String) + "0101", known))
        .alias("DATVERN"),
        pl.when(closed).then(past).alias("_Z39"),
        pl.when(closed & forever).then(True).alias("_Z02"),
    ]


def _stamps(dice: Dice) -> list[pl.Expr]:
    second = dice.between("registered at", 30_600, 61_000)
    unknown = (pl.col("reg") < pl.lit(date(2009, 1, 1))) & dice.chance("no change date", 0.57)
    no_entry = unknown & dice.chance("no entry date", 0.2)
    changed_on = pl.coalesce(pl.col("final"), pl.col("reg"))
    changed = dice.between("changed at", 61_500, 68_000)
    return [
        clock(second).alias("TIJDREG"),
        second.alias("registered_second"),
        pl.when(~no_entry).then(stamp(pl.col("reg"), second)).alias("INVTIJD"),
        pl.when(~unknown).then(stamp(changed_on, changed)).alias("MUTTIJD"),
        unknown.alias("_Z36"),
        pl.coalesce(
            pl.when(~unknown).then(_local(changed_on, changed)),
            pl.when(~no_entry).then(_local(pl.col("reg"), second)),
            pl.col("reg").cast(pl.Datetime("us")),
        ).alias("modified"),
        pl.when(no_entry)
        .then(pl.col("reg").cast(pl.Datetime("us")))
        .otherwise(_local(pl.col("reg"), second))
        .alias("entered"),
    ]


def _local(day: pl.Expr, second: pl.Expr) -> pl.Expr:
    return day.cast(pl.Datetime("us")) + pl.duration(seconds=second)
