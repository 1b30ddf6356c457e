"""From a program's columns to outcomes, issues, waits and records.  One cause gives one issue (LANGUAGE.md).

The precedence of a row: a key missing or duplicate; out of scope; an error; a rejecting rule; parked; a skipping rule;
else a record.  Warnings are recorded losses, so only rows that load have them; rows out of scope have no issues.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from casemodel import Mapped
from mappings.compile_build import CompiledRule
from mappings.compile_counts import Note, codes_asked, codes_of, issues_of, repairs_asked, repairs_of
from mappings.compile_lead import LEAD, LEAD_KEY
from mappings.compile_program import Flag, Repair, Wait

WAITS = {
    "_row": pl.UInt32(),
    "_key": pl.String(),
    "field": pl.String(),
    "mapping": pl.String(),
    "other_key": pl.String(),
    "wait_key": pl.String(),
    "seen": pl.String(),
}
OUTCOMES = {
    "_row": pl.UInt32(),
    "_key": pl.String(),
    "outcome": pl.String(),
    "reason": pl.String(),
    "_lead": pl.String(),
    "_record": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a compiled mapping knows about the columns of its program."""

    flags: tuple[Flag, ...]
    waits: tuple[Wait, ...]
    parks: tuple[str, ...]
    follows: tuple[tuple[str, str], ...]
    repairs: tuple[Repair, ...]
    code_uses: tuple[tuple[str, str, str], ...]
    required: tuple[tuple[str, str, tuple[str, ...]], ...]
    rules: tuple[CompiledRule, ...]
    row_checks: tuple[CompiledRule, ...]
    outputs: tuple[tuple[str, str], ...]
    grouped: bool
    """True with ``one_per``: one record out of many rows."""
    linked: tuple[Wait, ...] = ()
    shares: tuple[tuple[str, str], ...] = ()
    """With an identity: what a contribution has besides the fields, and the columns it stands in."""


@dataclass(slots=True)
class Judging:
    """The frame of in-scope rows while it is judged; Boolean columns ``ok`` and ``err`` narrow step by step."""

    reading: Reading
    frame: pl.DataFrame
    texts: frozenset[str]
    """Columns of the program that hold codes of issues, not Booleans."""
    notes: list[Note] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    known: dict[str, bool] = field(default_factory=dict)
    """What `raised` found out already."""

    def raised(self, columns: Iterable[str]) -> set[str]:
        """Return the Boolean columns that are true, and String columns that are filled, in any row."""
        names = list(dict.fromkeys(columns))
        asked = [name for name in names if name not in self.known]
        if asked and self.frame.height:
            row = self.frame.select([self.raises(name).any().alias(str(i)) for i, name in enumerate(asked)]).row(0)
            self.known.update(zip(asked, (bool(there) for there in row), strict=True))
        return {name for name in names if self.known.get(name)}

    def raises(self, name: str) -> pl.Expr:
        """Return where a column of an issue says that there is one."""
        return pl.col(name).is_not_null() if name in self.texts else pl.col(name)

    def pick(self, where: pl.Expr, *columns: pl.Expr | str) -> pl.LazyFrame:
        """Return some columns of the rows where a condition holds now, without copying the others."""
        return self.frame.lazy().filter(where).select(columns)

    def mark(self, name: str, columns: list[pl.Expr]) -> None:
        """Add a Boolean column: true where any of the columns is."""
        some = pl.any_horizontal([column.fill_null(False) for column in columns]) if columns else pl.lit(False)
        self.frame = self.frame.with_columns(some.alias(name))

    def spread(self, name: str) -> None:
        """With one record out of many rows, make true for all rows of a record what is true for one of them."""
        if self.reading.grouped and self.frame.get_column(name).any():
            groups = self.frame.filter(pl.col(name) & pl.col("_member")).get_column("_group").unique()
            self.frame = self.frame.with_columns(
                pl.col(name) | (pl.col("_member") & pl.col("_group").is_in(groups.implode()))
            )

    def note(self, where: pl.Expr, shown: str, code: pl.Expr, severity: str) -> None:
        """Add an issue for the rows where a condition holds."""
        found = self.pick(
            where,
            "_row",
            "_key",
            pl.lit(shown).alias("field"),
            code.alias("code"),
            pl.lit(severity).alias("severity"),
            pl.lit(None, pl.String).alias("detail"),
        )
        self.notes.append(Note(shown, severity, found))


