"""Writes the definitions of settlement into `mappings/profiles`: python -m tests.fhir.published."""

import json
from pathlib import Path

from adapter.fhir.definitions import definitions
from adapter.fhir.model import FhirVersion
from tests.servers import REPOSITORY

FOLDERS = {
    version: REPOSITORY / "mappings" / "profiles" / f"settlement-{version.value.lower()}"
    for version in (FhirVersion.R4, FhirVersion.R5)
}


def texts(version: FhirVersion) -> dict[str, str]:
    """Give the files by name."""
    return {
        f"{one['resourceType']}-{one['id']}.json": json.dumps(one, indent=2, ensure_ascii=False) + "\n"
        for one in definitions(version)
    }


def write(version: FhirVersion, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.json"):
        file.unlink()
    for name, text in texts(version).items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    for which, where in FOLDERS.items():
        write(which, where)
