#!/usr/bin/env python3
"""A receiver of CloudEvents webhooks for tests, independent of the gateway's code.

    webhook_receiver.py [--port N] [--behaviour JSON]

Listens on 127.0.0.1, prints its port as one line on standard output, and ends when standard input closes. Every event is read with the
package cloudevents; signatures are computed anew by the rules of standardwebhooks.com.

The behaviour is a JSON object, given at the start and changed by POST /control, which merges its body into it (null: back to its default):

    status        answer every delivery with this status; "times" of them, then normally; null: for ever
    retry_after   seconds, sent as Retry-After with "status"
    limit         events that a request may have; more is answered with 413
    byte_limit    bytes that a request may have
    poison        list of event ids: a request with one of them is answered with 400
    known         "accept" (default): an event that is known is stored once; "conflict": 409 to a request with one of them
    secrets       list of secrets (whsec_...), one of which must have signed; null: signatures are not looked at
    lose_answers  this many requests are carried out and not answered
    delay_ms      wait before every answer
    count_only    true: keep no ids, check only that each event is the next (for measurements)

GET /control gives {"behaviour", "counts", "events", "problems", "last_headers"}.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cloudevents.core.formats.json import JSONFormat

DEFAULTS = {
    "status": None, "times": None, "retry_after": None, "limit": None, "byte_limit": None, "poison": [], "known": "accept", "secrets": None,
    "lose_answers": 0, "delay_ms": 0, "count_only": False,
}


class State:
    def __init__(self, behaviour):
        self.lock = threading.Lock()
        self.behaviour = {**DEFAULTS, **behaviour}
        self.events = {}
        self.counts = {"requests": 0, "batches": 0, "singles": 0, "duplicates": 0, "stored": 0}
        self.problems = []
        self.last_headers = {}
        self.high = 0


def signature_problem(headers, body, secrets):
    identifier, stamp, given = (headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if not identifier or "." in identifier or not stamp or not given:
        return "a header is missing or wrong"
    if abs(time.time() - int(stamp)) > 300:
        return "the timestamp is too far away"
    expected = set()
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        code = hmac.new(key, f"{identifier}.{stamp}.".encode() + body, hashlib.sha256).digest()
        expected.add("v1," + base64.b64encode(code).decode())
    return None if expected & set(given.split(" ")) else "no signature is right"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True
    state: State

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=None, headers=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def do_GET(self):
        state = self.state
        with state.lock:
            body = {
                "behaviour": state.behaviour, "counts": state.counts, "events": list(state.events), "problems": state.problems,
                "last_headers": state.last_headers,
            }
        self.answer(200, body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state = self.state
        if self.path == "/control":
            with state.lock:
                for name, value in json.loads(body).items():
                    state.behaviour[name] = DEFAULTS[name] if value is None else value
            return self.answer(200, {})
        with state.lock:
            state.counts["requests"] += 1
            state.last_headers = {name.lower(): value for name, value in self.headers.items()}
            behaviour = dict(state.behaviour)
            if behaviour["status"] is not None and behaviour["times"] is not None:
                state.behaviour["times"] -= 1
                if state.behaviour["times"] <= 0:
                    state.behaviour.update(status=None, times=None, retry_after=None)
        if behaviour["delay_ms"]:
            time.sleep(behaviour["delay_ms"] / 1000)
        if behaviour["status"] is not None:
            headers = {"Retry-After": str(behaviour["retry_after"])} if behaviour["retry_after"] is not None else None
            return self.answer(behaviour["status"], {"title": "told to fail"}, headers)
        if behaviour["secrets"] is not None:
            problem = signature_problem(self.headers, body, behaviour["secrets"])
            if problem:
                return self.answer(401, {"title": problem})
        if behaviour["byte_limit"] is not None and len(body) > behaviour["byte_limit"]:
            return self.answer(413, {"title": "too many bytes"})
        return self.take(body, behaviour)

    def take(self, body, behaviour):
        state = self.state
        kind = (self.headers.get("Content-Type") or "").split(";")[0]
        try:
            parsed = json.loads(body)
            if kind == "application/cloudevents-batch+json" and isinstance(parsed, list):
                raw, counter = parsed, "batches"
            elif kind == "application/cloudevents+json" and isinstance(parsed, dict):
                raw, counter = [parsed], "singles"
            else:
                return self.answer(415, {"title": kind})
            if behaviour["count_only"]:
                with state.lock:
                    for event in raw:
                        if int(event["sequence"]) != state.high + 1:
                            state.problems.append(f"{event['sequence']} after {state.high}")
                        state.high = int(event["sequence"])
                    state.counts["stored"] += len(raw)
                return self.answer(204)
            events = [JSONFormat().read(None, json.dumps(event)) for event in raw]
            for event in events:
                data = event.get_data()
                if data["id"] != event.get_id() or f"stockgate.{data['type']}" != event.get_type():
                    raise ValueError("the data are another event's")
        except Exception as error:
            with state.lock:
                state.problems.append(f"{type(error).__name__}: {error}")
            return self.answer(400, {"title": "not a CloudEvent", "detail": str(error)})
        if behaviour["limit"] is not None and len(events) > behaviour["limit"]:
            return self.answer(413, {"title": "too many events"})
        if any(event.get_id() in behaviour["poison"] for event in events):
            return self.answer(400, {"title": "not valid"})
        with state.lock:
            known = [event for event in events if event.get_id() in state.events]
            state.counts[counter] += 1
            state.counts["duplicates"] += len(known)
            for event in events:
                state.events.setdefault(event.get_id(), True)
            state.counts["stored"] = len(state.events)
            loses = state.behaviour["lose_answers"] > 0
            if loses:
                state.behaviour["lose_answers"] -= 1
        if loses:
            self.close_connection = True
            return None
        if known and behaviour["known"] == "conflict":
            return self.answer(409, {"title": "known"})
        return self.answer(204)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--behaviour", metavar="JSON", default="{}")
    options = parser.parse_args()
    Handler.state = State(json.loads(options.behaviour))
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)

    def wait_for_parent():
        while sys.stdin.buffer.read(4096):
            pass
        os._exit(0)

    threading.Thread(target=wait_for_parent, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
