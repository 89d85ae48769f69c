"""A world of the test's own: its clock moves only where somebody sleeps, chance is what the test says."""

from datetime import UTC, datetime, timedelta
from typing import Any

from adapter.client.calls import FhirClient
from adapter.client.connect import client_of
from adapter.client.outside import Outside
from adapter.fhir.model import FhirVersion
from adapter.servers import Server

BASE = "https://ehr.example/fhir"
START = datetime(2024, 3, 4, 12, tzinfo=UTC)


class Stage:
    """Time in seconds since START, and every pause that was made."""

    def __init__(self, chance: float = 0.5) -> None:
        self.at_s = 0.0
        self.pauses: list[float] = []
        self._ids = 0
        self.outside = Outside(
            now=lambda: START + timedelta(seconds=self.at_s),
            monotonic=lambda: self.at_s,
            chance=lambda: chance,
            sleep=self._sleep,
            unique=self._unique,
        )

    def client(self, version: FhirVersion = FhirVersion.R4, **server: Any) -> FhirClient:
        """The client of a server at BASE in this world."""
        return client_of("hospital", Server(**{"base_url": BASE, **server}), version, self.outside)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at_s += seconds

    def _unique(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"
