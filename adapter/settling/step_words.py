"""What was said of a stay, in words: each signal in Swedish and English.

Owns the words; does not own what a signal means (`losus.signal`) nor what follows from it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from adapter.losus.case import Case
from adapter.losus.days import local
from adapter.losus.terms import SignalKind
from adapter.settlement.stay import Stay

Language = Literal["sv", "en"]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was said of a stay: when it held, in Swedish and English, and who said it.

    `source`: `source resource version`; None where only a row of a file is known. `interrupts`: it interrupts
    the process.
    """

    at: datetime
    words: tuple[str, str]
    source: str | None
    interrupts: bool = False


#: In Swedish and English; what says nothing to settlement is told all the same.
SIGNALS: Mapping[SignalKind, tuple[str, str]] = {
    SignalKind.PATIENT: ("uppgifter om personen", "facts on the person"),
    SignalKind.ADMITTED: ("inskriven", "admitted"),
    SignalKind.NEED_ASSESSED: ("behov av insatser bedömt", "need of measures judged"),
    SignalKind.ADMISSION_NOTICE_SENT: ("inskrivningsmeddelande skickat", "admission notice sent"),
    SignalKind.ADMISSION_NOTICE_ACKNOWLEDGED: (
        "inskrivningsmeddelande mottaget",
        "admission notice acknowledged",
    ),
    SignalKind.PLANNING_STARTED: ("planering påbörjad", "planning started"),
    SignalKind.EXPECTED_DISCHARGE: ("beräknad utskrivning angiven", "expected discharge stated"),
    SignalKind.TRANSFERRED: ("flyttad till annan enhet", "transferred to another unit"),
    SignalKind.LEAVE_STARTED: ("permission påbörjad", "leave started"),
    SignalKind.LEAVE_ENDED: ("permission avslutad", "leave ended"),
    SignalKind.CARE_CONTACT_APPOINTED: ("fast vårdkontakt utsedd", "care contact appointed"),
    SignalKind.CRITERION_MET: ("villkor för hemgångsklar uppfyllt", "condition of hemgångsklar met"),
    SignalKind.CRITERION_UNMET: (
        "villkor för hemgångsklar inte längre uppfyllt",
        "condition of hemgångsklar no longer met",
    ),
    SignalKind.READY: ("utskrivningsklar meddelad", "notice of utskrivningsklar"),
    SignalKind.READY_WITHDRAWN: ("utskrivningsklar återtagen", "utskrivningsklar withdrawn"),
    SignalKind.SIP_OFFERED: ("SIP erbjuden", "SIP offered"),
    SignalKind.SIP_DECLINED: ("SIP avböjd", "SIP declined"),
    SignalKind.SIP_CALLED: ("kallelse till SIP skickad", "call to SIP sent"),
    SignalKind.SIP_HELD: ("SIP genomförd", "SIP held"),
    SignalKind.COORDINATED_PLAN_MADE: ("samordnad vårdplan upprättad", "coordinated plan made"),
    SignalKind.OPEN_CARE_AVAILABLE: ("öppenvårdens insatser tillgängliga", "open care available"),
    SignalKind.OPEN_CARE_UNAVAILABLE: ("öppenvårdens insatser saknas", "open care not available"),
    SignalKind.OPPOSED: ("personen motsatte sig insatserna", "the person opposed the measures"),
    SignalKind.DISCHARGED: ("utskriven", "discharged"),
    SignalKind.DECEASED: ("avliden", "deceased"),
    SignalKind.TRANSFERRED_OUT: ("överförd till annan vårdgivare", "transferred out"),
    SignalKind.INTERRUPTED: ("processen avbruten", "process interrupted"),
    SignalKind.VOIDED: ("makulerad", "voided"),
}


#: The field that a step is told with, where that is not its condition.
_DETAIL = {SignalKind.INTERRUPTED: "reason"}


def steps_of_case(case: Case) -> tuple[Step, ...]:
    """Tell all that holds of a case, in effective order, with the version of the resource that says it.

    A condition is named by its code. Facts on the person are left out: they are not what is explained.
    """
    return tuple(
        Step(
            signal.at,
            _with(SIGNALS[signal.kind], signal.fields.get(_DETAIL.get(signal.kind, "criterion"))),
            f"{signal.source} {signal.resource} {signal.version}",
            interrupts=signal.kind is SignalKind.INTERRUPTED,
        )
        for signal in case.live
        if signal.kind is not SignalKind.PATIENT
    )


def steps_of_row(stay: Stay) -> tuple[Step, ...]:
    """Tell what a row of a stays file says, in effective order."""
    return tuple(sorted(_of_row(stay), key=lambda step: step.at))


def _of_row(stay: Stay) -> Iterator[Step]:
    timed = [
        (SIGNALS[SignalKind.ADMITTED], stay.admitted_at),
        (SIGNALS[SignalKind.NEED_ASSESSED], stay.need_assessed_at),
        (SIGNALS[SignalKind.ADMISSION_NOTICE_SENT], stay.notice_sent_at),
        (SIGNALS[SignalKind.SIP_CALLED], stay.sip_called_at),
        (("vården avslutad", "end of care"), stay.ended_at),
    ]
    for episode in stay.ready:
        timed.append((SIGNALS[SignalKind.READY], episode.sent_at))
        timed.append((SIGNALS[SignalKind.READY_WITHDRAWN], episode.withdrawn_at))
        timed.append((("hemgångsklar", "hemgångsklar"), episode.home_ready_at))
    for words, at in timed:
        if at is not None:
            yield Step(at, words, None)


def _with(words: tuple[str, str], detail: object) -> tuple[str, str]:
    if not isinstance(detail, str):
        return words
    return f"{words[0]} ({detail})", f"{words[1]} ({detail})"


def clock(at: datetime) -> str:
    """Give a time by the Swedish clock, to the minute."""
    return local(at).strftime("%Y-%m-%d %H:%M")
