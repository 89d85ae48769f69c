"""What every style of reference leads to; what leads nowhere is never answered as if it were published.

Source: FHIR R4 references#literal, references#logical, references#contained, bundle#references («Resolving
references in Bundles»), http#trules (conditional references).
"""

from typing import Any

import httpx
import pytest

from adapter.settings import Source
from tests.service import service
from tests.specification.sending import (
    ADMITTED_AT,
    ANOTHER_NUMBER,
    BASE,
    NUMBER,
    PNR,
    PNR_OID,
    STEP,
    VISITS,
    Resource,
    cases,
    changed,
    code_of,
    condition,
    create,
    entry,
    events,
    held,
    issues,
    logical,
    message,
    meta,
    numbered,
    person,
    pictures,
    plan,
    ready,
    reread,
    rows,
    say,
    stay,
    team,
    update,
    without,
)

UUID = "urn:uuid:3f1c0d1e-0000-4000-8000-000000000001"
OTHER = "https://another.example/fhir"

#: How a Task (CarePlan, CareTeam) may name the stay `s1`, and the patient `p1`.
STYLES = {
    # style: (reference to the stay, reference to the person, because)
    "relative": (
        {"reference": "Encounter/s1"},
        {"reference": "Patient/p1"},
        "references#literal: relative to the base of the server",
    ),
    "absolute": (
        {"reference": f"{BASE}/Encounter/s1"},
        {"reference": f"{BASE}/Patient/p1"},
        "references#literal: absolute, of the base that the fullUrls have",
    ),
    "versioned": (
        {"reference": "Encounter/s1/_history/1"},
        {"reference": "Patient/p1/_history/1"},
        "references#literal: a version-specific reference",
    ),
    "absolute, versioned": (
        {"reference": f"{BASE}/Encounter/s1/_history/1"},
        {"reference": f"{BASE}/Patient/p1/_history/1"},
        "bundle#references: «matching … after removing the version»",
    ),
    "logical": (
        logical("V-1"),
        logical(NUMBER, PNR),
        "references#logical: by (system, value)",
    ),
    "logical, typed": (
        logical("V-1", kind="Encounter"),
        logical(NUMBER, PNR, "Patient"),
        "references#logical: type says what kind",
    ),
    "logical, hyphen": (
        logical("V-1", kind="Encounter"),
        logical(NUMBER[:8] + "-" + NUMBER[8:], PNR, "Patient"),
        "one number of a person in two spellings",
    ),
    "logical, ten digits": (
        logical("V-1", kind="Encounter"),
        logical(NUMBER[2:8] + "-" + NUMBER[8:], PNR, "Patient"),
        "one number of a person in two spellings",
    ),
    "logical, OID": (
        logical("V-1", kind="Encounter"),
        logical(NUMBER, PNR_OID, "Patient"),
        "one number of a person under two systems",
    ),
    "conditional": (
        {"reference": f"Encounter?identifier={VISITS}|V-1"},
        {"reference": f"Patient?{condition()}"},
        "http#trules: a search as reference",
    ),
}
WHEN = ["before it in the Bundle", "behind it in the Bundle", "stored before", "coming later"]

STAY = stay(**numbered("V-1"))


def saying(kind: str, to_stay: Resource, to_person: Resource) -> Resource:
    """The Task, CarePlan or CareTeam that points so at stay and person."""
    if kind == "Task":
        return ready(encounter=to_stay, **{"for": to_person})
    return (plan if kind == "CarePlan" else team)(encounter=to_stay, subject=to_person)


def wanted(kind: str) -> dict[str, tuple[str, str | None]]:
    """The one case, after that was said."""
    return {"s1": ("ready" if kind == "Task" else "admitted", "2380")}


@pytest.mark.parametrize(
    ("kind", "when"),
    [
        *(("Task", when) for when in WHEN),
        ("CarePlan", "behind it in the Bundle"),
        ("CarePlan", "coming later"),
        ("CareTeam", "behind it in the Bundle"),
    ],
)
@pytest.mark.parametrize("style", STYLES)
async def test_a_reference_leads_to_the_stay(
    client: httpx.AsyncClient, dsn: str, kind: str, style: str, when: str
) -> None:
    to_stay, to_person, because = STYLES[style]
    one = saying(kind, to_stay, to_person)
    if when == "before it in the Bundle":
        sent = [message("1", STAY, person(), one)]
    elif when == "behind it in the Bundle":
        sent = [message("1", one, STAY, person())]
    elif when == "stored before":
        sent = [message("1", STAY, person()), message("2", one, focus=f"Task/{one['id']}")]
    else:
        sent = [message("2", one), message("1", STAY, person())]
    answers = [await say(client, body) for body in sent]
    if when != "coming later":
        assert [code_of(answer) for answer in answers] == ["ok"] * len(sent), (because, answers[-1].text)
    await reread(client)
    assert await held(dsn) == [], because
    assert await cases(client) == wanted(kind), because
    known = await rows(dsn, "select count(*) from cases")
    assert known == [(1,)], "no ghost beside it"
    picture = (await pictures(client))["s1"]
    assert picture["statutory"]["name"] == "Prova Provsson"


