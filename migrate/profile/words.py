"""What a profile says in Dutch and English: the same sentences for the terminal and the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from casemodel import printable
from migrate.dutch import in_dutch
from migrate.profile.findings import ColumnProfile, Counted, Kind, RelationProfile

LANGUAGES: Final = ("nl", "en")

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Profiel van {name}", "Profile of {name}"),
    "rows": ("{rows} rijen, {columns} kolommen", "{rows} rows, {columns} columns"),
    "first": ("alleen de eerste {rows} rijen zijn gelezen", "only the first {rows} rows were read"),
    "unreadable": ("{n} records zijn niet te lezen en tellen niet mee", "{n} records cannot be read and are left out"),
    "unreadable_one": ("1 record is niet te lezen en telt niet mee", "1 record cannot be read and is left out"),
    "sample": (
        "steekproef: vormen, datums en meest voorkomende waarden komen waar dat erbij staat uit 1 op de {step} rijen",
        "sample: forms, dates and top values come from 1 row in {step} where it says so",
    ),
    "empty_relation": ("Er staat niets in deze relatie.", "There is nothing in this relation."),
    "declared_key": ("sleutel volgens het systeem", "key by the system"),
    "candidate_keys": ("mogelijke sleutels", "candidate keys"),
    "no_key": ("geen gevonden", "none found"),
    "aside": ("naast de waarden", "beside the values"),
    "unread": ("geen veld leest", "no field reads"),
    "times": ("{path} ({n} keer)", "{path} ({n} times)"),
    "column": ("kolom", "column"),
    "type": ("type", "type"),
    "untyped": ("geen type", "no type"),
    "personal": ("persoonsgegeven: waarden afgeschermd", "personal: values masked"),
    "filled": ("gevuld", "filled"),
    "nulls": ("{n} keer NULL", "{n} times NULL"),
    "only_null": ("alleen NULL", "only NULL"),
    "distinct": ("verschillende waarden", "different values"),
    "about": ("ongeveer {n}", "about {n}"),
    "unique": ("{n}, in elke rij een andere", "{n}, another one in every row"),
    "length": ("lengte", "length"),
    "characters": ("{low} tot {high} tekens", "{low} to {high} characters"),
    "characters_same": ("{low} tekens", "{low} characters"),
    "characters_one": ("1 teken", "1 character"),
    "null_texts": ("staat voor ‘geen waarde’", "means nothing"),
    "blank": ("(leeg)", "(empty)"),
    "rare": ("{n} keer een zeldzame vorm", "{n} times a rare form"),
    "patterns": ("patronen", "patterns"),
    "others": ("overige {share}", "others {share}"),
    "kinds": ("lijkt op", "looks like"),
    "dates": ("datums", "dates"),
    "together": ("samen {share}", "together {share}"),
    "top": ("meest voorkomend", "most common"),
    "top_none": (
        "geen waarde komt vijf keer of vaker voor, of ze mag niet worden getoond",
        "no value is seen five times or more, or it may not be shown",
    ),
    "foreign_keys": ("verwijst waarschijnlijk naar", "probably points to"),
    "measured": ("gemeten op", "measured on"),
    "measured_sample": ("{n} waarden uit de steekproef", "{n} values of the sample"),
    "kept": ("Bewaard in {file}", "Kept in {file}"),
    "legend": (
        "Patronen: A is een letter, A+ vier of meer letters, 9 een cijfer. Waarden die minder dan vijf keer voorkomen,"
        " worden nooit getoond; van persoonsgegevens alleen de vorm en een kenmerk, van burgerservicenummers niets.",
        "Patterns: A is a letter, A+ four or more letters, 9 a digit. Values seen fewer than five times are never"
        " shown; of personal values only the form and a token, of citizen service numbers nothing.",
    ),
    "kind.bsn": ("burgerservicenummer of RSIN (elfproef)", "citizen service number or RSIN (test of eleven)"),
    "kind.kvk": ("KvK-nummer", "chamber of commerce number"),
    "kind.postcode": ("postcode", "postcode"),
    "kind.phone": ("telefoonnummer", "telephone number"),
    "kind.email": ("e-mailadres", "e-mail address"),
    "kind.iban": ("IBAN", "IBAN"),
    "kind.integer": ("geheel getal", "whole number"),
    "kind.decimal": ("getal met decimalen", "number with decimals"),
}


def word(lang: str, key: str, /, **values: object) -> str:
    """Return a text in a language with its values filled in; whole numbers are written as figures."""
    text = _WORDS[key][LANGUAGES.index(lang)]
    shown = {name: figure(lang, value) if isinstance(value, int) else value for name, value in values.items()}
    return text.format(**shown)


def figure(lang: str, value: int) -> str:
    """Write a whole number: 1.234.567 in Dutch, 1,234,567 in English."""
    return f"{value:,}".replace(",", ".") if lang == "nl" else f"{value:,}"


def percent(lang: str, part: float) -> str:
    """Write a share: 99,8 % in Dutch, 99.8 % in English; only all is 100 % and only nothing is 0 %."""
    if part <= 0 or part >= 1:
        shown = "0" if part <= 0 else "100"
    else:
        shown = "< 0.1" if part < 0.001 else "> 99.9" if part > 0.999 else f"{part * 100:.1f}"
    return f"{shown.replace('.', ',') if lang == 'nl' else shown} %"


def heading(lang: str, profile: RelationProfile) -> list[str]:
    """Return the sentences about a relation as a whole."""
    said = [word(lang, "rows", rows=profile.rows, columns=len(profile.columns))]
    if not profile.whole:
        said.append(word(lang, "first", rows=profile.rows))
    if profile.unreadable:
        said.append(word(lang, "unreadable_one" if profile.unreadable == 1 else "unreadable", n=profile.unreadable))
    if any(column.sampled for column in profile.columns):
        said.append(word(lang, "sample", step=profile.step))
    if not profile.rows:
        said.append(word(lang, "empty_relation"))
    return said


def keys(lang: str, profile: RelationProfile) -> list[tuple[str, str]]:
    """Return what is said of the keys of a relation, and of what lies beside its values, each with its label."""
    candidates = "; ".join(" + ".join(key) for key in profile.candidate_keys) or word(lang, "no_key")
    said = [(word(lang, "candidate_keys"), printable(candidates))]
    if profile.declared_key:
        said.insert(0, (word(lang, "declared_key"), printable(" + ".join(profile.declared_key))))
    if not profile.rows:
        said.pop()
    said += [(word(lang, "aside"), printable(_told(lang, text))) for text in profile.aside]
    unread = (word(lang, "times", path=printable(each.text), n=each.count) for each in profile.unread)
    return [*said, *((word(lang, "unread"), text) for text in unread)]


def _told(lang: str, text: str) -> str:
    return (in_dutch(text) if lang == "nl" else None) or text


def facts(lang: str, column: ColumnProfile) -> Iterator[tuple[str, str]]:
    """Yield what is said of a column, each with its label."""
    if not column.rows:
        return
    if column.nulls == column.rows:
        yield word(lang, "filled"), word(lang, "only_null")
        return
    filled = percent(lang, 1 - (column.nulls + column.empty) / column.rows)
    yield word(lang, "filled"), filled + (f" ({word(lang, 'nulls', n=column.nulls)})" if column.nulls else "")
    yield word(lang, "distinct"), _distinct(lang, column)
    same = "characters_same" if column.shortest == column.longest else "characters"
    same = "characters_one" if column.longest == column.shortest == 1 else same
    yield word(lang, "length"), word(lang, same, low=column.shortest, high=column.longest)
    if column.null_texts or column.rare_null_texts:
        shown = [_counted(lang, each) for each in column.null_texts]
        yield word(lang, "null_texts"), ", ".join([*shown, *_rare(lang, column)])
    if column.kinds:
        yield (
            word(lang, "kinds"),
            ", ".join(f"{word(lang, f'kind.{each.kind}')} {percent(lang, each.share)}" for each in column.kinds),
        )
    if column.dates:
        yield word(lang, "dates"), _dates(lang, column.dates, column.dates_together)
    if column.foreign_keys:
        yield (
            word(lang, "foreign_keys"),
            ", ".join(
                printable(f"{each.relation}.{each.column}") + f" {percent(lang, each.share)}"
                for each in column.foreign_keys
            ),
        )
    if column.sampled:
        yield word(lang, "measured"), word(lang, "measured_sample", n=column.measured)


def _distinct(lang: str, column: ColumnProfile) -> str:
    if column.unique:
        return word(lang, "unique", n=column.distinct)
    return figure(lang, column.distinct) if column.distinct_exact else word(lang, "about", n=_rounded(column.distinct))


def _rounded(count: int) -> int:
    """Return an estimate with three digits: more would promise what it does not hold."""
    digits = len(str(count)) - 3
    return round(count, -digits) if digits > 0 else count


def _rare(lang: str, column: ColumnProfile) -> list[str]:
    return [word(lang, "rare", n=column.rare_null_texts)] if column.rare_null_texts else []


def _dates(lang: str, formats: tuple[Kind, ...], together: float) -> str:
    shown = ", ".join(f"{each.kind} {percent(lang, each.share)}" for each in formats)
    return shown if len(formats) == 1 else f"{shown} ({word(lang, 'together', share=percent(lang, together))})"


def _counted(lang: str, each: Counted) -> str:
    return f"{label(lang, each)} {percent(lang, each.share)}"


def label(lang: str, each: Counted) -> str:
    """Return a text that may be shown; an empty one says so."""
    return printable(each.text) if each.text.strip() else word(lang, "blank")
