"""What a compiled mapping promises besides its stories: digests, hashes, keys, order, circles, explanation, coverage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from story import EMPTY, SECRETS, open_story, relations_of

from casemodel import UNKNOWN_CODE, Relation, SourceColumn, check_contract, target_contract
from mappings import CompiledMapping, MappingFile, check_mappings, compile_mapping, parse_mapping, stage_values

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

CASES = Path(__file__).parents[1] / "cases"
STORIES = sorted(path.name for path in CASES.iterdir() if (path / "mapping.yml").exists())

ACTOR = """
mapping: old.actor
owner: team test
target: actor
source: {relation: source, key: [CODE]}
values:
  born: {from: GEB, date: [DD-MM-YY], pivot: past}
fields:
  actor_type: {from: SOORT, codes: soort.csv}
  name: {from: NAAM, do: [trim, upper]}
  is_active: {expr: "born IS NULL"}
unfilled:
  - {columns: [employee_code, job_title, email, phone, unit_id], reason: not recorded}
ignore:
  - {columns: [REST], reason: not needed}
"""
COLUMNS = ("CODE", "NAAM", "SOORT", "GEB", "REST")


def relation(system: str, name: str) -> Relation:
    """Offer one relation."""
    return Relation(system, name, tuple(SourceColumn(column) for column in COLUMNS))


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., CompiledMapping]:
    """Return a function that compiles a changed text of the actor mapping."""

    def compile_text(
        text: str = ACTOR, codes: str = "from,to,note\nM,medewerker,\n", day: date = date(2024, 1, 1)
    ) -> CompiledMapping:
        (tmp_path / "soort.csv").write_text(codes)
        file = parse_mapping(text.encode(), shown_as="actor.yml", codes=tmp_path)
        return compile_mapping(file, relation, {file.name: file}, SECRETS, day)

    return compile_text


def test_meaning_ignores_what_changes_no_record(compiled: Callable[..., CompiledMapping]) -> None:
    """Comments, owner, reasons and the order of keys change the digest of the file only."""
    plain = compiled()
    changed = ACTOR.replace("owner: team test", "owner: another team  # new").replace("not recorded", "never recorded")
    changed = changed.replace("{from: NAAM, do: [trim, upper]}", "{do: [trim, upper], from: NAAM}")
    changed = changed.replace("reason: not needed", "reason: not needed, approved_by: somebody")
    again = compiled(changed)
    assert again.meaning == plain.meaning
    assert again.file_digest != plain.file_digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[trim, upper]", "[trim]"),
        ("DD-MM-YY]", "D-M-YY]"),
        ("born IS NULL", "born IS NOT NULL"),
        ("key: [CODE]", "key: [NAAM]"),
        ("fields:", "scope: {where: \"NAAM <> ''\", reason: x}\nfields:"),
        ("unfilled:", "rules: [{name: r, check: \"name <> 'X'\"}]\nunfilled:"),
    ],
)
def test_meaning_follows_what_changes_records(compiled: Callable[..., CompiledMapping], old: str, new: str) -> None:
    """Each part that can change a record changes the meaning."""
    assert old in ACTOR
    assert compiled(ACTOR.replace(old, new)).meaning != compiled().meaning


def test_meaning_follows_code_tables_and_day(compiled: Callable[..., CompiledMapping]) -> None:
    """The content of a code table is part of the meaning, notes are not; so is the day, where it is used."""
    plain = compiled()
    assert compiled(codes="from,to,note\nM,medewerker,a note\n").meaning == plain.meaning
    assert compiled(codes="from,to,note\nM,medewerker,\nE,medewerker,\n").meaning != plain.meaning
    assert compiled(codes="from,to,note\nE,medewerker,\n").meaning != plain.meaning
    assert compiled(day=date(2025, 1, 1)).meaning != plain.meaning
    no_day = ACTOR.replace("date: [DD-MM-YY], pivot: past", "date: [DD-MM-YYYY]")
    assert compiled(no_day, day=date(2025, 1, 1)).meaning == compiled(no_day).meaning


def test_hash_covers_what_is_used(compiled: Callable[..., CompiledMapping]) -> None:
    """A row's hash changes with a column that the mapping uses, with no other, and with the meaning."""
    mapping = compiled()
    row = {"CODE": "1", "NAAM": "Jansen", "SOORT": "M", "GEB": "01-01-80", "REST": "a", "_ref": "0"}
    rows = pl.DataFrame(
        [row, {**row, "REST": "b"}, {**row, "NAAM": "Jansens"}, {**row, "GEB": None}, {**row, "GEB": ""}]
    )
    hashes = mapping.prepare(rows).get_column("_hash").to_list()
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 4
    other = compiled(ACTOR.replace("[trim, upper]", "[trim]"))
    assert other.prepare(rows).get_column("_hash")[0] != hashes[0]
    assert mapping.used_columns == ("CODE", "NAAM", "SOORT", "GEB")


