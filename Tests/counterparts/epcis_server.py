#!/usr/bin/env python3
"""An EPCIS 2.0 capture server for tests, written from the standard and independent of the gateway's code.

    epcis_server.py [--port N] [--record FILE] [--openapi FILE] [--no-validate | --require-validation] [--behaviour JSON]
                    [--host ADDRESS] [--tls FILE [--client-authority FILE]] [--detached]

Listens on 127.0.0.1 or --host, prints its port as one line on standard output, and ends with SIGTERM or when standard input closes
(--detached: not then). --tls names a PEM file with key and certificate: then it speaks HTTPS only. Every new event is appended to --record as one line: {"via": "capture" | "events", "event": {...}}.

Documents and bare events are validated against the OpenAPI file of EPCIS 2.0 (--openapi, or
$STOCKGATE_VECTORS/epcis-rest-openapi/openapi.json) with Draft 7 and format checks. Without the file or without the package
jsonschema nothing is validated, which "validating" in GET /control tells; --require-validation ends with status 2 instead.

The behaviour is a JSON object, given at the start (--behaviour or $EPCIS_SERVER_BEHAVIOUR) and changed by POST /control, which
merges its body into it (null puts a member back to its default):

    status          answer every EPCIS request with this status, e.g. 503, 401, 429
    times           how often "status" holds before it goes back to normal; null: for ever
    retry_after     seconds, sent as Retry-After with "status"
    limit           events a document may have; more is answered with 413
    announce_limit  true: send GS1-EPCIS-Capture-Limit with every answer
    byte_limit      bytes a document may have; announced as GS1-EPCIS-Capture-File-Size-Limit
    poison          list of texts: an event whose JSON has one of them is not valid
    capture_checks  true (default): POST /capture answers 400 for an event that is not valid; false: its job fails
    duplicates      "accept" (default): an event that is known is stored once and the job is well; "fail": the job fails
    polls           how often GET /capture/{id} says "running" before the job ends
    jobs            "normal" (default), "forget": GET /capture/{id} is 404, "fail": jobs fail and store nothing
    location        "relative" (default), "absolute", "none": no Location
    hang            true: requests are read and never answered
    lose_answers    this many POST requests are carried out, and their connection is closed without an answer
    delay_ms        wait before every answer
    token           the bearer token to demand
    count_only      true: keep no events, count them and check that their numbers have no gap (for measurements)
    proceed         true (default): keep the good events of a failed job when asked to; false: never

GET /control gives {"behaviour", "validating", "counts", "problems", "events"}: counts of requests and of events, the first
validation problems, and the ids of the stored events in the order in which they came.
"""

import argparse
import json
import os
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEFAULTS = {
    "status": None, "times": None, "retry_after": None, "limit": None, "announce_limit": False, "byte_limit": None, "poison": [],
    "capture_checks": True, "duplicates": "accept", "polls": 0, "jobs": "normal", "location": "relative", "hang": False,
    "lose_answers": 0, "delay_ms": 0, "token": None, "proceed": True, "count_only": False,
}


class Validator:
    """Checks documents and bare events; available is False when it cannot."""

    def __init__(self, path):
        self.available = False
        self.why = ""
        try:
            import jsonschema
        except ImportError:
            self.why = "the package jsonschema is missing"
            return
        if not path or not os.path.exists(path):
            self.why = "no OpenAPI file"
            return
        with open(path, encoding="utf-8") as file:
            description = json.load(file)
        checker = jsonschema.FormatChecker()
        if "uri" not in checker.checkers or "date-time" not in checker.checkers:
            self.why = "the format checkers of jsonschema are missing"
            return

        def schema(name):
            return jsonschema.Draft7Validator({**description, "$ref": f"#/components/schemas/{name}"}, format_checker=checker)

        self.document = schema("epcisDocument")
        self.event = schema("EPCISEvent")
        self.available = True

    def problems(self, body, of_document):
        if not self.available:
            return []
        validator = self.document if of_document else self.event
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}"[:2000] for error in validator.iter_errors(body)]


