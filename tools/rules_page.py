"""The page of business rules: which are asked of a target, which hold by themselves, which are not asked and why."""

from __future__ import annotations

from datetime import UTC, datetime

from casemodel.rules import ENFORCED, NOT_ASKED, Moment, business_rules


def rules_page() -> str:
    """Return docs/rules.md."""
    rules = [rule for rule in business_rules(Moment(datetime(2026, 1, 1, tzinfo=UTC))) if rule.code != "XX-01"]
    asked = [
        f"| `{rule.id}` | {rule.severity} | {rule.table.name} | {rule.english} | {rule.dutch} |" for rule in rules
    ]  # fmt: skip
    codes = sorted({rule.code for rule in rules} | ENFORCED.keys() | NOT_ASKED.keys())
    checked = {rule.code for rule in rules} | {"XX-01"}
    lines = [
        f"| {code} | {'yes' if code in checked else '—'} | {ENFORCED.get(code, '—')} | {NOT_ASKED.get(code, '—')} |"
        for code in codes
    ]
    return RULES_HEAD + "\n".join(asked) + RULES_MIDDLE + "\n".join(lines) + "\n" + RULES_END


RULES_HEAD = """\
# Business rules of the target

`omnicase reconcile` asks these of the records of the target (level `rules`), in the database itself, by ranges of the
id. A rule of the severity **error** may not be broken: the new system refuses such a record, or a repair of the mapping
failed; each record that breaks it is a difference. A rule of the severity **signal** points out what old systems hold,
too: people judge it, and the verdict does not change ([decision 28](decisions/028-signals.md)). Every rule says of how
many records it was asked; one that is about none is *not applicable*.

| rule | severity | table | what is asked | in Dutch |
|---|---|---|---|---|
"""
RULES_MIDDLE = """

`XX-01 TABLE.COLUMN` (error) is asked of every link of every table: what it points to is there.

## Which rule is held where

| rule | asked by `reconcile` | held by the target itself | not asked, and why |
|---|---|---|---|
"""
RULES_END = """
## Rules of your own

A municipality writes its own in `checks/*.yml` of the workspace:

```yaml
rules:
  - id: EIG-01
    nl: Elke zaak heeft een behandelaar of een behandelende afdeling
    en: Every case has a handler or a department that handles it
    severity: signal            # or error
    table: case_file
    sql: SELECT id FROM case_file WHERE handler_actor_id IS NULL
```

The SELECT returns the `id` of every record of the table that does **not** hold to the rule. It is written as for
SQLite, whatever database the target is: dates and moments are texts (`2011-04-05`, `2011-04-05 09:30:00.000000` in
UTC), yes and no are 1 and 0. It only reads: one SELECT over tables of the model, functions from the list of
[queries](mappings.md), nothing recursive. What is wrong is refused before anything is compared (exit status 4):

| code | what is wrong |
|---|---|
| `REC-020` | a key is missing or not known, or the file lies outside the workspace |
| `REC-021` | the id is not one, or stands twice |
| `REC-022` | the severity is not error or signal |
| `REC-023` | there is no such table |
| `REC-024` | the SELECT may not be run |
| `REC-025` | it returns something else than `id` |
| `REC-026` | it reads what is not there |
| `REC-027` | the database refuses it |

A rule gets 300 seconds, or `reconcile: {rule_seconds: …}` of `workspace.yml`. One that takes longer is ended
(`REC-045`) and is a difference, *rule not answered*: what nobody knows never passes. The rules of the case model are
ours, and asked by ranges of the key.
"""
