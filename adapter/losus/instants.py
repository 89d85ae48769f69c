"""How an instant is written: RFC 3339 in UTC with `Z`, as FHIR's `instant` and CloudEvents' time."""

from datetime import UTC, datetime


def instant_text(instant: datetime) -> str:
    """`2024-03-01T10:00:00Z`, with microseconds only where there are any; `instant` is aware."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
