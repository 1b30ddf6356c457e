"""Words that stand inside messages about mappings."""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, str]] = {
    "nothing": "niets",
    "unknown reason": "om onbekende reden",
    "No such file or directory": "het bestaat niet",
    "Permission denied": "geen toegang",
    "Is a directory": "het is een map",
    "Not a directory": "het is geen map",
    "No space left on device": "de schijf is vol",
    "Read-only file system": "er mag niet worden geschreven",
    "File name too long": "de naam is te lang",
    "the name cannot be used": "die naam kan niet",
    "it is a folder, pipe or device": "het is een map, pijp of apparaat",
    # what the YAML library says
    "found character that cannot start any token": "een teken dat hier niet kan beginnen, misschien een tab",
    "did not find expected ',' or '}'": "er ontbreekt een ',' of een '}'",
    "did not find expected ',' or ']'": "er ontbreekt een ',' of een ']'",
    "did not find expected key": "er ontbreekt een sleutel, of het inspringen klopt niet",
    "could not find expected ':'": "er ontbreekt een ':'",
    "mapping values are not allowed in this context": "een ':' die hier niet kan; zet de tekst tussen aanhalingstekens",
    "found unexpected end of stream": "het bestand houdt te vroeg op, misschien ontbreekt een aanhalingsteken",
    "exceeded maximum nesting depth": "te diep genest",
    "none": "geen",
    "not there": "niet ingevuld",
    "text": "tekst",
    "a list": "een lijst",
    "a date": "een datum",
    "date": "datum",
    "an instant": "een moment",
    "instant": "moment",
    "interval": "tijdsduur",
    "an interval": "een tijdsduur",
    "true or false": "waar of onwaar",
    "boolean": "waar of onwaar",
    "a whole number": "een geheel getal",
    "integer": "geheel getal",
    "a number": "een getal",
    "number": "getal",
    "the id of a record": "het id van een record",
    "a value that is no link": "een waarde die geen koppeling is",
    "a list or another type": "een lijst of iets anders",
    "keys and values": "sleutels met waarden",
    "a column": "een kolom",
    "the target": "het doel",
    "a comparison": "een vergelijking",
    "arithmetic": "een berekening",
    "year": "jaar",
    "month": "maand",
    "day": "dag",
    "hour": "uur",
    "minute": "minuut",
    "second": "seconde",
    "fraction": "deel van een seconde",
    "null_if, date, datetime or timezone": "null_if, date, datetime of timezone",
    "a column, or {from: column, do: [steps]}": "een kolom, of {from: kolom, do: [stappen]}",
    "a column or value, or {from: column, do: [steps]}": "een kolom of tussenwaarde, of {from: kolom, do: [stappen]}",
    "the name of a step, or one name with its parameters": "de naam van een stap, of één naam met parameters",
    "a list of texts, {file: name.csv} or {shared: name}": "een lijst teksten, {file: naam.csv} of {shared: naam}",
    "a file name, {file: name.csv, fold: true, at: column} or codes with their values": (
        "een bestandsnaam, {file: naam.csv, fold: true, at: kolom} of codes met hun waarden"
    ),
    'reject, "null", keep or {use: text}': 'reject, "null", keep of {use: tekst}',
    "a list of formats, or {by: _file, formats: file.csv, else: [D-M-YYYY]}": (
        "een lijst notaties, of {by: _file, formats: bestand.csv, else: [D-M-YYYY]}"
    ),
    "true, or {decimal: sign, thousands: sign}": "true, of {decimal: teken, thousands: teken}",
    "{true: [texts], false: [texts]}": "{true: [teksten], false: [teksten]}",
    "a format such as YYYYMMDD, or {decimal: sign}": "een notatie zoals YYYYMMDD, of {decimal: teken}",
    "the name of a mapping, {mapping: name, key: column} or {identity: table.name}": (
        "de naam van een mapping, {mapping: naam, key: kolom} of {identity: tabel.naam}"
    ),
    "table.column, or {table: name, by: [columns]}": "tabel.kolom, of {table: naam, by: [kolommen]}",
    "reject, earliest, latest or {not_before: field}": "reject, earliest, latest of {not_before: veld}",
    "{key: column} or {list: column, split: sign, skip: number}": (
        "{key: kolom} of {list: kolom, split: teken, skip: getal}"
    ),
    "{order: [columns], step: 1 second}": "{order: [kolommen], step: 1 second}",
    "keep, remove or {close: {column: value}}": "keep, remove of {close: {kolom: waarde}}",
    "a list of keys, or {linked: [keys], waiting: [keys], orphan: [keys], …}": (
        "een lijst sleutels, of {linked: [sleutels], waiting: [sleutels], orphan: [sleutels], …}"
    ),
    "date formats": "notaties voor datums",
    "datetime formats": "notaties voor momenten",
    "no format known to us": "geen notatie die wij kennen",
    # what workbooks hold
    "macros": "macro's",
    "links to other workbooks": "koppelingen met andere werkmappen",
    "connections to databases": "verbindingen met databases",
    "embedded documents": "ingesloten documenten",
    "pictures": "afbeeldingen",
    # runbooks and signatures
    "run": "run",
    "version of the runbook": "versie van het draaiboek",
    "runbook": "draaiboek",
    "gate": "poort",
    "console": "opdracht",
    "manual": "stap met de hand",
    "form": "vorm",
    "approval": "goedkeuring",
    "withdrawal": "intrekking",
    "waiver": "aanvaarding",
    "seal": "zegel",
    "not known": "niet bekend",
}
