"""Keys, ids and hashes: what makes the same input give the same output (promise 3).

Canonical texts are hashed with a key of the workspace, since an unkeyed hash of a BSN is a BSN.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import polars_hash as plh

_HASH_HEX = 32
_GROUP = 10
"""So many parts of a hashed text are put together at a time."""
# Literals made once: every mapping builds these expressions for every key, link and text of JSON.
_SLASH, _TWO_SLASHES, _BAR, _SLASH_BAR = (pl.lit(text) for text in ("\\", "\\\\", "|", "\\|"))
_QUOTE, _SLASH_QUOTE, _CLOSE = (pl.lit(text) for text in ('"', '\\"', '"]'))
_NOTHING = pl.lit(None)
_ODD_KEY, _ODD_JSON = pl.lit(r"[|\\]"), pl.lit(r'["\\\x00-\x1f]')
_SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
_CONTROLS = pl.lit(pl.Series([[chr(i) for i in range(32)]]))
_ESCAPES = pl.lit(pl.Series([[_SHORT.get(i, f"\\u{i:04x}") for i in range(32)]]))


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """The keys of a workspace, all derived from its namespace."""

    namespace: str
    """UUID text: the namespace of the target ids."""
    hash_key: bytes
    mask_key: bytes
    fingerprint: str
    """What the ledger keeps, so that another namespace is refused."""

    def __repr__(self) -> str:
        return f"Secrets(fingerprint={self.fingerprint!r})"


def derive_secrets(secret: str) -> Secrets:
    """Derive namespace, hash key, masking key and fingerprint from the workspace's secret (HMAC-SHA256)."""

    def derived(purpose: str) -> bytes:
        return hmac.new(secret.encode(), f"omnicase {purpose} v1".encode(), hashlib.sha256).digest()

    return Secrets(
        namespace=str(uuid.UUID(bytes=derived("namespace")[:16], version=4)),
        hash_key=derived("hash"),
        mask_key=derived("mask"),
        fingerprint=derived("fingerprint").hex()[:16],
    )


def key_text(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Return the canonical text of a key: parts joined by ``|``, ``|`` and ``\\`` escaped; NULL when a part is NULL."""
    escaped = [_escape(part) for part in parts]
    return escaped[0] if len(escaped) == 1 else pl.concat_str(escaped, separator="|")


def _escape(part: pl.Expr) -> pl.Expr:
    # Hardly any key holds such a sign, and looking for one is faster than replacing none.
    odd = pl.when(part.str.contains(_ODD_KEY)).then(part).otherwise(_NOTHING)
    escaped = odd.str.replace_all(_SLASH, _TWO_SLASHES, literal=True).str.replace_all(_BAR, _SLASH_BAR, literal=True)
    return pl.coalesce([escaped, part])


def join_key(parts: Sequence[str]) -> str:
    """Join key parts to canonical text, the scalar twin of `key_text`."""
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def split_key(text: str) -> list[str]:
    """Split canonical key text into its parts, undoing the escapes."""
    parts, current, escaped = [], "", False
    for char in text:
        if escaped:
            current, escaped = current + char, False
        elif char == "\\":
            escaped = True
        elif char == "|":
            parts.append(current)
            current = ""
        else:
            current += char
    return [*parts, current]


def record_id(namespace: str, table: str, mapping: str, key: pl.Expr) -> pl.Expr:
    """Return the target id: UUIDv5 of the canonical JSON array (target table, mapping, source key).

    The key is canonical key text, in which a slot of ``unpivot`` is the last part.
    """
    prefix = f'["{table}","{mapping}","'
    return plh.concat_str(pl.lit(prefix), json_text(key), _CLOSE).uuidhash.uuid5(namespace)


def identity_id(namespace: str, table: str, identity: pl.Expr) -> pl.Expr:
    """Return the target id of an identity: UUIDv5 of the canonical JSON array (target table, identity)."""
    return plh.concat_str(pl.lit(f'["{table}","'), json_text(identity), _CLOSE).uuidhash.uuid5(namespace)


def json_text(text: pl.Expr) -> pl.Expr:
    """Return text as RFC 8785 writes it between quotes: backslash, quote and control characters escaped."""
    odd = pl.when(text.str.contains(_ODD_JSON)).then(text).otherwise(_NOTHING)
    out = odd.str.replace_all(_SLASH, _TWO_SLASHES, literal=True).str.replace_all(_QUOTE, _SLASH_QUOTE, literal=True)
    return pl.coalesce([out.str.replace_many(_CONTROLS, _ESCAPES), text])


def keyed_hash(columns: Sequence[pl.Expr], key: bytes, *, prefix: str = "") -> pl.Expr:
    """Return 128 bits (hex) of HMAC-SHA256 over text columns, each with its length, so that no two rows write alike.

    NULL and the empty text differ.
    """
    parts: list[pl.Expr] = [pl.lit(prefix)]
    for column in columns:
        parts.append(column.str.len_bytes().cast(pl.String).fill_null("-"))
        parts.append(column.fill_null(""))
    # The same text, put together in groups: they are made side by side on the cores, in half the time.
    groups = [pl.concat_str(parts[start : start + _GROUP], separator="\x1f") for start in range(0, len(parts), _GROUP)]
    return plh.concat_str(*groups, separator="\x1f").chash.hmac_sha256(key=key.hex()).str.slice(0, _HASH_HEX)


def duplicate_scan(hashes: Sequence[pl.Series]) -> pl.Series:
    """Return the hashes that occur more than once among 64-bit key hashes of a whole relation (8 bytes a row)."""
    if not hashes:
        return pl.Series(dtype=pl.UInt64)
    whole = pl.concat(list(hashes)).sort()
    return whole.filter((whole == whole.shift(1)).fill_null(False)).unique()


def canonical_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as the canonical text that is hashed and compared: equal on SQLite and PostgreSQL.

    Dates ``YYYY-MM-DD``, instants UTC ``YYYY-MM-DD HH:MM:SS.ffffff``, booleans ``0``/``1``, numbers plain.
    """
    column = pl.col(name)
    if dtype == pl.Date:
        return column.dt.strftime("%Y-%m-%d")
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
    if dtype == pl.Boolean:
        return column.cast(pl.Int8).cast(pl.String)
    if dtype == pl.String:
        return column
    return column.cast(pl.String)
