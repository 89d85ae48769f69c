"""A resource as it holds at an instant: without what its own `use` or `period` says does not hold then.

An element whose datatype has both `use` and `period` (Address, HumanName, Identifier, ContactPoint), found by
FHIR's types at any depth, is left out where its `use` is `old`, or where its period does not cover the
instant. Both ends of a period are inclusive, and a missing one is open (R4 datatypes#Period). A year that
stands for "never" or "not known" (9999, 0001) is an open end; what is to start in such a year never does. Of
the addresses and names that are left, the one with the latest start stands first.

The identifier of a Reference stays: it does not say how somebody is known, it points, and what it points at
may be known by an identifier that is no longer in use.

Owns this view; does not own what a mapping reads in it (`reader`). Pure: what goes in is not touched.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from adapter.fhir.model import FhirVersion
from adapter.fhir.plans import Plan, beside_primitive, plan_of
from adapter.losus.days import TICK
from adapter.losus.moments import END_YEAR, FIRST_YEAR, as_end, as_start

Resource = dict[str, Any]

#: Which of the elements that may be dated a view keeps: those in force, of these only those that have a
#: period, or none at all.
Keep = Literal["all", "dated", "none"]

_NEVER = datetime.max.replace(tzinfo=UTC)
#: Years that are dates; those outside stand for "not known" or "never".
_YEARS = range(FIRST_YEAR, END_YEAR)
#: Of these the one that began last is the one to read first.
_IN_ORDER = frozenset({"Address", "HumanName"})


def in_force(resource: Resource, version: FhirVersion, at: datetime) -> Resource:
    """Give the resource as it holds at `at`; the resource itself where nothing in it is dated."""
    found = over_time(resource, version)
    return resource if found is None else found.at(at)


def over_time(resource: Resource, version: FhirVersion) -> "OverTime | None":
    """Give the resource as it holds over time; None where it is the same at any time."""
    plan = _plan(resource, version)
    if plan is None:
        return None
    found = [_in_force_of(one) for one in _dated(resource, plan, version)]
    return OverTime(resource, plan, version, found) if found else None


@dataclass(frozen=True, slots=True)
class _InForce:
    """From when to when an element holds, both inclusive (None: open)."""

    start: datetime | None
    end: datetime | None

    def covers(self, at: datetime) -> bool:
        """Whether `at` is in it."""
        return (self.start is None or self.start <= at) and (self.end is None or at <= self.end)


class OverTime:
    """A resource of which something is dated.

    `boundaries`: the instants from which another view holds than before, oldest first; none where all that is
    left out is `old`.
    """

    def __init__(
        self, resource: Resource, plan: Plan, version: FhirVersion, found: list[_InForce | None]
    ) -> None:
        self._resource, self._plan, self._version = resource, plan, version
        self.boundaries = tuple(sorted({edge for one in found if one is not None for edge in _edges(one)}))
        self._views: dict[tuple[int, Keep], Resource] = {}

    def at(self, at: datetime, keep: Keep = "all") -> Resource:
        """Give the view at an instant; one and the same object between two boundaries."""
        place = (bisect_right(self.boundaries, at), keep)
        if place not in self._views:
            walk = _Walk(self._version, lambda one: _is_kept(one, at, keep))
            self._views[place] = walk.kept(self._resource, self._plan)
        return self._views[place]


def _edges(one: _InForce) -> Iterator[datetime]:
    if one.start is not None and one.start != _NEVER:
        yield one.start
    if one.end is not None:
        yield one.end + TICK


def _is_kept(one: Resource, at: datetime, keep: Keep) -> bool:
    if keep == "none" or (keep == "dated" and not isinstance(one.get("period"), dict)):
        return False
    found = _in_force_of(one)
    return found is not None and found.covers(at)


def _in_force_of(one: Resource) -> _InForce | None:
    """From when to when an element holds by its own words; None where it never does."""
    if one.get("use") == "old":
        return None
    period = one.get("period")
    if not isinstance(period, dict):
        return _InForce(None, None)
    return _InForce(_start(period.get("start")), _end(period.get("end")))


def _start(text: object) -> datetime | None:
    if _year(text) >= _YEARS.stop:
        return _NEVER
    return _bound(text, as_start)


def _end(text: object) -> datetime | None:
    return _bound(text, as_end)


def _bound(text: object, read: Callable[[str], datetime]) -> datetime | None:
    """Read a bound; None, thus open, where it is missing or says no more than that it is not known."""
    if not isinstance(text, str) or _year(text) not in _YEARS:
        return None
    try:
        return read(text)
    except (ValueError, OverflowError):
        return None


def _year(text: object) -> int:
    digits = text[:4] if isinstance(text, str) else ""
    return int(digits) if len(digits) == len("2024") and digits.isascii() and digits.isdigit() else 0


def _began(one: Resource) -> datetime:
    """When an element began, for the order of those in force; a missing start is the earliest."""
    period = one.get("period") if type(one) is dict else None
    start = _start(period.get("start")) if isinstance(period, dict) else None
    return start or datetime.min.replace(tzinfo=UTC)


@cache
def _may_be_dated(plan: Plan) -> bool:
    """Whether the datatype has `use` (a code) and `period`."""
    use, period = plan.steps.get("use"), plan.steps.get("period")
    is_code = use is not None and use.plan is None and not use.is_resource
    return is_code and period is not None and period.plan is not None and period.plan.name == "Period"


def _plan(resource: Resource, version: FhirVersion) -> Plan | None:
    kind = resource.get("resourceType")
    return plan_of(kind, version) if isinstance(kind, str) else None


@cache
def _inside(plan: Plan) -> dict[str, Plan | None]:
    """The elements of a type in which something may be dated, each with its type; None: any resource."""
    return {
        name: step.plan
        for name, step in plan.steps.items()
        if (step.plan is not None or step.is_resource) and (plan.name, name) != ("Reference", "identifier")
    }


def _type_of(one: object, inner: Plan | None, version: FhirVersion) -> Plan | None:
    """The type of a value; None where it is not known, or it is no object."""
    if type(one) is not dict:
        return None
    return _plan(one, version) if inner is None else inner


def _parts(value: Resource, plan: Plan, version: FhirVersion) -> Iterator[tuple[str, Any, Plan | None]]:
    """Give the elements of a value in which something may be dated: name, content, type (None: resources)."""
    inside = _inside(plan)
    for name, item in value.items():
        if type(item) is not dict and type(item) is not list:
            continue
        if name in inside:
            yield name, item, inside[name]
        elif name[:1] == "_":
            yield name, item, beside_primitive(version)


def _dated(value: Resource, plan: Plan, version: FhirVersion) -> Iterator[Resource]:
    """Find the elements that are `old` or have a period."""
    for _, item, inner in _parts(value, plan, version):
        for one in item if type(item) is list else (item,):
            kind = _type_of(one, inner, version)
            if kind is not None:
                if ("period" in one or one.get("use") == "old") and _may_be_dated(kind):
                    yield one
                yield from _dated(one, kind, version)


class _Walk:
    """One walk over a resource that leaves out elements which may be dated and that `holds` refuses."""

    def __init__(self, version: FhirVersion, holds: Callable[[Resource], bool]) -> None:
        self._version, self._holds = version, holds

    def kept(self, value: Resource, plan: Plan) -> Resource:
        """Give `value` with what holds of it; itself where that is all."""
        changed: Resource = {}
        for name, item, inner in _parts(value, plan, self._version):
            left = self._list(item, inner) if type(item) is list else self._one(item, inner)
            if left is not item:
                changed[name] = left
        if not changed:
            return value
        seen = {**value, **changed}
        return {name: item for name, item in seen.items() if name not in changed or item}

    def _list(self, items: list[Any], inner: Plan | None) -> list[Any]:
        left = [kept for one in items if (kept := self._one(one, inner)) is not None or one is None]
        if inner is not None and inner.name in _IN_ORDER and len(left) > 1:
            left.sort(key=_began, reverse=True)
        same = len(left) == len(items) and all(a is b for a, b in zip(left, items, strict=True))
        return items if same else left

    def _one(self, one: Any, inner: Plan | None) -> Any:  # noqa: ANN401 - JSON
        """Give what holds of one value; None where it does not hold."""
        kind = _type_of(one, inner, self._version)
        if kind is None:
            return one
        if _may_be_dated(kind) and not self._holds(one):
            return None
        return self.kept(one, kind)
