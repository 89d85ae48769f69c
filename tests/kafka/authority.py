"""Certificates for tests of TLS, from an authority of the test's own."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


@dataclass(frozen=True, slots=True)
class Pem:
    """A certificate with its chain, and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """An authority; `file` is what trusts it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._authority = trustme.CA()
        self._folder, self._name, self._count = folder, name, 0
        self.file = folder / f"{name}.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def server(self, *hosts: str, expired: bool = False) -> Pem:
        """A server's certificate for hosts or addresses."""
        until = datetime.now(UTC) - timedelta(days=1) if expired else None
        return self._write(self._authority.issue_cert(*hosts, not_after=until))

    def client(self, user: str, *, expired: bool = False) -> Pem:
        """A client's certificate whose common name is the user."""
        until = datetime.now(UTC) - timedelta(days=1) if expired else None
        return self._write(
            self._authority.issue_cert(f"{user}@example.org", common_name=user, not_after=until)
        )

    def _write(self, issued: trustme.LeafCert) -> Pem:
        self._count += 1
        made = Pem(*(self._folder / f"{self._name}-{self._count}.{kind}" for kind in ("crt", "key")))
        made.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))  # for Java
        made.key.chmod(0o600)
        return made