@pytest.mark.parametrize("style", STYLES)
async def test_a_reference_leads_to_the_person_of_a_stay(
    client: httpx.AsyncClient, dsn: str, style: str
) -> None:
    _, to_person, because = STYLES[style]
    assert code_of(await say(client, message("1", stay(subject=to_person), person()))) == "ok"
    assert await cases(client) == {"s1": ("admitted", "2380")}, because
    assert {municipality for municipality, _ in await events(dsn)} == {"2380"}


LITERAL = [
    # fullUrl of the target, its id, reference, base of who refers, because
    (UUID, "s1", UUID, None, "bundle#references: equal to the fullUrl"),
    (UUID, None, UUID, None, "bundle#references: equal to the fullUrl, though there is no id"),
    ("urn:oid:1.2.752.1.7", None, "urn:oid:1.2.752.1.7", None, "bundle#fullUrl: an OID does as well"),
    (f"{BASE}/Encounter/s1", None, "Encounter/s1", BASE, "bundle#references: below the base of who refers"),
    (f"{BASE}/Encounter/s1", None, f"{BASE}/Encounter/s1", None, "the fullUrl names the id"),
    (UUID, "s1", "Encounter/s1", None, "no base to take it from: by type and id"),
    (None, "s1", "Encounter/s1", None, "no fullUrl at all: by type and id"),
]


@pytest.mark.parametrize(("full", "name", "reference", "base", "because"), LITERAL)
async def test_full_urls(
    client: httpx.AsyncClient,
    dsn: str,
    full: str | None,
    name: str | None,
    reference: str,
    base: str | None,
    because: str,
) -> None:
    target = without(stay(), *([] if name else ["id"]))
    task = entry(
        ready(encounter={"reference": reference}), f"{base}/Task/t1" if base else "urn:uuid:" + "7" * 8
    )
    answer = await say(client, message("1", entry(target, full), person(), task))
    assert code_of(answer) == "ok", (because, answer.text)
    assert list((await cases(client)).values()) == [("ready", "2380")], because
    assert await rows(dsn, "select count(*) from cases") == [(1,)]


NOWHERE = [
    # reference to the stay, to the person, because
    (
        {"reference": UUID},
        None,
        "bundle#references: urn:uuid means an entry of the Bundle, and there is none",
    ),
    ({"reference": f"{OTHER}/Encounter/s1"}, None, "references#literal: another server's, of the same id"),
    (logical("V-7"), None, "references#logical: an identifier that nothing has"),
    (logical("V-7", kind="Encounter"), None, "the same, typed"),
    (logical(NUMBER, PNR), None, "an identifier of something that is no stay"),
    (logical("V-1", kind="Patient"), None, "the identifier of a resource of another type"),
    (
        {"reference": f"Encounter?identifier={VISITS}|V-7"},
        None,
        "http#trules: a condition that finds nothing",
    ),
    ({"reference": "Encounter?name=s1"}, None, "a condition that is not understood"),
    ({"display": "the stay"}, None, "references: neither literal nor logical"),
    ({"reference": "Encounter/s1"}, {"reference": UUID}, "bundle#references: the person is no entry"),
    (
        {"reference": "Encounter/s1"},
        logical(ANOTHER_NUMBER, PNR),
        "references#logical: the person is not known",
    ),
    ({"reference": "Encounter/s1"}, {"reference": f"{OTHER}/Patient/p1"}, "another server's person"),
]


@pytest.mark.parametrize("where", ["in the Bundle", "stored"])
@pytest.mark.parametrize(("to_stay", "to_person", "because"), NOWHERE)
async def test_what_leads_nowhere_is_held_and_nothing_is_published_of_it(
    client: httpx.AsyncClient,
    dsn: str,
    where: str,
    to_stay: Resource,
    to_person: Resource | None,
    because: str,
) -> None:
    task = ready(encounter=to_stay, **({"for": to_person} if to_person else {}))
    before: list[Any] = []
    if where == "stored":
        await say(client, message("1", STAY, person()))
        before = await events(dsn)
        answer = await say(client, message("2", task, focus="Task/t1"))
    else:
        answer = await say(client, message("1", STAY, person(), task))
    assert code_of(answer) != "ok", because
    await reread(client)
    assert len(await held(dsn)) == 1, because
    assert (await cases(client)).keys() <= {"s1"}, "no ghost"
    assert await events(dsn) == before, "nothing is published"
    assert await rows(
        dsn, "select count(*) from event where municipality is null and type like '%changed%'"
    ) == [(0,)]


