"""What a conditional create or update searches for, in the forms in which clients write it."""

import pytest

from adapter.errors import ResourceError
from adapter.fhir.interaction import condition

BASE = "http://127.0.0.1:8000/fhir/losus-r4"
MEANT = "Patient?identifier=https://ehr.example/patients|17"

FORMS = [
    # what is written, what is meant, because
    (
        "identifier=https://ehr.example/patients|17",
        MEANT,
        "R4 http#ccreate: what follows the «?» of the search",
    ),
    ("?identifier=https://ehr.example/patients|17", MEANT, "with the «?» itself"),
    ("identifier=https%3A%2F%2Fehr.example%2Fpatients%7C17", MEANT, "RFC 3986 2.1: encoded as in a URL"),
    ("Patient?identifier=https://ehr.example/patients|17", MEANT, "DSTU2 http#ccreate: with the type"),
    (f"{BASE}/Patient?identifier=https%3A//ehr.example/patients%7C17", MEANT, "HAPI's client: a whole URL"),
    (
        "https://proxy.example/Patient?identifier=https://ehr.example/patients|17",
        MEANT,
        "by another name of ours",
    ),
    ("_format=json&identifier=https://ehr.example/patients|17", MEANT, "R4 http#parameters: how to answer"),
    ("identifier=https://ehr.example/patients|17&_format=xml&_pretty=true", MEANT, "the same, behind"),
    (
        "identifier=https://a.example/?b|17",
        "Patient?identifier=https://a.example/?b|17",
        "a «?» in the system",
    ),
    (r"identifier=urn:a|x\,y\|z\\", "Patient?identifier=urn:a|x,y|z\\", "R4 search#escaping"),
]


@pytest.mark.parametrize(("text", "meant", "because"), FORMS)
def test_what_is_meant(text: str, meant: str, because: str) -> None:
    assert condition("Patient", text) == meant, because


REFUSED = [
    # what is written, code, because
    ("", "not-supported", "no condition at all"),
    ("_format=json", "not-supported", "nothing is searched for"),
    ("identifier=17", "not-supported", "without its system an identifier names no one"),
    ("name=Eva", "not-supported", "the one condition is identifier"),
    ("identifier=urn:a|1&identifier=urn:a|2", "not-supported", "two conditions"),
    (f"{BASE}/Encounter?identifier=urn:a|1", "invalid", "it searches for another type than is created"),
    (f"{BASE}?identifier=urn:a|1", "invalid", "it searches for every type"),
]


@pytest.mark.parametrize(("text", "code", "because"), REFUSED)
def test_what_is_refused(text: str, code: str, because: str) -> None:
    with pytest.raises(ResourceError) as refused:
        condition("Patient", text)
    assert [problem.code for problem in refused.value.problems] == [code], because
