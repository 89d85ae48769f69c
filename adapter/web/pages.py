"""The pages of a process that takes no messages: `/healthz`, `/readyz` and `/metrics`.

Owns putting them together; what they tell is in `health`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import Response

from adapter.settings import Settings
from adapter.store.database import Connection, connect
from adapter.web.health import Exclude, healthz, metrics, readiness


def pages(settings: Settings) -> FastAPI:
    """The HTTP application of such a process; it asks the database only when it is asked itself."""
    app = FastAPI(title="losus", docs_url=None, redoc_url=None, openapi_url=None)

    @asynccontextmanager
    async def transaction() -> AsyncIterator[Connection]:
        database = await connect(settings.database.get_secret_value(), size=1)
        try:
            async with database.transaction() as connection:
                yield connection
        finally:
            await database.close()

    async def readyz(exclude: Exclude = ()) -> Response:
        return await readiness(transaction, settings, exclude)

    for path, page in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        app.add_api_route(path, page, response_class=Response)
    return app
