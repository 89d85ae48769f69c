"""TLS as a client: certificates are checked, host names too, and a fault has a name that gives nothing away.

Owns the context that is made of PEM files, and the words for what goes wrong in a handshake; does not own any
connection.
"""

import ssl
from pathlib import Path

from adapter.errors import Problem, UnavailableError

_DEEP = 10  # how deep a fault may lie below that of a library
#: OpenSSL's X509_V_ERR_… (x509_vfy.h): out of date, of another host.
_EXPIRED, _NOT_YET, _HOST, _ADDRESS = 10, 9, 62, 64
_WORDS = {
    _EXPIRED: "its certificate has expired",
    _NOT_YET: "its certificate is not valid yet",
    _HOST: "its certificate is of another host name",
    _ADDRESS: "its certificate is of another address",
}


def context_of(authority: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """A context that is made of the files as they are now; TLS 1.2 or later.

    `authority` None: the public authorities. Raises UnavailableError, with the path alone, where a file
    cannot be read or used: files are exchanged while we run, so that may pass.
    """
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise _unusable(authority, "no certificates of authorities in PEM", error) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key, password=_none)
        except (OSError, ssl.SSLError) as error:
            rule = "certificate and key cannot be read, or do not belong together"
            raise _unusable(certificate, rule, error) from None
    return context


def tls_fault(error: BaseException) -> str | None:
    """What of TLS is at the bottom of a fault, in words that hold no value; None where nothing is."""
    below: BaseException | None = error
    for _ in range(_DEEP):
        if isinstance(below, ssl.SSLCertVerificationError):
            return _WORDS.get(below.verify_code, "its certificate is not of an authority that is trusted")
        if isinstance(below, ssl.SSLError):
            return _of_handshake(below)
        if below is None:
            break
        below = below.__cause__ or below.__context__
    return None


def _of_handshake(error: ssl.SSLError) -> str:
    """An alert is what the other side says (RFC 8446, 6.2); anything else is no TLS, or an old one."""
    reason = (error.reason or "").upper()
    if "ALERT" in reason and any(word in reason for word in ("CERTIFICATE", "UNKNOWN_CA")):
        return "it does not take our certificate"
    if "ALERT" in reason or "PROTOCOL" in reason:
        return "it agrees to no TLS that we speak"
    return "it does not speak TLS, or broke off"


def _unusable(path: Path | None, rule: str, error: Exception) -> UnavailableError:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        rule = f"cannot be read ({type(error).__name__})"
    return UnavailableError(Problem("security", rule, str(path) if path else None))


def _none() -> str:
    """No password: OpenSSL would ask for one on the terminal."""
    return ""
