"""A municipality's question on a line of a statement: the Task that asks it, and the Task as it stands.

Owns what such a Task must hold, and how it is told. Does not own keeping it (`adapter.store.disputes`) nor
what it does to the invoice (`adapter.settlement.holding`).

| element | value |
| --- | --- |
| `code` | `dispute` of the code system losus-step |
| `id`, or `identifier` | what the municipality knows it by: sent again, it is the same question |
| `status` | `requested`: the line is in question; `cancelled`: it is not any more |
| `focus` | `reference`: the ChargeItem of a stay, or of the excess of a mean, as its Bundle names it; or, |
|         | before there is one, `identifier`: the stay, by the key of the municipality's own cases |
| `description`, `note` | why, in words; kept and told as they are |

The region answers: `completed` where it agrees (the line is not owed), `rejected` where it does not, with
`statusReason` in words. What is told of a question is made anew from these elements, so that it is sound
FHIR whatever else the municipality's system had put into it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from adapter.errors import Problem, ResourceError
from adapter.fhir.elements import Resource, instant, narrative, uuid_of
from adapter.fhir.model import FhirVersion
from adapter.fhir.rules import faults
from adapter.fhir.vocabulary import BASIS, CANONICAL, STAY_IDENTIFIER
from adapter.losus.days import Month
from adapter.settlement.holding import Dispute

STEP = f"{CANONICAL}/CodeSystem/losus-step"
#: The id that the municipality's system gave its Task.
TASK_IDENTIFIER = f"{CANONICAL}/identifier/dispute"


@dataclass(frozen=True, slots=True)
class Question:
    """What the municipality knows the Task by, and whether the question is taken back.

    What it is about: the id of a ChargeItem, or that of a stay; the other one is empty.
    """

    task: str
    charge_item: str
    stay: str
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The region's answer: which Task, whether the municipality is right, and why in words."""

    task: str
    upheld: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Disputed:
    """The line that a ChargeItem stands for: of a stay (None: the excess of a mean) in a month.

    `corrects` is the id of the statement that it stands on, where that is another one than its own.
    """

    stay: str | None
    month: Month
    corrects: str | None = None


def is_dispute(task: Resource) -> bool:
    """Whether a resource is a Task that disputes a line; whether it does so rightly, `read_question` says."""
    code = task.get("code")
    codings = code.get("coding") if isinstance(code, dict) else None
    return task.get("resourceType") == "Task" and any(
        isinstance(one, dict) and (one.get("system"), one.get("code")) == (STEP, "dispute")
        for one in (codings if isinstance(codings, list) else ())
    )


def read_question(task: Resource, version: FhirVersion) -> Question:
    """Read the Task; ResourceError with every fault, and no value of it."""
    name = _name(task)
    _demand(
        task,
        version,
        (bool(name), _ID),
        (is_dispute(task), _CODE),
        (task.get("status") in {"requested", "cancelled"}, _STATUS),
        (bool(_charge_item(task) or _stay(task)), _FOCUS),
    )
    return Question(name, *about(task), withdrawn=task["status"] == "cancelled")


def about(task: Resource) -> tuple[str, str]:
    """Give what a Task is about: the id of a ChargeItem, or that of a stay; the other one is empty."""
    item = _charge_item(task)
    return item, "" if item else _stay(task)


def read_answer(task: Resource, version: FhirVersion) -> Answer:
    """Read what the region made of a Task; ResourceError with every fault, and no value of it."""
    _demand(
        task,
        version,
        (isinstance(task.get("id"), str), _ID),
        (is_dispute(task), _CODE),
        (task.get("status") in ("completed", "rejected"), _ANSWER),
    )
    why = task.get("statusReason", {})
    words = (why.get("concept", {}) if version is FhirVersion.R5 else why).get("text")
    return Answer(task["id"], task["status"] == "completed", words)


def _demand(task: Resource, version: FhirVersion, *demands: tuple[bool, Problem]) -> None:
    problems = faults(task, version, "Task") if task.get("resourceType") == "Task" else [_KIND]
    problems = problems or [problem for is_met, problem in demands if not is_met]
    if problems:
        raise ResourceError(*problems)


_KIND = Problem("invalid", "a dispute is a Task", "Task")
_ID = Problem("required", "a Task that is sent again is known by its id or identifier", "Task.id")
_CODE = Problem("code-invalid", f"the code is dispute of {STEP}", "Task.code")
_STATUS = Problem("code-invalid", "the status is requested or cancelled", "Task.status")
_ANSWER = Problem("code-invalid", "the status of an answer is completed or rejected", "Task.status")
_FOCUS = Problem(
    "value", "the focus refers to a ChargeItem of a statement, or is the identifier of a stay", "Task.focus"
)


