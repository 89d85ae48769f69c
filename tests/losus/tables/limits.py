"""What is due when, and both sides of every limit; `now` is the last column but one.

2026: 29 March and 25 October change the clock; 3–6 April (långfredag to annandag påsk) are four free
days, 24–27 December four with julafton; 2 March is a Monday.
"""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

from tests.losus.tables.states import ADMITTED, NOTICED, PLANNED, READY
from tests.losus.telling import Row

NOTICE, START, CALL = "deadlines.admission-notice", "deadlines.planning-start", "deadlines.sip-call"
CONTACT, INFORMATION = "deadlines.care-contact", "deadlines.information-transfer"
HOURS, ACTUAL = "deadlines.discharge-hours", "deadlines.discharge-hours-actual"
DATED, RECEIPT = "deadlines.notice-planned-date", "deadlines.notice-receipt"
OFFERED, COORDINATOR = "deadlines.sip-offered-before-call", "deadlines.coordinator"
PLAN = "deadlines.coordinated-plan"
GONE = "Encounter/2@1 discharged 05 14:00"
#: As the mapping reads a period that ends 2026-03-05: the last instant of that day.
GONE_THAT_DAY = "Encounter/2@1 discharged 05 23:59:59.999999"


def noticed(when: str) -> str:
    """An admission notice sent then."""
    return f"Task/n@1 admission-notice-sent {when}"


def planned(when: str) -> str:
    """A discharge planned for then, in winter time."""
    return f"{ADMITTED}\nEncounter/e@1 expected-discharge 02 09:00 expected={when}"


# fmt: off
ADMISSION_NOTICE = [
    Row("notice pending at 24 h", ADMITTED, {NOTICE: "pending 03 08:00"}, "LUS 2:3 «senast 24 timmar»", now="03 08:00"),
    Row("notice missed after 24 h", ADMITTED, {NOTICE: "missed 03 08:00"}, "LUS 2:3", now="03 08:00:01"),
    Row("notice at 24 h", f"{ADMITTED}\n{noticed('03 08:00')}", {NOTICE: "met 03 08:00"}, "LUS 2:3"),
    Row("notice after 24 h", f"{ADMITTED}\n{noticed('03 08:00:01')}",
        {NOTICE: "missed 03 08:00", "met.admission-notice": "03 08:00:01"}, "LUS 2:3; late is told with its time"),
    Row("need judged later", f"{ADMITTED}\nTask/b@1 need-assessed 05 10:00\n{noticed('06 10:00')}",
        {NOTICE: "met 06 10:00"}, "LUS 2:3: 24 hours after that judgement", now="06 12:00", terms="statute"),
    Row("need judged later, notice late", f"{ADMITTED}\nTask/b@1 need-assessed 05 10:00\n{noticed('06 10:00:01')}",
        {NOTICE: "missed 06 10:00"}, "LUS 2:3", terms="statute"),
    Row("need judged later, by agreement", f"{ADMITTED}\nTask/b@1 need-assessed 05 10:00\n{noticed('06 10:00')}",
        {NOTICE: "missed 03 08:00"}, "Bilaga 9: «inom 24 timmar efter inskrivning»", now="06 12:00"),
    Row("need judged within the day, by agreement", f"{ADMITTED}\nTask/b@1 need-assessed 02 20:00\n{noticed('03 08:00')}",
        {NOTICE: "met 03 08:00"}, "Bilaga 9", now="06 12:00"),
    Row("need judged before admission", f"{ADMITTED}\nTask/b@1 need-assessed 01 10:00", {NOTICE: "pending 03 08:00"},
        "LUS 2:3: from the admission", now="02 12:00", terms="statute"),
    Row("need judged twice", f"{ADMITTED}\nTask/b@1 need-assessed 02 20:00\nTask/c@1 need-assessed 04 10:00",
        {NOTICE: "missed 03 20:00"}, "judging once more does not prolong", now="04 12:00", terms="statute"),
    Row("need known, admission not", "Task/b@1 need-assessed 02 20:00\nTask/k@1 planning-started 02 21:00",
        {NOTICE: "pending 03 20:00"}, "the clock that is known", now="03 12:00", terms="statute"),
    Row("need known, admission not, by agreement", "Task/b@1 need-assessed 02 20:00\nTask/k@1 planning-started 02 21:00",
        {NOTICE: None}, "Bilaga 9 counts from admission alone", now="03 12:00"),
    Row("neither known", "Task/n@1 admission-notice-sent 02 20:00", {NOTICE: None}, "no clock has started"),
    Row("24 h over the spring change", "Encounter/1@1 admitted 28 20:00", {NOTICE: "pending 29 21:00"},
        "elapsed hours: the night has 23", now="29 21:00"),
    Row("24 h over the spring change, missed", "Encounter/1@1 admitted 28 20:00", {NOTICE: "missed 29 21:00"},
        "elapsed hours", now="29 21:00:01"),
    Row("24 h over the autumn change", "Encounter/1@1 admitted 2026-10-24 20:00", {NOTICE: "pending 2026-10-25 19:00"},
        "elapsed hours: the night has 25", now="2026-10-25 19:00"),
    Row("24 h over the autumn change, missed", "Encounter/1@1 admitted 2026-10-24 20:00",
        {NOTICE: "missed 2026-10-25 19:00"}, "elapsed hours", now="2026-10-25 19:00:01"),
    Row("home within the day, no notice", f"{ADMITTED}\nEncounter/2@1 discharged 03 08:00", {NOTICE: None},
        "the stay ended before the limit: nobody is waited for"),
    Row("home after the limit, no notice", f"{ADMITTED}\nEncounter/2@1 discharged 03 08:00:01",
        {NOTICE: "missed 03 08:00"}, "it was late while the stay lasted"),
    Row("home within the day, noticed", f"{ADMITTED}\n{noticed('02 10:00')}\nEncounter/2@1 discharged 02 18:00",
        {NOTICE: "met 03 08:00"}, "what was kept stays kept"),
]

