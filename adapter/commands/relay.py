"""`losus relay`: the process that publishes the outbox.

Owns starting it with the settings of the environment; what it does is in `outbound.relay`.
"""

import asyncio

from adapter.commands.checked import checked_settings
from adapter.commands.running import Host, Port, Sandbox, running
from adapter.outbound.relay import run_relay
from adapter.process import begin_process
from adapter.settings import Settings
from adapter.wiring import relay_settings


def relay_command(host: Host = "127.0.0.1", port: Port = None, sandbox: Sandbox = False) -> None:
    """Publish the outbox to Kafka until stopped; several relays divide the municipalities."""
    settings = checked_settings(host, sandbox=sandbox, raw=False)
    begin_process("relay", settings)
    asyncio.run(_relay(settings, host, port))


async def _relay(settings: Settings, host: str, port: int | None) -> None:
    """Relay until a signal comes; then finish the transactions under way."""
    async with running(settings, host, port) as stopping:
        await run_relay(relay_settings(settings), stopping)
