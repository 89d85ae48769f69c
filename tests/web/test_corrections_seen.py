"""`/cases/{id}/timeline`: what was corrected is seen as it was, with when and by which message (PDL 3:14)."""

from tests.flow.test_protected import PLANTED, marked
from tests.service import service
from tests.settling.hospital import corrected, messages, rows, tell


async def test_a_corrected_discharge(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
        [case] = (await client.get("/cases")).json()["cases"]
        where = f"/cases/{case['case_id']}/timeline"
        before = (await client.get(where)).json()
        assert before["corrected"] == []
        await tell(client, corrected(1, "2019-03", 18, 3))
        told = (await client.get(where)).json()
    came = {number: at.isoformat() for number, at in await rows(dsn, "select id, received_at from message")}
    [now] = [one for one in told["signals"] if one["signal"] == "discharged"]
    assert (now["at"], now["version"], now["message"]) == ("2019-03-18T10:00:00Z", "3", 14), "as it is"
    [was] = told["corrected"]
    assert (was["signal"], was["at"], was["version"], was["message"], was["taken_back"]) == (
        "discharged",
        "2019-03-20T10:00:00Z",
        "2",
        12,
        False,
    ), "as it was"
    assert (was["by"]["version"], was["by"]["message"]) == ("3", 14)
    assert was["by"]["received_at"].replace("Z", "+00:00") == came[14], "when it was corrected"
    assert was["received_at"].replace("Z", "+00:00") == came[12], "when it was said first"


async def test_of_a_protected_person_nothing_but_times(dsn: str) -> None:
    sent = marked([*messages(1, "2019-03", 20), corrected(1, "2019-03", 18, 3)], "sekretessmarkering")
    async with service(dsn) as client:
        await tell(client, *sent)
        [case] = (await client.get("/cases")).json()["cases"]
        answer = await client.get(f"/cases/{case['case_id']}/timeline")
    assert answer.json()["corrected"] != []
    assert [word for word in PLANTED if word in answer.text] == []