def test_ids_are_those_of_the_key_alone(compiled: Callable[..., CompiledMapping]) -> None:
    """The same key gives the same id in any batch and with any other content."""
    story = open_story(CASES / "plain_row")
    whole = story.mapped().records
    prepared = story.prepared()
    alone = story.mapping.apply(prepared.tail(1), story.links, EMPTY).records
    assert alone.get_column("id")[0] == whole.get_column("id")[1]
    assert whole.get_column("id").str.contains("^[0-9a-f-]{36}$").all()


def test_an_identity_is_what_its_parts_say_and_nothing_else(compiled: Callable[..., CompiledMapping]) -> None:
    """The order in which a file names the parts does not count; an empty part fills no alternative, nor another key."""
    ids = []
    for parts in ("n: NAAM, s: REST", "s: REST, n: NAAM"):
        text = ACTOR.replace("values:", f"identity: {{by: [{{{parts}}}]}}\nvalues:").replace("key: [CODE]", "key: [CODE], other_keys: [[REST]]")
        mapping = compiled(text.replace("  - {columns: [REST], reason: not needed}\n", "").replace("ignore:\n", ""))
        row = {"CODE": "1", "NAAM": "Jansen", "SOORT": "M", "GEB": "01-01-80", "REST": "a", "_ref": "0"}
        rows = [row, {**row, "CODE": "2"}, {**row, "CODE": "3", "REST": ""}, {**row, "CODE": "4", "REST": ""}]
        prepared = mapping.prepare(pl.DataFrame(rows))
        assert prepared.get_column("_other_0").to_list() == ["a", "a", None, None]
        ids.append(mapping.apply(prepared, open_story(CASES / "plain_row").links, EMPTY).records.get_column("id").to_list())
    assert ids[0] == ids[1] and len(set(ids[0])) == 3 and ids[0][0] == ids[0][1]


def test_the_newest_of_numbers_is_the_largest(compiled: Callable[..., CompiledMapping]) -> None:
    """Contributions are ordered by text, in which 10 comes before 9."""
    text = ACTOR.replace("values:", "identity: {by: [{n: NAAM}], newest: version}\nvalues:\n  version: {from: REST, number: true}")
    mapping = compiled(text.replace("  - {columns: [REST], reason: not needed}\n", "").replace("ignore:\n", ""))
    row = {"NAAM": "Jansen", "SOORT": "M", "GEB": "01-01-80", "_ref": "0"}
    numbers = ["9", "10", "-3", "9.5", "0010.25", None]
    prepared = mapping.prepare(pl.DataFrame([{**row, "CODE": str(i), "REST": each} for i, each in enumerate(numbers)]))
    shares = mapping.apply(prepared, open_story(CASES / "plain_row").links, EMPTY).shares
    order = shares.drop_nulls("newest").sort("newest").get_column("_key").to_list()
    assert [numbers[int(key)] for key in order] == ["-3", "9", "9.5", "10", "0010.25"]


