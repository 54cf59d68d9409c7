#!/usr/bin/env python3
"""A source of master data for tests, written from docs/master-data.md and independent of the gateway's code.

    master_server.py [--port N]

Listens on 127.0.0.1, prints its port as one line, and ends when standard input closes. It keeps a list of changes; the cursor is "c" and
how many of them were told.

GET /v2/changes[?since=CURSOR]   without a cursor a snapshot of all rows; with one the changes since then, at most "page" of them;
                                 410 for a cursor that it never gave; 204 when nothing is new
POST /control                    {"rows": [...]} appends changes; other members change the behaviour:
    page         changes in one answer (default 1000)
    cut          this many answers are broken off in the middle of a row
    status       answer with this status, "times" often
    forget       true: every cursor is unknown from now on
    wrong_since  true: say that the changes begin elsewhere
    snapshots    false: send everything as if it were changes
    token        the bearer token to demand
GET /control                     {"asked": ["c0", null, ...]}: the cursors that were asked for
"""

import argparse
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

state = {"changes": [], "page": 1000, "cut": 0, "status": None, "times": 0, "forget": False, "wrong_since": False, "snapshots": True,
         "token": None}
asked = []
lock = threading.Lock()


def snapshot(changes):
    rows = {}
    for row in changes:
        rows.pop((row["set"], row["id"]), None)
        if not row.get("deleted"):
            rows[(row["set"], row["id"])] = row
    return list(rows.values())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", cut=False, kind="application/x-ndjson"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if cut:
            self.wfile.write(body[: len(body) * 2 // 3])
            self.close_connection = True
        else:
            self.wfile.write(body)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with lock:
            state["changes"] += body.pop("rows", [])
            state.update(body)
        self.answer(200, b"{}", kind="application/json")

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/control":
            with lock:
                return self.answer(200, json.dumps({"asked": asked}).encode(), kind="application/json")
        if url.path != "/v2/changes":
            return self.answer(404)
        with lock:
            since = parse_qs(url.query).get("since", [None])[0]
            asked.append(since)
            if state["token"] and self.headers.get("Authorization") != "Bearer " + state["token"]:
                return self.answer(401)
            if state["status"] and state["times"] > 0:
                state["times"] -= 1
                return self.answer(state["status"])
            changes = state["changes"]
            if since is None:
                head, rows, end = {"master": 1, "snapshot": state["snapshots"]}, snapshot(changes), len(changes)
            else:
                known = since.startswith("c") and since[1:].isdigit() and int(since[1:]) <= len(changes)
                if state["forget"] or not known:
                    state["forget"] = False
                    return self.answer(410)
                start = int(since[1:])
                end = min(start + state["page"], len(changes))
                if start == end:
                    return self.answer(204)
                head = {"master": 1, "since": "c999" if state["wrong_since"] else since}
                rows = changes[start:end]
            tail = {"end": 1, "cursor": "c%d" % end, "rows": len(rows), "more": end < len(changes)}
            text = "".join(json.dumps(line) + "\n" for line in [head] + rows + [tail])
            cut = state["cut"] > 0
            state["cut"] -= 1 if cut else 0
        self.answer(200, text.encode(), cut)


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=0)
server = ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