def judge(reading: Reading, frame: pl.DataFrame) -> Judging:
    """Judge the in-scope rows: adds ``outcome`` and ``reason`` to the frame and collects the issues.

    Rows with ``_member`` false have an issue of their key already and get none besides.
    """
    texts = frozenset(name for name, dtype in frame.schema.items() if dtype == pl.String())
    judging = Judging(reading, frame, texts)
    judging.raised(_columns(reading))
    lead = pl.col(LEAD) if reading.grouped else pl.lit(True)
    raised = judging.raised([flag.column for flag in reading.flags])
    flags = [flag for flag in reading.flags if flag.column in raised]
    errors = [flag for flag in flags if flag.severity == "error"]
    member = pl.col("_member")
    _follow(judging, lead)
    # a row without a group is a group of its own: what is wrong with the values that make the group is its issue
    lone = ~member & pl.col("_bad").is_null()
    where = {flag: judging.raises(flag.column) & (member & lead if flag.lead_only else member | lone) for flag in flags}
    judging.mark("err", [where[flag] for flag in errors])
    missing = _missing(judging, lead)
    if missing:
        judging.mark("err", [pl.col("err"), *(condition for _, condition in missing)])
    judging.spread("err")
    parks = judging.raised(reading.parks)
    judging.mark("park", [pl.col(column) & member & lead for column in parks])
    judging.spread("park")
    judging.frame = judging.frame.with_columns(
        (member & pl.col("follow").is_null() & ~pl.col("err") & ~pl.col("park")).alias("ok")
    )
    _judge_rules(judging, lead)
    if reading.grouped:
        judging.note(lone & ~pl.col("err"), "", pl.lit("key-missing"), "error")
    for flag in errors:
        code = pl.lit(flag.code) if flag.code else pl.col(flag.column)
        judging.note(where[flag] & (pl.col("outcome") == "rejected"), flag.field, code, "error")
    for name, condition in missing:
        judging.note(condition & (pl.col("outcome") == "rejected"), name, pl.lit("required-missing"), "error")
    for flag in flags:
        if flag.severity == "warning":
            loads = (
                (pl.col("outcome") == "record")
                if flag.lead_only or flag.loaded_only
                else pl.col("outcome").is_in(["record", "merged"])
            )
            code = pl.lit(flag.code) if flag.code else pl.col(flag.column)
            judging.note(where[flag] & loads, flag.field, code, "warning")
    return judging


def _columns(reading: Reading) -> Iterable[str]:
    """Yield the columns that are asked about sooner or later: asked at once, they cost one pass."""
    yield from (flag.column for flag in reading.flags)
    yield from reading.parks
    yield from (column for column, _ in reading.follows)
    yield from (cause for _, _, causes in reading.required for cause in causes)
    yield from (wait.column for wait in (*reading.waits, *reading.linked))


def _follow(judging: Judging, lead: pl.Expr) -> None:
    """Add ``follow`` and ``follow_reason``: the row goes where the record it links to went."""
    raised = judging.raised([column for column, _ in judging.reading.follows])
    follows = [(column, mapping) for column, mapping in judging.reading.follows if column in raised]
    nothing = pl.lit(None, pl.String)
    if not follows:
        judging.frame = judging.frame.with_columns(nothing.alias("follow"), nothing.alias("follow_reason"))
        return
    here = pl.col("_member") & lead
    state = pl.coalesce([pl.col(column) for column, _ in follows])
    reason = pl.coalesce(
        [pl.when(pl.col(column).is_not_null()).then(pl.lit(f"follows {mapping}")) for column, mapping in follows]
    )
    judging.frame = judging.frame.with_columns(
        pl.when(here).then(state).alias("follow"), pl.when(here).then(reason).alias("follow_reason")
    )
    if judging.reading.grouped:
        both = judging.frame.filter(pl.col("follow").is_not_null()).select(
            "_group", pl.col("follow").alias("_f"), pl.col("follow_reason").alias("_r")
        )
        joined = judging.frame.select("_group", "_member").join(both, on="_group", how="left", maintain_order="left")
        judging.frame = judging.frame.with_columns(
            joined.select(
                pl.when("_member").then("_f").alias("follow"), pl.when("_member").then("_r").alias("follow_reason")
            ).get_columns()
        )


