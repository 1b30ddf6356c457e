"""What is said of declarations and bags: English and Dutch."""

from __future__ import annotations

from typing import Final

DECLARATION: Final[tuple[tuple[str, str], ...]] = (
    # templates
    ("the template cannot be read ({w})", "het sjabloon kan niet worden gelezen ({w})"),
    ("Name a file of UTF-8 text that you may read.", "Noem een bestand met UTF-8-tekst dat u mag lezen."),
    ("the template is refused: {s}", "het sjabloon wordt geweigerd: {s}"),
    ("it is no template: {a}", "het is geen sjabloon: {a}"),
    ("it is no template: nested too deep", "het is geen sjabloon: te diep genest"),
    ("it asks for '{a}', which a declaration does not have", "het vraagt om '{a}', en dat heeft een verklaring niet"),
    ("it asks for another file; a template is one file", "het vraagt om een ander bestand; een sjabloon is één bestand"),
    ("it asks for something that a template may not reach", "het vraagt om iets waar een sjabloon niet bij mag"),
    ("it turns the escaping of values off", "het zet het afschermen van waarden uit"),
    ("it cannot be filled: a calculation or filter does not fit the value", "het kan niet worden gevuld: een berekening of filter past niet bij de waarde"),
    ("the page becomes too long", "de pagina wordt te lang"),
    ("Correct the template; `{a}` writes the shipped one to begin with.", "Verbeter het sjabloon; `{a}` schrijft het meegeleverde om mee te beginnen."),
    ("See docs/declaration.md for what a template can ask for.", "Zie docs/declaration.md voor wat een sjabloon kan vragen."),
    ("See docs/declaration.md for what a template may do.", "Zie docs/declaration.md voor wat een sjabloon mag."),
    ("Correct that line of the template.", "Verbeter die regel van het sjabloon."),
    ("the name cannot be used", "die naam kan niet"),
    ("it is a symbolic link", "het is een symbolische koppeling"),
    ("it is larger than {a} bytes", "het is groter dan {a} bytes"),
    ("it is not UTF-8 text (byte {a})", "het is geen UTF-8-tekst (byte {a})"),
    # files
    ("a symbolic link stands there, and it may lead anywhere", "daar staat een symbolische koppeling, en die kan overal heen leiden"),
    ("Name a file of your own, or remove the link.", "Noem een bestand van uzelf, of haal de koppeling weg."),
    ("there is a file of that name", "er is al een bestand met die naam"),
    ("Name a file that is not there yet.", "Noem een bestand dat er nog niet is."),
    ("the file cannot be written ({w})", "het bestand kan niet worden geschreven ({w})"),
    ("Name a file in a folder that you may write to, on a disk with room.", "Noem een bestand in een map waarin u mag schrijven, op een schijf met ruimte."),
    # PDF
    ("the library for PDF is not installed", "de bibliotheek voor PDF is niet geïnstalleerd"),
    ("Install omnicase[pdf], or write HTML and print that.", "Installeer omnicase[pdf], of schrijf HTML en druk die af."),
    ("the library for PDF lacks its native parts", "de bibliotheek voor PDF mist onderdelen van het systeem"),
    ("Install Pango and HarfBuzz (Debian: libpangoft2-1.0-0), or write HTML and print that.", "Installeer Pango en HarfBuzz (Debian: libpangoft2-1.0-0), of schrijf HTML en druk die af."),
    ("the page asks for a file or an address outside of itself, which a PDF may not", "de pagina vraagt om een bestand of adres buiten zichzelf, en dat mag een PDF niet"),
    ("Put styles, pictures and fonts into the template itself, pictures as data: addresses.", "Zet opmaak, plaatjes en lettertypen in het sjabloon zelf, plaatjes als data:-adres."),
    ("the page cannot be laid out as PDF", "de pagina kan niet als PDF worden opgemaakt"),
    ("Simplify the styles of the template, or write HTML and print that.", "Maak de opmaak van het sjabloon eenvoudiger, of schrijf HTML en druk die af."),
    # bags
    ("something of that name is there already, and a bag is never written over", "er staat al iets met die naam, en een pakket wordt nooit overschreven"),
    ("Name a place where nothing stands.", "Noem een plaats waar nog niets staat."),
    ("the folder is a symbolic link, and it may lead anywhere", "de map is een symbolische koppeling, en die kan overal heen leiden"),
    ("Name a folder of your own.", "Noem een map van uzelf."),
    ("the bag cannot be written ({w})", "het pakket kan niet worden geschreven ({w})"),
    ("Name a place that you may write to, on a disk with room.", "Noem een plaats waar u mag schrijven, op een schijf met ruimte."),
    ("the file was changed while the bag was made, and nothing was written", "het bestand veranderde terwijl het pakket werd gemaakt; er is niets geschreven"),
    ("Export when nothing else runs in the workspace.", "Maak het pakket als er verder niets in de werkmap draait."),
    ("the mapping cannot be taken along: {s}", "de mapping kan niet mee: {s}"),
    ("A bag without it proves nothing. Put a plain file there without personal data; examples belong in mappings/tests.", "Zonder die mapping bewijst een pakket niets. Zet er een gewoon bestand zonder persoonsgegevens; voorbeelden horen in mappings/tests."),
    ("the file holds a secret: a password, the namespace or a private key", "in het bestand staat een geheim: een wachtwoord, de namespace of een geheime sleutel"),
    ("Take it out of the file and change it: who has the workspace has it too.", "Haal het uit het bestand en vervang het: wie de werkmap heeft, heeft het ook."),
    ("examples written like rows of the source", "voorbeelden die op rijen van de bron lijken"),
    ("lists values of personal columns", "er staan waarden van persoonlijke kolommen in"),
    ("line {a} may hold a citizen service number", "op regel {a} staat misschien een burgerservicenummer"),
    ("a symbolic link is not followed", "een symbolische koppeling wordt niet gevolgd"),
    ("cannot be read", "kan niet worden gelezen"),
)
