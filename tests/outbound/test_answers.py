"""What a broker's answers say of lanes and events: whose fault it is that a claim is not through."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownError,
    UnknownTopicOrPartitionError,
)

from adapter.outbound.answers import Future, Outcome, Sent
from adapter.watch import RELAY_FENCED

OK, NONE = "acknowledged", "no answer"


def answered(said: Any) -> Future:
    future: Future = asyncio.get_running_loop().create_future()
    if said == OK:
        future.set_result(None)
    elif said != NONE:
        future.set_exception(said())
    return future


def judged(progress: Any, lanes: dict[str, list[Any]], *, alone: bool = False, denied: Any = ()) -> Outcome:
    sent = Sent(
        progress=answered(progress) if progress else None,
        lanes={lane: [(n, answered(one)) for n, one in enumerate(said)] for lane, said in lanes.items()},
    )
    outcome = Outcome()
    sent.judge(outcome, list(denied), alone=alone)
    return outcome


#: progress, lanes, error?, faults, because
TOGETHER = [
    (OK, {"a": [OK], "b": [OK]}, False, {}, "all is well"),
    (None, {"a": [OK]}, False, {}, "without transactions no progress is written"),
    (OK, {"a": [NONE], "b": [OK]}, True, {"a": "slow"}, "the broker answers, but for one lane"),
    (OK, {"a": [OK, NONE], "b": [OK]}, True, {"a": "slow"}, "one record without an answer is enough"),
    (OK, {"a": [NONE]}, True, {"a": "slow"}, "alone in its transaction, and the broker answers"),
    (NONE, {"a": [NONE], "b": [OK]}, True, {}, "the broker does not answer us either"),
    (OK, {"a": [NONE], "b": [NONE], "c": [OK]}, True, {}, "so many are not at fault: the broker is slow"),
    (OK, {"a": [TopicAuthorizationFailedError], "b": [OK]}, True, {"a": "denied"}, "not ours to write"),
    (OK, {"a": [UnknownTopicOrPartitionError], "b": [OK]}, True, {"a": "missing"}, "the topic is not there"),
    (OK, {"a": [UnknownError], "b": [OK]}, True, {}, "an error that we cannot read, of a batch of many"),
    (OK, {"a": [OutOfOrderSequenceNumber], "b": [OK]}, True, {}, "the producer has lost its place"),
    (NONE, {"a": [ProducerFenced], "b": [ProducerFenced]}, True, {}, "another relay has taken over"),
    (OK, {"a": [KafkaError], "b": [KafkaError]}, True, {}, "the producer died of something else"),
]


@pytest.mark.parametrize(("progress", "lanes", "is_amiss", "faults", "because"), TOGETHER)
async def test_of_lanes_together(
    progress: Any, lanes: dict[str, list[Any]], is_amiss: bool, faults: dict[str, str], because: str
) -> None:
    outcome = judged(progress, lanes)
    assert (bool(outcome.error), outcome.faults) == (is_amiss, faults), because
    assert not outcome.refused
    assert not outcome.doubtful


#: answers to the events 0, 1, 2 …; refused, doubtful, faults, because
ALONE = [
    ([OK, MessageSizeTooLargeError, OK], {1}, set(), {}, "its own record is too large"),
    ([RecordListTooLargeError], {0}, set(), {}, "larger than a segment of the topic"),
    (
        [OK, MessageSizeTooLargeError, OutOfOrderSequenceNumber],
        {1},
        set(),
        {},
        "what came after it is a trace",
    ),
    ([OK, UnknownError, OK], set(), {1}, {"a": "unclear"}, "others were taken: it is the record's"),
    ([UnknownError, UnknownError], set(), set(), {"a": "unclear"}, "none was taken: it is the topic's"),
    ([NotLeaderForPartitionError, OK], set(), set(), {"a": "unclear"}, "of the topic, and it may pass"),
    ([KafkaError, OK], set(), set(), {}, "no answer of the broker's: our own"),
]


@pytest.mark.parametrize(("said", "refused", "doubtful", "faults", "because"), ALONE)
async def test_of_a_lane_alone(
    said: list[Any], refused: set[int], doubtful: set[int], faults: dict[str, str], because: str
) -> None:
    outcome = judged(OK, {"a": said}, alone=True)
    assert (set(outcome.refused), set(outcome.doubtful), outcome.faults) == (refused, doubtful, faults), (
        because
    )
    assert outcome.error, because


async def test_what_the_coordinator_denies_is_the_lane_of_the_topic() -> None:
    assert judged(OK, {"2380": [OK], "2309": [OK]}, denied=["losus.2380.cases"]).faults == {"2380": "denied"}


async def test_being_fenced_is_counted() -> None:
    before = RELAY_FENCED._value.get()
    judged(NONE, {"a": [ProducerFenced, OK]})
    assert RELAY_FENCED._value.get() == before + 1
