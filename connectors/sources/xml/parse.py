"""From the bytes of a record to its values, by a parser that follows nothing outside them."""

from __future__ import annotations

from typing import Any
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate, errors

from lxml import etree

from casemodel import SystemFailure
from connectors.sources.files.bytes import Bytes, blocks
from connectors.sources.records.pieces import Unreadable
from connectors.sources.records.refusals import beyond
from connectors.sources.records.settings import Limits
from connectors.sources.xml.slices import Slice, Spaces

_WHY = {
    errors.XML_ERROR_TAG_MISMATCH: "a tag is closed by another one",
    errors.XML_ERROR_UNDEFINED_ENTITY: "an entity is not known",
    errors.XML_ERROR_UNBOUND_PREFIX: "a prefix has no namespace",
    errors.XML_ERROR_DUPLICATE_ATTRIBUTE: "an attribute stands twice",
    errors.XML_ERROR_BAD_CHAR_REF: "a reference to a character that XML does not have",
    errors.XML_ERROR_INVALID_TOKEN: "a character that may not stand there",
    errors.XML_ERROR_NO_ELEMENTS: "no element",
    errors.XML_ERROR_UNCLOSED_TOKEN: "a tag is never closed",
    errors.XML_ERROR_UNCLOSED_CDATA_SECTION: "a CDATA section is never closed",
    errors.XML_ERROR_MISPLACED_XML_PI: "the XML declaration is not at the beginning",
}


class Parser:
    """Turns the slices of one file into elements.

    Args:
        name: of the file, for errors.
        encoding: of the slices.
        limits: beyond which the delivery is refused.
    """

    def __init__(self, name: str, encoding: str, limits: Limits) -> None:
        self._name = name
        self._encoding = encoding
        self._limits = limits
        usual = Limits()
        self._shallow = limits.depth < usual.depth
        self._parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            # The parser's own bounds are 256 levels and 10 MB of text.
            huge_tree=limits.depth > usual.depth or limits.text > usual.record,
            remove_comments=True,
            remove_pis=True,
        )

    def element(self, found: Slice) -> Any | Unreadable:
        """Return the element of a record, or why there is none.

        Raises:
            SystemFailure: CON-081 beyond a limit of depth, text or attributes.
        """
        data, limits = found.data, self._limits
        if self._encoding != "utf-8":
            try:
                data = data.decode(self._encoding).encode()
            except UnicodeDecodeError as error:
                return Unreadable("encoding-invalid", f"byte {error.start} of the record is not {self._encoding}")
        if found.spaces:
            data = _wrapped(data, found.spaces)
        # An attribute takes five bytes and an equals sign.
        many = len(data) > 5 * limits.attributes and data.count(b"=") > limits.attributes
        if many or len(data) > limits.text or self._shallow:
            self._check(data, found.line)
        try:
            element = etree.fromstring(data, self._parser)
        except etree.XMLSyntaxError:
            return self._why(data, found)
        return element[0] if found.spaces else element

    def _why(self, data: bytes, found: Slice) -> Unreadable:
        self._check(data, found.line)
        try:
            data.decode()
        except UnicodeDecodeError as error:
            return Unreadable("encoding-invalid", f"byte {error.start} of the record is not {self._encoding}")
        parser = ParserCreate(None, "}")
        try:
            parser.Parse(data, True)
        except ExpatError as error:
            why = _WHY.get(ErrorString(error.code), "not well-formed")
            return Unreadable("record-unparsable", f"{why}, line {found.line + error.lineno - 1}")
        return Unreadable("record-unparsable", "not well-formed")

    def _check(self, data: bytes, line: int) -> None:
        """Raise CON-081 where a record is beyond a limit."""
        limits, depth, text = self._limits, 0, 0

        def begin(_: str, attributes: list[str]) -> None:
            nonlocal depth, text
            depth, text = depth + 1, 0
            if depth > limits.depth:
                raise self._beyond(line, f"deeper than {limits.depth:,} levels", "depth")
            if len(attributes) > 2 * limits.attributes:
                raise self._beyond(line, f"more than {limits.attributes:,} attributes in one element", "attributes")

        def end(_: str) -> None:
            nonlocal depth, text
            depth, text = depth - 1, 0

        def characters(found: str) -> None:
            nonlocal text
            text += len(found)
            if text > limits.text:
                raise self._beyond(line, f"a text of more than {limits.text:,} characters", "text")

        parser = ParserCreate()
        parser.ordered_attributes = True
        parser.StartElementHandler, parser.EndElementHandler = begin, end
        parser.CharacterDataHandler = characters
        try:
            parser.Parse(data, True)
        except ExpatError:
            # Said of the record by the other parser.
            return

    def _beyond(self, line: int, what: str, limit: str) -> SystemFailure:
        return beyond(self._name, line, what, limit)


def _wrapped(data: bytes, spaces: Spaces) -> bytes:
    """Return a record inside an element that declares the prefixes around it."""
    declared = b"".join(
        b" xmlns%b='%b'" % (b":" + prefix if prefix else b"", space.replace(b"'", b"&apos;"))
        for prefix, space in spaces.items()
    )
    return b"<r%b>%b</r>" % (declared, data)


def well_formed(source: Bytes) -> bool:
    """Tell whether a file is one well-formed document."""
    parser = ParserCreate(source.text_encoding, "}")
    try:
        for block in blocks(source):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except ExpatError:
        return False
    return True
