"""The limits of the process that an agreement sets, in the words of the fold of a case.

Owns the translation alone; the values come from the file, and from the statute where it is silent.
"""

from datetime import date

from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm
from adapter.losus.process import ProcessTerms

#: The terms whose clause is published with what is judged by them.
_CITED = (
    "admission_notice_from",
    "planned_date_in_notice",
    "reception",
    "sip_offered_first",
    "coordinated_plan_first",
    "coordinator",
    "discharge",
)


def process_terms(rules: Rules, day: date, care_form: CareForm) -> ProcessTerms:
    """Give what the agreement asks of a stay of that care form on that day."""
    terms = rules.on(day, care_form)
    return ProcessTerms(
        criteria=terms.criteria,
        admission_notice_hours=terms.admission_notice_hours,
        admission_notice_from=terms.admission_notice_from,
        planned_date_in_notice=terms.planned_date_in_notice,
        sip_call_days=terms.sip_call_days,
        sip_offered_first=terms.sip_offered_first,
        coordinated_plan_first=terms.coordinated_plan_first,
        coordinator=terms.coordinator,
        interruption_reasons=dict(terms.interruption_reasons),
        reception=terms.reception,
        long_holiday=terms.long_holiday,
        eves_are_free=terms.eves_are_free,
        discharge=terms.discharge,
        cutoff=terms.cutoff,
        cutoff_inclusive=terms.cutoff_inclusive,
        clock=terms.clock.value,
        unit=terms.unit.value,
        clauses={name: str(terms.clauses[name]) for name in _CITED if name in terms.clauses},
    )
