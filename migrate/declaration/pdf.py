"""A page as PDF/A-2a (ISO 19005-2): for the archive, with its fonts inside, and tagged for who reads with a voice.

The page is data of the workspace: what it asks for outside of itself, a file or an address, is refused and not fetched.
"""

from __future__ import annotations

from typing import Any, Final

from casemodel import RefusedError

VARIANT: Final = "pdf/a-2a"
_NOWHERE: Final = "outside:/"
"""Stands before names without an address, so that these too are asked for and refused."""


def as_pdf(page: str, name: str) -> bytes:
    """Return an HTML page as PDF.

    Args:
        name: the template's, for errors.

    Raises:
        RefusedError: DCL-009 the library or its native parts are missing, DCL-010 the page asks for something outside
            of itself, DCL-011 it cannot be laid out (exit 4).
    """
    html, fetcher = _library()
    outside: list[str] = []
    try:
        whole: bytes = html(string=page, base_url=_NOWHERE, url_fetcher=fetcher(outside)).write_pdf(pdf_variant=VARIANT)
    except BaseException as error:
        # What the library raises to stop is no Exception; a picture within a picture it leaves out and goes on.
        if not outside and not isinstance(error, Exception):
            raise
        whole = b""
    if outside:
        raise RefusedError(
            "DCL-010",
            "the page asks for a file or an address outside of itself, which a PDF may not",
            hint="Put styles, pictures and fonts into the template itself, pictures as data: addresses.",
            place=name,
        )
    if not whole:
        raise RefusedError(
            "DCL-011",
            "the page cannot be laid out as PDF",
            hint="Simplify the styles of the template, or write HTML and print that.",
            place=name,
        )
    return whole


def _library() -> tuple[Any, Any]:
    """Return the class of a page, and that of what fetches for it only what stands in the page, as data: addresses."""
    try:
        import weasyprint
        from weasyprint.urls import FatalURLFetchingError, URLFetcher
    except ModuleNotFoundError:
        raise _missing(
            "the library for PDF is not installed", "Install omnicase[pdf], or write HTML and print that."
        ) from None
    except OSError:
        raise _missing(
            "the library for PDF lacks its native parts",
            "Install Pango and HarfBuzz (Debian: libpangoft2-1.0-0), or write HTML and print that.",
        ) from None

    class OnlyThePage(URLFetcher):  # type: ignore[misc]
        """Notes what is asked for outside of the page, and stops."""

        def __init__(self, outside: list[str]) -> None:
            super().__init__(allowed_protocols=("data",), allow_redirects=False)
            self._outside = outside

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url[:5].lower() != "data:":
                self._outside.append(url)
                raise FatalURLFetchingError("outside")
            return super().fetch(url, headers)

    return weasyprint.HTML, OnlyThePage


def _missing(cause: str, hint: str) -> RefusedError:
    return RefusedError("DCL-009", cause, hint=hint, place="--out")