PLANNING_START = [
    Row("received at once", f"{ADMITTED}\n{noticed('02 10:00')}", {START: "pending 02 17:00"},
        "Bilaga 9: received and planned 08–17", now="02 17:00"),
    Row("planning missed", f"{ADMITTED}\n{noticed('02 10:00')}", {START: "missed 02 17:00"}, "same", now="02 17:00:01"),
    Row("planned at closing time", f"{NOTICED}\nTask/p@1 planning-started 02 17:00", {START: "met 02 17:00"}, "same"),
    Row("planned after closing time", f"{NOTICED}\nTask/p@1 planning-started 02 17:00:01", {START: "missed 02 17:00"}, "same"),
    Row("noticed before closing", noticed("02 16:59:59"), {START: "pending 02 17:00"}, "open until 17", now="02 16:59:59"),
    Row("noticed at closing", noticed("02 17:00"), {START: "pending 03 17:00"}, "closed at 17", now="03 17:00"),
    Row("noticed on Friday evening", noticed("06 18:00"), {START: "pending 09 17:00"}, "two free days: Monday", now="07 12:00"),
    Row("noticed on långfredagen", noticed("2026-04-03 10:00"), {START: "pending 2026-04-05 17:00"},
        "four free days: received on the third, påskdagen", now="2026-04-03 12:00"),
    Row("noticed after the third day", noticed("2026-04-05 17:00"), {START: "pending 2026-04-07 17:00"},
        "the third day is over: the Tuesday", now="2026-04-05 18:00"),
    Row("noticed on julafton", noticed("2026-12-24 10:00"), {START: "pending 2026-12-26 17:00"},
        "with the eve as a free day 26 December is the third", now="2026-12-24 12:00"),
    Row("the law sets no hours", NOTICED, {START: None}, "LUS 2:6 has no limit of time", terms="statute"),
    Row("home before planning was due", f"{NOTICED}\nEncounter/2@1 discharged 02 17:00", {START: None},
        "the stay ended first"),
    Row("home after planning was due", f"{NOTICED}\nEncounter/2@1 discharged 02 17:00:01", {START: "missed 02 17:00"}, "it was late"),
    Row("no notice, no planning asked", ADMITTED, {START: None}, "LUS 2:6: who received the notice"),
]

