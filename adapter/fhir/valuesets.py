"""The required value sets whose codes change what a message means here, of each FHIR version.

Owns the table; does not own how it is held against a resource (`rules`). fhir.resources knows these codes
and does not check them. Encounter.class is not among them: its binding is extensible in R4 and R4B,
preferred in R5. Nor are codes that nothing here is decided by (a telephone's use, a narrative's status).
Source: FHIR R4 4.0.1, R4B 4.3.0, R5 5.0.0, the «Binding» of each element.
"""

from adapter.fhir.model import FhirVersion

_R4 = (FhirVersion.R4, FhirVersion.R4B)
_R5 = (FhirVersion.R5,)
_ALL = (*_R4, *_R5)

_TASK = (
    "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed "
    "entered-in-error"
)
_INTENT = "unknown proposal plan order original-order reflex-order filler-order instance-order option"
_ENCOUNTER_R4 = "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"
_ENCOUNTER_R5 = (
    "planned in-progress on-hold discharged completed cancelled discontinued entered-in-error unknown"
)
_EPISODE = "planned waitlist active onhold finished cancelled entered-in-error"
_GENDER = "male female other unknown"
_BUNDLE = (
    "document message transaction transaction-response batch batch-response history searchset collection"
)

#: Type and element, the versions, its codes.
_TABLE: tuple[tuple[str, tuple[FhirVersion, ...], str], ...] = (
    ("Encounter.status", _R4, _ENCOUNTER_R4),
    ("Encounter.status", _R5, _ENCOUNTER_R5),
    ("EncounterStatusHistory.status", _R4, _ENCOUNTER_R4),
    ("EncounterLocation.status", _ALL, "planned active reserved completed"),
    ("Task.status", _ALL, _TASK),
    ("Task.intent", _ALL, _INTENT),
    ("Task.priority", _ALL, "routine urgent asap stat"),
    ("CarePlan.status", _ALL, "draft active on-hold revoked completed entered-in-error unknown"),
    ("CarePlan.intent", _R4, "proposal plan order option"),
    ("CarePlan.intent", _R5, "proposal plan order option directive"),
    (
        "CarePlanActivityDetail.status",
        _R4,
        "not-started scheduled in-progress on-hold completed cancelled stopped unknown entered-in-error",
    ),
    ("EpisodeOfCare.status", _ALL, _EPISODE),
    ("EpisodeOfCareStatusHistory.status", _ALL, _EPISODE),
    ("Patient.gender", _ALL, _GENDER),
    ("PatientLink.type", _ALL, "replaced-by replaces refer seealso"),
    ("Practitioner.gender", _ALL, _GENDER),
    ("Location.status", _ALL, "active suspended inactive"),
    ("Location.mode", _ALL, "instance kind"),
    ("CareTeam.status", _ALL, "proposed active suspended inactive entered-in-error"),
    ("ProvenanceEntity.role", _R4, "derivation revision quotation source removal"),
    ("ProvenanceEntity.role", _R5, "quotation revision source instantiates removal"),
    ("Identifier.use", _ALL, "usual official temp secondary old"),
    ("HumanName.use", _ALL, "usual official temp nickname anonymous old maiden"),
    ("Address.use", _ALL, "home work temp old billing"),
    ("Address.type", _ALL, "postal physical both"),
    ("Bundle.type", _R4, _BUNDLE),
    ("Bundle.type", _R5, _BUNDLE + " subscription-notification"),
    ("BundleEntryRequest.method", _ALL, "GET HEAD POST PUT DELETE PATCH"),
    ("MessageHeaderResponse.code", _ALL, "ok transient-error fatal-error"),
    ("Subscription.status", _R4, "requested active error off"),
    ("Subscription.status", _R5, "requested active error off entered-in-error"),
    ("SubscriptionStatus.status", _ALL, "requested active error off entered-in-error"),
    ("SubscriptionStatus.type", _ALL, "handshake heartbeat event-notification query-status query-event"),
)

#: (type, element, version) → the codes that may stand there.
REQUIRED: dict[tuple[str, str, FhirVersion], frozenset[str]] = {
    (*place.split("."), version): frozenset(codes.split())  # type: ignore[misc]
    for place, versions, codes in _TABLE
    for version in versions
}

#: What says where a resource stands in its life, without which it says nothing: no extension in its stead.
STATUS = frozenset(("Encounter", "Task", "CarePlan"))