def _name(task: Resource) -> str:
    """Give the id of the Task, or else its first identifier; empty where it has neither."""
    if isinstance(task.get("id"), str):
        return str(task["id"])
    identifiers = task.get("identifier")
    first = identifiers[0] if isinstance(identifiers, list) and identifiers else {}
    value = first.get("value") if isinstance(first, dict) else None
    return f"{first.get('system', '')}|{value}" if value else ""


def _focus(task: Resource) -> dict[str, Any]:
    focus = task.get("focus")
    return focus if isinstance(focus, dict) else {}


def _charge_item(task: Resource) -> str:
    """Give the id that the focus refers to, relative or absolute; empty where it is none."""
    steps = str(_focus(task).get("reference", "")).partition("/_history/")[0].split("/")
    return steps[-1] if len(steps) > 1 and steps[-2] == "ChargeItem" else ""


def _stay(task: Resource) -> str:
    """Give the stay that the focus identifies; empty where it identifies none."""
    identifier = _focus(task).get("identifier")
    if not isinstance(identifier, dict) or identifier.get("system") != STAY_IDENTIFIER:
        return ""
    return str(identifier.get("value", ""))


def line_of(item: Resource, month: Month) -> Disputed | None:
    """Give the line that a ChargeItem stands for; `month` is its statement's.

    A correction stands for the month that it corrects. None for what nothing is charged for.
    """
    encounter = item.get("context") or item.get("encounter") or {}
    stay = encounter.get("identifier", {}).get("value")
    codes = {one["code"] for one in item["code"]["coding"] if one.get("system") == BASIS.url}
    if codes & {"no-charge", "in-mean"}:
        return None
    if codes & {"adjustment-debit", "adjustment-credit"}:
        corrected = Month.parse(item["occurrencePeriod"]["start"][:7])
        return Disputed(stay, corrected, item["supportingInformation"][0]["identifier"]["value"])
    return Disputed(stay, month)


def told_task(asked: Resource, one: Dispute, version: FhirVersion, answered_at: datetime | None) -> Resource:
    """Give the Task as it stands, under the region's id: what was asked, and the answer if there is one."""
    swedish, english = _WORDS[one.status]
    reason = {"text": one.reason} if one.reason else None
    item, stay_id = about(asked)
    stay = {"type": "Encounter", "identifier": {"system": STAY_IDENTIFIER, "value": stay_id}}
    r5 = version is FhirVersion.R5
    return {
        "resourceType": "Task",
        "id": one.id,
        "meta": {"versionId": version_id(one)},
        "text": narrative(f"Avräkning {one.month}: {swedish}.", f"Statement of {one.month}: {english}."),
        "identifier": [{"system": TASK_IDENTIFIER, "value": _name(asked)}],
        "status": one.status,
        **({"statusReason": {"concept": reason} if r5 else reason} if reason else {}),
        "intent": "order",
        "code": {"coding": [{"system": STEP, "code": "dispute"}]},
        **dict(_own_words(asked)),
        "focus": {"reference": f"ChargeItem/{item}"} if item else stay,
        **({} if answered_at is None else {"lastModified": instant(answered_at)}),
    }


def version_id(one: Dispute) -> Literal["1", "2"]:
    """Give the version of the Task: it is asked, and answered once."""
    return "1" if one.upheld is None else "2"


_WORDS = {
    "requested": ("raden är tvistig och hålls från fakturan", "the line is disputed and held off"),
    "completed": ("raden är bestridd med rätt och faktureras inte", "the line is not owed"),
    "rejected": ("raden ska betalas", "the line is owed"),
    "cancelled": ("frågan är återtagen", "the question was taken back"),
}


def _own_words(asked: Resource) -> Iterator[tuple[str, Any]]:
    if isinstance(words := asked.get("description"), str):
        yield "description", words
    notes = asked.get("note")
    texts = [one.get("text") for one in notes if isinstance(one, dict)] if isinstance(notes, list) else []
    if said := [{"text": text} for text in texts if isinstance(text, str)]:
        yield "note", said


def answer_bundle(task: Resource, base: str, answered_at: datetime) -> Resource:
    """Give the answered Task as the municipality's topic has it: a Bundle, as all that is there."""
    return {
        "resourceType": "Bundle",
        "id": uuid_of("Bundle", "dispute", task["id"], task["meta"]["versionId"]),
        "type": "collection",
        "timestamp": instant(answered_at),
        "entry": [{"fullUrl": f"{base}/Task/{task['id']}", "resource": task}],
    }
