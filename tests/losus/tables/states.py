"""Which state a case is in, and since when. Facts stand in any order, as they might arrive."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

from tests.losus.telling import Row

ADMITTED = "Encounter/1@1 admitted 02 08:00 care_form=somatic"
NOTICED = f"{ADMITTED}\nTask/n@1 admission-notice-sent 02 10:00"
PLANNED = f"{NOTICED}\nTask/p@1 planning-started 02 13:00"
READY = f"{PLANNED}\nTask/r@1 ready* 04 09:00"
HOME_READY = f"{READY}\nCarePlan/1@1 all-criteria 04 11:00"

# fmt: off
STATES = [
    Row("admission", ADMITTED,
        {"state": "admitted", "label": "inskriven", "since": "02 08:00", "previous_state": None, "on_leave": False,
         "compulsory": False, "opposed": False, "protected": False, "moved": False},
        "LUS 1:3 «intagen vid en vårdinrättning»"),
    Row("notice", NOTICED,
        {"state": "notified", "since": "02 10:00", "previous_state": "admitted"}, "LUS 2:1"),
    Row("receipt alone", f"{ADMITTED}\nTask/k@1 admission-notice-acknowledged 02 10:05",
        {"state": "notified"}, "what was received was sent"),
    Row("planning", PLANNED, {"state": "planning", "previous_state": "notified"}, "LUS 2:6"),
    Row("planning before the notice", f"{NOTICED}\nTask/p@1 planning-started 02 09:00",
        {"state": "planning", "since": "02 09:00", "previous_state": "admitted"}, "the furthest step counts"),
    Row("utskrivningsklar", READY,
        {"state": "ready", "since": "04 09:00", "previous_state": "planning",
         "criteria": ["physician-assessment"]}, "LUS 3:1; Bilaga 9, the first of the seven"),
    Row("hemgångsklar", HOME_READY,
        {"state": "home-ready", "label": "hemgångsklar", "since": "04 11:00", "previous_state": "ready",
         "times.home-ready": "04 11:00"}, "Bilaga 9, all seven"),
    Row("discharge", f"Encounter/2@1 discharged 05 14:00 destination=home\n{HOME_READY}",
        {"state": "discharged", "since": "05 14:00", "previous_state": "home-ready",
         "ended.how": "discharged", "ended.destination": "home"}, "utskriven"),
    Row("a task before its encounter", "Task/n@1 admission-notice-sent 02 10:00",
        {"state": "notified", "times": {"admission-notice-sent": "02 10:00"}},
        "the facts that are there give the state"),
    Row("utskrivningsklar before its encounter", "Task/r@1 ready* 04 09:00", {"state": "ready"}, "same"),
    Row("withdrawn, and nothing else known", "Task/r@1 ready* 04 09:00\nTask/r@2 ready-withdrawn* 04 15:00",
        {"state": "admitted", "previous_state": "ready"}, "no longer utskrivningsklar is in closed care"),
    Row("only a person", "Patient/1@1 patient 01 08:00 municipality=2380",
        {"state": None, "label": None, "since": None, "municipality": "2380", "deadlines": ()},
        "no fact establishes a state: not published"),
    Row("only a step of planning", "Task/s@1 sip-offered 02 10:00", {"state": None}, "same"),
    Row("nothing", "Patient/1@1 nothing", {"state": None, "sources": ()}, "same"),
    Row("a fact of tomorrow", "Encounter/1@1 admitted 02 08:00", {"state": "admitted"},
        "clocks differ: what is stated is a fact", now="01 08:00"),
    Row("an expectation is no fact", "Encounter/1@1 expected-discharge 01 08:00 expected=2026-03-01",
        {"state": None, "statutory.expected_discharge": "2026-03-01"}, "planned is not happened"),
    Row("no agreement on hemgångsklar", HOME_READY, {"state": "home-ready", "day_zero": "2026-03-04"},
        "LUS 5:4 counts from the notice", terms="statute"),
]

PRESENCE = [
    Row("on leave", f"{READY}\nEncounter/l@1 leave-started 04 16:00",
        {"state": "ready", "on_leave": True}, "permission is a flag beside the state"),
    Row("back from leave", f"{READY}\nEncounter/l@2 leave-ended 05 08:00\nEncounter/k@1 leave-started 04 16:00",
        {"state": "ready", "on_leave": False}, "the later one counts, not the later told"),
    Row("discharged from leave", f"{READY}\nEncounter/l@1 leave-started 04 16:00\nEncounter/2@1 discharged 05 09:00",
        {"state": "discharged", "on_leave": False}, "who has gone home is not on leave"),
    Row("leave told after the end", f"{ADMITTED}\nEncounter/2@1 discharged 03 09:00\nEncounter/l@1 leave-started 03 10:00",
        {"state": "discharged", "on_leave": False}, "same"),
    Row("another ward", """
        Encounter/t@1 transferred 03 09:00 unit={"id":"w2","name":"Avd/2"} care_form=psychiatric
        Encounter/1@1 admitted 02 08:00 unit={"id":"w1"} care_form=somatic""",
        {"state": "admitted", "unit.id": "w2", "care_form": "psychiatric", "since": "02 08:00"},
        "a move between wards keeps the case; the discharging ward gives the care form"),
    Row("a ward after the end", f"""{ADMITTED} unit={{"id":"w1"}}
        Encounter/2@1 discharged 03 09:00
        Encounter/t@1 transferred 03 10:00 unit={{"id":"w2"}} care_form=psychiatric""",
        {"unit.id": "w1", "care_form": "somatic"}, "the discharging ward is the last before the end"),
    Row("the wards told in reverse", """
        Encounter/1@1 transferred 04 09:00 unit={"id":"w3"}
        Encounter/1@1 transferred 03 09:00 unit={"id":"w2"}
        Encounter/1@1 admitted 02 08:00 unit={"id":"w1"}""",
        {"unit.id": "w3"}, "TakeCare lists transfers newest first"),
    Row("a move that names no ward", """
        Encounter/1@1 admitted 02 08:00 unit={"id":"w1"}
        Encounter/t@1 transferred 03 09:00""", {"unit.id": "w1"}, "silence is no news"),
    Row("to another hospital", f"{READY}\nEncounter/2@1 transferred-out 05 10:00",
        {"state": "discharged", "ended.how": "transferred-out"}, "the new hospital's stay is a new case"),
    Row("discharged to another hospital", f"""{READY}
        Encounter/2@1 transferred-out 05 10:00
        Encounter/3@1 discharged 05 10:00 destination=hosp""",
        {"ended.how": "transferred-out", "ended.destination": "hosp"}, "at one instant the more telling"),
    Row("the first end stands", f"""{READY}
        Encounter/2@1 discharged 05 12:00
        Encounter/3@1 discharged 05 10:00""",
        {"ended.at": "05 10:00"}, "who is gone cannot go; later telling is not later going"),
    Row("death", f"{READY}\nPatient/d@1 deceased 05 03:00",
        {"state": "deceased", "label": "avliden", "ended.how": "deceased", "ended.at": "05 03:00"}, "avliden"),
    Row("death, then the paperwork", f"{READY}\nPatient/d@1 deceased 05 03:00\nEncounter/2@1 discharged 05 09:00",
        {"state": "deceased", "ended.at": "05 03:00"}, "death before discharge is how the stay ended"),
    Row("death and discharge at once", f"{READY}\nPatient/d@1 deceased 05 09:00\nEncounter/2@1 discharged 05 09:00",
        {"state": "deceased", "previous_state": "ready"}, "same"),
    Row("death and transfer at once", f"{READY}\nPatient/d@1 deceased 05 09:00\nEncounter/2@1 transferred-out 05 09:00",
        {"state": "deceased"}, "same"),
    Row("death at home", f"{READY}\nPatient/d@1 deceased 05 09:01\nEncounter/2@1 discharged 05 09:00",
        {"state": "discharged", "ended.how": "discharged"}, "death after discharge is not of the stay"),
    Row("an admission after death", f"Encounter/2@1 admitted 06 09:00\n{READY}\nPatient/d@1 deceased 05 09:00",
        {"state": "deceased"}, "only a correction of the death itself takes it back"),
    Row("discharge cancelled, as a new fact", f"{READY}\nEncounter/2@1 discharged 05 09:00\nEncounter/3@1 admitted 05 11:00",
        {"state": "ready", "ended": None, "times.admitted": "02 08:00", "since": "05 11:00",
         "previous_state": "discharged"}, "an admission after the discharge takes the stay up again"),
    Row("admitted at the instant of discharge", f"{ADMITTED}\nEncounter/2@1 discharged 02 08:00",
        {"state": "discharged"}, "a stay of no length"),
]

PROCESS = [
    Row("interrupted", f"{PLANNED}\nTask/x@1 interrupted 03 09:00 reason=worse",
        {"state": "interrupted", "label": "avbruten", "reason": "worse", "previous_state": "planning"},
        "avbrott i processen"),
    Row("taken up again", f"Task/s@1 sip-offered 03 12:00\n{PLANNED}\nTask/x@1 interrupted 03 09:00",
        {"state": "planning", "since": "03 12:00", "previous_state": "interrupted"}, "a later step of the process"),
    Row("a step of the same instant", f"Task/s@1 sip-offered 03 09:00\n{PLANNED}\nTask/x@1 interrupted 03 09:00",
        {"state": "interrupted"}, "later means later"),
    Row("an earlier step told later", f"{PLANNED}\nTask/x@1 interrupted 03 09:00\nTask/s@1 sip-offered 03 08:00",
        {"state": "interrupted"}, "by effective time"),
    Row("moved while interrupted", f"{PLANNED}\nTask/x@1 interrupted 03 09:00\nEncounter/t@1 transferred 03 12:00",
        {"state": "interrupted"}, "a ward's move is no step of the process"),
    Row("interrupted, closed care is needed again", f"{HOME_READY}\nTask/x@1 interrupted 05 09:00 reason=deteriorated",
        {"state": "interrupted", "reason": "deteriorated", "day_zero": None, "criteria": [
            "self-care-assessed", "written-information", "care-contact-appointed", "information-transferred",
            "aids-available", "medication-available"]}, "settlement 5: as a withdrawal"),
    Row("taken up after that", f"{HOME_READY}\nTask/x@1 interrupted 05 09:00 reason=deteriorated\nTask/s@1 sip-offered 06 12:00",
        {"state": "planning", "since": "06 12:00", "day_zero": None}, "no longer utskrivningsklar"),
    Row("utskrivningsklar again after that", f"{HOME_READY}\nTask/x@1 interrupted 05 09:00 reason=deteriorated\nTask/r@2 ready* 07 09:00",
        {"state": "home-ready", "since": "07 09:00", "day_zero": "2026-03-07"}, "a new episode, from its own notice"),
    Row("interrupted for another reason", f"{HOME_READY}\nTask/x@1 interrupted 05 09:00 reason=other",
        {"state": "interrupted", "day_zero": "2026-03-04"}, "the process rests, the notice stands"),
    Row("interrupted in the same instant", f"{PLANNED}\nTask/r@1 ready* 04 09:00\nTask/x@1 interrupted 04 09:00 reason=deteriorated",
        {"state": "interrupted", "day_zero": None}, "the interruption is taken in last"),
    Row("discharged while interrupted", f"{PLANNED}\nTask/x@1 interrupted 03 09:00\nEncounter/2@1 discharged 03 12:00",
        {"state": "discharged"}, "utskriven ends it all"),
    Row("taken up, with no state of its own", "Task/x@1 interrupted 03 09:00\nTask/s@1 sip-offered 03 12:00",
        {"state": "interrupted"}, "no other fact says more"),
    Row("SIP by steps", f"""{READY}
        Task/s@1 sip-offered 04 10:00 consent=yes
        Task/c@1 sip-called 04 12:00 meeting_at=2026-03-06T09:00:00+01:00
        Task/h@1 sip-held 06 09:30""",
        {"sip.required": True, "sip.offered_at": "04 10:00", "sip.called_at": "04 12:00",
         "sip.meeting_at": "06 09:00", "sip.held_at": "06 09:30", "consent": "yes"}, "LUS 4:1–3"),
    Row("SIP declined", f"{READY}\nTask/d@1 sip-declined 04 11:00\nTask/s@1 sip-offered 04 10:00",
        {"sip.required": False, "sip.declined_at": "04 11:00"}, "LUS 4:2 only with consent"),
    Row("declined, then wanted", f"{READY}\nTask/c@1 sip-called 05 11:00\nTask/d@1 sip-declined 04 11:00",
        {"sip.required": True}, "the last word counts"),
    Row("declined, then offered again", f"{READY}\nTask/s@1 sip-offered 05 11:00\nTask/d@1 sip-declined 04 11:00",
        {"sip.required": True}, "the answer to the new offer is open"),
    Row("declined, but held", f"{READY}\nTask/h@1 sip-held 05 11:00\nTask/d@1 sip-declined 04 11:00",
        {"sip.required": True}, "the last word counts"),
    Row("ÖPT", f"{READY}\nCarePlan/o@1 coordinated-plan-made 04 15:00 compulsory=true",
        {"compulsory": True, "sip.required": False, "sip.coordinated_plan_at": "04 15:00"}, "LUS 4:1 2 st."),
    Row("ÖPT given up", f"{READY} compulsory=true\nTask/r@2 ready* 05 09:00 compulsory=false",
        {"compulsory": False, "sip.required": True}, "the newest that says anything decides"),
    Row("care contact and coordinator", f"""{NOTICED}
        Task/k@1 care-contact-appointed 03 09:00 contact={{"name":"Ada","unit":"HC","phone":"063"}}
        Task/o@1 care-contact-appointed 03 10:00 contact={{"name":"Bo"}} coordinator=true""",
        {"care_contact.name": "Ada", "care_contact.phone": "063", "coordinator.name": "Bo",
         "criteria": ["care-contact-appointed"]}, "LUS 2:5; Bilaga 9: one of several coordinates"),
    Row("care contact unnamed", f"{NOTICED}\nTask/k@1 care-contact-appointed 03 09:00",
        {"care_contact.appointed_at": "03 09:00", "care_contact.name": None}, "that there is one is told"),
    Row("open care not ready", f"{READY}\nTask/o@1 open-care-unavailable 04 10:00",
        {"open_care_available": False}, "LUS 5:5"),
    Row("open care ready at last", f"{READY}\nTask/q@1 open-care-available 05 10:00\nTask/o@1 open-care-unavailable 04 10:00",
        {"open_care_available": True}, "LUS 5:5; the last word counts"),
    Row("open care not clarified", READY, {"open_care_available": None, "opposed": False}, "LUS 5:5"),
    Row("measures opposed", f"{READY}\nTask/o@1 opposed 04 10:00", {"opposed": True}, "Stockholm's condition"),
    Row("changed expected discharge", f"""{NOTICED} expected=2026-03-05
        Encounter/e@1 expected-discharge 03 09:00 expected=2026-03-06T14:00:00+01:00""",
        {"statutory.expected_discharge": "06 14:00"}, "LUS 2:4"),
]
# fmt: on
