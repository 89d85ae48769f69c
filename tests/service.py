"""The adapter in this process, on a real database: for tests that knock on its doors."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from adapter.api import create_app
from adapter.mapping.load import default_folder
from adapter.settings import Kafka, Settings, Source, Subscriber
from adapter.web.guard import Guard
from adapter.web.traced import Traced

EXAMPLES = default_folder() / "examples" / "losus-r4"
GLN = "https://www.gs1.org/gln|5790001348120"


def settings(dsn: str, **more: Any) -> Settings:
    """Settings of a small region: two sources, Östersund and Krokom as subscribers."""
    given: dict[str, Any] = {
        "database": dsn,
        "secret": "a secret of the tests alone",
        "sources": {name: Source(mapping=name) for name in ("losus-r4", "medcom-hospitalnotification")},
        "subscribers": {
            "2380": Subscriber(name="Östersund", organizations=(GLN,)),
            "2309": Subscriber(name="Krokom"),
        },
        "region": {"county": "23", "organisation_number": "002000-0006"},
        "kafka": Kafka(bootstrap="127.0.0.1:1"),
        "open_doors": True,
        **more,
    }
    return Settings(**given)


@asynccontextmanager
async def service(dsn: str, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running service."""
    app = create_app(settings(dsn, **more))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(Traced(Guard(app))), base_url="http://adapter"
        ) as client,
    ):
        yield client


def app_behind(client: httpx.AsyncClient) -> Any:
    """The application that a client of `service` speaks with, below the layers around it."""
    app: Any = client._transport
    while not hasattr(app, "state"):
        app = app.app if hasattr(app, "app") else app._app
    return app


async def send(
    client: httpx.AsyncClient, body: bytes | Mapping[str, Any], source: str = "losus-r4"
) -> httpx.Response:
    """Send one message."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post(f"/fhir/{source}/$process-message", content=content)


def way_home() -> list[dict[str, Any]]:
    """The messages of the demo, in their own order."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(EXAMPLES.glob("*.json"))]


def renewed(message: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The same message under a MessageHeader.id and Bundle.id of its own."""
    copy: dict[str, Any] = json.loads(json.dumps(message))
    copy["id"] = f"bundle-{name}"
    copy["entry"][0]["resource"]["id"] = f"header-{name}"
    copy["entry"][0]["fullUrl"] = f"https://ehr.example/fhir/MessageHeader/header-{name}"
    return copy


def medcom(shared: Path) -> dict[str, list[dict[str, Any]]]:
    """MedCom's messages by patient flow (the letter at the end), each with ids of its own."""
    flows: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((shared / "data" / "medcom").glob("*.json")):
        flow = path.stem.rsplit("_", 1)[1][0]
        flows.setdefault(flow, []).append(
            renewed(json.loads(path.read_text(encoding="utf-8")), path.stem.replace("_", "-"))
        )
    return flows


def stay(message: dict[str, Any], number: int, index: int) -> dict[str, Any]:
    """The message as one of another patient's stay: every id and reference gets the number."""
    copy = renewed(message, f"{number}-{index}")
    for entry in copy["entry"][1:]:
        resource = entry["resource"]
        resource["id"] = entry["fullUrl"] = f"{resource['id']}-{number}"
        for element in ("subject", "for", "encounter"):
            if element in resource:
                resource[element]["reference"] += f"-{number}"
    return copy
