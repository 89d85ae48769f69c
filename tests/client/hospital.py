"""A hospital in this process: a FHIR server with pages and versions, and its authorization server.

The token endpoint does what SMART Backend Services asks of it: it fetches the client's JWKS from the URL
that was registered, and takes an assertion once, if signature, issuer, audience, key and expiry are right.
"""

import asyncio
import time
from typing import Annotated, Any
from urllib.parse import parse_qs

import httpx
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FHIR = "application/fhir+json; fhirVersion=4.0"


class Hospital:
    """What the server holds, what it was asked, and how it is set up; `app` is the ASGI application."""

    def __init__(self, jwks_url: str) -> None:
        self.jwks_url = jwks_url
        self.base = ""  # its own address, known once it listens
        self.audience: str | None = None  # what it wants to read in `aud`; None: its token endpoint
        self.life_s = 300
        self.tokens: list[str] = []
        self.seen: set[str] = set()
        self.refusals: list[str] = []
        self.held: dict[str, list[dict[str, Any]]] = {}
        self.app = FastAPI()
        self.app.get("/fhir/.well-known/smart-configuration")(self._configuration)
        self.app.post("/auth/token")(self._token)
        guarded = [Depends(self._guard)]
        self.app.get("/fhir/{kind}/{name}", dependencies=guarded)(self._read)
        self.app.get("/fhir/{kind}/{name}/_history/{version}", dependencies=guarded)(self._read)
        self.app.get("/fhir/{kind}", dependencies=guarded)(self._search)
        self.app.put("/fhir/{kind}/{name}", dependencies=guarded)(self._update)
        self.app.post("/fhir/{kind}", dependencies=guarded)(self._create)

    def forget_tokens(self) -> None:
        """Every token given so far is void."""
        self.tokens.clear()

    def _configuration(self) -> dict[str, Any]:
        return {
            "token_endpoint": f"{self.base}/auth/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "capabilities": ["client-confidential-asymmetric"],
        }

    async def _token(self, request: Request) -> Response:
        form = {name: value for name, (value,) in parse_qs((await request.body()).decode()).items()}
        asked = form.get("grant_type"), form.get("client_assertion_type")
        wrong = "" if asked == ("client_credentials", _ASSERTION) else "type"
        wrong = wrong or await asyncio.to_thread(self._wrong, form["client_assertion"])
        if wrong:
            self.refusals.append(wrong)
            return JSONResponse({"error": "invalid_client", "error_description": wrong}, 401)
        self.tokens.append(f"token-{len(self.seen)}")
        given = {"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": self.life_s}
        return JSONResponse({**given, "scope": form["scope"]}, headers={"Cache-Control": "no-store"})

    def _wrong(self, assertion: str) -> str:
        """Why an assertion is not taken; empty where it is."""
        keys = KeySet.import_key_set(httpx.get(self.jwks_url).json())
        try:
            found = jwt.decode(assertion, keys, algorithms=["RS384", "ES384"])
        except (JoseError, ValueError) as error:
            return type(error).__name__
        claims, now = found.claims, time.time()
        checks = {
            "kid": bool(found.header.get("kid")),
            "iss": claims["iss"] == claims["sub"] == "losus",
            "aud": claims["aud"] == (self.audience or f"{self.base}/auth/token"),
            "exp": now < claims["exp"] <= now + 300,
            "jti": claims["jti"] not in self.seen,
        }
        self.seen.add(claims["jti"])
        return ", ".join(name for name, holds in checks.items() if not holds)

    def _guard(self, authorization: Annotated[str, Header()] = "") -> None:
        if authorization.removeprefix("Bearer ") not in self.tokens:
            raise HTTPException(401)

    def _read(self, kind: str, name: str, version: int | None = None) -> Response:
        versions = self.held.get(f"{kind}/{name}", [])[:version]
        return self._told(versions[-1], len(versions)) if versions else Response(status_code=404)

    def _search(self, kind: str, request: Request) -> Response:
        count, offset = (int(request.query_params.get(name, "0")) for name in ("_count", "offset"))
        found = [versions[-1] for path, versions in sorted(self.held.items()) if path.startswith(kind + "/")]
        link = f"{self.base}/fhir/{kind}?_count={count}&offset={offset + count}"
        following = [{"relation": "next", "url": link}] if offset + count < len(found) else []
        entries = [{"resource": one, "search": {"mode": "match"}} for one in found[offset : offset + count]]
        told = {"resourceType": "Bundle", "type": "searchset", "link": following, "entry": entries}
        return JSONResponse(told, media_type=_FHIR)

    async def _update(
        self, kind: str, name: str, request: Request, if_match: Annotated[str | None, Header()] = None
    ) -> Response:
        versions = self.held.setdefault(f"{kind}/{name}", [])
        if if_match is not None and if_match != f'W/"{len(versions)}"':
            return Response(status_code=412)
        versions.append(await request.json())
        return self._told(versions[-1], len(versions), 201 if len(versions) == 1 else 200)

    async def _create(
        self, kind: str, request: Request, if_none_exist: Annotated[str | None, Header()] = None
    ) -> Response:
        name = f"new-{len(self.held)}"
        if if_none_exist and any(path.startswith(kind + "/") for path in self.held):
            return Response(status_code=200)
        self.held[f"{kind}/{name}"] = [{**(await request.json()), "id": name}]
        return Response(status_code=201, headers={"Location": f"{self.base}/fhir/{kind}/{name}/_history/1"})

    def _told(self, resource: dict[str, Any], version: int, status: int = 200) -> Response:
        return JSONResponse(resource, status, headers={"ETag": f'W/"{version}"'}, media_type=_FHIR)
