"""The schemas: sound ones, and every event that the fold can call for obeys its own."""

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.losus.case import fold
from adapter.losus.picture import CasePicture
from adapter.losus.versions import VersionOrder
from adapter.outbound.asyncapi import Deployment, document
from adapter.outbound.events import cloud_event_headers, decide
from adapter.outbound.examples import examples
from adapter.outbound.schemas import HEADERS, name_of, schemas
from adapter.outbound.topics import TopicTerms
from adapter.store.intake import CaseRow, EventRow
from tests.examples import examples as scaled
from tests.losus.tables.rows import ROWS
from tests.losus.telling import JAMTLAND, ROUTE, Row, facts, tell
from tests.losus.test_case_any_order import instants, signals
from tests.outbound.published import FORMATS, faults, validators

NEW = CaseRow("0" * 32, "ehr", "k1", None, None, None, {})
SHAPES = schemas()
SHOWN = {one.name: one for one in examples()}


def headers_of(event: EventRow) -> dict[str, str]:
    pairs = cloud_event_headers(event, "urn:losus:region", "2026-03-01T08:00:00Z")
    return {name: value.decode() for name, value in pairs}


def told(pictures: list[tuple[CasePicture, str]], payload: Any = "full") -> Iterator[EventRow]:
    row = NEW
    for picture, home in pictures:
        row, events = decide(row, picture, home, {"2380": payload, "2309": "full"})
        yield from events


@pytest.mark.parametrize("name", SHAPES)
def test_each_schema_is_sound_and_known_by_its_name(name: str) -> None:
    shape = SHAPES[name]
    jsonschema.Draft202012Validator.check_schema(shape)
    assert shape["$id"] == f"urn:losus:schema:{name}"
    assert shape["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", [name for name in SHAPES if name.startswith("case.")])
def test_every_field_of_a_picture_is_always_there(name: str) -> None:
    """What is written leaves nothing out; only what was added after the first release may be missing."""
    shape = SHAPES[name]
    for one in (shape, *(part for part in shape["$defs"].values() if "properties" in part)):
        fields = one["properties"]
        assert set(one["required"]) == {field for field in fields if "x-added" not in fields[field]}


@pytest.mark.parametrize("payload", ["full", "statutory"])
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_events_of_every_table_row_obey_their_schema(row: Row, payload: str) -> None:
    """Told at its beginning, when its limits have passed, and when it is another municipality's."""
    early = tell(row.facts, row.terms, "2026-03-01 00:00").picture
    late = tell(row.facts, row.terms, "2026-06-01 12:00").picture
    for event in told([(early, "2380"), (late, "2380"), (late, "2309"), (late, "2380")], payload):
        assert faults(headers_of(event), json.loads(event.payload)) == []


@settings(deadline=None, max_examples=scaled(60))
@given(
    st.lists(st.tuples(signals(), instants), min_size=1, max_size=8), st.sampled_from(["full", "statutory"])
)
def test_events_of_any_history_obey_their_schema(history: list[Any], payload: str) -> None:
    """Fact by fact, in any order, at any time, wherever the person lives."""
    known: list[Any] = []
    pictures = []
    for number, (signal, now) in enumerate(history):
        known += facts(f"Encounter/{number}@1 nothing")
        known[-1] = type(known[-1])("h", f"Encounter/{number}", VersionOrder(1), "1", (signal,), False)
        case = fold(NEW.id, known, terms=JAMTLAND, route=ROUTE, now=now)
        pictures.append((case.picture, case.municipality or "2380"))
    events = list(told(pictures, payload))
    for event in events:
        assert faults(headers_of(event), json.loads(event.payload)) == []
    for before, after in pairwise([one for one in events if one.municipality == "2380"]):
        assert after.revision == before.revision + 1


def changed(example: str, **fields: Any) -> tuple[Mapping[str, str], Any]:
    return SHOWN[example].headers, {**SHOWN[example].payload, **fields}


