"""Keeps a database and a broker until its stdin ends: the parent that the tests kill. Run by path."""

import json
import sys

from adapter.sandbox.broker import Broker
from adapter.sandbox.database import Database

with Database.start(durable=False) as database, Broker.start() as broker:
    print(json.dumps({"postgres": database.dsn, "kafka": broker.bootstrap}), flush=True)
    sys.stdin.read()