async def test_two_of_one_identifier_are_not_chosen_between(client: httpx.AsyncClient, dsn: str) -> None:
    """references#logical: an identifier that two resources have names neither."""
    for where in ("stored", "in the Bundle"):
        one, other = stay("a", **numbered("V-2")), stay("b", **numbered("V-2"), period={"start": ADMITTED_AT})
        task = ready(encounter=logical("V-2"))
        if where == "stored":
            await say(client, message("1", one, person()))
            await say(client, message("2", other))
            answer = await say(client, message("3", task))
        else:
            answer = await say(client, message("4", one, other, person(), task))
        assert code_of(answer) != "ok", where
    assert await held(dsn) == ["unresolved", "unresolved"]
    assert {state for state, _ in (await cases(client)).values()} == {"admitted"}


CORRECTED = [
    # the version that had the identifier by mistake, its correction, who has it by right, reference, because
    (
        person("a", kommun="2309"),
        person("a", ANOTHER_NUMBER, "2309", **meta("2", "2024-05-01T10:00:00+02:00")),
        person(),
        logical(NUMBER, PNR, "Patient"),
        "the number was another's: the person by right, and no municipality that is not theirs",
    ),
    (
        person("a", kommun="2309"),
        person("a", ANOTHER_NUMBER, "2309", **meta("2", "2024-05-01T10:00:00+02:00")),
        None,
        logical(NUMBER, PNR, "Patient"),
        "the number was another's, and nobody has it now",
    ),
]


@pytest.mark.parametrize(("wrong", "right", "other", "reference", "because"), CORRECTED)
async def test_an_identifier_that_was_corrected(
    client: httpx.AsyncClient,
    wrong: Resource,
    right: Resource,
    other: Resource | None,
    reference: Resource,
    because: str,
) -> None:
    """references#logical: by the identifiers that a resource has, not by those that it once had."""
    for one in (wrong, *([other] if other else []), right):
        await update(client, one)
    answer = await say(client, message("1", stay(subject=reference)))
    assert code_of(answer) == ("ok" if other else "fatal-error"), because
    assert await cases(client) == ({"s1": ("admitted", "2380")} if other else {})
    once = without(person(), "id")
    created = await create(client, once, if_none_exist=condition())
    assert created.status_code == (200 if other else 201), "http#ccreate: what has it now"
    assert created.json()["id"] != "a"


@pytest.mark.parametrize("first", ["a", "b"])
async def test_two_that_wait_for_each_other_are_both_freed(
    client: httpx.AsyncClient, dsn: str, first: str
) -> None:
    """Each message holds what the other points at by identifier."""
    sent = {
        "a": message("a", stay("s1", **numbered("V-1")), ready("t2", encounter=logical("V-2")), person()),
        "b": message(
            "b",
            stay("s2", **numbered("V-2"), subject={"reference": "Patient/p2"}),
            ready("t1", encounter=logical("V-1")),
            person("p2", ANOTHER_NUMBER, "2309"),
        ),
    }
    for name in (first, *(sent.keys() - {first})):
        await say(client, sent[name])
    await reread(client)
    assert await held(dsn) == []
    assert await cases(client) == {"s1": ("ready", "2380"), "s2": ("ready", "2309")}


async def test_contained_persons_of_one_name_are_two_persons(client: httpx.AsyncClient) -> None:
    """references#contained: the id of a contained resource means something within its container alone."""
    mine = without(person("x"), "meta")
    theirs = without(person("x", ANOTHER_NUMBER, "2309"), "meta")
    sent = message(
        "1",
        stay("s1", contained=[mine], subject={"reference": "#x"}),
        stay("s2", contained=[theirs], subject={"reference": "#x"}),
    )
    assert code_of(await say(client, sent)) == "ok"
    assert await cases(client) == {"s1": ("admitted", "2380"), "s2": ("admitted", "2309")}
    said = await pictures(client)
    assert said["s1"]["statutory"]["identifier"]["value"] != said["s2"]["statutory"]["identifier"]["value"]


async def test_a_contained_person_follows_the_stay(client: httpx.AsyncClient) -> None:
    first = stay(contained=[without(person("x"), "meta")], subject={"reference": "#x"})
    newer = changed(
        first,
        **meta("2", "2024-03-05T10:00:00+01:00"),
        contained=[without(person("x", kommun="2309"), "meta")],
    )
    await say(client, message("1", first))
    await say(client, message("2", newer))
    assert await cases(client) == {"s1": ("admitted", "2309")}


