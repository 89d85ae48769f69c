"""A municipality's question on a line of a statement: the Task that asks it, and the Task as it stands.

Owns what such a Task must hold. Does not own keeping it (`adapter.store.disputes`) nor what it does to
the invoice (`adapter.settlement.holding`).

| element | value |
| --- | --- |
| `code` | `dispute` of the code system losus-step |
| `status` | `requested`: the line is in question; `cancelled`: it is not any more |
| `focus` | `reference`: the ChargeItem of a stay, as its Bundle names it; or, before there is one, |
|         | `identifier`: the stay, by the key of the municipality's own cases |

The region answers: `completed` where it agrees (the line is not owed), `rejected` where it does not.
"""

from dataclasses import dataclass
from typing import Any

from adapter.errors import Problem, ResourceError
from adapter.fhir.elements import Resource
from adapter.fhir.model import FhirVersion, validate
from adapter.fhir.vocabulary import BASIS, CANONICAL, STAY_IDENTIFIER
from adapter.losus.days import Month

STEP = f"{CANONICAL}/CodeSystem/losus-step"

#: Status of the Task by the answer: None while it is open.
STATUS = {None: "requested", True: "completed", False: "rejected"}


@dataclass(frozen=True, slots=True)
class Question:
    """The Task's own id, and whether the question is taken back.

    What it is about: the id of a ChargeItem, or that of a stay; the other one is empty.
    """

    task: str
    charge_item: str
    stay: str
    withdrawn: bool


def read_question(task: Resource, version: FhirVersion) -> Question:
    """Read the Task; ResourceError with every fault, and no value of it."""
    problems = list(validate(task, version)) if task.get("resourceType") == "Task" else [_KIND]
    if not problems:
        problems = [
            problem
            for is_fine, problem in (
                (isinstance(task.get("id"), str), _ID),
                (_is_dispute(task), _CODE),
                (task.get("status") in {"requested", "cancelled"}, _STATUS),
                (bool(_charge_item(task) or _stay(task)), _FOCUS),
            )
            if not is_fine
        ]
    if problems:
        raise ResourceError(*problems)
    item = _charge_item(task)
    stay = "" if item else _stay(task)
    return Question(task["id"], item, stay, withdrawn=task["status"] == "cancelled")


_KIND = Problem("invalid", "a dispute is a Task", "Task")
_ID = Problem("required", "a Task that is sent again is known by its id", "Task.id")
_CODE = Problem("code-invalid", f"the code is dispute of {STEP}", "Task.code")
_STATUS = Problem("code-invalid", "the status is requested or cancelled", "Task.status")
_FOCUS = Problem(
    "value", "the focus refers to a ChargeItem of a statement, or is the identifier of a stay", "Task.focus"
)


def _is_dispute(task: Resource) -> bool:
    codings = task.get("code", {}).get("coding", ())
    return any((one.get("system"), one.get("code")) == (STEP, "dispute") for one in codings)


def _charge_item(task: Resource) -> str:
    """Give the id that the focus refers to, relative or absolute; empty where it is none."""
    steps = str(task.get("focus", {}).get("reference", "")).split("/")
    return steps[-1] if len(steps) > 1 and steps[-2] == "ChargeItem" else ""


def _stay(task: Resource) -> str:
    """Give the stay that the focus identifies; empty where it identifies none."""
    identifier = task.get("focus", {}).get("identifier", {})
    return str(identifier.get("value", "")) if identifier.get("system") == STAY_IDENTIFIER else ""


def line_of(item: Resource, month: Month) -> tuple[str, Month] | None:
    """Give the stay and the month of the line that a ChargeItem stands for; `month` is its statement's.

    A correction stands for the month that it corrects. None for what no stay alone is charged for.
    """
    encounter = item.get("context") or item.get("encounter") or {}
    stay = encounter.get("identifier", {}).get("value")
    codes = {one["code"] for one in item["code"]["coding"] if one.get("system") == BASIS.url}
    if stay is None or codes & {"no-charge", "in-mean"}:
        return None
    if codes & {"adjustment-debit", "adjustment-credit"}:
        return stay, Month.parse(item["occurrencePeriod"]["start"][:7])
    return stay, month


def task_of(asked: dict[str, Any], name: str, *, upheld: bool | None) -> Resource:
    """Give the Task as it stands: as it was asked, under the region's id, with the answer as status."""
    return {**asked, "id": name, "status": STATUS[upheld]}
