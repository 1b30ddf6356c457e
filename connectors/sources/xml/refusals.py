"""What is refused of an XML file as a whole."""

from __future__ import annotations

import re

from casemodel import Place, SystemFailure

_INCLUSION = re.compile(rb"xmlns(?::[\w.-]+)?\s*=\s*[\"']http://www\.w3\.org/(?:2001/XInclude|1999/XSL/Transform)[\"']")


def forbidden(name: str, line: int) -> SystemFailure:
    """Return the error for what no delivery needs and attacks use."""
    return SystemFailure(
        "CON-080",
        "the file holds a DOCTYPE, a stylesheet or an inclusion; none of it was followed",
        hint="Ask for the delivery without it; StUF messages and exports never need one.",
        place=Place(name, line),
    )


def cut_off(file: str, name: str) -> SystemFailure:
    """Return the error for a file that ends too early, between its records."""
    return SystemFailure(
        "CON-082",
        f"the file ends inside {name}: it is cut off",
        hint="Ask for the delivery again.",
        place=file,
    )


def no_document(name: str, line: int) -> SystemFailure:
    """Return the error for text before or behind the one element that a document is."""
    return SystemFailure(
        "CON-083",
        "the file is not one XML document: text stands outside its first element",
        hint="Check the setting files and how the delivery was written.",
        place=Place(name, line),
    )


def refuse_inclusions(data: bytes, name: str, line: int) -> None:
    """Raise CON-080 when bytes declare the namespace of XInclude or XSLT."""
    if b"XInclude" in data or b"XSL/Transform" in data:
        found = _INCLUSION.search(data)
        if found is not None:
            raise forbidden(name, line + data.count(b"\n", 0, found.start()))