SIP_CALL = [
    Row("call pending on the third day", READY, {CALL: "pending 07 23:59:59"}, "LUS 4:3 «senast tre dagar»", now="07 23:59:59"),
    Row("call missed on the fourth day", READY, {CALL: "missed 07 23:59:59"}, "LUS 4:3", now="08 00:00"),
    Row("called on the third day", f"{READY}\nTask/c@1 sip-called 07 23:59:59", {CALL: "met 07 23:59:59"}, "LUS 4:3"),
    Row("called on the fourth day", f"{READY}\nTask/c@1 sip-called 08 00:00", {CALL: "missed 07 23:59:59"}, "LUS 4:3"),
    Row("ready late at night", "Task/r@1 ready* 04 23:59:59", {CALL: "pending 07 23:59:59"},
        "local dates, not 72 hours", now="07 12:00"),
    Row("ready after midnight", "Task/r@1 ready* 05 00:00", {CALL: "pending 08 23:59:59"},
        "in UTC it is still the 4th", now="07 12:00"),
    Row("third day over the spring change", "Task/r@1 ready* 27 10:00", {CALL: "pending 30 23:59:59"},
        "local dates", now="30 23:59:59"),
    Row("fourth day over the spring change", "Task/r@1 ready* 27 10:00", {CALL: "missed 30 23:59:59"},
        "local dates", now="31 00:00"),
    Row("third day over the autumn change", "Task/r@1 ready* 2026-10-23 10:00", {CALL: "pending 2026-10-26 23:59:59"},
        "local dates", now="2026-10-26 23:59:59"),
    Row("fourth day over the autumn change", "Task/r@1 ready* 2026-10-23 10:00", {CALL: "missed 2026-10-26 23:59:59"},
        "local dates", now="2026-10-27 00:00"),
    Row("called before the notice", f"{READY}\nTask/c@1 sip-called 03 10:00", {CALL: "met 07 23:59:59"}, "earlier is in time"),
    Row("ready again, call counted anew", f"{READY}\nTask/r@2 ready-withdrawn* 05 09:00\nTask/r@3 ready* 09 09:00",
        {CALL: "pending 12 23:59:59"}, "from the notice in force", now="12 12:00"),
    Row("withdrawn, no call asked", f"{READY}\nTask/r@2 ready-withdrawn* 05 09:00", {CALL: None}, "no notice in force"),
    Row("declined, no call asked", f"{READY}\nTask/d@1 sip-declined 04 11:00", {CALL: None}, "LUS 4:2"),
    Row("ÖPT, no call asked", f"{READY} compulsory=true", {CALL: None}, "LUS 4:1 2 st."),
    Row("coordinated plan, no call asked", f"{READY}\nCarePlan/o@1 coordinated-plan-made 04 15:00", {CALL: None}, "LUS 4:1 2 st."),
    Row("asked for after going home", f"{READY}\nEncounter/2@1 discharged 04 14:00", {CALL: "pending 07 23:59:59"},
        "the meeting may be held at home", now="05 12:00"),
    Row("missed after going home", f"{READY}\nEncounter/2@1 discharged 04 14:00", {CALL: "missed 07 23:59:59"}, "same"),
]

