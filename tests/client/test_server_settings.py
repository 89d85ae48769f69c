"""What a source's server may look like in the settings."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapter.servers import Basic, Server, is_readable

BASIC = Basic(username="losus", password_file=Path("/run/secrets/password"))


def token_at(url: str) -> dict[str, str]:
    return {"kind": "client-secret", "client_id": "losus", "secret_file": "/run/secret", "token_url": url}


SERVERS: list[tuple[dict[str, Any], bool, str]] = [
    # settings, whether they will do, because
    ({"base_url": "https://ehr.example/fhir"}, True, "as it should be"),
    ({"base_url": "https://ehr.example"}, True, "without a path"),
    ({"base_url": "https://ehr.example/fhir/"}, False, "no slash at the end: paths are added with one"),
    ({"base_url": "https://ehr.example/fhir?tenant=1"}, False, "no query"),
    ({"base_url": "https://ehr.example/fhir#a"}, False, "no fragment"),
    ({"base_url": "https://user:word@ehr.example/fhir"}, False, "no secret in an address"),
    ({"base_url": "ftp://ehr.example/fhir"}, False, "HTTP alone"),
    ({"base_url": "https://ehr.example/a b"}, False, "no white space"),
    ({"base_url": "http://ehr.example/fhir"}, True, "open, and nothing secret is sent"),
    ({"base_url": "http://ehr.example/fhir", "login": BASIC}, False, "a password that could be read"),
    ({"base_url": "http://ehr.example/fhir", "login": BASIC, "plain_http": True}, True, "a mesh encrypts"),
    ({"base_url": "http://127.0.0.1:8080/fhir", "login": BASIC}, True, "this machine itself"),
    ({"base_url": "http://[::1]:8080/fhir", "login": BASIC}, True, "this machine itself"),
    ({"base_url": "http://localhost:8080/fhir", "login": BASIC}, True, "this machine itself"),
    ({"base_url": "http://localhost.example/fhir", "login": BASIC}, False, "not this machine"),
    ({"base_url": "http://10.0.0.1/fhir", "login": BASIC}, False, "a private network is read by others"),
    ({"base_url": "https://e.example/fhir", "login": token_at("https://a.example/t?x=1")}, True, "with TLS"),
    ({"base_url": "https://e.example/fhir", "login": token_at("http://a.example/t")}, False, "without TLS"),
    ({"base_url": "https://e.example", "login": token_at("https://a@a.example/t")}, False, "no user name"),
    ({"base_url": "https://e.example", "known_as": ["http://inner:80/r4"]}, True, "another name"),
    ({"base_url": "https://e.example", "known_as": ["inner"]}, False, "no address"),
    ({"base_url": "https://e.example", "patience": {"attempts": 0}}, False, "it has to be asked at all"),
    ({"base_url": "https://e.example", "no_such": 1}, False, "a misspelt setting must not be passed over"),
]


@pytest.mark.parametrize(("told", "will_do", "because"), SERVERS)
def test_the_settings_of_a_server(told: dict[str, Any], will_do: bool, because: str) -> None:
    try:
        Server(**told)
        given = True
    except ValidationError:
        given = False
    assert given is will_do, because


@pytest.mark.parametrize(
    ("url", "readable"),
    [
        ("https://ehr.example", False),
        ("http://ehr.example", True),
        ("http://127.8.9.1:80/x", False),
        ("http://[::1]/x", False),
        ("http://localhost", False),
        ("http://", True),
        ("nonsense", True),
        ("ftp://localhost", False),
    ],
)
def test_what_others_could_read(url: str, readable: bool) -> None:
    assert is_readable(url) is readable
