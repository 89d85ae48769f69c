"""The files that the settings name: that each can be read, and that a secret is nobody else's to read.

Owns no demand: those are in `access.files`, which every process starts by.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from adapter.access.files import file_faults
from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok

_MEND = "mount it readable by the adapter's user, and by no other (Kubernetes: defaultMode 0440 and fsGroup)"


async def rights(it: Deployment) -> Sequence[Told]:
    """Every fault of a file, those of sources' servers too, whatever this process itself would need."""
    folder = os.environ.get("LOSUS_SECRETS")
    faults = file_faults(it.settings, Path(folder) if folder else None, sources=True)
    told = [fail(one.rule, _MEND, one.expression or "") for one in faults]
    return told or [ok("each can be read, no secret by others")]
