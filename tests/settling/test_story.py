"""The story of a stay: every figure with the clause that decides, in both languages."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapter.errors import LosusError
from adapter.losus.terms import SignalKind
from adapter.settlement.stay import Stay
from adapter.settling.explaining import known_from_rows, known_from_store
from adapter.settling.step_words import SIGNALS, Language
from adapter.settling.words import Known, Question, story
from tests.service import service
from tests.settlement import test_reasons as reasons
from tests.settlement.making import JH, LUS, STHLM, VGR, book, episode, rules, stay
from tests.settling.hospital import corrected, database, ledger, messages, rows, settled, tell

WEEK = stay("2019-05-13 10:00", "2019-05-20 15:00", "a")


def told(one: Stay, agreement: str | None, language: Language = "en") -> str:
    named = rules(agreement) if agreement else None
    return "\n".join(story(known_from_rows([one], one.stay, book(), named), language))


STORIES = [
    # stay, agreement, what the story says, because
    (WEEK, LUS, "Day zero is 2019-05-13", "LUS 5:4: the notice came before 12:00"),
    (WEEK, LUS, "Day 3, 2019-05-16: SEK 7 800.00", "LUS 5:4: three days after; the rate of 2019"),
    (WEEK, LUS, "Together SEK 31 200.00", "days 3 to 6: the day of discharge is not counted"),
    (WEEK, LUS, "Payable from day 3", "LUS 5:4"),
    (
        stay("2019-05-13 12:00", "2019-05-20 15:00", "a"),
        LUS,
        "counts for 2019-05-13",
        "LUS 5:4 «efter klockan 12.00»: sharp is in time",
    ),
    (
        stay("2019-05-13 12:00", "2019-05-20 15:00", "a"),
        JH,
        "counts for 2019-05-14",
        "Bilaga 9, footnote 4 «före kl. 12:00»: sharp is not",
    ),
    (WEEK, JH, "mean 7, threshold 3: joint analysis", "Bilaga 9: the first month over"),
    (WEEK, JH, "Nothing is charged: the month is not one of liability", "Bilaga 9: three months in a row"),
    (
        stay((episode("2019-05-13 10:00", None),), "2019-05-20 15:00", "a"),
        JH,
        "In no mean and on no bill: Not hemgångsklar",
        "Bilaga 9: never hemgångsklar",
    ),
    (
        stay(
            (episode("2019-05-10 10:00", None, "2019-05-10 15:00"), episode("2019-05-13 10:00")),
            "2019-05-20 15:00",
            "a",
        ),
        LUS,
        "Utskrivningsklar 2019-05-10 10:00 was withdrawn and does not count",
        "the next one starts anew",
    ),
    (
        stay("2019-05-13 10:00", "2019-05-20 15:00", "a", open_care_available=None),
        LUS,
        "Not charged: Open care not available, or not clarified",
        "LUS 5:5",
    ),
    (
        stay("2019-05-13 10:00", "2019-05-15 15:00", "a"),
        LUS,
        "No day is payable",
        "home on the second day",
    ),
    (stay("2019-05-13 10:00", None, "a"), LUS, "Still in care", "not ended"),
    (
        stay("2021-05-13 10:00", "2021-05-20 15:00", "a"),
        LUS,
        "The amount of 2021 is not known: the month is settled once it is entered, and this stay has days",
        "2021 has no rate",
    ),
    (
        stay("2019-05-13 10:00", "2019-05-18 15:00", "a"),
        VGR,
        "charges the excess of the mean, not single days",
        "five days: not a long stay",
    ),
    (
        stay("2020-05-13 10:00", "2020-05-20 15:00", "a"),
        STHLM,
        "liable to pay",
        "seven days, threshold two",
    ),
    (WEEK, None, f"Settled by: {JH} is in force", "Östersund is a party"),
]


@pytest.mark.parametrize(("one", "agreement", "words", "because"), STORIES)
def test_what_the_story_says(one: Stay, agreement: str | None, words: str, because: str) -> None:
    assert words in told(one, agreement), because


def test_the_same_story_in_swedish() -> None:
    text = told(WEEK, LUS, "sv")
    for words in (
        "Vårdtillfälle a: betalningsansvarig kommun 2380, somatisk vård.",
        "2019-05-13 10:00: utskrivningsklar meddelad.",
        "det angavs för alla vårdtillfällen",
        "Dag noll är 2019-05-13",
        "«ska kommunens betalningsansvar inträda tre dagar efter",
        "Dygn 3, 2019-05-16: 7 800,00 kr (HSLF-FS 2018:67",
        "Tillsammans 31 200,00 kr.",
    ):
        assert words in text
    assert len(text.splitlines()) == len(told(WEEK, LUS).splitlines()), "sentence by sentence"
    assert text.count("«ska kommunens betalningsansvar inträda tre dagar efter") == 1, "quoted once"


def test_every_signal_has_words() -> None:
    assert set(SIGNALS) == set(SignalKind)


def test_no_such_stay() -> None:
    with pytest.raises(LosusError, match="no such stay"):
        known_from_rows([WEEK], "b", book(), None)


async def test_the_story_of_a_case_names_the_messages_and_its_corrections(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(("2019-01", "2019-02", "2019-03", "2019-04")):
            await tell(client, *messages(number, month, 20))
        for month, on in (("2019-01", "2019-05-02"), ("2019-04", "2019-05-02")):
            await settled(dsn, month, on, issue=True)
        await tell(client, corrected(3, "2019-04", 18, 3))
    await settled(dsn, "2019-05", "2019-06-02", issue=True)
    [(case_id,)] = await rows(dsn, "select id from cases where key = 'stay-1-3'")
    async with database(dsn) as opened, opened.transaction() as connection:
        known = await known_from_store(connection, ledger(dsn), case_id, datetime(2019, 7, 1, tzinfo=UTC))
    text = "\n".join(story(known, "en"))
    assert "2019-04-18 12:00: discharged (losus-r4 Encounter/stay-1-3 3)." in text
    assert "condition of hemgångsklar met (aids-available) (losus-r4 Task/" in text
    assert "Together SEK 31 200.00." in text
    assert "Issued on the statement of 2019-04" in text
    assert "Credited on the statement of 2019-05" in text
    assert "2019-04: -2 d, SEK -15 600.00, corrects " in text
    assert ": facts changed: end of care 2019-04-20T10:00:00Z → 2019-04-18T10:00:00Z [Bilaga 9" in text
    assert "Tolvansson" not in text
    assert "191212121212" not in text


def test_the_whole_life_of_a_line_in_the_order_in_which_it_happened() -> None:
    """Issued as analysis, retroactively owed, disputed, upheld, credited: each with its date and reason."""
    facts = reasons.dispute(reasons.before())
    issued = reasons.issued(facts, reasons.NEXT, reasons.history())
    stay_ = next(one for one in facts.stays if one.stay == reasons.FIRST)
    upheld = replace(facts.disputed[0])
    question = Question(upheld, datetime(2019, 11, 1, 9, tzinfo=UTC), datetime(2019, 11, 20, 9, tzinfo=UTC))
    rule = rules(JH)
    later = [replace(one, issued_at=datetime(2019, 12, 24, 9, tzinfo=UTC)) for one in issued[-2:]]
    earlier = [replace(one, issued_at=datetime(2019, 6, 3, 9, tzinfo=UTC)) for one in issued[:-2]]
    known = Known(stay_, (), rule, "it binds.", None, (*later, *earlier), disputed=(question,))
    languages: tuple[Language, Language] = ("en", "sv")
    english, swedish = ([one for one in story(known, lang) if one.startswith("2019-")] for lang in languages)
    assert [line[:16] for line in english] == [
        "2019-06-03 11:00",
        "2019-11-01 10:00",
        "2019-11-20 10:00",
        "2019-12-24 10:00",
    ]
    debited, asked, answered, credited = english
    assert "Debited afterwards on the statement of 2019-05" in debited
    assert "(the mean of 2019-05: 4) [Bilaga 9" in debited
    assert asked.endswith("The line was disputed by municipality 2380 (d-1).")
    assert answered.endswith("The region upheld the dispute: «Kommunen har rätt.».")
    assert "Credited on the statement of 2019-06" in credited
    assert "the dispute was upheld: «Kommunen har rätt.»" in credited
    assert "Krediterat på avräkningen för 2019-06" in swedish[3]
    assert "kommunens bestridande bifölls: «Kommunen har rätt.»" in swedish[3]
