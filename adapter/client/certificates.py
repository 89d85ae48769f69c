"""The certificates that the settings name, and until when each is valid.

Owns where in the settings they stand; does not own what they are used for. A file that cannot be read has no
end here: whoever uses it says so.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509

from adapter.settings import Settings


def certificate_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Each PEM file with certificates, ours and those of authorities, by its place in the settings."""
    for name, source in settings.sources.items():
        server = source.server
        if server is not None and server.certificate is not None:
            yield f"sources.{name}.server.certificate", server.certificate.certificate
        if server is not None and server.authority is not None:
            yield f"sources.{name}.server.authority", server.authority
    tls = settings.kafka.tls
    if tls is not None and tls.authority is not None:
        yield "kafka.tls.authority", tls.authority
    if tls is not None and tls.certificate is not None:
        yield "kafka.tls.certificate", tls.certificate
    asked = parse_qs(urlsplit(settings.database.get_secret_value()).query)
    for word in ("sslcert", "sslrootcert"):
        if path := asked.get(word, [""])[-1]:
            yield f"database.{word}", Path(path)


def certificate_ends(settings: Settings) -> dict[str, datetime]:
    """Until when each file's certificates are valid, the first of them to end."""
    found: dict[str, datetime] = {}
    for place, path in certificate_files(settings):
        end = end_of(path)
        if end is not None:
            found[place] = end
    return found


def end_of(path: Path) -> datetime | None:
    """When the first of the file's certificates ends; None where there is none to be read."""
    try:
        return min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError):
        return None
