"""The reason of an adjustment in a sentence, in Swedish and English.

Owns the words. Does not own which reason there is (`settlement.causes`). No municipality is named: a
municipality reads that it is liable, or no longer, and from when (contract 4).
"""

from collections.abc import Iterable, Mapping
from typing import Literal, assert_never

from adapter.fhir.elements import both
from adapter.fhir.vocabulary import GATE_STATUS
from adapter.settlement.reasons import (
    AdjustmentReason,
    AgreementReason,
    DisputeReason,
    FactChange,
    FactReason,
    GateReason,
    MeanChange,
    MunicipalityReason,
    RateReason,
)

Language = Literal["sv", "en"]

#: The fields of a stay in Swedish and English, by the last part of their name.
FIELDS: Mapping[str, tuple[str, str]] = {
    "stay": ("vårdtillfället", "the stay"),
    "care_form": ("vårdform", "care form"),
    "compulsory": ("öppen tvångsvård", "compulsory open care"),
    "admitted_at": ("inskriven", "admitted"),
    "notice_sent_at": ("inskrivningsmeddelande skickat", "admission notice sent"),
    "sent_at": ("utskrivningsklar", "utskrivningsklar"),
    "withdrawn_at": ("utskrivningsklar återtagen", "utskrivningsklar withdrawn"),
    "home_ready_at": ("hemgångsklar", "hemgångsklar"),
    "sip_required": ("SIP krävs", "SIP required"),
    "sip_called_at": ("kallelse till SIP", "call to SIP"),
    "open_care_available": ("öppenvårdens insatser tillgängliga", "open care available"),
    "opposed": ("personen motsatte sig", "the person opposed"),
    "ended_at": ("vården avslutad", "end of care"),
    "region": ("behandlande region", "treating region"),
}

_DISPUTES: Mapping[str, tuple[str, str]] = {
    "requested": ("kommunen bestrider raden", "the municipality disputes the line"),
    "completed": ("kommunens bestridande bifölls", "the dispute was upheld"),
    "rejected": ("kommunens bestridande avslogs", "the dispute was rejected"),
    "cancelled": ("kommunen återtog sitt bestridande", "the municipality withdrew its dispute"),
}


def in_words(reason: AdjustmentReason, language: Language) -> str:
    """Give a reason in one sentence without its full stop."""
    return _words(reason)[language == "en"]


def reasons_text(reasons: Iterable[AdjustmentReason]) -> str:
    """Give all reasons in both languages, for the one string that FHIR has room for."""
    listed = list(reasons)
    if not listed:
        return both("Skälet är inte registrerat", "The reason was not recorded")
    return both(*("; ".join(in_words(one, language) for one in listed) for language in ("sv", "en")))


def _words(reason: AdjustmentReason) -> tuple[str, str]:
    match reason:
        case FactReason():
            return _fact(reason)
        case MunicipalityReason():
            return _municipality(reason)
        case GateReason():
            return _gate(reason)
        case DisputeReason():
            swedish, english = _DISPUTES[reason.status]
            words = f": «{reason.words}»" if reason.words else ""
            return f"{swedish}{words}", f"{english}{words}"
        case RateReason():
            change = f"{reason.before:f} → {reason.after:f} SEK"
            return f"beloppet per dygn för {reason.year} ändrades: {change}", (
                f"the amount per day of {reason.year} changed: {change}"
            )
        case AgreementReason():
            return _agreement(reason)
        case _:  # pragma: no cover
            assert_never(reason)


def _fact(reason: FactReason) -> tuple[str, str]:
    if not reason.changes:
        return "uppgifterna ändrades; vilka är inte registrerat", "the facts changed; which was not recorded"
    parts = [
        tuple(
            f"{FIELDS[one.field.split('.')[-1]][i]} {_value(one.before)} → {_value(one.after)}"
            for i in (0, 1)
        )
        for one in reason.changes
    ]
    return f"uppgifter ändrades: {', '.join(one[0] for one in parts)}", (
        f"facts changed: {', '.join(one[1] for one in parts)}"
    )


def _change(one: FactChange) -> tuple[str, str]:
    swedish, english = FIELDS.get(one.field.rpartition(".")[2], (one.field, one.field))
    change = f"{_value(one.before)} → {_value(one.after)}"
    return f"{swedish} {change}", f"{english} {change}"


def _value(value: str | None) -> str:
    return "–" if value is None else value


def _municipality(reason: MunicipalityReason) -> tuple[str, str]:
    since = ("", "") if reason.since is None else (f" från {reason.since}", f" from {reason.since}")
    how = {
        "moved": ("personen flyttade", "the person moved"),
        "corrected": ("folkbokföringen rättades", "the registered municipality was corrected"),
    }[reason.how]
    if reason.liable:
        return f"kommunen är betalningsansvarig{since[0]}: {how[0]}", (
            f"the municipality is liable{since[1]}: {how[1]}"
        )
    return f"kommunen är inte betalningsansvarig{since[0]}: {how[0]}", (
        f"the municipality is not liable{since[1]}: {how[1]}"
    )


def _gate(reason: GateReason) -> tuple[str, str]:
    was, now = (GATE_STATUS.concepts[one.value] for one in (reason.before, reason.after))
    means = [_mean(one) for one in reason.means]
    tails = tuple(f" ({', '.join(one[i] for one in means)})" if means else "" for i in (0, 1))
    return f"månadens status ändrades: {was[1].lower()} → {now[1].lower()}{tails[0]}", (
        f"the status of the month changed: {was[0].lower()} → {now[0].lower()}{tails[1]}"
    )


def _mean(one: MeanChange) -> tuple[str, str]:
    before, after = ("–" if text in {None, ""} else str(text) for text in (one.before, one.after))
    if one.before is None:
        return f"genomsnittet för {one.month}: {after}", f"the mean of {one.month}: {after}"
    change = f"{before} → {after}"
    return f"genomsnittet för {one.month}: {change}", f"the mean of {one.month}: {change}"


def _agreement(reason: AgreementReason) -> tuple[str, str]:
    if reason.before != reason.after:
        change = f"{reason.before} → {reason.after}"
        return f"ett annat avtal gäller: {change}", f"another agreement is in force: {change}"
    if not reason.terms:
        return "samma uppgifter räknas på annat sätt", "the same facts are counted otherwise"
    terms = ", ".join(f"{one.term} {one.before or '–'} → {one.after or '–'}" for one in reason.terms)
    return f"avtalets villkor ändrades: {terms}", f"the terms of the agreement changed: {terms}"
