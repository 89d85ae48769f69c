"""The story of a stay in sentences: what was said, day zero and why, each payable day, what it costs.

Owns the sentences in Swedish and English, each naming the clause that decides. Does not own a single
rule: every figure comes from `adapter.settlement`. Pure.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from adapter.agreements.rules import Rules
from adapter.agreements.terms import FIRST_PAYABLE_BY, Billing, CareForm, Clock, Kind, Terms, Unit
from adapter.fhir.reason_words import in_words
from adapter.fhir.vocabulary import CARE_FORMS, GATE_STATUS, REASON
from adapter.losus.days import DAY, local_day
from adapter.settlement.difference import Adjustment, Issued
from adapter.settlement.holding import Dispute
from adapter.settlement.length import (
    day_zero,
    effective_episode,
    notice_day,
    numbered_payable_days,
    payable_days,
)
from adapter.settlement.measure import Measured, Reason, measure
from adapter.settlement.render import mean_decimal
from adapter.settlement.statement import Charge, Line, NoRate, Statement
from adapter.settlement.stay import Episode, Stay
from adapter.settling.step_words import Language, Step, clock


@dataclass(frozen=True, slots=True)
class Question:
    """A municipality's dispute of the stay's line: when it was asked, and answered (None: it is open)."""

    dispute: Dispute
    asked_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the story of a stay is told from.

    `rules`: what settles it, and `because` why; `named`: it was asked for by name. `statement`: of the
    month of its end, as owed now; None where it is still open or no statement can be made. `issued`: all
    that was issued to its municipality, and to those that were liable for it before. `disputed`: the
    questions on its line.
    """

    stay: Stay
    steps: Sequence[Step]
    rules: Rules
    because: str
    statement: Statement | None
    issued: Sequence[Issued] = ()
    named: bool = False
    disputed: Sequence[Question] = ()


def story(known: Known, language: Language) -> tuple[str, ...]:
    """Tell the story, a sentence a line."""
    return tuple(_Teller(language).tell(known))