@pytest.mark.parametrize("name", STORIES)
def test_keys_only_gives_the_keys(name: str) -> None:
    """The keys-only pass gives the keys of the prepared frame, from the key's columns alone."""
    story = open_story(CASES / name)
    prepared = story.prepared()
    frame = pl.read_csv(story.folder / "source.csv", infer_schema=False).select(story.mapping.key_columns)
    assert story.mapping.keys_only(frame).get_column("_key").to_list() == prepared.get_column("_key").to_list()


@pytest.mark.parametrize("name", STORIES)
def test_records_hold_the_contract(name: str) -> None:
    """What a mapping makes passes the last gate, but for the ids of these stories, which are no UUIDs."""
    story = open_story(CASES / name)
    records = story.mapped().records.drop("_key")
    breaches = check_contract(target_contract(story.mapping.target, story.mapping.fields), records)
    assert [breach for breach in breaches if breach.check != "form"] == []
    assert {name: dtype for name, dtype in records.schema.items() if name != "id"} == story.mapping.contract_columns


@pytest.mark.parametrize("name", STORIES)
def test_batches_do_not_matter(name: str) -> None:
    """Mapped group by group, every row becomes what it becomes in one batch; an empty batch gives empty frames."""
    story = open_story(CASES / name)
    whole = story.mapped()
    prepared = story.prepared()
    keys = prepared.get_column("_key").drop_nulls()
    doubled = keys.filter(keys.is_duplicated()).unique()
    by = "_group" if story.mapping.group or story.mapping.group_is_wide else "_row"
    by = "_key" if story.file.model.source.on_duplicate else by
    parts = [story.mapping.apply(part, story.links, doubled) for part in prepared.partition_by(by, maintain_order=True)]
    for what in ("records", "outcomes", "issues", "waits"):
        joined = pl.concat([getattr(part, what) for part in parts]).sort(pl.all(), nulls_last=True)
        assert joined.equals(getattr(whole, what).sort(pl.all(), nulls_last=True)), what
    empty = story.mapping.apply(prepared.head(0), story.links, EMPTY)
    assert empty.records.schema == whole.records.schema
    assert (empty.outcomes.height, empty.issues.height, empty.waits.height) == (0, 0, 0)


@pytest.mark.parametrize("name", STORIES)
def test_every_stage_can_be_explained(name: str) -> None:
    """The last stage of a field shows what is written."""
    story = open_story(CASES / name)
    mapped = story.mapped()
    prepared = story.prepared()
    for row in mapped.outcomes.filter(pl.col("outcome") == "record").rows(named=True):
        first = prepared.filter(pl.col("_row") == row["_row"])
        rest = prepared.filter(pl.col("_row") != row["_row"]).join(first, on="_group", how="semi")
        stages = stage_values(story.mapping, pl.concat([first, rest]), story.links)
        written = {stage.field: stage.value for stage in stages if stage.stage == "written"}
        assert set(written) == set(story.mapping.fields)
        record = mapped.records.filter(pl.col("_key") == row["_record"])
        for field in story.mapping.fields:
            if record.schema[field] == pl.String():
                assert written[field] == record.get_column(field)[0]
        break


def test_explanation_reads_like_the_mapping() -> None:
    """The stages of a row come in the order of the file, branch by branch, with the issue at the end."""
    story = open_story(CASES / "alternatives")
    row = story.prepared().slice(4, 1)
    stages = [(s.stage, s.value, s.issue) for s in stage_values(story.mapping, row, story.links) if s.field == "value"]
    assert stages[:4] == [
        ("day: from WAARDE", "31-2-2011", None),
        ("day: date", None, None),
        ("day: write", None, None),
        ("amount: from WAARDE", "31-2-2011", None),
    ]
    assert stages[-2:] == [("value of the branch", None, None), ("written", None, "date-invalid")]


