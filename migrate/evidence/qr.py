"""A seal as a QR code: the whole of it, so that a photograph of a screen or a print on paper can be verified."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from casemodel import RefusedError
from runbooks import canonical

_SCALE = 4


def qr_codes(seal: Mapping[str, Any]) -> tuple[list[str], bytes]:
    """Return a seal as lines for a terminal and as SVG; what is read from them is the text of a file of a seal.

    Raises:
        RefusedError: EVI-007 the library is not installed (exit 4).
    """
    try:
        import segno
    except ModuleNotFoundError:
        raise RefusedError(
            "EVI-007",
            "the library for QR codes is not installed",
            hint="Install omnicase[qr], or leave --qr out.",
            place="--qr",
        ) from None
    code = segno.make(canonical(seal).decode(), error="m", micro=False)
    text, picture = io.StringIO(), io.BytesIO()
    code.terminal(out=text, compact=True, border=2)
    code.save(picture, kind="svg", scale=_SCALE, title=f"omnicase seal {seal['code']}")
    return text.getvalue().splitlines(), picture.getvalue()