class State:
    def __init__(self, validator, record, behaviour):
        self.lock = threading.Lock()
        self.validator = validator
        self.record = open(record, "a", encoding="utf-8") if record else None
        self.behaviour = {**DEFAULTS, **behaviour}
        self.events = {}
        self.jobs = {}
        self.counts = {"requests": 0, "captures": 0, "documents": 0, "singles": 0, "polls": 0, "duplicates": 0, "invalid": 0, "connections": 0}
        self.problems = []
        self.high = 0
        self.closing = threading.Event()

    def key(self, event):
        """A correction has the id of the event that it declares to be wrong, and is kept beside it."""
        identifier = event.get("eventID")
        return f"{identifier}#error" if identifier and "errorDeclaration" in event else identifier

    def store(self, event, via):
        """Call with the lock held. False: known."""
        if self.behaviour["count_only"]:
            number = event["stockgate:sequence"]
            if number <= self.high:
                return False
            if number != self.high + 1:
                self.note([f"{number} after {self.high}"])
            self.high = number
            return True
        identifier = self.key(event)
        if identifier is None:
            identifier = f"server:{len(self.events)}"
        if identifier in self.events:
            self.counts["duplicates"] += 1
            return False
        self.events[identifier] = event
        if self.record:
            self.record.write(json.dumps({"via": via, "event": event}, sort_keys=True, ensure_ascii=False) + "\n")
            self.record.flush()
        return True

    def is_poison(self, event):
        text = json.dumps(event, ensure_ascii=False)
        return any(part in text for part in self.behaviour["poison"])

    def note(self, problems):
        self.counts["invalid"] += 1
        if len(self.problems) < 20:
            self.problems.extend(problems[:3])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One packet for head and body: Nagle and delayed acknowledgements would cost 40 ms per answer.
    wbufsize = 65536
    disable_nagle_algorithm = True
    state: State

    def setup(self):
        super().setup()
        with self.state.lock:
            self.state.counts["connections"] += 1

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=None, headers=None, content_type="application/json"):
        behaviour = self.state.behaviour
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if data:
            self.send_header("Content-Type", content_type)
        self.send_header("GS1-EPCIS-Version", "2.0.0")
        self.send_header("GS1-CBV-Version", "2.0.0")
        if behaviour["announce_limit"] and behaviour["limit"]:
            self.send_header("GS1-EPCIS-Capture-Limit", str(behaviour["limit"]))
        if behaviour["byte_limit"]:
            self.send_header("GS1-EPCIS-Capture-File-Size-Limit", str(behaviour["byte_limit"]))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def problem(self, status, kind, detail="", headers=None):
        body = {"type": f"epcisException:{kind}", "title": kind, "status": status, "detail": detail[:1000]}
        self.answer(status, body, headers, "application/problem+json")

    def read_body(self):
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length else b""

    def gate(self):
        """Misbehaves as told; True when the request is to be carried out."""
        state = self.state
        with state.lock:
            state.counts["requests"] += 1
            behaviour = dict(state.behaviour)
            misbehaves = behaviour["status"] is not None
            if misbehaves and behaviour["times"] is not None:
                state.behaviour["times"] -= 1
                if state.behaviour["times"] <= 0:
                    state.behaviour.update(status=None, times=None, retry_after=None)
        if behaviour["hang"]:
            while not state.closing.is_set() and state.behaviour["hang"]:
                state.closing.wait(0.05)
            self.close_connection = True
            return False
        if behaviour["delay_ms"]:
            time.sleep(behaviour["delay_ms"] / 1000)
        if misbehaves:
            headers = {"Retry-After": str(behaviour["retry_after"])} if behaviour["retry_after"] is not None else None
            self.problem(behaviour["status"], "ImplementationException", "told to fail", headers)
            return False
        if behaviour["token"] is not None and self.headers.get("Authorization") != f"Bearer {behaviour['token']}":
            self.problem(401, "SecurityException", "token missing or wrong")
            return False
        return True

    def loses_answer(self):
        with self.state.lock:
            if self.state.behaviour["lose_answers"] <= 0:
                return False
            self.state.behaviour["lose_answers"] -= 1
        self.close_connection = True
        return True

    def do_POST(self):
        body = self.read_body()
        if self.path == "/control":
            return self.control(body)
        if not self.gate():
            return None
        if (self.headers.get("Content-Type") or "").split(";")[0].strip() not in ("application/json", "application/ld+json"):
            return self.problem(415, "UnsupportedMediaTypeException")
        if self.headers.get("GS1-EPCIS-Version") not in (None, "2.0.0"):
            return self.problem(406, "NotAcceptableException", "only 2.0.0")
        try:
            parsed = json.loads(body)
        except ValueError as error:
            return self.problem(400, "ValidationException", str(error))
        if self.path.rstrip("/").endswith("/capture"):
            return self.capture(parsed, len(body))
        if self.path.rstrip("/").endswith("/events"):
            return self.single(parsed)
        return self.problem(404, "NoSuchResourceException", self.path)

    def control(self, body):
        changes = json.loads(body or b"{}")
        unknown = set(changes) - set(DEFAULTS)
        if unknown:
            return self.problem(400, "ValidationException", f"unknown: {sorted(unknown)}")
        with self.state.lock:
            for name, value in changes.items():
                self.state.behaviour[name] = DEFAULTS[name] if value is None else value
        return self.answer(200, {"behaviour": self.state.behaviour})

    def capture(self, document, size):
        state = self.state
        events = document.get("epcisBody", {}).get("eventList", []) if isinstance(document, dict) else []
        with state.lock:
            state.counts["captures"] += 1
            behaviour = dict(state.behaviour)
        if behaviour["limit"] is not None and len(events) > behaviour["limit"]:
            return self.problem(413, "CaptureLimitExceededException", f"{len(events)} events, {behaviour['limit']} allowed")
        if behaviour["byte_limit"] is not None and size > behaviour["byte_limit"]:
            return self.problem(413, "CaptureLimitExceededException", f"{size} bytes, {behaviour['byte_limit']} allowed")
        problems = state.validator.problems(document, of_document=True)
        poisoned = [event for event in events if state.is_poison(event)]
        if problems:
            with state.lock:
                state.note(problems)
            return self.problem(400, "ValidationException", problems[0])
        if poisoned and behaviour["capture_checks"]:
            return self.problem(400, "ValidationException", f"{len(poisoned)} events are not valid")

        proceeds = behaviour["proceed"] and self.headers.get("GS1-Capture-Error-Behaviour") == "proceed"
        errors = []
        with state.lock:
            state.counts["documents"] += 1
            if behaviour["jobs"] == "fail":
                errors.append({"type": "epcisException:ImplementationException", "title": "told to fail"})
            else:
                if poisoned:
                    errors.append({"type": "epcisException:ValidationException", "title": "ValidationException", "detail": "not valid"})
                known = [event for event in events if state.key(event) in state.events]
                state.jobs = dict(list(state.jobs.items())[-100:]) if behaviour["count_only"] else state.jobs
                if known and behaviour["duplicates"] == "fail":
                    errors.append({"type": "epcisException:ResourceAlreadyExistsException", "title": "ResourceAlreadyExistsException"})
                if proceeds or not errors:
                    for event in events:
                        if event not in poisoned:
                            state.store(event, "capture")
            identifier = f"job{state.counts['documents']}"
            state.jobs[identifier] = {"polls": behaviour["polls"], "errors": errors, "proceeds": proceeds}
        if self.loses_answer():
            return None
        path = f"{self.path.rstrip('/')}/{identifier}"
        location = {"relative": path, "absolute": f"http://{self.headers.get('Host')}{path}", "none": None}[behaviour["location"]]
        return self.answer(202, None, {"Location": location} if location else None)

    def single(self, event):
        state = self.state
        with state.lock:
            state.counts["singles"] += 1
        problems = state.validator.problems(event, of_document=False)
        if problems:
            with state.lock:
                state.note(problems)
            return self.problem(400, "ValidationException", problems[0])
        if state.is_poison(event):
            return self.problem(400, "ValidationException", "not valid")
        with state.lock:
            is_new = state.store(event, "events")
        if self.loses_answer():
            return None
        if not is_new:
            return self.problem(409, "ResourceAlreadyExistsException", str(event.get("eventID")))
        return self.answer(201, None, {"Location": f"/events/{event.get('eventID')}"})

    def do_GET(self):
        state = self.state
        if self.path == "/control":
            with state.lock:
                body = {
                    "behaviour": state.behaviour, "validating": state.validator.available, "counts": state.counts,
                    "problems": state.problems, "events": list(state.events), "high": state.high,
                }
            return self.answer(200, body)
        if not self.gate():
            return None
        with state.lock:
            state.counts["polls"] += 1
            job = state.jobs.get(self.path.rsplit("/", 1)[-1]) if "/capture/" in self.path else None
            if job is None or state.behaviour["jobs"] == "forget":
                running = None
            else:
                running = job["polls"] > 0
                job["polls"] -= 1
        if running is None:
            return self.problem(404, "NoSuchResourceException", self.path)
        body = {
            "captureID": self.path.rsplit("/", 1)[-1], "createdAt": "2026-01-01T00:00:00Z", "running": running,
            "success": not job["errors"], "captureErrorBehaviour": "proceed" if job["proceeds"] else "rollback", "errors": job["errors"],
        }
        if not running:
            body["finishedAt"] = "2026-01-01T00:00:01Z"
        return self.answer(200, body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", metavar="FILE")
    parser.add_argument("--openapi", metavar="FILE")
    parser.add_argument("--no-validate", action="store_true")
    parser.add_argument("--require-validation", action="store_true")
    parser.add_argument("--behaviour", metavar="JSON", default=os.environ.get("EPCIS_SERVER_BEHAVIOUR", "{}"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--tls", metavar="FILE")
    parser.add_argument("--client-authority", metavar="FILE", help="ask for a client certificate of this authority")
    parser.add_argument("--detached", action="store_true")
    options = parser.parse_args()

    path = options.openapi
    if path is None and "STOCKGATE_VECTORS" in os.environ:
        path = os.path.join(os.environ["STOCKGATE_VECTORS"], "epcis-rest-openapi", "openapi.json")
    validator = Validator(None if options.no_validate else path)
    if options.require_validation and not validator.available:
        print(f"cannot validate: {validator.why}", file=sys.stderr)
        sys.exit(2)

    behaviour = json.loads(options.behaviour)
    unknown = set(behaviour) - set(DEFAULTS)
    if unknown:
        parser.error(f"unknown behaviour: {sorted(unknown)}")
    Handler.state = State(validator, options.record, behaviour)
    if ":" in options.host:
        ThreadingHTTPServer.address_family = socket.AF_INET6
    server = ThreadingHTTPServer((options.host, options.port), Handler)
    server.daemon_threads = True
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls)
        if options.client_authority:
            context.load_verify_locations(options.client_authority)
            context.verify_mode = ssl.CERT_REQUIRED
        # The handshake happens on the connection's own thread: a client that refuses the certificate must not end the server.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.handle_error = lambda *arguments: None
    print(server.server_address[1], flush=True)

    if not options.detached:
        def wait_for_parent():
            while sys.stdin.buffer.read(4096):
                pass
            Handler.state.closing.set()
            os._exit(0)

        threading.Thread(target=wait_for_parent, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