def parse(text: str, codes: Path) -> MappingFile:
    """Parse a mapping text."""
    return parse_mapping(text.encode(), shown_as=text.split()[1] + ".yml", codes=codes)


def channel(name: str, relation: str = "source", more: str = "") -> str:
    """Return a small mapping to `channel`."""
    return (
        f"mapping: old.{name}\nowner: t\ntarget: channel\nsource: {{relation: {relation}, key: [CODE]}}\n"
        f"fields: {{code: {{from: CODE}}, name: {{from: NAAM}}, is_active: {{const: true}}}}\n{more}"
    )


def test_coverage_is_of_the_relation(tmp_path: Path) -> None:
    """A column that another mapping uses needs no ignore; ignoring it is a warning, ignoring nothing an error."""
    rest = "ignore: [{columns: [SOORT, GEB, REST], reason: x}]\n"
    two = channel("b").replace("{from: NAAM}", "{from: SOORT}")
    result = check_mappings([parse(channel("a", more=rest), tmp_path), parse(two, tmp_path)], relation, ("old",))
    assert [error.as_dict() for error in result.errors] == []
    assert [(w.code, w.place.line) for w in result.warnings] == [("MAP-090", 6)]
    (covered,) = result.coverage.relations
    assert {column.name: (column.mappings, column.reason) for column in covered.columns} == {
        "CODE": (("old.a", "old.b"), None),
        "NAAM": (("old.a",), None),
        "SOORT": (("old.b",), "x"),
        "GEB": ((), "x"),
        "REST": ((), "x"),
    }
    lonely = check_mappings([parse(channel("a"), tmp_path)], relation, ("old",))
    assert [error.code for error in lonely.errors] == ["MAP-040"] * 3


def role(name: str, links: str) -> str:
    """Return a small mapping to `actor` with links to other actors."""
    return (
        f"mapping: old.{name}\nowner: t\ntarget: actor\nsource: {{relation: source, key: [CODE]}}\n"
        f"fields: {{actor_type: {{const: medewerker}}, name: {{from: NAAM}}, is_active: {{const: true}}, {links}}}\n"
    )


def test_parents_run_first(tmp_path: Path) -> None:
    """The order follows links and lookups, whatever the names."""
    files = [
        parse(role("a", "unit_id: {from: SOORT, link: old.z, missing: reject}"), tmp_path),
        parse(role("z", "employee_code: {from: CODE}"), tmp_path),
        parse(role("m", "unit_id: {from: SOORT, link: old.a}"), tmp_path),
    ]
    result = check_mappings(files, relation, ("old",))
    assert result.order == ("old.z", "old.a", "old.m")


def test_circles_of_links(tmp_path: Path) -> None:
    """A circle is refused with its path, unless a nullable link in it parks; then that link is the one that waits."""
    first = role("a", "unit_id: {from: SOORT, link: old.b, missing: reject}")
    second = role("b", "unit_id: {from: SOORT, link: old.a, missing: reject}")
    result = check_mappings([parse(first, tmp_path), parse(second, tmp_path)], relation, ("old",))
    circles = [error for error in result.errors if error.code == "MAP-052"]
    assert len(circles) == 1
    assert "old.a → old.b → old.a" in circles[0].message
    files = [parse(first, tmp_path), parse(second.replace("missing: reject", "missing: park"), tmp_path)]
    opened = check_mappings(files, relation, ("old",))
    assert [error.code for error in opened.errors if error.code == "MAP-052"] == []
    assert opened.order == ("old.b", "old.a")
    by_name = {file.name: file for file in files}
    assert compile_mapping(files[1], relation, by_name, SECRETS, date(2024, 1, 1)).parking == {("unit_id", "old.a"): True}
    assert compile_mapping(files[0], relation, by_name, SECRETS, date(2024, 1, 1)).hard_parents == ("old.b",)


