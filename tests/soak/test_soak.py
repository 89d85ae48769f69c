"""A short soak, in CI too: whatever is killed, nothing is lost, doubled or out of order."""

import pytest

from tests.soak.soak import soak

pytestmark = [pytest.mark.long, pytest.mark.kafka, pytest.mark.timeout(420)]


async def test_a_short_soak() -> None:
    report = await soak(seed=3, seconds=35, brokers=3, pause_s=(1, 4))
    assert report.faults == (), "\n".join(report.lines())
    assert report.messages > 0
    assert sum(report.done.values()) >= 3
