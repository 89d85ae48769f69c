"""HospitalNotification messages of our own, as small as MedCom's profile lets them be."""

import uuid
from dataclasses import dataclass, field
from typing import Any

_SPACE = uuid.UUID("00000000-0000-4000-8000-000000000000")
_LEAVE = (
    "http://medcomfhir.dk/ig/hospitalnotification/StructureDefinition/"
    "medcom-hospitalnotifiation-leave-period-extension"
)


@dataclass(frozen=True)
class Hospital:
    """The stay as the hospital's system knows it; every message is a whole snapshot of it.

    `done`: (activity, occurred) so far, oldest first. Times are given as `DDTHH:MM` of March 2023.
    """

    episode: str = "episode-1"
    done: tuple[tuple[str, str], ...] = ()
    ward: str = "Medicin"
    sent: list[dict[str, Any]] = field(default_factory=list, compare=False)

    def say(
        self,
        activity: str,
        occurred: str,
        *,
        status: str = "in-progress",
        kind: str = "IMP",
        start: str = "01T12:00",
        end: str | None = None,
        leave: tuple[str, str | None] | None = None,
        deceased: bool | None = None,
        ward: str | None = None,
        role: str = "revision",
    ) -> "Hospital":
        """Send one message, and give the hospital that has sent it."""
        done = (*self.done, (activity, occurred))
        ward = ward or self.ward
        name = f"{self.episode}/{len(done)}"
        period = {"start": _time(start)} | ({"end": _time(end)} if end else {})
        encounter: dict[str, Any] = {
            "resourceType": "Encounter",
            "id": _id(f"encounter/{name}"),
            "status": status,
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": kind},
            "subject": {"reference": f"Patient/{_id('citizen')}"},
            "episodeOfCare": [{"identifier": {"system": "urn:example:episode", "value": self.episode}}],
            "period": period,
            "serviceProvider": {"reference": f"Organization/{_id(ward)}"},
        }
        if leave:
            value = {"start": _time(leave[0])} | ({"end": _time(leave[1])} if leave[1] else {})
            encounter["extension"] = [{"url": _LEAVE, "valuePeriod": value}]
        citizen: dict[str, Any] = {
            "resourceType": "Patient",
            "id": _id("citizen"),
            "identifier": [{"system": "urn:oid:1.2.208.176.1.2", "value": "0101010000"}],
            "name": [{"given": ["Test"], "family": "Testesen"}],
        }
        if deceased is not None:
            citizen["deceasedBoolean"] = deceased
        resources = [
            self._header(name, ward),
            citizen,
            encounter,
            _organization(ward),
            _organization("Kommunen"),
            *self._chain(done, role),
        ]
        self.sent.append(
            {
                "resourceType": "Bundle",
                "id": _id(f"bundle/{name}"),
                "type": "message",
                "timestamp": _time(occurred),
                "entry": [{"fullUrl": f"{r['resourceType']}/{r['id']}", "resource": r} for r in resources],
            }
        )
        return Hospital(self.episode, done, ward, self.sent)

    def _header(self, name: str, ward: str) -> dict[str, Any]:
        return {
            "resourceType": "MessageHeader",
            "id": _id(f"header/{name}"),
            "eventCoding": {"system": "urn:example:event", "code": "hospital-notification-message"},
            "destination": [
                {
                    "endpoint": "urn:example:kommune",
                    "receiver": {"reference": f"Organization/{_id('Kommunen')}"},
                }
            ],
            "sender": {"reference": f"Organization/{_id(ward)}"},
            "source": {"endpoint": "urn:example:hospital"},
            "focus": [{"reference": f"Encounter/{_id(f'encounter/{name}')}"}],
        }

    def _chain(self, done: tuple[tuple[str, str], ...], role: str) -> list[dict[str, Any]]:
        headers = [f"MessageHeader/{_id(f'header/{self.episode}/{n}')}" for n in range(1, len(done) + 1)]
        return [
            {
                "resourceType": "Provenance",
                "id": _id(f"provenance/{self.episode}/{n}"),
                "target": [{"reference": headers[n]}],
                "occurredDateTime": _time(occurred),
                "recorded": _time(occurred),
                "activity": {"coding": [{"system": "urn:example:activity", "code": activity}]},
                "agent": [{"who": {"reference": f"Organization/{_id(self.ward)}"}}],
                **({"entity": [{"role": role, "what": {"reference": headers[n - 1]}}]} if n else {}),
            }
            for n, (activity, occurred) in enumerate(done)
        ]


def _organization(name: str) -> dict[str, Any]:
    identifier = [{"system": "urn:oid:1.2.208.176.1.1", "value": _id(name)}]
    return {"resourceType": "Organization", "id": _id(name), "identifier": identifier, "name": name}


def _time(text: str) -> str:
    seconds = "" if text.count(":") == 2 else ":00"
    return f"2023-03-{text}{seconds}+01:00"


def _id(name: str) -> str:
    return str(uuid.uuid5(_SPACE, name))