def test_breaking_a_circle(tmp_path: Path) -> None:
    """In a permitted circle a waiting link parks the row; breaking circles loads the row without it, and warns."""
    file = parse(role("a", "unit_id: {from: SOORT, null_if: [''], link: old.a}"), tmp_path)
    mapping = compile_mapping(file, relation, {file.name: file}, SECRETS, date(2024, 1, 1))
    story = open_story(CASES / "links_and_missing_records")
    story.links.states.update(
        {("old.a", "", "1"): "linked", ("old.a", "", "2"): "waiting", ("old.a", "", "3"): "orphan"}
    )
    rows = pl.DataFrame(
        {
            "CODE": ["1", "2", "3", "4"],
            "NAAM": ["a", "b", "c", "d"],
            "SOORT": ["", "1", "2", "3"],
            "GEB": [""] * 4,
            "REST": [""] * 4,
            "_ref": ["0", "1", "2", "3"],
        }
    )
    prepared = mapping.prepare(rows)
    parked = mapping.apply(prepared, story.links, EMPTY)
    assert parked.outcomes.get_column("outcome").to_list() == ["record", "record", "parked", "rejected"]
    broken = mapping.apply_breaking_cycles(prepared, story.links, EMPTY)
    assert broken.outcomes.get_column("outcome").to_list() == ["record", "record", "record", "rejected"]
    assert broken.issues.select("_key", "code", "severity").rows() == [
        ("3", "link-waiting", "warning"),
        ("4", "orphan", "error"),
    ]
    assert broken.waits.select("_key", "wait_key").rows() == [("3", "2"), ("4", "3")]


def test_nul_characters_are_an_issue(compiled: Callable[..., CompiledMapping]) -> None:
    """A database cannot hold a NUL character: it is never removed in silence."""
    mapping = compiled()
    rows = pl.DataFrame(
        {
            "CODE": ["1", "2"],
            "NAAM": ["a\0b", "ab"],
            "SOORT": ["M", "M"],
            "GEB": [None, None],
            "REST": ["", ""],
            "_ref": ["0", "1"],
        },
        schema_overrides={"GEB": pl.String},
    )
    mapped = mapping.apply(mapping.prepare(rows), open_story(CASES / "plain_row").links, EMPTY)
    assert mapped.issues.select("_key", "field", "code").rows() == [("1", "name", "nul-character")]


def test_slots_have_hashes_of_their_own() -> None:
    """A changed phone number does not touch the slot of the mail address."""
    story = open_story(CASES / "one_row_into_many")
    before = story.prepared()
    frame = pl.read_csv(story.folder / "source.csv", infer_schema=False).with_columns(pl.lit("0").alias("_ref"))
    changed = frame.with_columns(pl.when(pl.col("PERS") == "1").then(pl.lit("06")).otherwise("TEL1").alias("TEL1"))
    after = story.mapping.prepare(changed)
    moved = before.get_column("_key").filter(before.get_column("_hash") != after.get_column("_hash"))
    assert moved.to_list() == ["1|tel1"]
    assert relations_of(story.folder)("old", "source").name == "source"


def test_a_check_compiles_what_is_sound(tmp_path: Path) -> None:
    """With the workspace's secrets the check hands over the mappings without errors, ready to run."""
    files = [parse(role("a", "employee_code: {from: CODE}"), tmp_path), parse(role("b", "nam: {from: CODE}"), tmp_path)]
    result = check_mappings(files, relation, ("old",), secrets=SECRETS, as_of=date(2024, 1, 1))
    assert list(result.compiled) == ["old.a"]
    alone = compile_mapping(files[0], relation, {file.name: file for file in files}, SECRETS, date(2024, 1, 1))
    assert result.compiled["old.a"].meaning == alone.meaning


def test_codes_are_counted_in_the_branches_that_were_tried() -> None:
    """Of the rows of TYPE JN one found its code, and one went on to the next branch."""
    used = open_story(CASES / "alternatives").mapped().code_use
    assert {code: n for (table, code), n in used.items() if table.endswith(":value")} == {"j": 1, UNKNOWN_CODE: 1}
