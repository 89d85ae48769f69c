"""How many examples Hypothesis tries, by HYPOTHESIS_PROFILE: `quick`, `desk`, `ci` or `long`.

A test says how many with `max_examples=examples(300)`. `quick` (`make test-quick`) tries a tenth of that,
`long` (by hand, for the fuzz tests above all) ten times as many; `desk`, where nothing is said, and `ci`,
where CI=true, as many. In CI the same examples come each time, as Hypothesis has it there by itself. No
profile has a deadline: the machine may be busy.
"""

import os
from fractions import Fraction

from hypothesis import settings

_FACTOR = {"quick": Fraction(1, 10), "desk": Fraction(1), "ci": Fraction(1), "long": Fraction(10)}
_LEAST = 5
_IN_CI = os.environ.get("CI") == "true"
PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if _IN_CI else "desk")


def examples(count: int) -> int:
    """Scale a test's number of examples by the profile."""
    return max(_LEAST, int(count * _FACTOR[PROFILE]))


def load_profile() -> None:
    """Make the profile hold for every test that is collected from now on."""
    parent = settings.get_profile("ci" if _IN_CI else "default")
    settings.register_profile(f"losus-{PROFILE}", parent=parent, deadline=None, max_examples=examples(100))
    settings.load_profile(f"losus-{PROFILE}")
