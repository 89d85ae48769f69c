"""The settings: what is demanded outside the sandbox, and that mappings and agreements fit to them.

Owns no demand: those are in `access.demands`, and of files where they are read.
"""

from collections.abc import Sequence

from adapter.access.demands import demands
from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.errors import SetupError
from adapter.wiring import world_of


async def demanded(it: Deployment) -> Sequence[Told]:
    """Every demand that is not met: the service would not start."""
    faults = demands(it.settings)
    if faults:
        return [
            fail(one.rule, f"set {one.expression or 'it'} so, and restart", one.expression or "")
            for one in faults
        ]
    if it.is_sandbox:
        mend = "outside a sandbox leave open_doors out, and give every source credentials"
        return [warn("doors are open to all, on this machine alone", mend)]
    return [ok("nothing insecure")]


async def files_fit(it: Deployment) -> Sequence[Told]:
    """Whether the service could start with the files that the settings name."""
    try:
        world = world_of(it.settings.model_copy(update={"seal": ()}))  # the seal is looked at by itself
    except SetupError as error:
        mend = "`losus mappings check` and `losus agreements check` name file and line"
        return [fail(one.rule, mend, one.expression or "") for one in error.problems]
    return [ok(f"{len(world.speakers)} sources, {len(world.payloads) + len(world.units)} subscribers")]
