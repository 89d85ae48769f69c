"""What a consumer knows, held against what it must know: a verdict for each rule.

Owns the comparison; does not own how the consumer is asked (`callback`). Pure.

An answer may hold fewer fields than the picture, for a consumer keeps what it needs, but always
`case_id`, `revision` and `state`; it may hold others of its own. Instants are compared as instants.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from adapter.conformance.script import Script
from adapter.conformance.telling import Kept, Story

_DEMANDED = ("case_id", "revision", "state")


@dataclass(frozen=True, slots=True)
class Known:
    """What the consumer says of a case: its picture (None: it does not know the case).

    `handled`: how many revisions it has worked on, `missed`: those that it found missing; None where it
    does not tell.
    """

    picture: Mapping[str, Any] | None
    handled: int | None = None
    missed: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check: `passed` None where the consumer does not tell what it needs; `reason` in words."""

    name: str
    passed: bool | None
    reason: str


def judge(script: Script, known: Mapping[str, Known]) -> list[Verdict]:
    """The verdict of every check, in the order of the stories; `known` by case id."""
    nothing = Known(None)
    verdicts = []
    for story in script.stories:
        faults = list(_faults(story, known.get(story.case_id, nothing)))
        verdicts.append(Verdict(story.name, not faults, "; ".join(faults) or story.because))
    told = {story.name: (story, known.get(story.case_id, nothing)) for story in script.stories}
    return [*verdicts, _counts_once(list(told.values())), _notices(*told["gap"])]


def at_end(script: Script, known: Mapping[str, Known]) -> bool:
    """Whether the consumer has read every partition to its end."""
    return all(_picture(known, one) is not None for one in script.ends)


def _picture(known: Mapping[str, Known], story: Story) -> Mapping[str, Any] | None:
    found = known.get(story.case_id)
    return found.picture if found else None


def _faults(story: Story, known: Known) -> Iterator[str]:
    picture = known.picture
    if picture is None:
        if story.kept is Kept.YES:
            yield "the case is not known"
        return
    if story.kept is Kept.NO:
        yield "the case is still known"
        return
    for name in _DEMANDED:
        if name not in picture:
            yield f"{name} is not told"
    for name, value in story.picture.items():
        if name in picture and not _same(picture[name], value):
            yield f"{name} is not what it must be{_revisions(name, picture, story)}"
    told = orjson.dumps(picture).decode()
    if any(word in told for word in story.secret):
        yield "what was withdrawn is still told"


def _revisions(name: str, picture: Mapping[str, Any], story: Story) -> str:
    """Revisions may be told; no other value is."""
    return f" ({picture[name]}, not {story.picture[name]})" if name == "revision" else ""


def _same(told: object, meant: object) -> bool:
    if isinstance(told, Mapping) and isinstance(meant, Mapping):
        return told.keys() == meant.keys() and all(_same(told[name], meant[name]) for name in meant)
    if isinstance(told, list) and isinstance(meant, list):
        return len(told) == len(meant) and all(map(_same, told, meant))
    if isinstance(told, str) and isinstance(meant, str) and told != meant:
        return (one := _instant(told)) is not None and one == _instant(meant)
    return told == meant


def _instant(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else None


def _counts_once(told: Sequence[tuple[Story, Known]]) -> Verdict:
    """No revision worked on twice, and none left out of a case whose every event came after the start."""
    name, because = "counts once", "what you do at an event, you do once for each revision"
    counted = [(story, known) for story, known in told if known.handled is not None and known.picture]
    if not counted:
        return Verdict(name, None, "`handled` is not told")
    wrong = [
        f"{story.name}: {known.handled}, not {story.handled}"
        for story, known in counted
        if known.handled is not None
        and (known.handled > story.handled or (not story.history and known.handled != story.handled))
    ]
    return Verdict(name, not wrong, "; ".join(wrong) or because)


def _notices(story: Story, known: Known) -> Verdict:
    name, because = "notices a gap", "a revision that leaves numbers out shows that something was missed"
    if known.missed is None:
        return Verdict(name, None, "`missed` is not told")
    passed = tuple(known.missed) == story.missing
    return Verdict(
        name, passed, because if passed else f"told {list(known.missed)}, not {list(story.missing)}"
    )
