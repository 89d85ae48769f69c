"""Tells the conformance kit what Consumer.java knows: the questions of `losus conform`, read from its folder.

python folder_callback.py --store FOLDER --port 8099
"""

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Callback(BaseHTTPRequestHandler):
    folder = Path()

    def do_GET(self) -> None:
        _, _, case_id = self.path.removeprefix("/").partition("/")
        known = {path.stem: json.loads(path.read_bytes()) for path in (self.folder / "cases").glob("*.json")}
        here = {name: one for name, one in known.items() if one.get("picture")}
        listed = [
            {
                "case_id": name,
                "revision": one["revision"],
                "handled": one["handled"],
                "missed": one.get("missed", []),
            }
            for name, one in here.items()
        ]
        answer = here.get(case_id, {}).get("picture") if case_id else listed
        is_there = answer is not None and (self.folder / "cases").is_dir()
        body = json.dumps(answer).encode()
        self.send_response(200 if is_there else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="answers the conformance kit")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8099)
    given = parser.parse_args()
    Callback.folder = given.store
    ThreadingHTTPServer(("127.0.0.1", given.port), Callback).serve_forever()
