"""What settlement and follow-up read of a case, whatever the day: folded once, kept until it would differ.

Owns what is read of a case, and when what was kept may still be used: only where the facts, the terms of the
process, the route to municipalities, the calendar and the fold's own code are the same. Does not own the fold
(`losus.case`), what of it is a stay (`losus.stay`) nor keeping it (`adapter.store.stays`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from adapter import losus, refold
from adapter.losus.case import Case
from adapter.losus.days import Month, local_day
from adapter.losus.identity import person_pseudonym, pseudonym
from adapter.losus.moments import Precision
from adapter.losus.presence import EndHow
from adapter.losus.process import ProcessTerms
from adapter.losus.stay import WHOSE, gaps, row_of_case
from adapter.settlement.following import Limit
from adapter.store import intake, merges
from adapter.world import World

_SOMATIC = "somatic"


@dataclass(frozen=True, slots=True)
class Folded:
    """A case as it is settled and followed up.

    `row`: its line of a stays file; None where it has none, and `missing` says why (`losus.stay.gaps`). Where
    only that lacks whose it is, there is a row, to be completed by what people enter.
    `municipality`: the one that is told of it. `home`: it ended by discharge. `person`: pseudonym; None
    where it is not known who it is. `limits`: those that have a day. `moved_at`: from when on the person is
    of the municipality that is liable, where that changed during the stay; None where it did not.
    `source`: whose case it is. `region`: länskod of the one that treats.
    """

    case_id: str
    row: dict[str, Any] | None
    missing: tuple[str, ...]
    municipality: str | None
    admitted_at: datetime | None
    care_form: str | None
    ended_at: datetime | None
    home: bool
    person: str | None
    limits: tuple[Limit, ...]
    moved_at: datetime | None = None
    source: str = ""
    region: str | None = None

    @property
    def month(self) -> Month | None:
        """The month in which it ended; None while it has not, or where the month is not known."""
        return None if self.ended_at is None else Month.of(local_day(self.ended_at))

    @property
    def months(self) -> frozenset[Month]:
        """The months in which something of it happened, as far as settlement reads it."""
        row = self.row or {}
        texts = [row.get("notice_sent_at"), row.get("sip_called_at")]
        texts += [at for episode in row.get("ready", ()) for at in episode.values()]
        times = [datetime.fromisoformat(text) for text in texts if text]
        times += [at for at in (self.admitted_at, self.ended_at) if at is not None]
        return frozenset(Month.of(local_day(at)) for at in times)


_JSON: TypeAdapter[Folded] = TypeAdapter(Folded)


def folded_of(case: Case, secret: bytes, region: str | None = None) -> Folded:
    """Read a case; none of it depends on the day on which it was folded. `region`: the one that treats."""
    identity, end, missing = case.person.identity, case.standing.end, gaps(case)
    row = row_of_case(case, region) if set(missing) <= set(WHOSE) else None
    return Folded(
        case.case_id,
        None if row is None else dict(row),
        missing,
        case.municipality,
        case.standing.admitted_at,
        case.standing.care_form,
        None if end is None or end.precision is Precision.YEAR else end.at,
        home=end is not None and end.how is EndHow.DISCHARGED,
        person=None if identity is None else person_pseudonym(secret, identity),
        limits=tuple(Limit(one.name, one.due, one.met_at) for one in case.deadlines if one.due is not None),
        moved_at=_moved_at(case),
        region=region,
    )


def _moved_at(case: Case) -> datetime | None:
    during = case.person.municipalities.during
    return during[-1][0] if len(during) > 1 else None


class Prints:
    """Tells by what a case was folded: facts as they are, the terms for it, and the basis of them all."""

    def __init__(self, world: World) -> None:
        self._world = world
        route, calendar = repr(sorted(world.route.items())), repr(sorted(world.calendar.items()))
        who = pseudonym(world.secret, "", "stay")  # another secret gives other pseudonyms
        regions = repr((world.region, sorted(world.hospitals.items())))
        regions += repr(sorted((name, one.region) for name, one in world.speakers.items()))
        basis = f"{_code()} {calendar} {route} {regions} {who}"
        self._basis = hashlib.sha256(basis.encode()).hexdigest()[:16]
        self._terms: dict[int, tuple[ProcessTerms, str]] = {}

    def of(self, folded: Folded, facts: str) -> str:
        """Give the print of a case: what it was folded by, or would be folded by now.

        The terms follow from what a case is (`refold`), and that from facts and code alone.
        """
        admitted_at = folded.admitted_at
        if admitted_at is None:  # it has no stay, by whatever terms
            return f"{self._basis} {facts}"
        form = folded.care_form or _SOMATIC
        terms = self._world.terms_for(folded.municipality, admitted_at, form, folded.region)
        if id(terms) not in self._terms:
            self._terms[id(terms)] = terms, hashlib.sha256(repr(terms).encode()).hexdigest()[:16]
        return f"{self._basis} {self._terms[id(terms)][1]} {facts}"


def read(said: bytes) -> Folded:
    """Read what `write` wrote: an equal value."""
    return _JSON.validate_json(said)


def write(folded: Folded) -> bytes:
    """Write it as JSON."""
    return _JSON.dump_json(folded)


@cache
def _code() -> str:
    """Digest the code that folds a case: a release that folds otherwise uses nothing that was kept."""
    files = [Path(module.__file__ or "") for module in (refold, intake, merges)] + [Path(__file__)]
    files += sorted(Path(losus.__file__ or "").parent.glob("*.py"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def same(kept: Mapping[str, tuple[str, bytes]], case_id: str, facts: str, prints: Prints) -> Folded | None:
    """Give what was kept of a case where it would be folded to the same now; else None."""
    if case_id not in kept:
        return None
    was, said = kept[case_id]
    folded = read(said)
    return folded if was == prints.of(folded, facts) else None
