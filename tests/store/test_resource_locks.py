"""Who waits for whom over a shared resource: those who only lean on it wait for nobody but who changes it."""

import asyncpg
import pytest

from adapter.store.intake import lock_resources

WARD = {("ehr", "Location/ward-204")}
OTHER = {("ehr", "Location/ward-205")}
NONE: set[tuple[str, str]] = set()

WAITS = [
    # first: changed, leaned on; then: changed, leaned on; waits, because
    (NONE, WARD, NONE, WARD, False, "a ward is that of many patients"),
    (NONE, WARD, WARD, NONE, True, "who changes it must know all who lean on it"),
    (WARD, NONE, NONE, WARD, True, "who leans on it must read what it is changed to"),
    (WARD, NONE, WARD, NONE, True, "two versions at once: one is the newer"),
    (WARD, WARD, NONE, WARD, True, "who does both changes it"),
    (WARD, NONE, OTHER, NONE, False, "another resource"),
    (WARD, NONE, {("another-ehr", "Location/ward-204")}, NONE, False, "another source's, of the same name"),
]


@pytest.mark.parametrize(("changed", "leaned", "then_changed", "then_leaned", "waits", "because"), WAITS)
async def test_who_waits(
    dsn: str,
    changed: set[tuple[str, str]],
    leaned: set[tuple[str, str]],
    then_changed: set[tuple[str, str]],
    then_leaned: set[tuple[str, str]],
    waits: bool,
    because: str,
) -> None:
    first, second = [await asyncpg.connect(dsn) for _ in range(2)]
    try:
        await second.execute("set lock_timeout = '100ms'")
        async with first.transaction():
            await lock_resources(first, changed, leaned)
            waited = False
            try:
                async with second.transaction():
                    await lock_resources(second, then_changed, then_leaned)
            except asyncpg.LockNotAvailableError:
                waited = True
        assert waited is waits, because
    finally:
        await first.close()
        await second.close()