WRONG = [
    # what is published, where it is wrong, because
    (changed("admitted", revision=0), "$.revision", "0 is not published"),
    (changed("admitted", state=None), "$.state", "nothing is told of a case without a state"),
    (changed("admitted", state="lost"), "$.state", "no such state"),
    (changed("admitted", since="yesterday"), "$.since", "an instant"),
    (changed("admitted", since="2026-03-01T08:00:00"), "$.since", "an instant has a zone (RFC 3339)"),
    (changed("admitted", day_zero="2026-03-01T08:00:00Z"), "$.day_zero", "a local date"),
    (changed("closing", municipality="2309"), "$.municipality", "no word of where to"),
    (changed("closing", statutory=SHOWN["ready"].payload["statutory"]), "$.statutory", "no person in it"),
    (changed("statutory", unit={"id": "w1", "name": None}), "$.unit", "LUS 2:2 names four fields, no ward"),
    (changed("statutory", sources=SHOWN["admitted"].payload["sources"]), "$.sources", "LUS 2:2"),
    (changed("deadline", deadlines=[]), "$.deadlines", "it tells of one that was missed"),
    (changed("deadline", changed=["state"]), "$.changed", "it tells of the limit alone"),
    (changed("deadline", moved=True), "$.moved", "a case that has left has no limits"),
    (changed("statement", type="transaction"), "$.type", "a collection imposes nothing on who reads it"),
    (changed("statement", entry=[]), "$.entry", "a statement of nothing"),
    (changed("parked", message=0), "$.message", "the number of a raw message"),
    ((SHOWN["admitted"].headers | {"ce_id": "1"}, SHOWN["admitted"].payload), "$.ce_id", "128 bits in hex"),
    ((SHOWN["admitted"].headers | {"traceparent": "1"}, SHOWN["admitted"].payload), "$.traceparent", "W3C"),
]  # fmt: skip


@pytest.mark.parametrize(("published", "where", "because"), WRONG)
def test_what_may_not_be_published_does_not_pass(
    published: tuple[Mapping[str, str], Any], where: str, because: str
) -> None:
    assert any(one.startswith(where) for one in faults(*published)), because


@pytest.mark.parametrize("name", SHOWN)
def test_examples_obey_their_schema(name: str) -> None:
    assert faults(SHOWN[name].headers, SHOWN[name].payload) == []


def test_the_variants_are_told_apart() -> None:
    of = {name: validators()[f"case.{name}.v1"] for name in ("closing", "statutory")}
    passes = {name: [n for n in SHOWN if one.is_valid(SHOWN[n].payload)] for name, one in of.items()}
    assert passes == {"closing": ["closing"], "statutory": ["statutory"]}


def test_asyncapi_says_the_same_in_draft_7() -> None:
    """The same payloads pass and fail there, though definitions stand elsewhere."""
    told = document(Deployment("0", "kafka:9092", {}, TopicTerms()), ())
    components = {"components": {"schemas": told["components"]["schemas"]}}
    for (headers, payload), where, because in WRONG:
        name = HEADERS if where[2:] in headers else name_of(headers["ce_type"])
        shape = {**components, "$ref": f"#/components/schemas/{name}"}
        check = jsonschema.Draft7Validator(shape, format_checker=FORMATS)
        said = dict(headers) if name == HEADERS else payload
        good = SHOWN["admitted"].headers if name == HEADERS else None
        assert not check.is_valid(said), because
        assert good is None or check.is_valid(dict(good))
    for one in SHOWN.values():
        shape = {**components, "$ref": f"#/components/schemas/{name_of(one.type)}"}
        jsonschema.Draft7Validator(shape, format_checker=FORMATS).validate(one.payload)


def test_the_rows_above_call_for_every_type_of_event() -> None:
    seen = set()
    for row in ROWS.values():
        times = ("2026-03-01 00:00", "2026-06-01 12:00")
        pictures = [(tell(row.facts, row.terms, now).picture, "2380") for now in times]
        seen |= {event.type for event in told(pictures)}
    assert seen == {"se.losus.case.changed.v1", "se.losus.case.deadline.v1"}
