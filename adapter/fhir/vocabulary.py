"""The words of settlement in FHIR: code systems of this project, each concept in English and Swedish.

Owns codes and their displays, and how one becomes a CodeableConcept: `coding.display` is English, as the
code system has it, `text` is Swedish, for that is what the municipality's people read. Does not own the
resources that define them (`definitions`).
"""

from dataclasses import dataclass
from typing import Any

#: What all addresses of this project's own definitions begin with.
CANONICAL = "https://losus-adapter.se/fhir"

STATEMENT_IDENTIFIER = f"{CANONICAL}/identifier/statement"
STAY_IDENTIFIER = f"{CANONICAL}/identifier/stay"
AGREEMENT_IDENTIFIER = f"{CANONICAL}/identifier/agreement-version"
SOURCE_IDENTIFIER = f"{CANONICAL}/identifier/source-version"
CHARGE_IDENTIFIER = f"{CANONICAL}/identifier/charge-item"
INVOICE_NUMBER = f"{CANONICAL}/identifier/invoice-number"
#: A kommunalförbund, by its id in `federations.yaml`.
FEDERATION = f"{CANONICAL}/identifier/federation"
#: SE base profile's slice of an organisation number; GS1's address of the GLN, as MedCom's messages have it;
#: OASIS ebCore's name for a participant of a network such as Peppol, to which the scheme (ICD) is appended.
ORGANISATION_NUMBER = "urn:oid:2.5.4.97"
GLN = "https://www.gs1.org/gln"
PARTICIPANT = "urn:oasis:names:tc:ebcore:partyid-type:iso6523"
#: SCB's codes, four and two digits (Inera's OIDs).
KOMMUNKOD = "urn:oid:1.2.752.129.2.2.1.17"
LANSKOD = "urn:oid:1.2.752.129.2.2.1.18"
#: hl7se.fhir.base, SEBaseOrganization: the slice of the organisation number.
ORGANISATION_NUMBER = "urn:oid:2.5.4.97"