DISCHARGE = [
    Row("no contact yet", NOTICED, {CONTACT: "pending None"}, "LUS 2:5: the discharge is not known yet"),
    Row("contact appointed", f"{NOTICED}\nTask/k@1 care-contact-appointed 03 09:00", {CONTACT: "met None"}, "LUS 2:5"),
    Row("contact at discharge", f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 05 14:00",
        {CONTACT: "met 05 14:00"}, "clocks show minutes: the same one is before"),
    Row("contact after discharge", f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 05 14:00:01",
        {CONTACT: "missed 05 14:00"}, "LUS 2:5 «innan patienten skrivs ut»"),
    Row("no contact at discharge", f"{NOTICED}\n{GONE}", {CONTACT: "missed 05 14:00"}, "LUS 2:5"),
    Row("contact asked of nobody", f"{ADMITTED}\n{GONE}", {CONTACT: None, INFORMATION: None}, "no unit received a notice"),
    Row("information before discharge", f"{NOTICED}\n{GONE}\nTask/i@1 criterion-met 04 10:00 criterion=information-transferred",
        {INFORMATION: "met 05 23:59:59"}, "LUS 3:2 «senast samma dag»"),
    Row("information at the day's end", f"{NOTICED}\n{GONE}\nTask/i@1 criterion-met 05 23:59:59 criterion=information-transferred",
        {INFORMATION: "met 05 23:59:59"}, "LUS 3:2"),
    Row("information the day after", f"{NOTICED}\n{GONE}\nTask/i@1 criterion-met 06 00:00 criterion=information-transferred",
        {INFORMATION: "missed 05 23:59:59"}, "LUS 3:2"),
    Row("information pending on the day", f"{NOTICED}\n{GONE}", {INFORMATION: "pending 05 23:59:59"}, "LUS 3:2", now="05 23:59:59"),
    Row("information missed", f"{NOTICED}\n{GONE}", {INFORMATION: "missed 05 23:59:59"}, "LUS 3:2", now="06 00:00"),
    Row("a discharge known to the day", f"{READY.replace('04 09:00', '05 10:40')}\n{GONE_THAT_DAY}\nTask/k@1 care-contact-appointed 05 09:00",
        {"state": "discharged", "previous_state": "ready", "ready_episodes": ["05 10:40 - None home None"],
         CONTACT: "met 05 23:59:59", INFORMATION: "pending 05 23:59:59"},
        "R4 datatypes#Period: an end includes the day, so what was done on it was done before", now="05 12:00"),
    Row("admitted and discharged on a day", f"Encounter/1@1 admitted 05 14:20\n{GONE_THAT_DAY}",
        {"state": "discharged", "since": "05 23:59:59", "ended.at": "05 23:59:59"}, "R4 datatypes#Period"),
    Row("information of who is ready", "Task/r@1 ready* 04 09:00", {INFORMATION: "pending None"}, "LUS 3:2: concerned units"),
    Row("planned at opening", planned("2026-03-07T07:00:00+01:00"), {HOURS: "met 07 17:00", "met.discharge-hours": "07 07:00"}, "Bilaga 9: 07–17, all days"),
    Row("planned before opening", planned("2026-03-07T06:59:59+01:00"), {HOURS: "missed 07 17:00", "met.discharge-hours": None}, "same"),
    Row("planned at closing", planned("2026-03-07T17:00:00+01:00"), {HOURS: "met 07 17:00"}, "«mellan 07:00 – 17:00»"),
    Row("planned after closing", planned("2026-03-07T17:00:01+01:00"), {HOURS: "missed 07 17:00"}, "same"),
    Row("planned in summer time", planned("2026-07-01T05:30:00Z"), {HOURS: "met 2026-07-01 17:00"}, "07:30 in Sweden"),
    Row("planned for a day", planned("2026-03-07"), {HOURS: None}, "no time of day is planned"),
    Row("the law knows no hours", planned("2026-03-07T20:00:00+01:00"), {HOURS: None}, "nothing is said", terms="statute"),
]

