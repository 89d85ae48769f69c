"""The client certificate that the ingress tells of, believed from the ingress alone.

Owns reading the header and the proof. Does not own TLS, which the ingress ends, nor whose the certificate
is (`doorkeeper`).
Source: Envoy, «x-forwarded-client-cert»: elements divided by commas, one for each proxy that added to
it, each of them `Key=value` divided by semicolons, values with quotes where they hold any of these.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from adapter.access.caller import NotShownError, Reason

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PAIR = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)\s*(;|,|$)', re.ASCII)
_PEM = "-----BEGIN"
_LONGEST = 16_384


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known of a client's certificate: SHA-256 (hex) and subject, None where not told."""

    sha256: str | None
    subject: str | None


def is_proven(shown: Sequence[str], proof: str) -> bool:
    """Whether the one secret shown is that whose SHA-256 (hex) is `proof`, compared in constant time."""
    return len(shown) == 1 and hmac.compare_digest(hashlib.sha256(shown[0].encode()).hexdigest(), proof)


def read_certificate(headers: Sequence[str]) -> Certificate:
    """The certificate of the header; NotShownError where it is none, or there are several.

    Several come where a proxy adds to what the client sent: then the client writes one of them.
    """
    if len(headers) != 1 or len(headers[0]) > _LONGEST:
        raise NotShownError(Reason.CERTIFICATE)
    text = headers[0].strip()
    if _HASH.fullmatch(plain_hash(text)):
        return Certificate(plain_hash(text), None)
    if unquote(text).startswith(_PEM):
        return _of_pem(unquote(text))
    return _of_envoy(text)


def plain_hash(text: str) -> str:
    """A SHA-256 in small hex digits, however it was written: with colons, in capitals."""
    return text.replace(":", "").lower()


def _of_pem(text: str) -> Certificate:
    try:
        read = load_pem_x509_certificate(text.encode())
    except ValueError:
        raise NotShownError(Reason.CERTIFICATE) from None
    told = hashlib.sha256(read.public_bytes(Encoding.DER)).hexdigest()
    return Certificate(told, read.subject.rfc4514_string())


def _of_envoy(text: str) -> Certificate:
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        pair = _PAIR.match(text, place)
        if pair is None or pair[3] == ",":
            raise NotShownError(Reason.CERTIFICATE)
        name, value = pair[1].lower(), pair[2]
        if name in found and name in {"hash", "subject"}:
            raise NotShownError(Reason.CERTIFICATE)
        found[name] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        place = pair.end()
    told = found.get("hash", "").lower()
    certificate = Certificate(told if _HASH.fullmatch(told) else None, found.get("subject") or None)
    if certificate == Certificate(None, None):
        raise NotShownError(Reason.CERTIFICATE)
    return certificate
