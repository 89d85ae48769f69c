"""A consumer's trial from the first record to the verdicts.

Owns the order of things: history, start, rest, the wait for the end, the questions, the farewell.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from adapter.cluster import Cluster
from adapter.conformance.callback import ask, comes, is_there
from adapter.conformance.check import Verdict, at_end, judge
from adapter.conformance.playing import partitions_of, player
from adapter.conformance.script import Script
from adapter.errors import Problem, UnavailableError

_LOOK_AGAIN_S = 0.3
_SETTLE_S = 5.0  # after the last record a consumer may still be writing
_CALL_S = 10.0
_BEGIN_S = 20.0  # from the consumer's first answer to its having read the snapshot


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried, and where: `wait_s` for the start of the consumer, and again for its end."""

    cluster: Cluster
    callback: str
    municipality: str
    seed: int
    wait_s: float = 120.0
    transactions: bool = True
    keep: bool = False


async def try_consumer(trial: Trial, say: Callable[[str], None]) -> list[Verdict]:
    """Play the month and judge what the consumer makes of it; `say` is told how far it has come.

    Raises UnavailableError where broker or consumer does not answer.
    """
    partitions = await partitions_of(trial.cluster, trial.municipality)
    script = Script(trial.seed, trial.municipality, partitions)
    base = trial.callback.rstrip("/") + "/"
    async with (
        httpx.AsyncClient(base_url=base, timeout=_CALL_S) as client,
        player(trial.cluster, transactions=trial.transactions) as playing,
    ):
        was_there = await is_there(client)
        say(f"history: {await playing.play(script.history())} records")
        if not was_there:
            say("start the consumer now, with an empty store")
            if not await comes(client, trial.wait_s):
                raise UnavailableError(Problem("timeout", "the consumer did not start", "--callback"))
        await _has_begun(client, script, min(_BEGIN_S, trial.wait_s))
        say(f"the rest: {await playing.play(script.rest())} records")
        try:
            verdicts = await _judged(client, script, trial.wait_s)
        finally:
            if not trial.keep:
                await playing.play(script.farewell())
    verdicts = [_bootstrap(script, verdicts, was_there=was_there), *verdicts]
    return verdicts if trial.transactions else [_untried(one) for one in verdicts]


async def _has_begun(client: httpx.AsyncClient, script: Script, within_s: float) -> None:
    """Wait until the consumer knows what was before it; who never does is judged all the same."""
    before = [one.case_id for one in script.stories if one.is_snapshot]
    is_over = _clock(within_s)
    while not is_over():
        known = await ask(client, before)
        if all(one.picture is not None for one in known.values()):
            return
        await asyncio.sleep(_LOOK_AGAIN_S)


def _bootstrap(script: Script, verdicts: list[Verdict], *, was_there: bool) -> Verdict:
    """Only a consumer that starts in the middle shows how it begins: by the cases that were there before."""
    if was_there:
        return Verdict("bootstrap", None, "the consumer ran already: start it when you are asked to")
    before = {story.name for story in script.stories if story.history}
    wrong = sorted(one.name for one in verdicts if one.name in before and one.passed is False)
    because = "the snapshot of `.cases`, then `.events` from where the snapshot began"
    return Verdict("bootstrap", not wrong, because if not wrong else "see " + ", ".join(wrong))


def _untried(one: Verdict) -> Verdict:
    """Without transactions nothing was written that had to be passed over."""
    if one.name != "uncommitted":
        return one
    return Verdict(one.name, None, "needs transactions: nothing was taken back")


async def _judged(client: httpx.AsyncClient, script: Script, wait_s: float) -> list[Verdict]:
    """The verdicts once the consumer has come to the end, and had a moment to settle."""
    is_over = _clock(wait_s)
    while not (ended := at_end(script, await ask(client, (one.case_id for one in script.ends)))):
        if is_over():
            break
        await asyncio.sleep(_LOOK_AGAIN_S)
    late = "" if ended else f" is not known after {wait_s:g} s"
    end = Verdict("reads to the end", ended, "the last case of every partition" + late)
    is_over = _clock(_SETTLE_S)
    while True:
        known = await ask(client, (one.case_id for one in script.stories))
        verdicts = judge(script, known)
        if all(one.passed is not False for one in verdicts) or not ended or is_over():
            return [end, *verdicts]
        await asyncio.sleep(_LOOK_AGAIN_S)


def _clock(seconds: float) -> Callable[[], bool]:
    """Whether the time is over, to be asked again and again."""
    now = asyncio.get_running_loop().time
    until = now() + seconds
    return lambda: now() >= until