CLOSED = [
    Row("dead before the limits", f"{READY}\nPatient/d@1 deceased 04 12:00", {CALL: None, CONTACT: None, INFORMATION: None},
        "what was pending is no longer asked"),
    Row("dead at the limit", f"{READY}\nPatient/d@1 deceased 07 23:59:59", {CALL: None}, "it was still pending"),
    Row("dead after the limit", f"{READY}\nPatient/d@1 deceased 08 00:00", {CALL: "missed 07 23:59:59"}, "it was late"),
    Row("dead, kept before", f"{PLANNED}\nPatient/d@1 deceased 04 12:00", {NOTICE: "met 03 08:00", START: "met 02 17:00"}, "kept"),
    Row("dead, then a contact", f"{NOTICED}\nPatient/d@1 deceased 04 12:00\nTask/k@1 care-contact-appointed 04 13:00",
        {CONTACT: None}, "not asked when it came"),
    Row("a contact at the instant of death", f"{NOTICED}\nPatient/d@1 deceased 04 12:00\nTask/k@1 care-contact-appointed 04 12:00",
        {CONTACT: "met 04 12:00"}, "kept in time"),
    Row("elsewhere", f"{READY}\nEncounter/2@1 transferred-out 05 10:00", {CALL: None, CONTACT: None},
        "the next hospital's case asks"),
    Row("interrupted before the limit", f"{READY}\nTask/x@1 interrupted 05 10:00", {CALL: None}, "the process rests"),
    Row("interrupted after the limit", f"{READY}\nTask/x@1 interrupted 08 10:00", {CALL: "missed 07 23:59:59"}, "it was late"),
]
PLANNED_DATE = [
    Row("notice with a date", f"{ADMITTED}\n{noticed('02 10:00')} expected=2026-03-07", {DATED: "met 02 10:00"}, "LUS 2:2; Bilaga 9 «inklusive planerat datum»"),
    Row("notice with an hour", f"{ADMITTED}\n{noticed('02 10:00')} expected=2026-03-07T10:00:00+01:00", {DATED: "met 02 10:00"}, "same"),
    Row("notice without a date", NOTICED, {DATED: "missed 02 10:00", "met.notice-planned-date": None}, "LUS 2:2"),
    Row("date stated at admission", f"{ADMITTED} expected=2026-03-07\n{noticed('02 10:00')}", {DATED: "met 02 10:00"}, "the adapter publishes it with the notice"),
    Row("date stated later", f"{NOTICED}\nTask/e@1 expected-discharge 02 10:00:01 expected=2026-03-07",
        {DATED: "missed 02 10:00", "met.notice-planned-date": "02 10:00:01"}, "2:4 changes a date, it does not give the first"),
    Row("date stated at the same minute", f"{NOTICED}\nTask/e@1 expected-discharge 02 10:00 expected=2026-03-07", {DATED: "met 02 10:00"}, "with the notice"),
    Row("a date in a version that was replaced", f"{ADMITTED}\n{noticed('02 10:00')} expected=2026-03-07\nTask/n@2 admission-notice-sent 02 10:00",
        {DATED: "missed 02 10:00"}, "the newest version counts"),
    Row("no notice, no date asked", ADMITTED, {DATED: None}, "LUS 2:2 is about the notice"),
    Row("notice without a date, by the statute", NOTICED, {DATED: "missed 02 10:00"}, "LUS 2:2", terms="statute"),
]

