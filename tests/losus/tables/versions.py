"""Which version of a resource counts, and what is taken back."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

from tests.losus.tables.states import ADMITTED, NOTICED, PLANNED, READY
from tests.losus.telling import Row

BERG, KROKOM = "municipality=2326", "municipality=2309"

# fmt: off
VERSIONS = [
    Row("the newer version came first", """
        Encounter/1@10 admitted 02 09:30
        Encounter/1@9 admitted 02 08:00""", {"times.admitted": "02 09:30"},
        "versionId 10 is newer than 9, whenever it came"),
    Row("no version number, only times", """
        Encounter/1@-1/2026-03-03T08:00:00Z admitted 02 09:30
        Encounter/1@-1/2026-03-02T08:00:00Z admitted 02 08:00""", {"times.admitted": "02 09:30"},
        "meta.lastUpdated, or the mapping's own version"),
    Row("a newer version is silent on it", f"{NOTICED}\nTask/n@2 nothing",
        {"state": "admitted", "times.admission-notice-sent": None}, "it replaces what the older said"),
    Row("correction of times after discharge", """
        Encounter/1@2 admitted 02 08:00
        Encounter/1@2 discharged 05 14:00
        Encounter/1@3 admitted 02 07:00
        Encounter/1@3 discharged 05 10:00
        Encounter/1@1 admitted 02 08:00""",
        {"state": "discharged", "ended.at": "05 10:00", "times.admitted": "02 07:00"}, "the newest version"),
    Row("discharge taken back in its own resource", """
        Encounter/1@2 discharged 05 14:00
        Encounter/1@3 admitted 02 08:00""", {"state": "admitted", "ended": None}, "same"),
    Row("each notice an occurrence", f"""{PLANNED}
        Task/r@3 ready* 06 09:00
        Task/r@1 ready* 04 09:00
        Task/r@2 ready-withdrawn* 05 09:00""",
        {"state": "ready", "since": "06 09:00",
         "ready_episodes": ["04 09:00 - 05 09:00 home None", "06 09:00 - None home None"]},
        "repeats: true keeps what older versions said"),
    Row("without repeats only the newest", f"{PLANNED}\nTask/r@2 ready 06 09:00\nTask/r@1 ready 04 09:00",
        {"ready_episodes": ["06 09:00 - None home None"]}, "a correction, not a second notice"),
    Row("one fact told by two versions", f"{ADMITTED}\nEncounter/1@2 admitted 02 08:00 care_form=somatic",
        {"sources.0.version": "1", "sources.1": None}, "known since version 1; saying it again is no news"),
    Row("told, denied, told again", f"""{ADMITTED}
        Encounter/1@2 nothing
        Encounter/1@3 admitted 02 08:00 care_form=somatic""",
        {"sources.0.version": "3", "sources.1": None}, "from version 3 on without a break"),
    Row("a repeated fact told again", "Task/r@1 ready* 04 09:00\nTask/r@2 nothing\nTask/r@3 ready* 04 09:00",
        {"sources.0.version": "1", "sources.1": None}, "it held all along"),
    Row("an occurrence confirmed for good", """
        Task/r@1 ready* 04 09:00
        Task/r@2 ready 04 09:00
        Task/r@3 nothing""", {"state": "ready"}, "once said as an occurrence it stays one"),
    Row("a fact corrected by word", "Encounter/1@1 admitted 02 08:00\nEncounter/1@2 admitted 02 08:00 care_form=somatic",
        {"sources.0.version": "2", "care_form": "somatic"}, "other fields are another statement"),
    Row("one resource of two hospitals", """
        a:Encounter/1@1 admitted 02 08:00
        b:Encounter/1@2 nothing""", {"state": "admitted", "sources.0.source": "a"},
        "an id means something only together with its source"),
    Row("entered in error", f"{NOTICED}\nTask/n@2 void", {"state": "admitted"}, "all it said is void"),
    Row("entered in error, repeats too", f"{READY}\nTask/r@2 void", {"state": "planning", "ready_episodes": []}, "same"),
    Row("in error, then stated anew", f"{NOTICED}\nTask/n@2 void\nTask/n@3 admission-notice-sent 02 11:00",
        {"state": "notified", "times.admission-notice-sent": "02 11:00", "sources.1.version": "3"},
        "a version newer than the void one counts"),
    Row("the void one is older", "Task/r@1 ready* 04 09:00\nTask/r@3 ready* 06 09:00\nTask/r@2 void",
        {"ready_episodes": ["06 09:00 - None home None"]}, "void takes back what was said until then"),
    Row("what a void version says", "Encounter/1@1 void\nEncounter/1@1 admitted 02 08:00", {"state": "voided"},
        "entered-in-error says nothing else"),
    Row("all in error", f"{ADMITTED}\nEncounter/1@2/2026-03-03T10:00:00+01:00 void",
        {"state": "voided", "label": "makulerad", "since": "03 10:00", "previous_state": None}, "makulerad"),
    Row("the stay in error, its steps not",
        f"{ADMITTED}\nTask/r@1 ready* 06 09:00\nEncounter/1@2/2026-03-09T10:00:00+01:00 void-stay",
        {"state": "voided", "since": "09 10:00"}, "R4 encounter-status: its steps fall with it"),
    Row("the stay in error, entered again", "Encounter/1@1 void-stay\nEncounter/2@1 admitted 02 08:00",
        {"state": "admitted"}, "another resource admits"),
    Row("in error at an unknown time", "Encounter/1@1 void", {"state": "voided", "since": None}, "same"),
    Row("all but the person in error", f"Patient/1@1 patient 01 08:00\n{ADMITTED}\nEncounter/1@2 void",
        {"state": "voided"}, "what was told must be taken back, though the person exists"),
    Row("turned back into a plan", f"{ADMITTED}\nEncounter/1@2 expected-discharge 02 08:00",
        {"state": "voided"}, "same: the admission that was told is no more"),
]

ADMISSIONS = [
    Row("cancelled admission", f"{ADMITTED}\nEncounter/1@2 voided 02 09:00 reason=wrong-person",
        {"state": "voided", "reason": "wrong-person", "since": "02 09:00", "deadlines": ()}, "makulerad"),
    Row("cancelled and entered again", f"""
        Encounter/2@1 admitted 02 08:00
        {ADMITTED}
        Encounter/1@2 voided 02 09:00""",
        {"state": "admitted", "sources.0.resource": "Encounter/2"}, "one cancels its own admission alone"),
    Row("cancelled and revived", f"{ADMITTED}\nEncounter/1@3 admitted 02 08:00\nEncounter/1@2 voided 02 09:00",
        {"state": "admitted", "since": "02 08:00"}, "the newest version says it stands"),
    Row("both cancelled", """
        Encounter/1@1 voided 02 09:00
        Encounter/2@1 voided 02 10:00""", {"state": "voided", "since": "02 09:00"}, "none is left"),
    Row("a planned admission that never happened", """
        Encounter/1@2 voided 02 09:00
        Encounter/1@1 expected-discharge 01 08:00 expected=2026-03-05""",
        {"state": "voided", "previous_state": None, "statutory.expected_discharge": None}, "never in closed care"),
    Row("an emergency contact", "Encounter/1@1 patient 02 08:00", {"state": None}, "not admitted: no case to tell of"),
    Row("an emergency contact that became an admission", """
        Encounter/1@2 admitted 02 11:00
        Encounter/1@1 patient 02 08:00""", {"state": "admitted", "times.admitted": "02 11:00"},
        "LUS 2:3 from the admission, not from the arrival"),
    Row("facts after a voiding", f"{ADMITTED}\nEncounter/1@2 voided 02 09:00\nTask/n@1 admission-notice-sent 02 10:00",
        {"state": "voided"}, "nothing brings a cancelled admission back but an admission"),
]

READINESS = [
    Row("withdrawn", f"{READY}\nTask/r@2 ready-withdrawn* 04 15:00",
        {"state": "planning", "since": "04 15:00", "previous_state": "ready", "criteria": [],
         "ready_episodes": ["04 09:00 - 04 15:00 home None"], "day_zero": None},
        "VHB: återtagen; the other facts give the state"),
    Row("ready again the same day", f"{READY}\nTask/r@2 ready-withdrawn* 04 10:00\nTask/r@3 ready* 04 11:00",
        {"state": "ready", "since": "04 11:00",
         "ready_episodes": ["04 09:00 - 04 10:00 home None", "04 11:00 - None home None"]},
        "the clock starts with the next notice"),
    Row("three times in one stay", f"""{READY}
        Task/r@6 ready* 08 09:00
        Task/r@5 ready-withdrawn* 07 09:00
        Task/r@2 ready-withdrawn* 05 09:00
        Task/r@4 ready* 06 09:00
        CarePlan/1@1 all-criteria 04 11:00""",
        {"state": "home-ready", "ready_episodes": [
            "04 09:00 - 05 09:00 home 04 11:00",
            "06 09:00 - 07 09:00 home 06 09:00",
            "08 09:00 - None home 08 09:00"]}, "several cycles in a stay"),
    Row("a second notice without withdrawal", f"{READY}\nTask/r@2 ready* 06 09:00",
        {"since": "04 09:00", "ready_episodes": ["04 09:00 - None home None"]}, "does not restart the clock"),
    Row("notice and withdrawal at one instant", f"{PLANNED}\nTask/r@2 ready-withdrawn* 04 09:00\nTask/r@1 ready* 04 09:00",
        {"state": "planning", "ready_episodes": ["04 09:00 - 04 09:00 home None"]}, "the notice comes first"),
    Row("withdrawn before any notice", f"{PLANNED}\nTask/r@1 ready-withdrawn* 04 08:00", {"ready_episodes": []},
        "there is nothing to withdraw"),
    Row("a criterion lost and found", f"""{READY}
        CarePlan/1@1 all-criteria 04 11:00
        CarePlan/2@1 criterion-unmet 05 08:00 criterion=aids-available
        CarePlan/3@1 criterion-met 06 08:00 criterion=aids-available""",
        {"state": "home-ready", "since": "06 08:00", "ready_episodes": ["04 09:00 - None home 06 08:00"]},
        "the last unbroken time counts"),
    Row("a criterion lost", f"""{READY}
        CarePlan/1@1 all-criteria 04 11:00
        CarePlan/2@1 criterion-unmet 05 08:00 criterion=aids-available""",
        {"state": "ready", "previous_state": "home-ready", "ready_episodes": ["04 09:00 - None home None"]},
        "not hemgångsklar is outside the economic regulation"),
    Row("lost after going home", f"""{READY}
        CarePlan/1@1 all-criteria 04 11:00
        Encounter/2@1 discharged 05 08:00
        CarePlan/2@1 criterion-unmet 05 08:01 criterion=aids-available""",
        {"ready_episodes": ["04 09:00 - None home 04 11:00"]}, "judged at the end of the stay"),
    Row("met after going home", f"""{READY}
        Encounter/2@1 discharged 05 08:00
        CarePlan/1@1 all-criteria 05 08:01""",
        {"state": "discharged", "ready_episodes": ["04 09:00 - None home None"]}, "same"),
    Row("met when going home", f"""{READY}
        Encounter/2@1 discharged 05 08:00
        CarePlan/1@1 all-criteria 05 08:00""",
        {"ready_episodes": ["04 09:00 - None home 05 08:00"]}, "the same instant is in the stay"),
    Row("criteria before the notice", f"CarePlan/1@1 all-criteria 03 11:00\n{READY}",
        {"state": "home-ready", "since": "04 09:00", "previous_state": "planning"}, "both must hold: the later counts"),
    Row("criteria without notice", f"{PLANNED}\nCarePlan/1@1 all-criteria 03 11:00",
        {"state": "planning", "ready_episodes": [], "day_zero": None}, "Bilaga 9: utskrivningsklar is the first"),
    Row("six of seven", f"""{READY}
        CarePlan/1@1 all-criteria 04 11:00
        CarePlan/2@1 criterion-unmet 04 11:00 criterion=aids-available""",
        {"state": "ready", "day_zero": None}, "all are required; of one instant no outweighs yes"),
    Row("the physician doubts", f"{READY}\nCarePlan/1@1 all-criteria 04 11:00\nTask/a@1 criterion-unmet 05 08:00 criterion=physician-assessment",
        {"state": "ready"}, "what is said outright outweighs what a notice implies"),
    Row("the physician judges anew", f"""{READY}
        CarePlan/1@1 all-criteria 04 11:00
        Task/a@1 criterion-unmet 05 08:00 criterion=physician-assessment
        Task/r@2 ready* 06 08:00""",
        {"state": "home-ready", "since": "06 08:00", "ready_episodes": ["04 09:00 - None home 06 08:00"]},
        "the later word; the notice itself stands since the 4th"),
    Row("the care contact leaves", f"""{READY}
        CarePlan/1@1 all-criteria 04 11:00
        Task/k@1 care-contact-appointed 03 09:00
        Task/a@1 criterion-unmet 05 08:00 criterion=care-contact-appointed""", {"state": "ready"}, "same"),
    Row("day zero before the cut-off", f"{PLANNED}\nTask/r@1 ready* 04 11:59:59", {"day_zero": "2026-03-04"},
        "LUS 5:4", terms="statute"),
    Row("day zero at the cut-off, statute", f"{PLANNED}\nTask/r@1 ready* 04 12:00", {"day_zero": "2026-03-04"},
        "LUS 5:4 «efter klockan 12.00»", terms="statute"),
    Row("day zero after the cut-off", f"{PLANNED}\nTask/r@1 ready* 04 12:00:01", {"day_zero": "2026-03-05"},
        "LUS 5:4", terms="statute"),
    Row("day zero in summer time", "Task/r@1 ready* 2026-07-01 12:30", {"day_zero": "2026-07-02"},
        "12:30 in Sweden is 10:30 in UTC", terms="statute"),
    Row("day zero just before the cut-off, Jämtland", f"Task/r@1 ready* 04 11:59:59\n{PLANNED}\nCarePlan/1@1 all-criteria 03 11:00",
        {"day_zero": "2026-03-04"}, "Bilaga 9 note 4 «före kl. 12:00»"),
    Row("day zero at the cut-off, Jämtland", f"Task/r@1 ready* 04 12:00\n{PLANNED}\nCarePlan/1@1 all-criteria 03 11:00",
        {"day_zero": "2026-03-05"}, "same: 12:00 is not before 12:00"),
    Row("day zero by hemgångsklar", f"{READY}\nCarePlan/1@1 all-criteria 06 18:00", {"day_zero": "2026-03-06"},
        "Bilaga 9: the later of the two; the cut-off is of the notice"),
    Row("day zero after a withdrawal", f"{READY}\nTask/r@2 ready-withdrawn* 05 09:00\nTask/r@3 ready* 06 09:00",
        {"day_zero": "2026-03-06"}, "the last notice that is not withdrawn", terms="statute"),
]
# fmt: on
