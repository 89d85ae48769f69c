"""Months of which nothing is known: `no-data`, which is not the same as that nobody waited.

Owns the one question that everything else asks: is it known that a municipality had no stay in a care form in
a month? Where it is not, the month neither counts nor breaks the gate, has no mean, and is no month of zero
stays. A month in which the municipality has a stay is known by that. Does not own what the gate does (`gate`)
nor where messages are read (`adapter.settling.casebook`). Pure.

A file of stays is an export: it is complete from the month of its first end to that of its last, in every
care form. In a store a month is known for a care form where

* a source has sent something of that care form that happened in the month: an admission, a notice, an end;
  and so has every source that this municipality's stays come from, since the first month that it sent; or
* a person has confirmed that nothing happened.

A source that is no longer set up is not waited for.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from adapter.agreements.terms import CareForm
from adapter.losus.days import Month

#: `CareForm`, or both of a pooled payer.
_FORMS: Mapping[str, tuple[str, ...]] = {one.value: (one.value,) for one in CareForm}


class Heard(Protocol):
    """What is known of months in which a municipality has no stay."""

    def knows(self, municipality: str, care_form: str, month: Month) -> bool:
        """Whether it is known that there was none; `care_form` may be `pooled`."""


@dataclass(frozen=True, slots=True)
class AllKnown:
    """Of every month it is known: the stays are all that there are."""

    def knows(self, municipality: str, care_form: str, month: Month) -> bool:  # noqa: ARG002
        """Return True."""
        return True


ALL_KNOWN = AllKnown()


@dataclass(frozen=True, slots=True)
class FileSpan:
    """The months that a file of stays is complete for: from its first end to its last; None: it has none."""

    first: Month | None
    last: Month | None

    @classmethod
    def of(cls, months: Iterable[Month]) -> "FileSpan":
        """Span the months in which stays ended."""
        known = list(months)
        return cls(min(known, default=None), max(known, default=None))

    def knows(self, municipality: str, care_form: str, month: Month) -> bool:  # noqa: ARG002
        """Whether the month is within."""
        return self.first is not None and self.last is not None and self.first <= month <= self.last


@dataclass(slots=True)
class StoreHeard:
    """What the sources of a store have sent of which months.

    `sent`: by source and care form the months (`Month.index`) in which something happened. `sources`: by
    municipality and care form the sources of its stays. `confirmed`: care forms and months for which people
    confirmed that nothing happened. `expected`: the sources that are set up; None: all. `closed`: the last
    closed month: of it and those before, their counts (`gate.Counts`) hold what was unknown.
    """

    sent: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    sources: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    confirmed: Collection[tuple[str, int]] = ()
    expected: Collection[str] | None = None
    closed: int | None = None

    def add(self, source: str, care_form: str, months: Iterable[Month]) -> None:
        """Note that a source sent something that happened in these months."""
        self.sent.setdefault((source, care_form), set()).update(month.index for month in months)

    def add_stay(self, source: str, care_form: str, municipality: str) -> None:
        """Note that a source has sent a stay of the municipality."""
        self.sources.setdefault((municipality, care_form), set()).add(source)

    def knows(self, municipality: str, care_form: str, month: Month) -> bool:
        """Whether all is known of the care form; of a pooled payer, of both."""
        forms = _FORMS.get(care_form) or tuple(CareForm)
        return all(self._knows(municipality, str(form), month.index) for form in forms)

    def silent(self, municipality: str, care_form: str, month: Month) -> tuple[str, ...]:
        """Name the sources whose silence leaves the month unknown; empty where none ever sent anything."""
        forms = _FORMS.get(care_form) or tuple(CareForm)
        found = (one for form in forms for one in self._waited_for(municipality, str(form), month.index))
        return tuple(sorted(set(found)))

    def _knows(self, municipality: str, form: str, month: int) -> bool:
        if (form, month) in self.confirmed or (self.closed is not None and month <= self.closed):
            return True
        if not any(month in months for (_, of), months in self.sent.items() if of == form):
            return False
        return not self._waited_for(municipality, form, month)

    def _waited_for(self, municipality: str, form: str, month: int) -> list[str]:
        """Give the sources of the municipality's stays that are silent in a month since they began."""
        mine = self.sources.get((municipality, form)) or {one for one, of in self.sent if of == form}
        return [
            source
            for source in mine
            if (self.expected is None or source in self.expected)
            and (months := self.sent.get((source, form)))
            and min(months) <= month
            and month not in months
        ]