RECEIVED = [
    Row("receipt pending", NOTICED, {RECEIPT: "pending 02 17:00"}, "Bilaga 9: received 08–17", now="02 17:00"),
    Row("receipt missed", NOTICED, {RECEIPT: "missed 02 17:00"}, "same", now="02 17:00:01"),
    Row("received at closing", f"{NOTICED}\nTask/n@1 admission-notice-acknowledged 02 17:00", {RECEIPT: "met 02 17:00", START: "pending 02 17:00"},
        "receipt and planning are two", now="02 17:00"),
    Row("received after closing", f"{NOTICED}\nTask/n@1 admission-notice-acknowledged 02 17:00:01", {RECEIPT: "missed 02 17:00"}, "same"),
    Row("planned without a receipt", PLANNED, {RECEIPT: "missed 02 17:00", START: "met 02 17:00"}, "apart from the start of planning"),
    Row("received, planned late", f"{NOTICED}\nTask/n@1 admission-notice-acknowledged 02 11:00\nTask/p@1 planning-started 03 08:00",
        {RECEIPT: "met 02 17:00", START: "missed 02 17:00"}, "same"),
    Row("noticed on långfredagen, received on the third day", f"{noticed('2026-04-03 10:00')}\nTask/n@1 admission-notice-acknowledged 2026-04-05 17:00",
        {RECEIPT: "met 2026-04-05 17:00"}, "Bilaga 9 «ta emot … den 3:e dagen»", now="2026-04-09 12:00"),
    Row("the law knows no hours of receipt", NOTICED, {RECEIPT: None}, "nothing is said", terms="statute"),
    Row("home before the receipt was due", f"{NOTICED}\nEncounter/2@1 discharged 02 17:00", {RECEIPT: None}, "the stay ended first"),
]

OFFER = [
    Row("offered, then called", f"{READY}\nTask/o@1 sip-offered 04 10:00\nTask/c@1 sip-called 05 10:00", {OFFERED: "met 05 10:00"},
        "Bilaga 9 «Personen ska först erbjudas SIP»"),
    Row("offered and called in a minute", f"{READY}\nTask/o@1 sip-offered 05 10:00\nTask/c@1 sip-called 05 10:00", {OFFERED: "met 05 10:00"}, "clocks show minutes"),
    Row("called, then offered", f"{READY}\nTask/o@1 sip-offered 05 10:00:01\nTask/c@1 sip-called 05 10:00",
        {OFFERED: "missed 05 10:00", "met.sip-offered-before-call": "05 10:00:01"}, "Bilaga 9"),
    Row("called, never offered", f"{READY}\nTask/c@1 sip-called 05 10:00", {OFFERED: "missed 05 10:00"}, "Bilaga 9"),
    Row("offered before, and once more after", f"{READY}\nTask/o@1 sip-offered 04 10:00\nTask/c@1 sip-called 05 10:00\nTask/q@1 sip-offered 06 10:00",
        {OFFERED: "met 05 10:00", "sip.offered_at": "06 10:00"}, "the first offer counts"),
    Row("neither offered nor called", READY, {OFFERED: "pending None"}, "nobody is called yet", now="05 12:00"),
    Row("called before ready", f"{ADMITTED}\nTask/c@1 sip-called 03 10:00", {OFFERED: "missed 03 10:00"}, "units are called"),
    Row("declined", f"{READY}\nTask/o@1 sip-offered 04 10:00\nTask/o@1 sip-declined 04 11:00", {OFFERED: None}, "LUS 4:2"),
    Row("not asked by the law", f"{READY}\nTask/c@1 sip-called 05 10:00", {OFFERED: None}, "LUS 4:2 asks for consent to the plan", terms="statute"),
    Row("who called, and where to", f'{READY}\nTask/c@1 sip-called 05 10:00 open_care=true caller={{"name":"Eva","unit":"Z"}} place=Hemma',
        {CALL: "met 07 23:59:59", "sip.called_by.name": "Eva", "sip.called_by.unit": "Z", "sip.called_by.open_care": True, "sip.place": "Hemma"}, "LUS 4:3"),
    Row("called by the hospital", f"{READY}\nTask/c@1 sip-called 05 10:00 open_care=false",
        {CALL: "missed 07 23:59:59", "sip.called_at": "05 10:00", "sip.called_by.open_care": False}, "LUS 4:3: the fast vårdkontakt in open care calls"),
    Row("called by the hospital, then by open care", f"{READY}\nTask/c@1 sip-called 05 10:00 open_care=false\nTask/d@1 sip-called 07 23:59:59 open_care=true",
        {CALL: "met 07 23:59:59", "met.sip-call": "07 23:59:59"}, "LUS 4:3"),
    Row("who called is not stated", f"{READY}\nTask/c@1 sip-called 05 10:00", {CALL: "met 07 23:59:59", "sip.called_by": None}, "not known is no deviation"),
    Row("the place of a meeting that was held", f"{READY}\nCarePlan/s@1 sip-held 06 10:00 place=Hemma", {"sip.place": "Hemma"}, "Bilaga 9 «när/var det är bäst»"),
]

