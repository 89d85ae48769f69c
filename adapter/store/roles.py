"""Who may do what in the database: one row for each table, sequence and function, one word for each role.

Owns the matrix, and nothing else does: what is not in it is refused, `public` has nothing. Does not own how
it is applied (`adapter.store.grants`). A role is a group that nobody logs in as; the logins of the processes
are members of it:

    losus_intake     serve, watch, poll, listen, import, replay, republish, cases, sources, disputes
    losus_relay      relay, topics expire: events of the outbox, and no message that they came from
    losus_settle     settle, disputes, rates, statistics: reads cases, issues statements, changes no fact
    losus_read       doctor, audit verify, audit export: reads, and no message, fact, picture or statement
    losus_retention  retention: takes out what has been kept long enough; who closes the books of settlement
                     before, as it does, is in losus_settle too

Whatever a row says: what was issued, taken in, decided on or audited is refused to be changed by triggers
(migrations 0002, 0005 to 0007), whoever asks. Rights of an update name their columns, always. Who locks a
row (`for update`) needs a column that may be updated: `lockable` is that and nothing else.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

Role: TypeAlias = Literal["losus_intake", "losus_relay", "losus_settle", "losus_read", "losus_retention"]
ROLES: tuple[Role, ...] = get_args(Role)
#: By role: `select, insert, update (a, b), delete`; a right without columns is on the whole row.
Rights: TypeAlias = Mapping[Role, str]


def _may(
    intake: str = "", relay: str = "", settle: str = "", read: str = "", retention: str = ""
) -> dict[Role, str]:
    given = zip(ROLES, (intake, relay, settle, read, retention), strict=True)
    return {role: rights for role, rights in given if rights}


#: Tables and views.
TABLES: Mapping[str, Rights] = {
    "migration": _may("select", "select", "select", "select", "select"),
    # taken in
    "message": _may(
        intake="select, insert",
        read="select (id, source, received_at, door, media, fhir, sealed, status, traceparent)",
        retention="select (id, source, received_at), delete",
    ),
    "message_bundle": _may(intake="select, insert", read="select", retention="select, delete"),
    "held": _may(
        intake="select, insert, update (cause, problems, tries, retry_at), delete",
        read="select",
        retention="select (message)",
    ),
    "held_case": _may(intake="select, insert, delete", read="select", retention="select"),
    "discarded": _may(intake="select, insert", read="select", retention="select (message), delete"),
    "resource": _may(
        intake="select, insert, update (ord, version, digest, body, sealed, got_at)",
        read="select (source, name, ord, version, sealed, got_at)",
        retention="select (source, name, got_at), delete",
    ),
    "leaning": _may(intake="select, insert", read="select", retention="select, delete"),
    "reread": _may(intake="select, insert, delete", read="select", retention="select, delete"),
    "mark": _may(intake="select, insert, update (value, changed_at)", read="select"),
    "alias": _may(intake="select, insert", retention="select (source, name), delete"),
    "stopped_source": _may(intake="select, insert, delete", read="select"),
    # folded
    "fact": _may(
        intake="select, insert, update (case_id, signals, void, partial, voids_stay, about), delete",
        settle="select",
        read="select (source, resource, ord, version, case_id, void, partial, voids_stay, about, message)",
        retention="select (source, resource, message), delete",
    ),
    "link": _may(intake="select, insert", settle="select", read="select", retention="select, delete"),
    "replacement": _may(intake="select, insert", settle="select", read="select", retention="select, delete"),
    "cases": _may(
        intake="select, insert, update (state, municipality, picture, revisions, due, changed_at, parked)",
        relay="select (id, state, revisions, changed_at), update (lockable)",
        settle="select",
        read="select (id, source, state, municipality, revisions, due, changed_at, parked)",
        retention="select, update (lockable), delete",
    ),
    "recovered_case": _may(
        intake="select", read="select (case_id, at, revisions, municipality, state)"
    ),  # the rest is done by the owner, with `losus recover`
    # told
    "event": _may(
        intake="select, insert",
        relay="select, insert",
        settle="select (id, type, municipality), insert",
        read=(
            "select (id, case_id, municipality, revision, type, ce_id, closing, traceparent, form, ground, "
            "created_at)"
        ),
        retention="select (id, case_id, municipality, revision, type, created_at), delete",
    ),
    "outbox": _may(
        intake="select, insert",
        relay="select, insert, delete",
        settle="insert",
        read="select",
        retention="select (event)",
    ),
    "relay_claim": _may(relay="select, insert, update (share, id, producer, since, events)", read="select"),
    "behind": _may("select", "select, insert, update (published, known), delete", "select", "select"),
    "superseded": _may(intake="select", read="select"),
    "quarantine": _may(
        intake="select",
        relay="select, insert, update (reason, failures, retry_at), delete",
        read="select",
    ),
    "parked_case": _may(
        intake="select, update (released_at, asked)",
        relay="select, insert, update (event), delete",
        read="select",
        retention="select (case_id)",
    ),
    "parked_event": _may(intake="select", relay="select, insert, delete", read="select"),
    # settled
    "entered_municipality": _may(
        intake="select, insert",
        settle="select, insert",
        read="select (number, case_id, since, entered_at)",
    ),
    "statement": _may(
        intake="select",
        settle="select, insert",
        read="select (number, id, agreement, municipality, care_form, month, issued_at, early, due, region)",
        retention="select, delete",
    ),
    "statement_resource": _may(intake="select", settle="select, insert", retention="select, insert, delete"),
    "invoice_series": _may(settle="select, insert, update (last)", read="select"),
    "invoice": _may(settle="select, insert", read="select", retention="select, delete"),
    "follow_up": _may(
        settle="select, insert",
        read="select (number, municipality, month, issued_at)",
        retention="select (number, month, issued_at), delete",
    ),
    "follow_up_resource": _may(settle="select, insert", retention="select, insert, delete"),
    "told_statement": _may(
        settle="select", read="select (id, agreement, municipality, care_form, month, issued_at, region)"
    ),
    "issued_resource": _may(intake="select", settle="select"),
    "statistic": _may(intake="select", settle="select, insert", read="select"),
    "joint_follow_up": _may(
        intake="select, insert", settle="select, insert", read="select", retention="select, delete"
    ),
    "joint_follow_up_entry": _may(
        intake="select, insert",
        settle="select, insert",
        read="select (number, follow_up, entry, at, party)",
        retention="select (follow_up), delete",
    ),
    "joint_follow_up_version": _may(
        intake="select, insert",
        settle="select, insert",
        read="select (follow_up, version, at)",
        retention="select (follow_up, version, at), delete",
    ),
    "joint_follow_up_resource": _may(
        intake="select, insert", settle="select, insert", retention="select (follow_up), delete"
    ),
    "joint_resource": _may(intake="select", settle="select"),
    "every_resource": _may(intake="select", settle="select"),
    "rate_announcement": _may(intake="select", settle="select, insert", read="select"),
    "dispute": _may(
        intake="select, insert, update (id)",  # to lock it: a trigger refuses every update
        settle="select, update (id)",
        read="select (id, municipality, month, agreement, care_form, asked_at)",
        retention="select (id, municipality, stay, month, asked_at), delete",
    ),
    "dispute_answer": _may(
        intake="select, insert",
        settle="select, insert",
        read="select (dispute, upheld, answered_at, withdrawn)",
        retention="select (dispute, answered_at), delete",
    ),
    "stay": _may(settle="select, insert, update (print, said), delete", retention="select (case_id), delete"),
    "books_closed": _may(intake="select", settle="select, insert", read="select", retention="select"),
    "confirmed_empty": _may(settle="select, insert", read="select"),
    "closed_month": _may(settle="select, insert", read="select"),
    # audited
    "audit": _may(
        intake="select (number, hash, who, why, action), insert",
        relay="select (number, hash), insert",
        settle="select (number, hash), insert",
        read="select, insert",  # whoever reads the audit stands in it
        retention="select, insert, delete",
    ),
    "audit_anchor": _may(
        intake="select (number, hash)",
        relay="select (number, hash)",
        settle="select (number, hash)",
        read="select",
        retention="select, insert",
    ),
    "delivery": _may(intake="select", relay="select, insert", read="select", retention="select, delete"),
    "delivery_batch": _may(intake="select", relay="select, insert", read="select", retention="select"),
}

#: Sequences that a statement draws from by name; an identity column needs no right.
SEQUENCES: Mapping[str, Rights] = {
    "message_id_seq": _may(intake="usage"),
    "statement_resource_number_seq": _may(intake="usage", settle="usage"),
}

#: Functions, by name and types of their arguments; those of triggers need no right.
FUNCTIONS: Mapping[str, Rights] = {
    "lane_of(text,text)": _may(intake="execute", relay="execute", settle="execute"),
    "swedish_day(timestamp with time zone)": _may(settle="execute", retention="execute"),
    "years_over(timestamp with time zone,integer,date)": _may(retention="execute"),
    "calendar_years_over(timestamp with time zone,integer,date)": _may(retention="execute"),
    "last_entry(text)": _may(retention="execute"),
    "joint_is_old(text,integer,date)": _may(retention="execute"),
    "joint_kept()": {},
    "closed_through()": _may(intake="execute", settle="execute", read="execute", retention="execute"),
    "is_past(text,bytea)": _may(retention="execute"),
    "outbox_lane()": {},
    "relay_claim_number()": {},
    "statement_stays()": {},
    "issued_stays()": {},
    "audit_stays()": {},
    "goes_with_case()": {},
    "only_added_to()": {},
    "kept()": {},
    "invoice_series_grows()": {},
    "invoice_kept()": {},
}
