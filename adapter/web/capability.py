"""What the adapter can do, over HTTP: `GET /fhir/metadata`, and the same at a source's own base.

Open to all, and the same for every name: whether there is such a source is not told. Owns the route alone.
"""

from importlib.metadata import version

from fastapi import APIRouter, Request, Response

from adapter.fhir.capability import capability_statement
from adapter.fhir.model import FhirVersion
from adapter.settings import Settings
from adapter.web.negotiation import respond, wanted

router = APIRouter()

SOFTWARE = version("losus-adapter")


@router.get("/fhir/metadata", response_class=Response)
@router.get("/fhir/{source}/metadata", response_class=Response)
async def metadata(request: Request) -> Response:
    """The CapabilityStatement, for the FHIR version that `Accept` names (`fhirVersion`), else for R4."""
    settings: Settings = request.app.state.settings
    asked = wanted(request).fhir or FhirVersion.R4
    told = capability_statement(asked, SOFTWARE, settings.base_url, settings.reliable_cache_minutes)
    return respond(request, told, version=asked)
