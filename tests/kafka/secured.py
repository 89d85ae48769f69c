"""Apache Kafka as a region has it: SASL/SCRAM over TLS, mutual TLS, access lists that allow what they say.

Owns the listeners, the users and the certificates. Who comes by the plain listener of loopback is the
administrator, as the tests need one; whoever comes by TLS may do what an access list allows, and no more.
"""

import json
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from typer.testing import CliRunner

from adapter.cli import app
from adapter.cluster import Cluster, Mechanism, Sasl, Tls
from adapter.sandbox.processes import LOOPBACK, free_ports
from adapter.settings import Kafka
from tests.kafka.authority import Authority, Pem
from tests.kafka.cluster import ApacheKafka
from tests.kafka.libraries import jvm
from tests.outbound.outboxes import LANES
from tests.servers import java

_ACLS = Path(__file__).with_name("Acls.java")
_KAFKA = "org.apache.kafka.common.security"
_PROTOCOLS = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SCRAM:SASL_SSL,MTLS:SSL"
#: A topic that a hospital writes to.
SOURCE_TOPIC = "hospital.fhir"
RELAY = "losus-relay"
#: Waits until some line of the log says these words as its error; `again`: a new one.
Refused = Callable[..., Awaitable[None]]
USERS = ("losus-relay", "losus-listener", "losus-topics", "losus-region", "losus-2380", "losus-2361")


class SecuredKafka:
    """A broker with users; each user's password is in a file of its own, and each has a certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder, "region")
        self.scram_port, self.mtls_port = free_ports(2)
        self._first = self._keystore(self.authority.server(LOOPBACK))
        for user in USERS:
            path = self.password_file(user)
            path.write_text(f"the password of {user}\n")
            path.chmod(0o600)
        listeners = {"SCRAM": self.scram_port, "MTLS": self.mtls_port}
        self.server = ApacheKafka.start(listeners=listeners, settings=self._settings(), users=self._users())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()

    @property
    def administrator(self) -> Cluster:
        """Who may do everything."""
        return self.server.cluster

    def password_file(self, user: str) -> Path:
        return self.folder / f"{user}.password"

    def scram(self, user: str, mechanism: Mechanism = "SCRAM-SHA-512", host: str = LOOPBACK) -> Cluster:
        """By user name and password, over TLS."""
        sasl = Sasl(mechanism=mechanism, username=user, password_file=self.password_file(user))
        return Cluster(f"{host}:{self.scram_port}", Tls(authority=self.authority.file), sasl)

    def mtls(self, pem: Pem | str) -> Cluster:
        """By a certificate: this one, or one made for the user."""
        shown = self.authority.client(pem) if isinstance(pem, str) else pem
        tls = Tls(authority=self.authority.file, certificate=shown.certificate, key=shown.key)
        return Cluster(f"{LOOPBACK}:{self.mtls_port}", tls)

    def allow(self, lists: Iterable[str]) -> None:
        """Carry out `kafka-acls` with each list of arguments."""
        argv = [java(), *jvm("128m"), str(_ACLS), "--bootstrap-server", self.server.bootstrap]
        env = os.environ | {"LC_ALL": "C.UTF-8"}
        said = subprocess.run(
            argv, input="\n".join(lists), text=True, capture_output=True, timeout=120, env=env, check=False
        )
        assert said.returncode == 0, said.stdout + said.stderr

    async def exchange_certificate(self, pem: Pem) -> None:
        """Let the running broker show another certificate to whoever connects from now on."""
        keystore = self._keystore(pem)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.server.bootstrap)
        await admin.start()
        keys = {"ssl.keystore.location": str(keystore), "ssl.keystore.type": "PEM"}
        changed = {
            f"listener.name.{one}.{name}": value for one in ("scram", "mtls") for name, value in keys.items()
        }
        try:
            answers = await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", changed)])
        finally:
            await admin.close()
        assert {code for answer in answers for code, *_ in answer.resources} == {0}, answers

    def _keystore(self, pem: Pem) -> Path:
        """Key and certificate in one file of its own, as the broker reads them."""
        path = pem.key.with_suffix(".keystore")
        path.write_bytes(pem.key.read_bytes() + pem.certificate.read_bytes())
        return path

    def _settings(self) -> dict[str, str]:
        login = dict.fromkeys(
            ("scram-sha-512", "scram-sha-256"), f"{_KAFKA}.scram.ScramLoginModule required;"
        )
        names = " ".join(f'user_{user}="the password of {user}"' for user in USERS)
        login["plain"] = f"{_KAFKA}.plain.PlainLoginModule required {names};"
        return {
            "listener.security.protocol.map": _PROTOCOLS,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._first),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
            "ssl.allow.dn.changes": "true",
            "listener.name.mtls.ssl.client.auth": "required",
            "listener.name.mtls.ssl.principal.mapping.rules": "RULE:^.*CN=([^,+]+).*$/$1/",
            "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
            **{f"listener.name.scram.{name}.sasl.jaas.config": words for name, words in login.items()},
        }

    def _users(self) -> list[str]:
        return [
            f"{mechanism}=[name={user},password=the password of {user}]"
            for user in USERS
            for mechanism in ("SCRAM-SHA-512", "SCRAM-SHA-256")
        ]


def settings_of(cluster: Cluster) -> Kafka:
    return Kafka(bootstrap=cluster.bootstrap, tls=cluster.tls, sasl=cluster.sasl)


def printed(cluster: Cluster, *options: str) -> list[str]:
    """What `losus topics apply` prints for this user: the arguments of `kafka-acls`."""
    subscribers = ",".join(f'"{code}": {{"name": "{code}"}}' for code in LANES)
    environment = {
        "LOSUS_DATABASE": "postgresql:///none",
        "LOSUS_SECRET": "a secret of the tests alone",
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_SETTINGS": "",
        "LOSUS_SUBSCRIBERS": f"{{{subscribers}}}",
        "LOSUS_SOURCES": json.dumps({"hospital": {"mapping": "losus-r4", "topic": SOURCE_TOPIC}}),
        "LOSUS_KAFKA": Kafka(
            bootstrap=cluster.bootstrap, tls=cluster.tls, sasl=cluster.sasl
        ).model_dump_json(),
    }
    done = CliRunner().invoke(app, ["topics", "apply", *options], env=environment)
    assert done.exit_code == (1 if options else 0), done.output
    return [line for line in done.stdout.splitlines() if line.startswith("--add ")]