@dataclass(slots=True)
class _Teller:
    """Tells in one language; the words of a clause are quoted once, and then it is only named."""

    language: Language
    quoted: set[str] = field(default_factory=set)

    def tell(self, known: Known) -> Iterator[str]:
        stay = known.stay
        yield self._say(
            f"Vårdtillfälle {stay.stay}: betalningsansvarig kommun {stay.liable}, "
            f"{CARE_FORMS[stay.care_form][0].lower()}.",
            f"Stay {stay.stay}: liable municipality {stay.liable}, {CARE_FORMS[stay.care_form][1].lower()}.",
        )
        for step in known.steps:
            said = f" ({step.source})" if step.source else ""
            yield f"{clock(step.at)}: {self._say(*step.words)}{said}."
        yield self._agreement(known)
        if stay.ended_at is None:
            yield self._say("Vården pågår: ingenting räknas än.", "Still in care: nothing is counted yet.")
            yield from self._history(known)
            return
        end = local_day(stay.ended_at)
        terms = known.rules.on(end, stay.care_form)
        measured = measure(stay, end, terms)
        interrupted = {step.at for step in known.steps if step.interrupts}
        yield from self._days(stay, end, terms, measured, interrupted)
        yield from self._money(known, terms, measured)
        yield from self._history(known)

    def _agreement(self, known: Known) -> str:
        agreement = known.rules.agreement
        law = agreement.kind is Kind.STATUTE
        why = "inget avtal gällde för kommunen den dagen" if law else "det gällde för kommunen den dagen"
        why = "det angavs för alla vårdtillfällen" if known.named else why
        return self._say(f"Regleras enligt {agreement.title}: {why}.", f"Settled by: {known.because}")

    def _withdrawn(self, episode: Episode, terms: Terms, *, interrupted: bool) -> str:
        """Say why an episode does not count: it was withdrawn, or ended by an interruption of the process."""
        at = clock(episode.sent_at)
        if interrupted:
            cited = self._cite(terms, "interruption_reasons")
            return self._say(
                f"Utskrivningsklar {at} upphörde när processen avbröts och räknas inte{cited}.",
                f"Utskrivningsklar {at} ended when the process was interrupted and does not count{cited}.",
            )
        cited = self._cite(terms, "on_withdrawal")
        return self._say(
            f"Utskrivningsklar {at} återtogs och räknas inte{cited}.",
            f"Utskrivningsklar {at} was withdrawn and does not count{cited}.",
        )

    def _days(
        self,
        stay: Stay,
        end: date,
        terms: Terms,
        measured: Measured,
        interrupted: Collection[datetime],
    ) -> Iterator[str]:
        for one in stay.ready:
            if one.withdrawn_at is not None:
                yield self._withdrawn(one, terms, interrupted=one.withdrawn_at in interrupted)
        episode = effective_episode(stay)
        if episode is not None:
            yield from self._zero(episode, terms)
        if measured.out is not None:
            cited = self._cite(terms, _OUT[measured.out])
            reason = self._reason(measured.out)
            yield self._say(
                f"Undantas från genomsnitt och debitering: {reason}{cited}.",
                f"In no mean and on no bill: {reason}{cited}.",
            )
            return
        unit = {Unit.CALENDAR_DAYS: ("dygn", "days"), Unit.WEEKDAYS: ("vardagar", "weekdays")}[terms.unit]
        cited = self._cite(terms, "unit")
        yield self._say(
            f"Vården avslutades {end}: {measured.days} {unit[0]} efter dag noll{cited}.",
            f"Care ended {end}: {measured.days} {unit[1]} after day zero{cited}.",
        )

    def _zero(self, episode: Episode, terms: Terms) -> Iterator[str]:
        """Tell the notice, the hour that decides on its day, and what day zero is."""
        notice, zero = notice_day(episode.sent_at, terms), day_zero(episode, terms)
        cited = self._cite(terms, "cutoff")
        hour = "" if terms.cutoff is None else f" ({self._say('gräns', 'limit')} {terms.cutoff:%H:%M})"
        yield self._say(
            f"Utskrivningsklar {clock(episode.sent_at)}{hour} räknas till {notice}{cited}.",
            f"Utskrivningsklar {clock(episode.sent_at)}{hour} counts for {notice}{cited}.",
        )
        if zero is None:
            return
        cited = self._cite(terms, "clock")
        if terms.clock is Clock.HOME_READY and episode.home_ready_at is not None:
            yield self._say(
                f"Hemgångsklar {clock(episode.home_ready_at)}: dag noll är den senare dagen, {zero}{cited}.",
                f"Hemgångsklar {clock(episode.home_ready_at)}: day zero is the later day, {zero}{cited}.",
            )
        else:
            yield self._say(f"Dag noll är {zero}{cited}.", f"Day zero is {zero}{cited}.")

    def _money(self, known: Known, terms: Terms, measured: Measured) -> Iterator[str]:
        statement = known.statement
        if statement is None:
            yield self._say(
                "Ingen avräkning kan göras för månaden.", "No statement can be made of the month."
            )
            return
        yield self._month(statement)
        if measured.released:
            reasons = ", ".join(self._reason(reason) for reason in measured.released)
            cited = self._cite(terms, "requires")
            yield self._say(f"Debiteras inte: {reasons}{cited}.", f"Not charged: {reasons}{cited}.")
            return
        for flag in measured.flags:
            cited = self._cite(terms, "late")
            yield self._say(
                f"Anmärkning: {self._reason(flag)}, vilket inte befriar{cited}.",
                f"Remark: {self._reason(flag)}, which does not release{cited}.",
            )
        if statement.no_rate is not None:
            yield self._no_rate(statement.no_rate, known.stay.stay)
            return
        line = next((one for one in statement.lines if one.stay == known.stay.stay), None)
        if line is not None:
            yield from self._line(line, terms, measured, statement)
        elif measured.out is None:
            yield self._no_line(statement, terms, measured)

    def _month(self, statement: Statement) -> str:
        mean, limit = mean_decimal(statement.mean), statement.mean.terms.threshold
        english, swedish = GATE_STATUS.concepts[statement.status.value]
        cited = self._cite(statement.mean.terms, "threshold" if limit is not None else "gate")
        against = "" if limit is None else self._say(f", gräns {limit}", f", threshold {limit}")
        return self._say(
            f"{statement.month}: {statement.mean.stays} vårdtillfällen, genomsnitt {mean}{against}: "
            f"{swedish.lower()}{cited}.",
            f"{statement.month}: {statement.mean.stays} stays, mean {mean}{against}: "
            f"{english.lower()}{cited}.",
        )

    def _line(self, line: Line, terms: Terms, measured: Measured, statement: Statement) -> Iterator[str]:
        if measured.zero is None:  # pragma: no cover - a line has a day zero
            return
        counted = self._cite(terms, "count_end_day")
        swedish, english = self._first_payable(terms, measured.zero, measured.end)
        yield self._say(
            f"Betalas från {swedish}, "
            f"utskrivningsdagen {'med' if terms.count_end_day else 'räknas inte'}{counted}.",
            f"Payable from {english}, "
            f"the day of discharge {'counted' if terms.count_end_day else 'not counted'}{counted}.",
        )
        prices = {charge.rate.year: charge for charge in line.charges}
        for number, day in numbered_payable_days(measured.zero, measured.end, terms):
            yield self._day(number, day, prices[day.year])
        yield self._say(f"Tillsammans {self._sek(line.amount)}.", f"Together {self._sek(line.amount)}.")
        if statement.suspended:
            yield self._say(
                "Debiteringen enligt avtalet är pausad: ingenting faktureras.",
                "Billing under the agreement is suspended: nothing is invoiced.",
            )

    def _first_payable(self, terms: Terms, zero: date, end: date) -> tuple[str, str]:
        """Name the first payable day; where its value changes during the stay, each value and till when."""
        spans = terms.first_payable_spans(zero + DAY, end)
        cited = self._cite(terms, "first_payable_day")
        if len(spans) < 2:
            return f"dygn {terms.first_payable_day}{cited}", f"day {terms.first_payable_day}{cited}"
        cited += self._cite(terms, FIRST_PAYABLE_BY)
        *earlier, (_, last) = spans
        swedish = "".join(
            f"dygn {first} till och med {through}, därefter från " for through, first in earlier
        )
        english = "".join(f"day {first} through {through}, then from " for through, first in earlier)
        return f"{swedish}dygn {last}{cited}", f"{english}day {last}{cited}"

    def _day(self, number: int, day: date, charge: Charge) -> str:
        rate = charge.rate
        doubt = "" if rate.verified else self._say(", inte bekräftat", ", not confirmed")
        return self._say(
            f"Dygn {number}, {day}: {self._sek(rate.amount)} ({rate.source}{doubt}).",
            f"Day {number}, {day}: {self._sek(rate.amount)} ({rate.source}{doubt}).",
        )

    def _no_rate(self, no_rate: NoRate, stay: str) -> str:
        years = ", ".join(map(str, no_rate.years))
        own = stay in no_rate.stays
        return self._say(
            f"Beloppet för {years} är inte känt: månaden avräknas när det är infört"
            f"{', och detta vårdtillfälle har dygn som väntar på det' if own else ''}.",
            f"The amount of {years} is not known: the month is settled once it is entered"
            f"{', and this stay has days that wait for it' if own else ''}.",
        )

    def _no_line(self, statement: Statement, terms: Terms, measured: Measured) -> str:
        if statement.status.billed and terms.billing is Billing.EXCESS_OVER_MEAN:
            cited = self._cite(terms, "billing")
            return self._say(
                f"Avtalet debiterar genomsnittets överskott, inte enskilda dygn{cited}.",
                f"The agreement charges the excess of the mean, not single days{cited}.",
            )
        if not statement.status.billed:
            cited = self._cite(statement.mean.terms, "start_after")
            return self._say(
                f"Ingenting debiteras: månaden medför inte betalningsansvar{cited}.",
                f"Nothing is charged: the month is not one of liability{cited}.",
            )
        if measured.zero is not None and payable_days(measured.zero, measured.end, terms):
            return self._say(
                "Raden är tvistig och hålls från fakturan.", "The line is disputed and held off."
            )
        cited = self._cite(terms, "first_payable_day")
        return self._say(f"Inget dygn är betalbart{cited}.", f"No day is payable{cited}.")

    def _history(self, known: Known) -> Iterator[str]:
        """List what became of the stay's line, in the order in which it happened, each with its date."""
        events: list[tuple[datetime, str]] = []
        for one in known.issued:
            events += [(one.issued_at, words) for words in self._issued(known.stay.stay, one)]
        for each in known.disputed:
            events += self._disputed(each)
        for at, words in sorted(events, key=lambda event: event[0]):
            yield f"{clock(at)}: {words}"

    def _issued(self, stay: str, one: Issued) -> Iterator[str]:
        """Say where the stay stands on a statement, and how that corrects earlier ones, and why."""
        statement = one.statement
        on = f"{statement.month} ({one.id})"
        to = self._say(f"kommun {statement.municipality}", f"municipality {statement.municipality}")
        for line in statement.lines:
            if line.stay == stay:
                yield self._say(
                    f"Utställt på avräkningen för {on} till {to}: {self._sek(line.amount)}.",
                    f"Issued on the statement of {on} to {to}: {self._sek(line.amount)}.",
                )
            elif any(counted.stay == stay for counted in line.counted):
                yield self._say(
                    f"Ingår i genomsnittet på avräkningen för {on} till {to}.",
                    f"Counted in the mean on the statement of {on} to {to}.",
                )
        for excluded in statement.excluded:
            if excluded.stay == stay:
                reasons = ", ".join(self._reason(reason) for reason in excluded.reasons)
                yield self._say(
                    f"Utan debitering på avräkningen för {on} till {to}: {reasons}.",
                    f"Without charge on the statement of {on} to {to}: {reasons}.",
                )
        for adjustment in one.adjustments:
            if adjustment.post.stay == stay:
                yield self._adjusted(adjustment, on, to)

    def _adjusted(self, one: Adjustment, on: str, to: str) -> str:
        sign = "+" if one.payable_days > 0 else ""
        words = f"{sign}{one.payable_days} d, {self._sek(one.amount)}"
        why = "; ".join(in_words(reason, self.language) for reason in one.reasons)
        why = why or self._say("skälet är inte registrerat", "the reason was not recorded")
        cited = ", ".join(str(clause) for clause in one.clauses)
        tail = f" [{cited}]" if cited else ""
        swedish, english = {
            "credit": ("Krediterat", "Credited"),
            "debit": ("Debiterat i efterhand", "Debited afterwards"),
        }[one.kind]
        change = f"{one.post.month}: {words}"
        return self._say(
            f"{swedish} på avräkningen för {on} till {to}, {change}, rättar {one.corrects}: {why}{tail}.",
            f"{english} on the statement of {on} to {to}, {change}, corrects {one.corrects}: {why}{tail}.",
        )

    def _disputed(self, one: Question) -> Iterator[tuple[datetime, str]]:
        dispute = one.dispute
        yield (
            one.asked_at,
            self._say(
                f"Raden bestreds av kommun {dispute.municipality} ({dispute.id}).",
                f"The line was disputed by municipality {dispute.municipality} ({dispute.id}).",
            ),
        )
        if one.answered_at is None:
            return
        swedish, english = {
            "completed": ("Regionen biföll bestridandet", "The region upheld the dispute"),
            "rejected": ("Regionen avslog bestridandet", "The region rejected the dispute"),
            "cancelled": ("Kommunen återtog bestridandet", "The municipality withdrew the dispute"),
        }[dispute.status]
        words = f": «{dispute.reason}»" if dispute.reason else ""
        yield one.answered_at, self._say(f"{swedish}{words}.", f"{english}{words}.")

    def _reason(self, reason: Reason) -> str:
        english, swedish = REASON.concepts[reason.value]
        return self._say(swedish, english)

    def _cite(self, terms: Terms, name: str) -> str:
        """Cite the clause of a term in brackets; empty where the file has none."""
        found = terms.cite(name)
        if not found:
            return ""
        clause = found[0]
        if not clause.document:
            return f" [{self._say('antagande', 'assumption')}: {clause.assumption}]"
        words = clause.words if clause.words not in self.quoted else ""
        self.quoted.add(clause.words)
        return f" [{clause}: «{words}»]" if words else f" [{clause}]"

    def _sek(self, amount: Decimal) -> str:
        text = f"{amount:,.2f}".replace(",", " ")
        return self._say(f"{text.replace('.', ',')} kr", f"SEK {text}")

    def _say(self, swedish: str, english: str) -> str:
        return swedish if self.language == "sv" else english


#: The term that leaves a stay out of the mean.
_OUT = {
    Reason.COMPULSORY: "compulsory",
    Reason.NOT_READY: "clock",
    Reason.NOT_HOME_READY: "clock",
}


def care_form_of(stay: Stay, rules: Rules, end: date) -> str:
    """Give the care form of the statement that a stay stands on: its own, or pooled."""
    pooled = rules.on(end, CareForm(stay.care_form)).pool_care_forms
    return "pooled" if pooled else stay.care_form.value
