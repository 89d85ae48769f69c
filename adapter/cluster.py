"""A Kafka cluster as its clients see it: where it is, how it shows who it is, how we show who we are.

Owns the shape and the demands on it; does not own the clients (`adapter.kafka`). Secrets and keys are files,
never words of a settings file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


class Tls(BaseModel):
    """TLS to the brokers: their certificates are checked, and that they are for the host that is asked.

    `authority` is a PEM file with the authorities that signed them (None: the public ones). `certificate`
    (with its chain) and `key` are ours, PEM files, where the brokers ask for one (mutual TLS).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        return self


class Sasl(BaseModel):
    """A user of the cluster: SCRAM (RFC 5802, 7677), which never sends the password, or PLAIN (RFC 4616)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str = Field(min_length=1)
    password_file: Path


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a cluster is and how one comes in: no client can be made without it.

    `bootstrap`: `HOST:PORT`, several by comma. `tls` None: nothing is encrypted. `sasl` None: nobody, or
    whom the certificate of `tls` names.
    """

    bootstrap: str
    tls: Tls | None = None
    sasl: Sasl | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that are read to come in."""
        tls = (self.tls.authority, self.tls.certificate, self.tls.key) if self.tls else ()
        sasl = (self.sasl.password_file,) if self.sasl else ()
        return tuple(path for path in (*tls, *sasl) if path is not None)
