"""What the broker answered to the records of a claim, and what that says of lanes and events.

Owns the reading of a producer's futures; does not own the producer (`courier`), nor what follows.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiokafka.errors import (
    BrokerResponseError,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnknownError,
    UnknownProducerId,
    UnknownTopicOrPartitionError,
)

from adapter.watch import RELAY_FENCED

#: What a broker says of a record that it will never take, however often it is asked.
REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError)
#: What is wrong with the producer, and nothing with the topic whose record was answered so.
_OURS = (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    OutOfOrderSequenceNumber,
    TransactionalIdAuthorizationFailed,
    UnknownProducerId,
)

Future = asyncio.Future[Any]


@dataclass(slots=True)
class Outcome:
    """What became of a claim.

    `committed`: True, False, or None where only Kafka knows. `faults`: by lane, why it held the claim up.
    `refused`: by number of the event, the kind of error of a record that the broker will never take;
    `doubtful`: of one that it did not take for a reason that we cannot read, while it took others.
    `places`: by number of the event, partition and offset of the first of its records, once all are there.
    """

    committed: bool | None = False
    faults: dict[str, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    doubtful: dict[int, str] = field(default_factory=dict)
    places: dict[int, tuple[int, int]] = field(default_factory=dict)
    error: str = ""


@dataclass(slots=True)
class Sent:
    """What was given to a producer: futures of our own progress, and of each lane's events, by number.

    `refused`: events that the producer did not even take.
    """

    progress: Future | None = None
    lanes: dict[str, list[tuple[int, Future]]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)

    @property
    def answers(self) -> int:
        """How many records the broker has answered to so far."""
        return sum(future.done() for futures in self.lanes.values() for _, future in futures)

    def judge(self, outcome: Outcome, denied: list[str], *, alone: bool) -> None:
        """Say whose fault it is; `denied`: topics that we were not let write to; `alone`: one lane.

        What has not been answered is given up. `error` is set where anything is amiss.
        """
        outcome.refused |= self.refused
        late = {
            lane for lane, futures in self.lanes.items() if self._read(lane, futures, outcome, alone=alone)
        }
        outcome.faults |= {topic.split(".")[1]: "denied" for topic in denied}
        has_answered = self.progress is not None and _is_acknowledged(self.progress)
        if self.progress is not None and not self.progress.done():
            self.progress.cancel()
        if late and has_answered and len(late) <= max(len(self.lanes) // 4, 1):
            outcome.faults |= dict.fromkeys(late - outcome.faults.keys(), "slow")
        is_whole = self.progress is None or has_answered
        if outcome.faults or outcome.refused or outcome.doubtful or late or not is_whole:
            outcome.error = outcome.error or "refused"

    def places(self) -> dict[int, tuple[int, int]]:
        """Where the first record of each event is: partition and offset; those that the broker told.

        Of a batch that it had already it need not tell where (offset -1).
        """
        told: dict[int, tuple[int, int]] = {}
        for futures in self.lanes.values():
            for number, future in futures:
                if number not in told and (one := future.result()).offset >= 0:
                    told[number] = (one.partition, one.offset)
        return told

    def _read(self, lane: str, futures: list[tuple[int, Future]], outcome: Outcome, *, alone: bool) -> bool:
        """Whether an answer is missing; errors are put down to the lane, the event or ourselves."""
        waiting = [future for _, future in futures if not future.done()]
        for future in waiting:
            future.cancel()
        errors = {
            number: error
            for number, future in reversed(futures)
            if not future.cancelled() and (error := future.exception()) is not None
        }
        doubtful = {}
        for number, error in errors.items():
            if isinstance(error, REFUSALS):
                outcome.refused[number] = type(error).__name__
            elif isinstance(error, TopicAuthorizationFailedError):
                outcome.faults[lane] = "denied"
            elif isinstance(error, UnknownTopicOrPartitionError):
                outcome.faults[lane] = "missing"
            elif alone and isinstance(error, BrokerResponseError) and not isinstance(error, _OURS):
                outcome.faults[lane] = "unclear"
                if isinstance(error, UnknownError):
                    doubtful[number] = type(error).__name__
            else:
                outcome.error = type(error).__name__
                note_fenced(error)
        if any(_is_acknowledged(future) for _, future in futures):
            outcome.doubtful |= doubtful
        return bool(waiting)


def note_fenced(error: BaseException) -> None:
    """Count it, where another relay took over our transactional id."""
    if isinstance(error, ProducerFenced | InvalidProducerEpoch):
        RELAY_FENCED.inc()


def _is_acknowledged(future: Future) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
