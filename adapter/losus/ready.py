"""*Utskrivningsklar* and *hemgångsklar*: the episodes of a stay and the conditions that hold.

Owns how notices and withdrawals make episodes, since when a person is *hemgångsklar*, and which day
is day zero. Does not own who pays for the days after it (`adapter.settlement`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from adapter.losus.days import DAY, local, local_day
from adapter.losus.process import ProcessTerms
from adapter.losus.terms import Criterion


@dataclass(frozen=True, slots=True)
class Episode:
    """One time of being *utskrivningsklar*: from the notice until it is withdrawn, if it is.

    `home_ready_at`: when the person became *hemgångsklar* and stayed so until the episode's end
    (withdrawal, end of the stay, or today); None where the conditions do not all hold there.
    """

    sent_at: datetime
    withdrawn_at: datetime | None = None
    home_ready_at: datetime | None = None


@dataclass(slots=True)
class Readiness:
    """Gathers episodes and criteria, signal by signal in effective order.

    `required`: the criteria asked for; empty means that no one is ever *hemgångsklar*.
    `met`: each criterion that holds, with the instant since when. The notice itself is the
    physician's assessment, and withdrawing it takes the assessment back. `doubtful`: the process was
    interrupted since the notice for a reason whose meaning is not known.
    """

    required: tuple[Criterion, ...]
    met: dict[Criterion, datetime] = field(default_factory=dict)
    closed: list[Episode] = field(default_factory=list)
    sent_at: datetime | None = None
    home_ready_at: datetime | None = None
    doubtful: bool = False

    def notify(self, at: datetime) -> None:
        """*Underrättelse om utskrivningsklar* (LUS 3:1); one more while it stands starts nothing anew."""
        if self.sent_at is None:
            self.sent_at = at
        self.meet(Criterion.PHYSICIAN_ASSESSMENT, at)

    def withdraw(self, at: datetime) -> None:
        """*Återtagen*: the physician no longer judges so; a later notice starts a new episode."""
        if self.sent_at is not None:
            self.closed.append(Episode(self.sent_at, at, self.home_ready_at))
        self.sent_at = self.home_ready_at = None
        self.doubtful = False
        self.miss(Criterion.PHYSICIAN_ASSESSMENT)

    def doubt(self) -> None:
        """Note an interruption for a reason that the agreement does not know: it may end the episode."""
        self.doubtful = self.sent_at is not None

    def meet(self, criterion: Criterion, at: datetime) -> None:
        """Note that the criterion holds; said again, it holds since the first time."""
        self.met.setdefault(criterion, at)

    def miss(self, criterion: Criterion) -> None:
        """Note that the criterion no longer holds."""
        self.met.pop(criterion, None)

    def weigh(self, at: datetime) -> None:
        """Judge *hemgångsklar* once all that was said of the instant `at` is taken in."""
        if self.sent_at is None or not self.required or not self.met.keys() >= set(self.required):
            self.home_ready_at = None
        elif self.home_ready_at is None:
            self.home_ready_at = at

    def episodes(self) -> tuple[Episode, ...]:
        """Give all episodes, oldest first; only the last can be without a withdrawal."""
        if self.sent_at is None:
            return tuple(self.closed)
        return (*self.closed, Episode(self.sent_at, None, self.home_ready_at))


def in_force(episodes: Iterable[Episode]) -> Episode | None:
    """Give the last episode that is not withdrawn; None where there is none."""
    standing = None
    for episode in episodes:
        if episode.withdrawn_at is None:
            standing = episode
    return standing


def notice_day(sent_at: datetime, terms: ProcessTerms) -> date:
    """Give the local date that a notice counts for: the next one if sent after the cut-off.

    LUS 5:4 «efter klockan 12.00» (`cutoff_inclusive`); Bilaga 9 note 4 «före kl. 12:00» (not).
    """
    if terms.cutoff is None:
        return local_day(sent_at)
    sent = local(sent_at)
    clock = sent.time()
    late = clock > terms.cutoff if terms.cutoff_inclusive else clock >= terms.cutoff
    return sent.date() + DAY if late else sent.date()


def day_zero(episodes: Iterable[Episode], terms: ProcessTerms) -> date | None:
    """Give the day from which days are counted; None while the agreement's clock has not started."""
    episode = in_force(episodes)
    if episode is None:
        return None
    noticed = notice_day(episode.sent_at, terms)
    if terms.clock == "ready":
        return noticed
    if episode.home_ready_at is None:
        return None
    return max(noticed, local_day(episode.home_ready_at))
