"""The AsyncAPI document: AsyncAPI's own schema accepts it, and it says what is so."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from adapter.cluster import Sasl, Tls
from adapter.outbound.asyncapi import Deployment, document
from adapter.outbound.examples import examples
from adapter.outbound.topics import DEAD_LETTER, UNROUTED, TopicTerms, topics_of
from adapter.settings import Kafka
from adapter.web.schemas import as_json, as_yaml, deployment_of
from tests.outbound.asyncapi_specification import specification
from tests.outbound.published import faults
from tests.service import settings

TERMS = TopicTerms(partitions=6, replication=3, retention_days=30)
HERE = Deployment("1", "k1:9092,k2:9092", {"2380": "Östersund", "2309": "Krokom"}, TERMS, "https://x/schemas")
TOLD = document(HERE, examples())


def at(reference: str) -> Any:
    found: Any = TOLD
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from [part["$ref"]] if "$ref" in part else ()
        part = list(part.values())
    for one in part if isinstance(part, list) else ():
        yield from references(one)


def test_the_official_schema_accepts_it() -> None:
    jsonschema.Draft7Validator(specification()).validate(TOLD)


SEEDED = [
    # what is broken in the document, because
    (lambda d: d["channels"]["events"].update(parameter={}), "no such word in a channel"),
    (lambda d: d["operations"]["receiveEvents"].update(action="read"), "send or receive"),
    (lambda d: d["channels"]["cases"]["bindings"]["kafka"].update(partitions=0), "at least one"),
    (lambda d: d["components"]["schemas"]["case.v1"].update(type="thing"), "no such type"),
    (lambda d: d.pop("info"), "required"),
]


@pytest.mark.parametrize(("breaks", "because"), SEEDED)
def test_the_official_schema_refuses_what_is_wrong(breaks: Any, because: str) -> None:
    wrong = json.loads(json.dumps(TOLD))
    breaks(wrong)
    assert not jsonschema.Draft7Validator(specification()).is_valid(wrong), because


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(TOLD)):
        assert at(reference)


def test_its_topics_are_those_that_are_made_and_no_other() -> None:
    made = set(topics_of(("{kommunkod}", "region.{unit}")))
    told = {one["address"] for one in TOLD["channels"].values()}
    assert told <= made
    assert {UNROUTED, DEAD_LETTER} <= told
    assert {name for name in made if "{" in name} <= told


def test_a_topic_is_as_it_is_made() -> None:
    binding = TOLD["channels"]["cases"]["bindings"]["kafka"]
    assert binding["topicConfiguration"]["cleanup.policy"] == ["compact"]
    assert (binding["topic"], binding["partitions"], binding["replicas"], binding["bindingVersion"]) == (
        "losus.{kommunkod}.cases", 6, 3, "0.5.0",
    )  # fmt: skip
    assert (
        TOLD["channels"]["events"]["bindings"]["kafka"]["topicConfiguration"]["retention.ms"]
        == 30 * 86_400_000
    )
    largest = TOLD["channels"]["settlements"]["bindings"]["kafka"]["topicConfiguration"]["max.message.bytes"]
    assert largest == int(topics_of(("2380",))["losus.2380.settlements"]["max.message.bytes"])


def test_the_parameter_names_the_subscribers() -> None:
    parameter = TOLD["channels"]["events"]["parameters"]["kommunkod"]
    assert parameter["enum"] == ["2309", "2380"]
    assert "Östersund" in parameter["description"]
    anywhere = document(Deployment("0", "k:1", {}, TopicTerms()), ())
    assert "enum" not in anywhere["channels"]["events"]["parameters"]["kommunkod"]
    assert "parameters" not in TOLD["channels"]["unrouted"]


def test_operations_receive_the_messages_of_their_channel() -> None:
    assert {one["action"] for one in TOLD["operations"].values()} == {"receive"}
    for operation in TOLD["operations"].values():
        channel = operation["channel"]["$ref"]
        assert [one["$ref"] for one in operation["messages"]] == [
            f"{channel}/messages/{name}" for name in at(channel)["messages"]
        ]


def test_every_message_has_headers_key_and_examples_that_obey() -> None:
    for name, message in TOLD["components"]["messages"].items():
        assert message["bindings"]["kafka"]["key"]["type"] == "string"
        if name == "caseRemoved":
            assert message["payload"] == {"type": "null"}
            continue
        assert message["examples"]
        for one in message["examples"]:
            assert faults(one["headers"], one["payload"]) == []
            assert one["headers"]["ce_type"] == message["name"]
            assert one["headers"]["content-type"] == message["contentType"]


def test_security_is_listed_and_none_is_forced() -> None:
    kinds = {one["type"] for one in TOLD["components"]["securitySchemes"].values()}
    assert kinds == {"scramSha512", "scramSha256", "plain", "X509"}
    assert "security" not in TOLD["servers"]["kafka"]


FILE = Path("/secrets/file")
SERVERS = [
    # of the settings, protocol, type of the scheme that is asked for, because
    ({}, "kafka", None, "nothing is said"),
    ({"tls": Tls()}, "kafka-secure", None, "TLS alone: nobody shows who it is"),
    ({"tls": Tls(certificate=FILE, key=FILE)}, "kafka-secure", "X509", "a client certificate"),
    ({"tls": Tls(), "sasl": Sasl(username="a", password_file=FILE)}, "kafka-secure", "scramSha512", "SCRAM"),
    (
        {"tls": Tls(), "sasl": Sasl(mechanism="SCRAM-SHA-256", username="a", password_file=FILE)},
        "kafka-secure",
        "scramSha256",
        "SCRAM",
    ),
    (
        {"tls": Tls(), "sasl": Sasl(mechanism="PLAIN", username="a", password_file=FILE)},
        "kafka-secure",
        "plain",
        "a password under TLS",
    ),
    (
        {"plaintext": True, "sasl": Sasl(username="a", password_file=FILE)},
        "kafka",
        None,
        "a mesh encrypts, and the document's schemes are those over TLS",
    ),
]


@pytest.mark.parametrize(("kafka", "protocol", "kind", "because"), SERVERS)
def test_the_server_is_as_the_settings_have_it(
    kafka: dict[str, Any], protocol: str, kind: str | None, because: str
) -> None:
    told = document(deployment_of(settings("postgresql:///none", kafka=Kafka(**kafka))), ())
    jsonschema.Draft7Validator(specification()).validate(told)
    server = told["servers"]["kafka"]
    assert server["protocol"] == protocol, because
    schemes = [one["$ref"].rpartition("/")[2] for one in server.get("security", ())]
    assert [told["components"]["securitySchemes"][one]["type"] for one in schemes] == [kind] * bool(kind)
    assert str(FILE) not in json.dumps(told)


def test_json_and_yaml_say_the_same_and_always_the_same() -> None:
    assert yaml.safe_load(as_yaml(TOLD)) == json.loads(as_json(TOLD))
    assert as_json(document(HERE, examples())) == as_json(TOLD)