def _missing(judging: Judging, lead: pl.Expr) -> list[tuple[str, pl.Expr]]:
    """Return the required fields that have no value, but for rows where something else is the cause."""
    counts = judging.frame.select(pl.col(column).null_count() for column in {c for _, c, _ in judging.reading.required})
    lacking = {name for name in counts.columns if counts.height and counts.get_column(name).item()}
    found = []
    for name, column, causes in judging.reading.required:
        if column in lacking:
            real = judging.raised(causes)
            excused = (
                pl.any_horizontal([judging.raises(cause).fill_null(False) for cause in real]) if real else pl.lit(False)
            )
            found.append(
                (name, pl.col("_member") & lead & pl.col(column).is_null() & ~excused & pl.col("follow").is_null())
            )
    return found


def _judge_rules(judging: Judging, lead: pl.Expr) -> None:
    """Apply the rules of the mapping, then those of the model, to the rows that would load; add the outcome."""
    reading = judging.reading
    broken = {
        rule: pl.col("ok") & lead & ~pl.col(rule.column).fill_null(True)
        for rule in (*reading.rules, *reading.row_checks)
    }
    judging.frame = judging.frame.with_columns(holds.alias(f"broken:{i}") for i, holds in enumerate(broken.values()))
    columns = {rule: f"broken:{i}" for i, rule in enumerate(broken)}
    raised = judging.raised(columns.values())
    own = [rule for rule in reading.rules if columns[rule] in raised]
    rejecting = [rule for rule in own if rule.otherwise == "reject"]
    judging.mark("bad", [pl.col(columns[rule]) for rule in rejecting])
    skip = pl.coalesce(
        [
            *(pl.when(pl.col(columns[rule])).then(pl.lit(rule.name)) for rule in own if rule.otherwise == "skip"),
            pl.lit(None, pl.String),
        ]
    )
    judging.frame = judging.frame.with_columns(pl.when(~pl.col("bad")).then(skip).alias("skip"))
    by_model = [rule for rule in reading.row_checks if columns[rule] in raised]
    clean = ~pl.col("bad") & pl.col("skip").is_null()
    model_bad = [(rule, pl.col(columns[rule]) & clean) for rule in by_model]
    notes = [(rule, pl.col(columns[rule])) for rule in rejecting] + model_bad
    judging.mark("all_bad", [where for _, where in notes])
    for rule, where in notes:
        judging.note(where, rule.field, pl.lit("rule-failed"), "error")
    judging.spread("all_bad")
    _spread_skip(judging)
    _outcome(judging)
    for rule in own:
        if rule.otherwise == "warn":
            judging.note(
                pl.col(columns[rule]) & (pl.col("outcome") == "record"), rule.field, pl.lit("rule-failed"), "warning"
            )
    open_ = [
        (pl.col("ok") & lead & pl.col(rule.column).is_null()).sum().alias(str(i))
        for i, rule in enumerate(reading.rules)
    ]
    found = judging.frame.select(open_).row(0) if open_ else ()
    judging.unknown.update((rule.name, nulls) for rule, nulls in zip(reading.rules, found, strict=True) if nulls)


def _spread_skip(judging: Judging) -> None:
    if not judging.reading.grouped or judging.frame.get_column("skip").null_count() == judging.frame.height:
        return
    skipped = judging.frame.filter(pl.col("skip").is_not_null()).select("_group", pl.col("skip").alias("_s"))
    joined = judging.frame.select("_group", "_member").join(skipped, on="_group", how="left", maintain_order="left")
    judging.frame = judging.frame.with_columns(joined.select(pl.when("_member").then("_s").alias("skip")).get_columns())


def _outcome(judging: Judging) -> None:
    record = (
        pl.when(pl.col(LEAD)).then(pl.lit("record")).otherwise(pl.lit("merged"))
        if judging.reading.grouped
        else pl.lit("record")
    )
    judging.frame = judging.frame.with_columns(
        pl.when(~pl.col("_member"))
        .then(pl.lit("rejected"))
        .when(pl.col("follow").is_not_null())
        .then(pl.col("follow"))
        .when(pl.col("err") | pl.col("all_bad"))
        .then(pl.lit("rejected"))
        .when(pl.col("park"))
        .then(pl.lit("parked"))
        .when(pl.col("skip").is_not_null())
        .then(pl.lit("out_of_scope"))
        .otherwise(record)
        .alias("outcome"),
        pl.when(pl.col("_member") & pl.col("follow").is_not_null())
        .then(pl.col("follow_reason"))
        .when(pl.col("_member") & ~pl.col("err") & ~pl.col("all_bad") & ~pl.col("park"))
        .then(pl.col("skip"))
        .alias("reason"),
    )


