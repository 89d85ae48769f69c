"""`losus serve`: the process that takes messages in.

Owns starting it with the settings of the environment; what it does is in `api`.
"""

import gc
from typing import Annotated

import typer
import uvicorn

from adapter.api import create_app
from adapter.commands.checked import checked_settings
from adapter.commands.running import Sandbox
from adapter.process import begin_process
from adapter.web.guard import Guard
from adapter.web.traced import Traced


def serve_command(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    sandbox: Sandbox = False,
    watch: Annotated[
        bool, typer.Option(help="Look after limits, what is to be read anew, and our Subscriptions too.")
    ] = True,
) -> None:
    """Serve the HTTP doors; settings come from LOSUS_… and the file LOSUS_SETTINGS.

    `--no-watch` where `losus watch` runs as a process of its own.
    Insecure settings are refused outside the sandbox, all of them at once.
    """
    settings = checked_settings(host, sandbox=sandbox, sources=True).listening_on(port)
    begin_process("serve", settings)
    app = Traced(Guard(create_app(settings, watching=watch)))
    gc.collect()
    gc.freeze()  # models and compiled mappings stay for ever; no collection need look at them again
    gc.set_threshold(20_000, 20, 20)
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, server_header=False)
