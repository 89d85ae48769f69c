"""`losus watch`: the process that looks after what time brings.

Owns starting it; the works are those of `wiring.endless_works`: limits that are not kept, what is to be read
anew, our Subscriptions at the sources' servers.
"""

import asyncio

from adapter.commands.checked import checked_settings
from adapter.commands.running import Host, Port, Sandbox, running, until
from adapter.commands.store import opened, receiving
from adapter.settings import Settings
from adapter.wiring import endless_works, servers_of


def watch_command(host: Host = "127.0.0.1", port: Port = None, sandbox: Sandbox = False) -> None:
    """Tell of limits that are missed, read anew what waited, keep our Subscriptions, until stopped.

    `losus serve` does so too unless told `--no-watch`; several may, they never do a thing twice.
    """
    asyncio.run(_watch(checked_settings(host, sandbox=sandbox, sources=True), host, port))


async def _watch(settings: Settings, host: str, port: int | None) -> None:
    async with opened("watch", settings, connections=8) as store, receiving(store) as receiver:
        servers = servers_of(store.settings, store.clients, receiver, store.database)
        works = endless_works(store.settings, store.world, store.database, store.library, servers)
        async with running(store.settings, host, port) as stopping:
            await until(stopping, *works)
