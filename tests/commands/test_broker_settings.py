"""The broker's settings for who only reads a topic: none of our others are needed, no password is shown."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import app
from adapter.cluster import Cluster, Sasl, Tls
from adapter.errors import SetupError
from adapter.settings import load_kafka


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A settings file of which only the broker's part would be taken, and no other setting."""
    for name in ("LOSUS_DATABASE", "LOSUS_SECRET", "LOSUS_SECRETS", "LOSUS_KAFKA"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "settings.yaml"
    path.write_text("""
database: 17
kafka:
  bootstrap: "kafka:9093"
  tls: {authority: /ca.pem}
  sasl: {username: losus-2380, password_file: /password}
""")
    monkeypatch.setenv("LOSUS_SETTINGS", str(path))
    return path


CLUSTER = Cluster(
    "kafka:9093", Tls(authority=Path("/ca.pem")), Sasl(username="losus-2380", password_file=Path("/password"))
)


@pytest.mark.usefixtures("given")
def test_of_the_file_and_the_environment_the_broker_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_kafka().cluster == CLUSTER
    assert load_kafka("other:9094").cluster == Cluster("other:9094", CLUSTER.tls, CLUSTER.sasl)
    monkeypatch.setenv("LOSUS_KAFKA__SASL__USERNAME", "losus-2309")
    found = load_kafka().cluster.sasl
    assert found is not None
    assert (found.username, found.mechanism) == ("losus-2309", "SCRAM-SHA-512")


FAULTS = [
    # what is set, where it is told, because
    ({"LOSUS_KAFKA__TLS__CERTIFICATE": "/tls.crt"}, "LOSUS_KAFKA__TLS", "a certificate without its key"),
    ({"LOSUS_KAFKA__TLS__KEY": "/tls.key"}, "LOSUS_KAFKA__TLS", "a key without its certificate"),
    ({"LOSUS_KAFKA__SASL__MECHANISM": "kRm9vQ7x"}, "LOSUS_KAFKA__SASL__MECHANISM", "one that is not spoken"),
    (
        {"LOSUS_KAFKA__SASL__PASSWORD": "kRm9vQ7x"},
        "LOSUS_KAFKA__SASL__PASSWORD",
        "it comes from a file",
    ),
    ({"LOSUS_KAFKA__SASL__USERNAME": ""}, "LOSUS_KAFKA__SASL__USERNAME", "nobody"),
]


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize(("more", "place", "because"), FAULTS)
def test_a_fault_is_told_by_its_place(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, str], place: str, because: str
) -> None:
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SetupError) as caught:
        load_kafka()
    assert [one.expression for one in caught.value.problems] == [place], because
    assert "kRm9vQ7x" not in str(caught.value)


CONFORM = ["conform", "--kafka", "kafka:9092", "--callback", "http://127.0.0.1:1"]


@pytest.mark.parametrize("words", [CONFORM, ["tail", "2380", "--kafka", "kafka:9092"]])
def test_no_password_goes_out_in_clear_text(words: list[str]) -> None:
    user = {"LOSUS_KAFKA__SASL__USERNAME": "losus", "LOSUS_KAFKA__SASL__PASSWORD_FILE": "/password"}
    done = CliRunner().invoke(app, words, env=user | {"LOSUS_SETTINGS": ""})
    assert isinstance(done.exception, SetupError), done.output
    told = [one.expression for one in done.exception.problems]
    assert told == ["LOSUS_KAFKA__TLS", "LOSUS_KAFKA__SASL__MECHANISM"]