#: Defined with the profile of the messages (`losus-r4`), only used here.
CARE_FORM = f"{CANONICAL}/CodeSystem/care-form"
CARE_FORMS = {
    "somatic": ("Somatisk vård", "Somatic care"),
    "psychiatric": ("Psykiatrisk vård", "Psychiatric care"),
    "pooled": ("Somatisk och psykiatrisk vård tillsammans", "Somatic and psychiatric care together"),
}


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system: `concepts` by code, each with its English and its Swedish words."""

    name: str
    title: str
    description: str
    concepts: dict[str, tuple[str, str]]

    @property
    def url(self) -> str:
        """Its canonical address."""
        return f"{CANONICAL}/CodeSystem/{self.name}"

    @property
    def value_set(self) -> str:
        """The value set of all its codes."""
        return f"{CANONICAL}/ValueSet/{self.name}"

    def coding(self, code: str) -> dict[str, str]:
        """Give the Coding of a code; KeyError where there is none such."""
        return {"system": self.url, "code": code, "display": self.concepts[code][0]}

    def concept(self, code: str) -> dict[str, Any]:
        """Give the CodeableConcept of a code: English display, Swedish text."""
        return {"coding": [self.coding(code)], "text": self.concepts[code][1]}


GATE_STATUS = CodeSystem(
    "settlement-gate-status",
    "Gate status of a month",
    "What a month is to the municipality: followed up, analysed together, or liable to pay.",
    {
        "follow-up": ("Follow-up", "Uppföljning"),
        "analysis": ("Joint analysis", "Gemensam analys"),
        "liable": ("Liable to pay", "Betalningsansvar"),
        "liable-retroactive": ("Liable to pay, retroactively", "Betalningsansvar i efterhand"),
        "no-data": ("No data", "Uppgifter saknas"),
    },
)
BASIS = CodeSystem(
    "settlement-basis",
    "What is charged",
    "Why there is a charge: days of one stay, of a long one, of the excess of a mean, or a correction.",
    {
        "individual-days": ("Days of one stay", "Vårddygn för en person"),
        "long-stay": ("Days of a long stay, billed by itself", "Långt vårdtillfälle, debiteras för sig"),
        "excess-over-mean": ("Days over the threshold of the mean", "Dygn över genomsnittets gräns"),
        "adjustment-debit": ("Adjustment, debit", "Rättelse, debitering"),
        "adjustment-credit": ("Adjustment, credit", "Rättelse, kreditering"),
        "in-mean": ("Stay in the mean, without charge of its own", "Vårdtillfälle som ingår i genomsnittet"),
        "no-charge": ("Stay without charge", "Vårdtillfälle utan debitering"),
    },
)
REASON = CodeSystem(
    "settlement-reason",
    "Why a stay is not charged, or what is remarked on it",
    "Reasons of the law and the agreements for a stay to be in no mean or on no bill, and late messages.",
    {
        "open": ("Still in care", "Vården pågår"),
        "compulsory": ("Compulsory open care", "Öppen tvångsvård"),
        "not-ready": ("No valid notice of utskrivningsklar", "Inget gällande utskrivningsklar"),
        "not-home-ready": ("Not hemgångsklar", "Inte hemgångsklar"),
        "no-admission-notice": ("No admission notice", "Inskrivningsmeddelande saknas"),
        "no-sip-call": ("No call to SIP", "Kallelse till SIP saknas"),
        "open-care-unavailable": (
            "Open care not available, or not clarified",
            "Öppenvårdens insatser saknas eller är inte klarlagda",
        ),
        "opposed": ("The person opposed the measures", "Personen motsatte sig insatserna"),
        "late-admission-notice": ("Late admission notice", "Sent inskrivningsmeddelande"),
        "late-sip-call": ("Late call to SIP", "Sen kallelse till SIP"),
        "no-rate": ("No amount known for a year of its days", "Beloppet saknas för ett år av dygnen"),
        "suspended": ("Billing under the agreement is suspended", "Debiteringen enligt avtalet är pausad"),
    },
)
ADJUSTMENT_REASON = CodeSystem(
    "settlement-adjustment-reason",
    "Why an issued line is adjusted",
    "What changed after a statement was issued, so that a later one corrects it.",
    {
        "fact": ("Facts of the stay changed", "Uppgifter om vårdtillfället ändrades"),
        "municipality": ("Liable municipality changed", "Betalningsansvarig kommun ändrades"),
        "gate": ("Status of the month changed", "Månadens status ändrades"),
        "dispute": ("Dispute of the municipality", "Kommunens bestridande"),
        "rate": ("Amount per day changed", "Beloppet per dygn ändrades"),
        "agreement": ("Agreement or its terms changed", "Avtalet eller dess villkor ändrades"),
    },
)
GROUP = CodeSystem(
    "settlement-group",
    "Measures of a month",
    "The two figures of a month's report.",
    {
        "mean-days": ("Mean days in care after day zero", "Genomsnittligt antal dygn efter dag noll"),
        "day-zero-share": ("Share home on day zero", "Andel som gick hem dag noll"),
    },
)
TAG = CodeSystem(
    "settlement-tag",
    "What a settlement resource is not",
    "Marks of resources that nothing is to be paid by.",
    {
        "draft-agreement": (
            "Settled by an agreement that is not decided",
            "Avräknat enligt ett utkast till avtal",
        )
    },
)
INVOICE_TYPE = CodeSystem(
    "settlement-invoice-type",
    "Kind of settlement invoice",
    "Whether the invoice rests on confirmed amounts per day, or is a credit note.",
    {
        "monthly": ("Monthly settlement", "Månadsavräkning"),
        "provisional": ("Monthly settlement, amount not confirmed", "Månadsavräkning, preliminärt belopp"),
        "credit-note": ("Credit note for earlier invoices", "Kreditfaktura för tidigare fakturor"),
    },
)
PRICE = CodeSystem(
    "settlement-price",
    "Part of the price of a line",
    "What the parts of a line's price are.",
    {
        "day-rate": ("Amount per day of care", "Belopp per vårddygn"),
        "days": ("Days times amount per day", "Dygn gånger belopp per vårddygn"),
        "adjustment": ("Adjustment of an earlier statement", "Rättelse av tidigare avräkning"),
        "vat": ("Value added tax", "Mervärdesskatt"),
    },
)

FOLLOW_UP = CodeSystem(
    "follow-up-group",
    "Figures of the monthly follow-up",
    "What region and municipality follow up each month: mean and trend, shares, and deviations by kind.",
    {
        "mean-days": ("Mean days in care after day zero", "Genomsnittligt antal dygn efter dag noll"),
        "mean-days-1": ("The same, one month before", "Detsamma, en månad tidigare"),
        "mean-days-2": ("The same, two months before", "Detsamma, två månader tidigare"),
        "day-zero-share": ("Share home on day zero", "Andel som gick hem dag noll"),
        "admission-notice-share": (
            "Share of admission notices in time",
            "Andel inskrivningsmeddelanden i tid",
        ),
        "planning-start-share": ("Share of plannings started in time", "Andel planeringar påbörjade i tid"),
        "sip-call-share": ("Share of calls to SIP in time", "Andel kallelser till SIP i tid"),
        "care-contact-share": (
            "Share with a care contact before discharge",
            "Andel med fast vårdkontakt före utskrivning",
        ),
        "information-transfer-share": (
            "Share of information transferred in time",
            "Andel information överförd i tid",
        ),
        "discharge-hours-share": (
            "Share of discharges planned within hours",
            "Andel utskrivningar planerade inom tiderna",
        ),
        "notice-planned-date-share": (
            "Share of admission notices with a planned discharge",
            "Andel inskrivningsmeddelanden med planerad hemgång",
        ),
        "notice-receipt-share": (
            "Share of admission notices received in time",
            "Andel inskrivningsmeddelanden mottagna i tid",
        ),
        "sip-offered-before-call-share": (
            "Share of calls to SIP made after the person was offered it",
            "Andel kallelser till SIP efter erbjudande till personen",
        ),
        "coordinated-plan-share": (
            "Share to ÖPT or ÖRV with a coordinated plan before leaving",
            "Andel till ÖPT eller ÖRV med samordnad vårdplan före utskrivning",
        ),
        "coordinator-share": (
            "Share of those with several care contacts who have a coordinator",
            "Andel med samordnare av dem med flera fasta vårdkontakter",
        ),
        "discharge-hours-actual-share": (
            "Share of discharges within hours",
            "Andel utskrivningar inom tiderna",
        ),
        "admission-notice-missed": ("Admission notices missed", "Uteblivna inskrivningsmeddelanden"),
        "planning-start-missed": ("Plannings not started in time", "Planeringar ej påbörjade i tid"),
        "sip-call-missed": ("Calls to SIP missed", "Uteblivna kallelser till SIP"),
        "care-contact-missed": ("Discharges without a care contact", "Utskrivningar utan fast vårdkontakt"),
        "information-transfer-missed": (
            "Discharges without information",
            "Utskrivningar utan överförd information",
        ),
        "discharge-hours-missed": (
            "Discharges planned outside hours",
            "Utskrivningar planerade utanför tiderna",
        ),
        "notice-planned-date-missed": (
            "Admission notices without a planned discharge",
            "Inskrivningsmeddelanden utan planerad hemgång",
        ),
        "notice-receipt-missed": (
            "Admission notices not received in time",
            "Inskrivningsmeddelanden ej mottagna i tid",
        ),
        "sip-offered-before-call-missed": (
            "Calls to SIP before the person was offered it",
            "Kallelser till SIP före erbjudande till personen",
        ),
        "coordinated-plan-missed": (
            "Discharges to ÖPT or ÖRV without a coordinated plan",
            "Utskrivningar till ÖPT eller ÖRV utan samordnad vårdplan",
        ),
        "coordinator-missed": (
            "Several care contacts without a coordinator",
            "Flera fasta vårdkontakter utan samordnare",
        ),
        "discharge-hours-actual-missed": ("Discharges outside hours", "Utskrivningar utanför tiderna"),
        "return-share": (
            "Share that returned to inpatient care within 30 days",
            "Andel återinskrivna inom 30 dagar",
        ),
    },
)

JOINT = CodeSystem(
    "joint-follow-up",
    "Joint follow-up of a month",
    "How far the joint follow-up has come, why it was opened, whose an entry is, what is entered and what "
    "became of a measure.",
    {
        "open": ("Something is missing", "Något saknas"),
        "held": ("Held, measures are not done", "Genomförd, åtgärder återstår"),
        "completed": ("Held, measures are done", "Genomförd, åtgärderna är klara"),
        "over-threshold": ("The mean is over the threshold", "Genomsnittet är över gränsen"),
        "open-measures": ("Measures are carried over", "Åtgärder följs med från tidigare månad"),
        "by-hand": ("Opened by hand", "Öppnad för hand"),
        "region": ("Region", "Region"),
        "municipality": ("Municipality", "Kommun"),
        "opened": ("Opened", "Öppnad"),
        "judged": ("Figures and missed limits", "Tal och missade tider"),
        "meeting": ("Control by representatives", "Kontroll av representanter"),
        "finding": ("Finding", "Iakttagelse"),
        "deviation": ("Reported deviation", "Rapporterad avvikelse"),
        "measure": ("Measure", "Åtgärd"),
        "outcome": ("Outcome of a measure", "Utfall av en åtgärd"),
        "withdrawal": ("Entry withdrawn", "Anteckning återtagen"),
        "done": ("Done", "Genomförd"),
        "not-done": ("Not done", "Inte genomförd"),
        "moved": ("Moved to another day", "Flyttad till annan dag"),
    },
)

CODE_SYSTEMS = (
    GATE_STATUS,
    BASIS,
    REASON,
    ADJUSTMENT_REASON,
    GROUP,
    INVOICE_TYPE,
    PRICE,
    FOLLOW_UP,
    JOINT,
    TAG,
)


def care_form(code: str) -> dict[str, Any]:
    """Give the CodeableConcept of a statement's care form; `pooled` has no code, for it is two."""
    words = {"text": CARE_FORMS[code][0]}
    return words if code == "pooled" else {"coding": [{"system": CARE_FORM, "code": code}], **words}
