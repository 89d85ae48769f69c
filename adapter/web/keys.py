"""Our public keys over HTTP: `GET /.well-known/jwks.json`, for the authorization servers of the sources.

Owns the route; does not own the keys (`adapter.client.keys`). Open to all: there is nothing secret in it.
"""

import orjson
from fastapi import APIRouter, Request, Response

from adapter.client.keys import jwks
from adapter.settings import Settings

router = APIRouter()

#: How long others may keep the answer; a new key has to be shown this long before it signs.
_KEEP_S = 300


@router.get("/.well-known/jwks.json", response_class=Response)
def keys(request: Request) -> Response:
    """Every key that client assertions are, or soon will be, signed with; by RFC 7517."""
    settings: Settings = request.app.state.settings
    servers = [source.server for source in settings.sources.values() if source.server]
    headers = {"Cache-Control": f"public, max-age={_KEEP_S}"}
    return Response(orjson.dumps(jwks(servers)), media_type="application/json", headers=headers)
