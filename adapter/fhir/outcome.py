"""Answers: OperationOutcome, and the response message of `$process-message`.

Owns how a fault or a success looks in FHIR; does not own which faults there are (`adapter.errors`).
No answer to a fault holds a value of the message.
Source: FHIR R4, OperationOutcome and MessageHeader.response; ids are made from the request's, so
that the same request gives the same answer.
"""

from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from adapter.errors import LosusError, Problem
from adapter.fhir.message import Message
from adapter.fhir.model import FhirVersion

_SEVERITY, _HINT = "error", "information"


def outcome(problems: tuple[Problem, ...], severity: str = _SEVERITY) -> dict[str, Any]:
    """An OperationOutcome of `problems` (at least one), each an issue with code and expression."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(problem, severity) for problem in problems]}


def within(problems: tuple[Problem, ...], kind: str, place: str) -> tuple[Problem, ...]:
    """The faults of a resource of type `kind` that stands at `place` in what was sent, told from there."""
    return tuple(
        replace(problem, expression=place + (problem.expression or "")[len(kind) :])
        if problem.expression == kind or (problem.expression or "").startswith(f"{kind}.")
        else problem
        for problem in problems
    )


def _issue(problem: Problem, severity: str) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": severity, "code": problem.code, "diagnostics": problem.rule}
    if problem.expression is not None:
        issue["expression"] = [problem.expression]
    return issue


def response_code(error: LosusError | None) -> str:
    """`ok`, `transient-error` where trying again can help, else `fatal-error`."""
    if error is None:
        return "ok"
    return "transient-error" if error.retryable else "fatal-error"


def response_message(
    message: Message,
    endpoint: str,
    timestamp: str,
    version: FhirVersion,
    error: LosusError | None = None,
    hints: tuple[Problem, ...] = (),
) -> dict[str, Any]:
    """The response message to `message` from `endpoint`, made at `timestamp` (FHIR instant).

    `hints`: what is told of a message that was accepted.
    """
    code = response_code(error)
    seed = f"{message.header_id}|{message.bundle_id}|{code}"
    header_id, bundle_id, outcome_id = (str(uuid5(NAMESPACE_URL, f"{seed}|{part}")) for part in "hbo")
    header: dict[str, Any] = {
        "resourceType": "MessageHeader",
        "id": header_id,
        **{name: value for name, value in message.header.items() if name.startswith("event")},
        "source": {"endpointUrl" if version is FhirVersion.R5 else "endpoint": endpoint},
        "response": {"identifier": _identifier(message, version), "code": code},
    }
    entries = [{"fullUrl": f"urn:uuid:{header_id}", "resource": header}]
    report = None if error is None else outcome(error.problems)
    if error is None and hints:
        report = outcome(hints, _HINT)
    if report is not None:
        details = {**report, "id": outcome_id}
        header["response"]["details"] = {"reference": f"urn:uuid:{outcome_id}"}
        entries.append({"fullUrl": f"urn:uuid:{outcome_id}", "resource": details})
    return {
        "resourceType": "Bundle",
        "id": bundle_id,
        "type": "message",
        "timestamp": timestamp,
        "entry": entries,
    }


def _identifier(message: Message, version: FhirVersion) -> str | dict[str, Any]:
    """How the response names the request: R4 by its MessageHeader.id, R5 by its Bundle.identifier.

    Of a Bundle without one its id is the value (R5 MessageHeader.response.identifier).
    """
    if version is not FhirVersion.R5:
        return message.header_id
    given = message.bundle.get("identifier")
    return given if isinstance(given, dict) and given.get("value") else {"value": message.bundle_id}
