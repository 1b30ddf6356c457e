"""`mapping doc`: the data dictionary: where each target field comes from, stage by stage, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from casemodel import tables
from mappings import MappingFile
from migrate.paper import Part

_MOST_CODES = 200
_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Gegevenswoordenboek", "Data dictionary"),
    "intro": (
        "Van elke kolom van het doel: waaruit zij ontstaat en welke stappen de waarde doorloopt.",
        "Of every column of the target: what it is made of, and the stages that its value goes through.",
    ),
    "mapping": ("{name}: {relation} naar {target}", "{name}: {relation} to {target}"),
    "owner": ("Eigenaar: {owner}.", "Owner: {owner}."),
    "key": ("Sleutel: {key}.", "Key: {key}."),
    "scope": (
        "Alleen rijen waarvoor geldt: {where}. Reden: {reason}.",
        "Only rows for which holds: {where}. Reason: {reason}.",
    ),
    "identity": (
        "Rijen met dezelfde {by} worden één record, ook met die van andere systemen. Rang {rank}: de laagste wint.",
        "Rows with the same {by} become one record, with those of other systems too. Rank {rank}: the lowest wins.",
    ),
    "or": ("of", "or"),
    "agree": (
        "Wie met de eerste rij in {agree} niets gemeen heeft, blijft apart, met een waarschuwing.",
        "Who has nothing of {agree} in common with the first row stays apart, with a warning.",
    ),
    "newest": ("Binnen een rang gaat de hoogste {newest} voor.", "Within a rank the highest {newest} wins."),
    "together": ("Uit één rij komen: {fields}.", "These come from one row: {fields}."),
    "fields": ("Velden van {name}", "Fields of {name}"),
    "values": ("Tussenwaarden van {name}", "Values of {name}"),
    "codes_of": ("Codetabel van {name}: {field}", "Code table of {name}: {field}"),
    "more": ("en nog {n} codes", "and {n} more codes"),
    "rules": ("Regels van {name}", "Rules of {name}"),
    "left": ("Wat achterblijft bij {name}", "What {name} leaves behind"),
    "field": ("veld", "field"),
    "origin": ("waaruit", "origin"),
    "stages": ("stappen", "stages"),
    "loss": ("wat verloren kan gaan", "what may be lost"),
    "code": ("code", "code"),
    "becomes": ("wordt", "becomes"),
    "rule": ("regel", "rule"),
    "check": ("voorwaarde", "condition"),
    "otherwise": ("anders", "otherwise"),
    "column": ("kolom", "column"),
    "reason": ("reden", "reason"),
    "by": ("besloten door", "approved by"),
    "evidence": ("bewijs", "evidence"),
    "ignored": ("bronkolom {name}", "source column {name}"),
    "unfilled": ("doelkolom {name} blijft leeg", "target column {name} stays empty"),
    "from": ("kolom {v}", "column {v}"),
    "expr": ("berekend: {v}", "computed: {v}"),
    "const": ("altijd '{v}'", "always '{v}'"),
    "json": ("JSON van {v}", "JSON of {v}"),
    "use": ("eigen functie {v}", "function {v}"),
    "try": ("het eerste dat een waarde geeft van: {v}", "the first that gives a value of: {v}"),
    "null_if": ("leeg bij {v}", "empty when {v}"),
    "do": ("opgeschoond: {v}", "tidied: {v}"),
    "codes": ("vertaald met {v}", "translated with {v}"),
    "inline": ("de codetabel hieronder", "the code table below"),
    "unknown_reject": ("een onbekende code: de rij wordt geweigerd", "an unknown code: the row is rejected"),
    "unknown_null": ("een onbekende code vervalt", "an unknown code is dropped"),
    "unknown_keep": ("een onbekende code blijft staan", "an unknown code is kept"),
    "unknown_use": ("een onbekende code wordt '{v}'", "an unknown code becomes '{v}'"),
    "date": ("gelezen als datum {v}", "read as date {v}"),
    "datetime": ("gelezen als tijdstip {v}", "read as moment {v}"),
    "number": ("gelezen als getal", "read as number"),
    "boolean": ("ja bij {yes}, nee bij {no}", "true for {yes}, false for {no}"),
    "timezone": ("tijdzone {v}", "time zone {v}"),
    "spread": ("gelijke tijdstippen uit elkaar gezet", "equal moments spread"),
    "write": ("geschreven als {v}", "written as {v}"),
    "link": ("verwijst naar wat {v} maakte", "refers to what {v} made"),
    "lookup": ("opgezocht in {v}", "looked up in {v}"),
    "missing_park": ("bestaat het niet, dan wacht de rij", "a row whose record is missing waits"),
    "missing_reject": ("bestaat het niet, dan wordt de rij geweigerd", "a row whose record is missing is rejected"),
    "missing_null": ("bestaat het niet, dan blijft het veld leeg", "without such a record the field stays empty"),
    "default": ("anders '{v}'", "else '{v}'"),
    "truncate": ("te lange tekst wordt afgekapt", "a text that is too long is cut"),
    "on_error": ("een onleesbare waarde vervalt", "a value that cannot be read is dropped"),
    "warn_if": ("waarschuwing als {v}", "warning when {v}"),
    "tolerance": (
        "bij het aansluiten mag de waarde {v} verschillen",
        "when reconciling, the value may differ by {v}",
    ),
    "take": ("van meer rijen: {v}", "of several rows: {v}"),
    "when": ("als {v}", "when {v}"),
}


def doc_paper(files: Sequence[MappingFile], lang: str) -> list[Part]:
    """Return the data dictionary of some mappings."""
    parts = [Part(1, _word(lang, "title"), (_word(lang, "intro"),))]
    for file in sorted(files, key=lambda each: (each.model.target, each.name)):
        parts += _mapping(file, lang)
    return parts


def _mapping(file: MappingFile, lang: str) -> Iterator[Part]:
    model, source = file.model, file.model.source
    said = [_word(lang, "key", key=", ".join(part.column for part in source.key))]
    if model.owner:
        said.insert(0, _word(lang, "owner", owner=model.owner))
    if model.scope:
        said.append(_word(lang, "scope", where=model.scope.where, reason=model.scope.reason))
    said += _identity(lang, file)
    table = tables.get(model.target)
    if table is not None and table.comment:
        said.insert(0, str(table.comment))
    relation = f"{file.system}.{file.relation}"
    yield Part(2, _word(lang, "mapping", name=file.name, relation=relation, target=model.target), tuple(said))
    head = tuple(_word(lang, name) for name in ("field", "origin", "stages", "loss"))
    for kind, chains in (("fields", model.fields), ("values", model.values)):
        rows = tuple(
            (name, _origin(lang, dumped), "; ".join(_stages(lang, dumped)), "; ".join(_losses(lang, dumped)))
            for name, chain in chains.items()
            for dumped in [chain.model_dump(by_alias=True, exclude_defaults=True)]
        )
        if rows:
            yield Part(3, _word(lang, kind, name=file.name), (), head, rows)
    for label, codes in file.tables.items():
        rows2 = tuple((_list(code), _list(value)) for code, value in list(codes.rows.items())[:_MOST_CODES])
        more = len(codes.rows) - len(rows2)
        title = _word(lang, "codes_of", name=file.name, field=label.partition(".")[2])
        yield Part(
            3,
            title,
            (_word(lang, "more", n=more),) if more else (),
            (_word(lang, "code"), _word(lang, "becomes")),
            rows2,
        )
    if model.rules:
        head = tuple(_word(lang, name) for name in ("rule", "check", "otherwise"))
        rows3 = tuple((rule.name, rule.check, rule.otherwise) for rule in model.rules)
        yield Part(3, _word(lang, "rules", name=file.name), (), head, rows3)
    left = [
        (_word(lang, "ignored", name=name), item.reason, item.approved_by or "", item.evidence or "")
        for item in model.ignore
        for name in item.columns
    ]
    left += [
        (_word(lang, "unfilled", name=name), item.reason, "", "") for item in model.unfilled for name in item.columns
    ]
    if left:
        head = tuple(_word(lang, name) for name in ("column", "reason", "by", "evidence"))
        yield Part(3, _word(lang, "left", name=file.name), (), head, tuple(left))


def _identity(lang: str, file: MappingFile) -> list[str]:
    spec = file.model.identity
    if spec is None:
        return []
    by = f" {_word(lang, 'or')} ".join(" + ".join(parts) for parts in spec.by)
    said = [_word(lang, "identity", by=by, rank=spec.rank)]
    if spec.agree:
        said.append(_word(lang, "agree", agree=", ".join(spec.agree)))
    if spec.newest:
        said.append(_word(lang, "newest", newest=spec.newest))
    return [*said, *(_word(lang, "together", fields=", ".join(group)) for group in spec.together)]


def _origin(lang: str, chain: Mapping[str, Any]) -> str:
    for name in ("from", "expr", "const", "json", "use"):
        if chain.get(name):
            return _word(lang, name, v=_list(chain[name]))
    if "const" in chain:
        return _word(lang, "const", v="")
    branches = [f"{name}: {_branch(lang, branch)}" for name, branch in chain.get("try", {}).items()]
    return _word(lang, "try", v=" / ".join(branches))


def _branch(lang: str, branch: Mapping[str, Any]) -> str:
    when = [_word(lang, "when", v=branch["when"])] if branch.get("when") else []
    return ", ".join([*when, _origin(lang, branch), *_stages(lang, branch)])


def _stages(lang: str, chain: Mapping[str, Any]) -> Iterator[str]:
    """Yield the stages in the order in which they run."""
    for name in ("null_if", "do", "codes", "date", "datetime", "number", "boolean", "timezone", "spread", "write"):
        if name not in chain:
            continue
        value = chain[name]
        if name == "codes":
            yield _word(lang, "codes", v=value.get("file") or _word(lang, "inline"))
        elif name == "boolean":
            yield _word(lang, "boolean", yes=_list(value["true"]), no=_list(value["false"]))
        else:
            yield _word(lang, name, v=_list(value))
    for name in ("lookup", "link", "default"):
        if name in chain:
            yield _word(lang, name, v=_list(chain[name]))
    for branch in chain.get("else", ()):
        yield _word(lang, "default", v=_branch(lang, branch))


def _losses(lang: str, chain: Mapping[str, Any]) -> Iterator[str]:
    for name in ("unknown", "missing", "on_error", "truncate", "take", "warn_if", "tolerance"):
        if name not in chain:
            continue
        if name == "unknown":
            yield _word(lang, f"unknown_{chain[name]['_policy']}", v=chain[name].get("use"))
        elif name == "missing":
            yield _word(lang, f"missing_{chain[name]}")
        else:
            yield _word(lang, name, v=_list(chain[name]))


def _list(value: Any) -> str:
    """Return a setting as people read it; an empty text is shown as ''."""
    if isinstance(value, Mapping):
        shown = {str(key).removeprefix("_"): _list(item) for key, item in value.items() if item is not None}
        bare = [item for key, item in shown.items() if key in ("name", "texts", "list", "policy", "format", "mapping")]
        return " ".join([*bare, *(f"{k} {v}" for k, v in shown.items() if v not in bare)])
    if isinstance(value, list | tuple):
        return ", ".join(_list(item) for item in value)
    return str(value) or "''"


def _word(lang: str, key: str, /, **parts: object) -> str:
    return _WORDS[key][0 if lang == "nl" else 1].format(**parts)