def waits_of(judging: Judging, waits: tuple[Wait, ...]) -> pl.LazyFrame:
    """Return the keys that rows wait for, or are linked to."""
    reading = judging.reading
    raised = judging.raised([wait.column for wait in waits])
    lead = pl.col(LEAD) if reading.grouped else pl.lit(True)
    found = [
        judging.pick(
            pl.col(wait.column).is_not_null() & pl.col("_member") & lead,
            "_row",
            "_key",
            pl.lit(wait.field).alias("field"),
            pl.lit(wait.mapping).alias("mapping"),
            pl.lit(",".join(wait.other_key)).alias("other_key"),
            pl.col(wait.key).alias("wait_key"),
            pl.col(wait.column).alias("seen"),
        )
        for wait in waits
        if wait.column in raised
    ]
    return pl.concat(found).unique(maintain_order=True) if found else pl.LazyFrame(schema=WAITS)


def records_of(judging: Judging) -> pl.LazyFrame:
    """Return the records to write, typed as the target columns."""
    key = pl.col("_group") if judging.reading.grouped else pl.col("_key")
    columns = (pl.col(column).alias(name) for name, column in judging.reading.outputs)
    return judging.pick(pl.col("outcome") == "record", key.alias("_key"), "id", *columns)


def shares_of(judging: Judging) -> pl.LazyFrame:
    """Return what the contributions have besides the fields, in the order of the records (see `Mapped.shares`)."""
    key = pl.col("_group") if judging.reading.grouped else pl.col("_key")
    columns = [pl.col(column).alias(name) for name, column in judging.reading.shares]
    found = judging.pick(pl.col("outcome") == "record", key.alias("_key"), *columns)
    given = {name for name, _ in judging.reading.shares}
    absent = (name for name in ("own", "newest", "agree", "probable", "defaulted") if name not in given)
    return found.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)


def outcomes_of(judging: Judging) -> pl.LazyFrame:
    """Return the outcome of every in-scope row."""
    grouped = judging.reading.grouped
    lead = pl.when(~pl.col(LEAD)).then(pl.col(LEAD_KEY)) if grouped else pl.lit(None, pl.String)
    return judging.frame.lazy().select(
        "_row",
        "_key",
        "outcome",
        "reason",
        lead.alias("_lead"),
        (pl.col("_group") if grouped else pl.col("_key")).alias("_record"),
    )


def mapped(judging: Judging, outside: pl.DataFrame, key_issues: pl.DataFrame, unknown: dict[str, int]) -> Mapped:
    """Put the result together: the judged rows and those that never were in scope or have no usable key."""
    reading, frame = judging.reading, judging.frame.lazy()
    asked = {
        "outcomes": outcomes_of(judging),
        "records": records_of(judging),
        "waits": waits_of(judging, reading.waits),
        "shares": shares_of(judging) if reading.shares else pl.LazyFrame(),
        "linked": waits_of(judging, reading.linked) if reading.linked else pl.LazyFrame(),
        "repairs": frame.select(repairs_asked(reading.repairs)),
        "codes": frame.select(codes_asked(reading.code_uses)),
    }
    # at once: on all cores, and without the price of starting each of them
    answers = pl.collect_all([*asked.values(), *(note.rows for note in judging.notes)], engine="in-memory")
    made = dict(zip(asked, answers, strict=False))
    outcomes = made["outcomes"]
    if outside.height:
        outcomes = pl.concat([outcomes, outside]).sort("_row")
    repaired, examples = repairs_of(reading.repairs, made["repairs"])
    return Mapped(
        records=made["records"],
        outcomes=outcomes,
        issues=issues_of(judging.notes, answers[len(asked) :], key_issues),
        waits=made["waits"],
        shares=made["shares"],
        linked=made["linked"],
        repaired=repaired,
        examples=examples,
        code_use=codes_of(reading.code_uses, made["codes"]),
        unknown={**unknown, **judging.unknown},
    )
