"""Tells the conformance kit what `consumer.py` knows: the questions of `losus conform`, read from SQLite.

python callback.py --store cases.sqlite --port 8099
"""

import argparse
import json
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Callback(BaseHTTPRequestHandler):
    store = "cases.sqlite"

    def do_GET(self) -> None:
        _, _, case_id = self.path.removeprefix("/").partition("/")
        database = sqlite3.connect(self.store)
        try:
            answer = case(database, case_id) if case_id else cases(database)
        finally:
            database.close()
        body = json.dumps(answer).encode()
        self.send_response(200 if answer is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def case(database: sqlite3.Connection, case_id: str) -> dict | None:
    row = database.execute("select picture from cases where case_id = ?", (case_id,)).fetchone()
    return json.loads(row[0]) if row and row[0] else None


def cases(database: sqlite3.Connection) -> list[dict]:
    missed: dict[str, list[int]] = {}
    for case_id, revision in database.execute("select case_id, revision from missed order by revision"):
        missed.setdefault(case_id, []).append(revision)
    rows = database.execute("select case_id, revision, handled from cases where picture is not null")
    return [
        {"case_id": one, "revision": revision, "handled": handled, "missed": missed.get(one, [])}
        for one, revision, handled in rows
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="answers the conformance kit")
    parser.add_argument("--store", default="cases.sqlite")
    parser.add_argument("--port", type=int, default=8099)
    given = parser.parse_args()
    Callback.store = given.store
    ThreadingHTTPServer(("127.0.0.1", given.port), Callback).serve_forever()
