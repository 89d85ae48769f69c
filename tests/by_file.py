"""How pytest-xdist shares out the tests: a group where a test has one, else its file."""

from xdist.scheduler.loadgroup import LoadGroupScheduling


class ByFile(LoadGroupScheduling):
    """As `--dist loadgroup`, but tests of one file stay together."""

    def _split_scope(self, nodeid: str) -> str:
        group: str = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if group == nodeid else group
