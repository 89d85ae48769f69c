"""One patient's way home, played: message by message in, event by event out; then a statement.

Owns the play: which messages, in which order, and what is said of them. The messages are the
examples of the mapping `losus-r4`; the statement is of Bilaga 9's worked example.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
from aiokafka import ConsumerRecord

from adapter.agreements.load import load_book
from adapter.cluster import Cluster
from adapter.commands.output import out
from adapter.commands.send import send_message
from adapter.commands.settle import edition_of, print_statements
from adapter.commands.tail import line, read_topic
from adapter.errors import Problem, UnavailableError
from adapter.fhir.decimals import dumps
from adapter.fhir.summary import bundle
from adapter.losus.days import months
from adapter.mapping.load import default_folder
from adapter.outbound.topics import events_topic
from adapter.sandbox.sandbox import Sandbox
from adapter.settlement.example import FIRST, MONTHS, worked_example
from adapter.settlement.settle import settle

_MUNICIPALITY = "2380"
_AGREEMENT = "jamtland-harjedalen-losus-2018"
#: What of a resource is shown.
_SHOWN = ("status", "issuer", "recipient", "quantity", "occurrencePeriod", "priceOverride", "totalNet")
_SOURCE = "losus-r4"
_PATIENCE_S = 30.0


def play(running: Sandbox) -> None:
    """Send the way home and show what arrives; UnavailableError where an event does not come."""
    _way_home_played(running)
    _month_settled()


def _way_home_played(running: Sandbox) -> None:
    files = sorted((default_folder() / "examples" / _SOURCE).glob("*.json"))
    asyncio.run(_way_home(running, {file.stem: file.read_bytes() for file in files}))


def _month_settled() -> None:
    """Settle the worked example of Bilaga 9, and show the Bundle of its first liable month."""
    out.rule(f"Settlement: the worked example of Bilaga 9 by {_AGREEMENT}")
    book = load_book()
    stays = worked_example()
    asked = tuple(months(FIRST, FIRST.plus(len(MONTHS))))
    statements = settle(stays, book.get(_AGREEMENT), book.rates, asked)
    print_statements(statements, book)
    out.print(
        "\nEach day costs its own year's amount: 7 100 SEK in 2018, 7 800 SEK from January 2019 on; "
        "the agreement's own example has one amount throughout."
    )
    liable = next(one for one in statements if one.amount)
    out.rule(f"The statement of {liable.month} as a FHIR Bundle")
    _show_bundle(bundle([liable], edition_of(book)))
    out.print(
        "\nThe whole of it: losus settle --stays FILE --agreement "
        f"{_AGREEMENT} --from {liable.month} --to {liable.month} --format fhir"
    )


def _show_bundle(told: dict[str, Any]) -> None:
    """The resources of a Bundle by type, and the claim with its first line in full."""
    resources = [entry["resource"] for entry in told["entry"]]
    for kind, count in Counter(one["resourceType"] for one in resources).items():
        out.print(f"  {count:>3} × {kind}")
    for kind in ("Invoice", "ChargeItem"):
        first = next(one for one in resources if one["resourceType"] == kind)
        shown = {name: first[name] for name in _SHOWN if name in first}
        out.print(dumps({"resourceType": kind, **shown}).decode(), style="dim")


async def _way_home(running: Sandbox, messages: dict[str, bytes]) -> None:
    topic = events_topic(_MUNICIPALITY)
    out.rule("A patient's way home: FHIR messages in, events on " + topic)
    arriving = read_topic(topic, Cluster(running.kafka), follow=True)
    with httpx.Client(base_url=running.http, timeout=_PATIENCE_S) as client:
        for name, body in messages.items():
            await _one(client, name, body, arriving)
    await arriving.aclose()  # type: ignore[attr-defined]


async def _one(client: httpx.Client, name: str, body: bytes, arriving: AsyncIterator[ConsumerRecord]) -> None:
    """Send one message and show the event that it calls for."""
    answer = await asyncio.to_thread(send_message, client, _SOURCE, body)
    out.print(f"→ {name:<32} {answer['code']}")
    if answer["code"] != "ok":
        raise UnavailableError(*(Problem(i["code"], i["diagnostics"]) for i in answer["issues"]))
    try:
        record = await asyncio.wait_for(anext(arriving), _PATIENCE_S)
    except TimeoutError:
        raise UnavailableError(Problem("timeout", "no event arrived on the topic")) from None
    out.print(f"    {line(record)}")
