"""How pytest-xdist shares out the tests: a group where a test has one, else its file.

pytest-xdist knows groups by what it adds to the ids of tests, which pytest 9.2 no longer lets it do. So the
workers write down which test is of which group, in a file that the scheduler reads when they have collected.
"""

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path

from xdist.scheduler.loadscope import LoadScopeScheduling


@cache
def exchange() -> Path:
    """The file between the workers and the scheduler of this run."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder, "groups.json")


class ByFile(LoadScopeScheduling):
    """A unit of work is a group or a file."""

    @cached_property
    def groups(self) -> Mapping[str, str]:
        """Group by test; asked for when the workers have collected."""
        found: Mapping[str, str] = json.loads(exchange().read_bytes())
        return found

    def _split_scope(self, nodeid: str) -> str:
        return self.groups.get(nodeid) or nodeid.partition("::")[0]