COMPULSORY = [
    Row("ÖPT, plan pending", f"{READY} compulsory=true", {PLAN: "pending None"}, "LPT 7 a §: the discharge is not known yet"),
    Row("ÖPT, left without a plan", f"{READY} compulsory=true\n{GONE}", {PLAN: "missed 05 14:00", CALL: None}, "Bilaga 9 «innan personen lämnar sjukhuset»"),
    Row("ÖPT, plan at leaving", f"{READY} compulsory=true\n{GONE}\nCarePlan/o@1 coordinated-plan-made 05 14:00", {PLAN: "met 05 14:00"}, "clocks show minutes"),
    Row("ÖPT, plan after leaving", f"{READY} compulsory=true\n{GONE}\nCarePlan/o@1 coordinated-plan-made 05 14:00:01",
        {PLAN: "missed 05 14:00", "met.coordinated-plan": "05 14:00:01"}, "same"),
    Row("a plan, nothing more stated", f"{READY}\nCarePlan/o@1 coordinated-plan-made 04 15:00\n{GONE}", {PLAN: "met 05 14:00"}, "LPT 7 a §"),
    Row("voluntary care", f"{READY}\n{GONE}", {PLAN: None}, "SIP is asked for instead"),
    Row("ÖPT by the statute", f"{READY} compulsory=true\n{GONE}", {PLAN: "missed 05 14:00"}, "LUS 4:1 2 st., LRV 12 a §", terms="statute"),
    Row("ÖPT, dead before leaving", f"{READY} compulsory=true\nPatient/d@1 deceased 04 12:00", {PLAN: None}, "nobody leaves"),
]

