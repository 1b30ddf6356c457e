"""Signatures: Ed25519 (RFC 8032) over a purpose and a document in canonical JSON (RFC 8785); nothing else is known.

The purpose is signed too, so that a signature under a waiver is none under an approval.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ID_HEX = 16
_SIGNATURE_BYTES = 64
_KEY_BYTES = 32


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return a document as RFC 8785 writes it: the bytes that are hashed and signed."""
    return rfc8785.dumps(dict(document))


def signed_bytes(purpose: str, document: Mapping[str, Any]) -> bytes:
    """Return the exact bytes that a signature stands under: a line with the purpose, then the canonical JSON."""
    return f"omnicase {purpose} 1\n".encode() + canonical(document)


def key_id(public: bytes) -> str:
    """Return the short name of a public key: the first 64 bits (hex) of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:_ID_HEX]


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key, opened: what signs for a person or a machine."""

    private: Ed25519PrivateKey
    person: str

    @property
    def public(self) -> bytes:
        """The raw 32 bytes of the public key."""
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        """The short name of the key."""
        return key_id(self.public)

    def sign(self, purpose: str, document: Mapping[str, Any]) -> dict[str, str]:
        """Sign a document for a purpose (``waiver``, ``approval``, ``seal`` …).

        Returns:
            ``{"key": id, "signature": base64}``, to be kept beside the document.
        """
        value = self.private.sign(signed_bytes(purpose, document))
        return {"key": self.id, "signature": base64.b64encode(value).decode()}


def holds(public: bytes, purpose: str, document: Mapping[str, Any], signature: object) -> bool:
    """Return whether a signature (base64) is this key's, under this document for this purpose; never raises."""
    value = decoded(signature, _SIGNATURE_BYTES)
    if value is None or len(public) != _KEY_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, signed_bytes(purpose, document))
    except (InvalidSignature, ValueError):
        return False
    return True


def decoded(text: object, length: int) -> bytes | None:
    """Return the bytes of strict base64 of a known length; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return value if len(value) == length and base64.b64encode(value).decode() == text else None
