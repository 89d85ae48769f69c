"""Files of FHIR resources, NDJSON or JSON, for a backfill.

Owns what a file is made of; does not own what becomes of a resource. A message or transaction is one
delivery, and so is a Bundle whose entries have names of their own (`urn:uuid:…`) that they refer to; any
other Bundle is as many as it has entries; of NDJSON each line is one. Order does not matter, and
what is known already is passed over, so that a file may be handed over again.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from adapter.delivery import Delivery, Door
from adapter.errors import MalformedError, Problem
from adapter.fhir.model import FhirVersion

_WHOLE = frozenset({"message", "transaction", "document"})


def deliveries_of(path: Path, source: str, fhir: FhirVersion | None = None) -> Iterator[Delivery]:
    """The deliveries of one file; MalformedError, with its name, where it cannot be read."""
    if path.suffix.lower() in {".ndjson", ".jsonl"}:
        with path.open("rb") as lines:
            yield from deliveries_of_lines(lines, source, fhir)
        return
    body = path.read_bytes()
    if body.lstrip()[:1] == b"<":
        yield Delivery(source, Door.IMPORT, body, "xml", fhir)
        return
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedError(Problem("structure", f"no JSON at line {error.lineno}", path.name)) from None
    is_bundle = isinstance(document, dict) and document.get("resourceType") == "Bundle"
    if is_bundle and document.get("type") not in _WHOLE and not _has_names_of_its_own(document):
        for entry in document.get("entry") or ():
            if isinstance(entry, dict) and "resource" in entry:
                yield Delivery(source, Door.IMPORT, orjson.dumps(entry["resource"]), fhir=fhir)
    else:
        yield Delivery(source, Door.IMPORT, body, fhir=fhir)


def _has_names_of_its_own(bundle: dict[str, Any]) -> bool:
    """Whether entries are named by URNs, which mean nothing outside the Bundle."""
    entries = bundle.get("entry") or ()
    return any(isinstance(one, dict) and str(one.get("fullUrl")).startswith("urn:") for one in entries)


def deliveries_of_lines(
    lines: Iterable[bytes], source: str, fhir: FhirVersion | None = None
) -> Iterator[Delivery]:
    """The deliveries of NDJSON, a line each; empty lines are none."""
    return (Delivery(source, Door.IMPORT, line.strip(), fhir=fhir) for line in lines if line.strip())