CONTAINED_STAYS = [
    # identifier of the contained stay, becomes ready, because
    ("V-1", True, "a contained stay is known by its identifier, and by no name of its own"),
    (None, False, "references#contained: no identity outside its container, and nothing to find it by"),
]


@pytest.mark.parametrize(("value", "is_ready", "because"), CONTAINED_STAYS)
async def test_a_contained_stay(
    client: httpx.AsyncClient, dsn: str, value: str | None, is_ready: bool, because: str
) -> None:
    inside = {**without(stay("e"), "meta", "subject"), **(numbered(value) if value else {})}
    task = ready(contained=[inside], encounter={"reference": "#e"})
    await say(client, message("1", STAY, person()))
    answer = await say(client, message("2", task))
    assert (code_of(answer) == "ok") is is_ready, because
    assert await cases(client) == {"s1": ("ready" if is_ready else "admitted", "2380")}
    assert await rows(dsn, "select count(*) from cases") == [(1,)]


MERGES = [
    # reference to the record that stands, because
    ({"reference": "Patient/p2"}, "relative"),
    ({"reference": f"{BASE}/Patient/p2"}, "absolute"),
    ({"reference": "Patient/p2/_history/1"}, "versioned"),
    ({"reference": UUID}, "by the fullUrl of the entry"),
    (logical(ANOTHER_NUMBER, PNR), "by identifier"),
]


@pytest.mark.parametrize(("other", "because"), MERGES)
async def test_a_replaced_record(client: httpx.AsyncClient, other: Resource, because: str) -> None:
    """Patient.link.other, whichever way it points: two overlapping stays of one person are one."""
    p1, p2 = person(), person("p2", ANOTHER_NUMBER)
    await say(client, message("1", stay("s1"), p1))
    await say(client, message("2", stay("s2", subject={"reference": "Patient/p2"}), p2))
    merged = person(**meta("2", "2024-03-05T10:00:00+01:00"), link=[{"type": "replaced-by", "other": other}])
    await say(client, message("3", merged, entry(p2, UUID if other.get("reference") == UUID else "")))
    await reread(client)
    said = await pictures(client)
    assert said["s1"]["state"] == "voided", because
    assert said["s1"]["merged_into"] == said["s2"]["case_id"]


async def test_a_ward_of_another_server_is_no_ward_of_ours(client: httpx.AsyncClient) -> None:
    """references#literal: an absolute URL means that URL, and no resource of the same id elsewhere."""
    ward = {"resourceType": "Location", "id": "w1", "name": "Vår avdelning"}
    at_other = stay(location=[{"location": {"reference": f"{OTHER}/Location/w1"}}])
    answer = await say(client, message("1", at_other, person(), ward))
    assert code_of(answer) == "ok"
    assert "Vår avdelning" not in str(await pictures(client))


async def test_a_client_refers_by_the_location_that_it_was_given(client: httpx.AsyncClient, dsn: str) -> None:
    """R4 http#create: Location is where the resource is known; a reference to it means that resource."""
    await update(client, person())
    located = (await update(client, stay())).headers["location"].partition("/_history")[0]
    task = ready(encounter={"reference": located})
    assert (await update(client, task)).status_code == 201
    assert await cases(client) == {"s1": ("ready", "2380")}
    assert await held(dsn) == []


async def test_one_id_at_two_servers_is_not_mixed(client: httpx.AsyncClient, dsn: str) -> None:
    """references#literal: the same id below another base is another resource, here another person."""
    theirs = entry(person("p1", ANOTHER_NUMBER, "2309", **meta("2")), f"{OTHER}/Patient/p1")
    answer = await say(client, message("1", stay(), person(), theirs))
    assert (answer.status_code, issues(answer)[0][2]) == (422, "Bundle.entry[3].resource")
    assert await events(dsn) == []


async def test_a_municipalitys_system_names_a_case_by_its_id(dsn: str) -> None:
    """Contract 7; README: `Task.encounter.identifier` is the case's id there, and is not looked up."""
    sources = {
        "losus-r4": Source(mapping="losus-r4"),
        "kommun": Source(mapping="losus-r4", municipality="2380"),
    }
    async with service(dsn, sources=sources) as client:
        await say(client, message("1", stay(), person()))
        case = (await pictures(client))["s1"]["case_id"]
        step = {"coding": [{"system": STEP, "code": "planning"}]}
        task = ready(code=step, encounter=logical(case, "urn:x"))
        answer = await say(client, message("2", task), "/fhir/kommun")
        assert code_of(answer) == "ok", answer.text
        assert (await pictures(client))["s1"]["state"] == "planning"
        unknown = ready("t2", code=step, encounter=logical("0" * 32, "urn:x"))
        answer = await say(client, message("3", unknown), "/fhir/kommun")
        assert (answer.status_code, code_of(answer)) == (404, "fatal-error")
