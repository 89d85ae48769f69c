"""The messages that the pipes are measured with: about 1 kB, and MedCom's own of about 16 kB.

Each message has ids of its own, so that none is a repeat.
"""

import json
from pathlib import Path
from typing import Any

_FORM = "https://losus-adapter.se/fhir/CodeSystem/care-form"


def small(number: int) -> bytes:
    """An admission in `losus-r4`, as small as one that reaches a municipality can be."""
    time = "2024-03-04T14:25:00+01:00"
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "MessageHeader",
            "id": f"h{number}",
            "eventCoding": {"code": "losus-step"},
            "source": {"endpoint": "https://ehr.example/fhir"},
            "focus": [{"reference": f"Encounter/e{number}"}],
        },
        {
            "resourceType": "Encounter",
            "id": f"e{number}",
            "meta": {"versionId": "1", "lastUpdated": time},
            "status": "in-progress",
            "class": {"code": "IMP"},
            "serviceType": {"coding": [{"system": _FORM, "code": "somatic"}]},
            "subject": {"reference": f"Patient/p{number}"},
            "period": {"start": time},
        },
        {
            "resourceType": "Patient",
            "id": f"p{number}",
            "meta": {"versionId": "1", "lastUpdated": time},
            "name": [{"family": "Tolvansson"}],
            "address": [
                {
                    "extension": [
                        {
                            "url": "https://losus-adapter.se/fhir/StructureDefinition/kommunkod",
                            "valueCoding": {"system": "urn:oid:1.2.752.129.2.2.1.17", "code": "2380"},
                        }
                    ]
                }
            ],
        },
    ]
    entry = [
        {"fullUrl": f"https://ehr.example/{r['resourceType']}/{r['id']}", "resource": r} for r in resources
    ]
    bundle = {
        "resourceType": "Bundle",
        "id": f"b{number}",
        "type": "message",
        "timestamp": time,
        "entry": entry,
    }
    return json.dumps(bundle, separators=(",", ":")).encode()


class MedCom:
    """MedCom's discharge message, with ids and an episode of its own for each number."""

    def __init__(self, shared: Path) -> None:
        file = shared / "data" / "medcom" / "HospitalNotification_Ex_SLHJ_H.json"
        self._text = file.read_text(encoding="utf-8")
        bundle = json.loads(self._text)
        resources = [entry["resource"] for entry in bundle["entry"]]
        encounter = next(one for one in resources if one["resourceType"] == "Encounter")
        episode = encounter["episodeOfCare"][0]["identifier"]["value"]
        self._own = (bundle["id"], resources[0]["id"], episode)

    def __call__(self, number: int) -> bytes:
        """The message of that number."""
        text = self._text
        for own, kind in zip(self._own, "bhe", strict=True):
            text = text.replace(own, f"{kind}{number:08}-0000-4000-8000-000000000000")
        return text.encode()