EVA, BO = 'contact={"name":"Eva","unit":"Z"}', 'contact={"name":"Bo","unit":"Y"}'
CONTACTS = [
    Row("two contacts, no coordinator", f"{NOTICED}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}\nTask/l@1 care-contact-appointed 03 10:00 {BO}",
        {COORDINATOR: "pending None", "care_contacts.0.name": "Eva", "care_contacts.1.name": "Bo", "care_contact.name": "Bo"}, "Bilaga 9: all are kept"),
    Row("two contacts, home without a coordinator", f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}\nTask/l@1 care-contact-appointed 03 10:00 {BO}",
        {COORDINATOR: "missed 05 14:00", CONTACT: "met 05 14:00"}, "Bilaga 9 «ska en samordnare tydliggöras»"),
    Row("two contacts, a coordinator at discharge", f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}\n"
        f"Task/l@1 care-contact-appointed 03 10:00 {BO}\nTask/m@1 care-contact-appointed 05 14:00 coordinator=true {BO}",
        {COORDINATOR: "met 05 14:00", "coordinator.name": "Bo"}, "same"),
    Row("two contacts, a coordinator after discharge", f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}\n"
        f"Task/l@1 care-contact-appointed 03 10:00 {BO}\nTask/m@1 care-contact-appointed 05 14:00:01 coordinator=true {BO}",
        {COORDINATOR: "missed 05 14:00", "met.coordinator": "05 14:00:01"}, "same"),
    Row("one contact", f"{NOTICED}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}\n{GONE}", {COORDINATOR: None}, "«om flera … finns»"),
    Row("one contact, reported twice", f"{NOTICED}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}\nCareTeam/l@1 care-contact-appointed 03 10:00 {EVA}",
        {COORDINATOR: None, "care_contacts.1": None}, "one and the same"),
    Row("one contact, once without a name", f"{NOTICED}\nTask/k@1 care-contact-appointed 03 09:00\nCareTeam/l@1 care-contact-appointed 03 10:00 {EVA}",
        {COORDINATOR: None, "care_contacts.0.name": "Eva", "care_contacts.0.appointed_at": "03 09:00"}, "nothing tells them apart"),
    Row("a contact exchanged for another", f"{NOTICED}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}\nTask/k@2 care-contact-appointed 03 10:00 {BO}",
        {COORDINATOR: None, "care_contacts.0.name": "Bo", "care_contacts.1": None}, "the newest version counts"),
    Row("the second contact after discharge", f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}\nTask/l@1 care-contact-appointed 06 10:00 {BO}",
        {COORDINATOR: None}, "at discharge there was one"),
    Row("several, by the statute", f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}\nTask/l@1 care-contact-appointed 03 10:00 {BO}",
        {COORDINATOR: None}, "the law knows no coordinator", terms="statute"),
    Row("a coordinator alone", f"{NOTICED}\n{GONE}\nTask/m@1 care-contact-appointed 03 09:00 coordinator=true {BO}",
        {CONTACT: "missed 05 14:00", "criteria": [], "times.care-contact-appointed": None, "care_contacts.0": None, "coordinator.name": "Bo"},
        "a coordinator is no fast vårdkontakt"),
    Row("appointed by the hospital", f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 open_care=false {EVA}",
        {CONTACT: "missed 05 14:00", "criteria": [], "care_contacts.0.open_care": False}, "LUS 2:5: open care appoints"),
    Row("appointed by open care", f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 open_care=true {EVA}",
        {CONTACT: "met 05 14:00", "criteria": ["care-contact-appointed"], "care_contact.open_care": True}, "LUS 2:5"),
    Row("by the hospital, then by open care", f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 open_care=false {EVA}\n"
        f"Task/l@1 care-contact-appointed 04 09:00 open_care=true {EVA}",
        {CONTACT: "met 05 14:00", "met.care-contact": "04 09:00", "care_contacts.0.open_care": True, "care_contacts.1": None}, "LUS 2:5"),
]

ACTUALLY = [
    Row("home at opening", f"{ADMITTED}\nEncounter/2@1 discharged 05 07:00", {ACTUAL: "met 05 17:00", "met.discharge-hours-actual": "05 07:00"}, "Bilaga 9: 07–17, all days"),
    Row("home before opening", f"{ADMITTED}\nEncounter/2@1 discharged 05 06:59:59", {ACTUAL: "missed 05 17:00"}, "same"),
    Row("home at closing, on a Sunday", f"{ADMITTED}\nEncounter/2@1 discharged 08 17:00", {ACTUAL: "met 08 17:00"}, "«veckans alla dagar»"),
    Row("home after closing", f"{ADMITTED}\nEncounter/2@1 discharged 05 17:00:01", {ACTUAL: "missed 05 17:00"}, "same"),
    Row("planned within hours, home after them", planned("2026-03-05T16:00:00+01:00") + "\nEncounter/2@1 discharged 05 19:00",
        {HOURS: "met 05 17:00", ACTUAL: "missed 05 17:00"}, "planned and actual are two"),
    Row("home on a day", f"{ADMITTED}\n{GONE_THAT_DAY}", {ACTUAL: None}, "no hour is known"),
    Row("still in", ADMITTED, {ACTUAL: None}, "nobody has gone home"),
    Row("to another hospital at night", f"{ADMITTED}\nEncounter/2@1 transferred-out 05 03:00", {ACTUAL: None}, "no discharge"),
    Row("the law knows no hours, home at night", f"{ADMITTED}\nEncounter/2@1 discharged 05 03:00", {ACTUAL: None}, "nothing is said", terms="statute"),
]
# fmt: on
