"""Settings into the values that the rooms work with: the world of the flow, the relay's settings.

Owns the translation, and the demand that settings, mappings and agreements fit together.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from adapter.access.scopes import may_say
from adapter.agreements.in_force import in_force
from adapter.agreements.load import Book, load_book
from adapter.agreements.process import process_terms
from adapter.agreements.terms import CareForm
from adapter.calendar_versions import calendar_versions
from adapter.client.calls import FhirClient
from adapter.client.certificates import certificate_ends
from adapter.client.connect import client_of
from adapter.client.references import Fetcher
from adapter.errors import Problem, SetupError
from adapter.fhir.document import Limits
from adapter.fhir.model import FhirVersion
from adapter.inbound.hook import Server
from adapter.inbound.library import Library, Shelf
from adapter.inbound.poller import Poller
from adapter.inbound.receiver import Receiver
from adapter.inbound.rereader import keep_rereading
from adapter.inbound.subscribing import Subscriber
from adapter.inbound.surveyor import Surveyed, keep_surveying
from adapter.inbound.watcher import watch
from adapter.losus.days import Month, local_day
from adapter.losus.process import STATUTE, ProcessTerms
from adapter.losus.terms import SignalKind
from adapter.mapping.load import load_folder
from adapter.outbound.relay import RelaySettings
from adapter.servers import Poll
from adapter.settings import Settings
from adapter.settling.issuing import Ledger
from adapter.store.database import Database
from adapter.store.seal import load_seal
from adapter.trace import Trace
from adapter.treating import hospitals_of, with_regions
from adapter.world import Speaker, TermsFor, World

_SUBSCRIBING_AT_ONCE = 2  # well below the size of a pool


def world_of(settings: Settings) -> World:
    """All that is settled before a message comes; SetupError with every fault of files and settings."""
    mappings = load_folder(settings.mappings)
    problems = [
        Problem("not-found", f"source {name}: no mapping {source.mapping}", "sources")
        for name, source in settings.sources.items()
        if source.mapping not in mappings
    ]
    if problems:
        raise SetupError(*problems)
    book = load_book(settings.agreements, settings.rates)
    return World(
        secret=settings.secret.get_secret_value().encode(),
        endpoint=settings.base_url,
        speakers={
            name: Speaker(
                mappings[source.mapping],
                FhirVersion(source.fhir),
                source.server.base_url if source.server is not None else None,
                source.municipality,
                may_say(source, SignalKind) if source.municipality else None,
                source.flood,
                source.region,
            )
            for name, source in settings.sources.items()
        },
        route={org: code for code, one in settings.municipalities.items() for org in one.organizations},
        payloads={code: one.payload for code, one in settings.municipalities.items()},
        units={stream: one.payload for stream, one in settings.open_care.items()},
        care_route={org: stream for stream, one in settings.open_care.items() for org in one.organizations},
        terms_for=_terms_for(book),
        limits=Limits(settings.max_bytes, settings.max_depth, settings.max_entries),
        seal=load_seal(settings.seal),
        calendar=calendar_versions(),
        region=settings.region.county,
        hospitals=hospitals_of(settings),
        municipalities=frozenset(book.municipalities),
    )


def clients_of(settings: Settings) -> dict[str, FhirClient]:
    """The clients of the servers that may be asked, by source; `aclose` each in the end."""
    return {
        name: client_of(name, source.server, FhirVersion(source.fhir))
        for name, source in settings.sources.items()
        if source.server is not None
    }


def library_of(settings: Settings, clients: Mapping[str, FhirClient]) -> Library:
    """Where what deliveries point at is looked for."""
    shelves = {
        name: Shelf(Fetcher(client, server), server.max_depth)
        for name, client in clients.items()
        if (server := settings.sources[name].server) is not None
    }
    return Library(shelves)


def servers_of(
    settings: Settings, clients: Mapping[str, FhirClient], receiver: Receiver, database: Database
) -> dict[str, Server]:
    """The sources' own servers as rest-hooks need them."""
    return {
        name: Server(client, poller_of(settings, name, client, receiver, database))
        for name, client in clients.items()
    }


