"""What files hold beside their values (CON-094): English and Dutch."""

from __future__ import annotations

from typing import Final

DELIVERIES: Final[tuple[tuple[str, str], ...]] = (
    ("{a}: {b} hidden rows, which are read like any other",
     "{a}: {b} verborgen rijen, die gewoon worden gelezen"),
    ("{a}: {b} groups of hidden columns, which are read like any other",
     "{a}: {b} groepen verborgen kolommen, die gewoon worden gelezen"),
    ("{a}: {b} merged ranges, whose value is only in their first cell",
     "{a}: {b} samengevoegde gebieden; de waarde staat alleen in de eerste cel"),
    ("{a}: {b} cells with an error (#N/A and the like), read as no value",
     "{a}: {b} cellen met een fout (#N/B en dergelijke), gelezen als geen waarde"),
    ("{a}: {b} formulas without a stored value, read as no value",
     "{a}: {b} formules zonder bewaarde waarde, gelezen als geen waarde"),
    ("{a}: {b} coloured cells, whose colour is not migrated",
     "{a}: {b} gekleurde cellen; de kleur gaat niet mee"),
    ("{a}: {b} comments, which are not migrated", "{a}: {b} opmerkingen, die niet meegaan"),
    ("{a}: the sheet is hidden, and read like any other", "{a}: het blad is verborgen en wordt gewoon gelezen"),
    ("{a}: {b} sheets that the relation does not read: {c}", "{a}: {b} bladen die de relatie niet leest: {c}"),
    ("{a}: it holds {w}, which are left aside", "{a}: er zitten {w} in, die buiten beschouwing blijven"),
    ("{a}: it is an .xls: errors, empty texts, hidden rows, colours and comments in it are not told",
     "{a}: het is een .xls: fouten, lege teksten, verborgen rijen, kleuren en opmerkingen erin worden niet gemeld"),
    ("{a}: it is an .ods: errors, empty texts, merged cells, hidden rows, colours and comments in it are not told",
     "{a}: het is een .ods: fouten, lege teksten, samengevoegde cellen, verborgen rijen, kleuren en opmerkingen erin"
     " worden niet gemeld"),
    ("{a} lines seem to be UTF-8 that was read in another encoding (JosÃ© for José)",
     "{a} regels lijken UTF-8 die in een andere codering is gelezen (JosÃ© voor José)"),
    ("{a} extra elements named {b}, which no field reads", "{a} extra elementen met de naam {b}, die geen veld leest"),
)