def poller_of(
    settings: Settings, name: str, client: FhirClient, receiver: Receiver, database: Database
) -> Poller:
    """What asks a source's server for all that has changed."""
    server = settings.sources[name].server
    poll = (server.poll if server is not None else None) or Poll()
    return Poller(name, poll, client, receiver=receiver, database=database, clock=_now)


def endless_works(
    settings: Settings, world: World, database: Database, library: Library, servers: Mapping[str, Server]
) -> list[Coroutine[Any, Any, None]]:
    """What is looked after as time passes, each until it is cancelled; several replicas may.

    Limits that are not kept, what is to be read anew, the figures of the whole, and our Subscriptions where
    settings ask for any.
    """
    turn = asyncio.Semaphore(_SUBSCRIBING_AT_ONCE)
    subscribers = (
        Subscriber(
            name,
            source.server.subscribe,
            servers[name].client,
            servers[name].poller,
            database=database,
            clock=_now,
            turn=turn,
        )
        for name, source in settings.sources.items()
        if source.server is not None and source.server.subscribe is not None
    )
    return [
        watch(world, database, _now),
        keep_rereading(world, database, library, _now),
        keep_surveying(surveyed_of(settings), database, _now),
        *(one.run() for one in subscribers),
    ]


def _now() -> datetime:
    return datetime.now(UTC)


def surveyed_of(settings: Settings) -> Surveyed:
    """What the surveyor has to know beside the database."""
    return Surveyed(
        sources=tuple(settings.sources),
        subscribers=tuple(settings.municipalities),
        book=with_regions(load_book(settings.agreements, settings.rates), settings),
        settle_from=None if settings.settle_from is None else Month.parse(settings.settle_from),
        certificates=lambda: certificate_ends(settings),
    )


def relay_settings(settings: Settings) -> RelaySettings:
    """What the relay needs to know."""
    return RelaySettings(
        dsn=settings.database.get_secret_value(),
        cluster=settings.kafka.cluster,
        region=settings.region.uri,
        municipalities=tuple(settings.subscribers),
        partitions=settings.kafka.partitions,
        replication=settings.kafka.replication,
        min_insync=settings.kafka.min_insync,
        retention_days=settings.kafka.retention_days,
        cases_days=settings.kafka.cases_days,
        make_topics=settings.kafka.make_topics,
        transactions=settings.kafka.transactions,
        refuse_older=settings.kafka.refuse_older,
        batch=settings.kafka.batch,
    )


def _terms_for(book: Book) -> TermsFor:
    """The terms of the process by the agreement in force; the statute's own where none is known."""
    agreements = {file.agreement.id: file.agreement for file in book.files}

    @lru_cache(maxsize=4096)
    def on(municipality: str, day: date, form: CareForm, region: str | None) -> ProcessTerms:
        try:
            found = in_force(agreements, day, municipality, form, region).agreement
        except SetupError:  # a day before every statute that is on file
            return STATUTE
        return process_terms(book.rules[found.id], day, form)

    def terms_for(municipality: str | None, at: datetime, form: str, region: str | None) -> ProcessTerms:
        return STATUTE if municipality is None else on(municipality, local_day(at), CareForm(form), region)

    return terms_for


def ledger_of(
    settings: Settings, book: Book, trace: Trace | None = None, world: World | None = None
) -> Ledger:
    """What settling needs, of the settings and the agreements that it works with."""
    version = FhirVersion(settings.settlement_fhir)
    book = replace(book, invoicing=settings.invoice.over(book.invoicing.parties))
    agreed = with_regions(book, settings)
    return Ledger(world or world_of(settings), agreed, version, f"{settings.base_url}/fhir", trace)
