#!/usr/bin/env python3
"""A receiver of the gateway's MQTT messages for tests, independent of its code: paho-mqtt, cloudevents, protobuf.

    mqtt_receiver.py --broker-port N --gateway CODE --site SITE --destination NAME [--format json|cloudevents|sparkplug]
                     [--ca FILE --certificate FILE --key FILE] [--user NAME --password WORD] [--behaviour JSON]

Prints the port of its control interface (HTTP on 127.0.0.1) once it has subscribed, and ends when standard input closes. It keeps every
event id once, in the order of arrival, and gives receipts on stockgate/1/SITE/CODE/receipt/NAME. It follows the rule of docs/upstream.md: an
event is taken only when the one that it names as its predecessor is there.

The behaviour is given at the start and changed by POST /control (null: back to the default):

    receipts      true (default); false: none are given
    rejected      list of numbers that are rejected
    slow_ms       so long an event takes
    every         give a receipt after so many events at the latest; a pause of 20 ms gives one too
    before        list of receipts (JSON) to publish before each right one
    count_only    true: keep no ids, check only that numbers never leave a gap (for measurements)
    high          starts with this number instead of 0, whatever was there

POST /publish {"topic", "hex", "retain"} publishes. What the gateway says to the senders of master data is kept in order in "states". GET
/control gives {"events", "duplicates", "gaps", "early", "count", "retained", "states", "problems", "sparkplug"}.
"""

import argparse
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import paho.mqtt.client as mqtt
from cloudevents.core.formats.json import JSONFormat

DEFAULTS = {"receipts": True, "rejected": [], "slow_ms": 0, "every": 50, "high": 0, "before": [], "count_only": False}


def sparkplug_message():
    """The message of Sparkplug B 3.0, section 6.4, from its field numbers."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", package="sparkplug", syntax="proto2")
    metric = file.message_type.add(name="Metric")
    for name, number, kind in [
        ("name", 1, field.TYPE_STRING), ("alias", 2, field.TYPE_UINT64), ("timestamp", 3, field.TYPE_UINT64),
        ("datatype", 4, field.TYPE_UINT32), ("is_historical", 5, field.TYPE_BOOL), ("is_transient", 6, field.TYPE_BOOL),
        ("is_null", 7, field.TYPE_BOOL), ("int_value", 10, field.TYPE_UINT32), ("long_value", 11, field.TYPE_UINT64),
        ("float_value", 12, field.TYPE_FLOAT), ("double_value", 13, field.TYPE_DOUBLE), ("boolean_value", 14, field.TYPE_BOOL),
        ("string_value", 15, field.TYPE_STRING), ("bytes_value", 16, field.TYPE_BYTES),
    ]:
        metric.field.add(name=name, number=number, type=kind, label=field.LABEL_OPTIONAL)
    payload = file.message_type.add(name="Payload")
    payload.field.add(name="timestamp", number=1, type=field.TYPE_UINT64, label=field.LABEL_OPTIONAL)
    payload.field.add(name="metrics", number=2, type=field.TYPE_MESSAGE, type_name=".sparkplug.Metric", label=field.LABEL_REPEATED)
    payload.field.add(name="seq", number=3, type=field.TYPE_UINT64, label=field.LABEL_OPTIONAL)
    payload.field.add(name="uuid", number=4, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    payload.field.add(name="body", number=5, type=field.TYPE_BYTES, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("sparkplug.Payload"))


class Receiver:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        # Held until receipts are given to the client: they go in the order in which they were made.
        self.saying = threading.Lock()
        self.behaviour = {**DEFAULTS, **json.loads(options.behaviour)}
        self.events = {}
        self.duplicates = 0
        self.count = 0
        self.gaps = 0
        # Events that came before their predecessors, and were dropped.
        self.early = 0
        self.lowest = {}
        self.high = {}
        self.unsaid = 0
        self.dirty = set()
        self.retained = {}
        self.states = []
        self.problems = []
        self.sparkplug = []
        self.subscribed = threading.Event()
        self.payload = sparkplug_message() if options.format == "sparkplug" else None
        self.base = f"stockgate/1/{quote(options.site, safe='')}/{options.gateway}"
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=f"receiver-{options.destination}", clean_session=False, protocol=mqtt.MQTTv311)
        self.client.reconnect_delay_set(1, 1)
        self.client.max_inflight_messages_set(1000)
        if options.ca:
            self.client.tls_set(options.ca, options.certificate, options.key)
        if options.user:
            self.client.username_pw_set(options.user, options.password)
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = lambda *arguments: self.subscribed.set()
        self.client.on_message = self.on_message

    def start(self):
        self.client.connect("127.0.0.1", self.options.broker_port, keepalive=30)
        self.client.loop_start()
        if not self.subscribed.wait(10):
            raise SystemExit("not subscribed within 10 s")
        threading.Thread(target=self.give_receipts_after_a_pause, daemon=True).start()

    def on_connect(self, client, userdata, flags, reason, properties):
        topics = ["event/#", "state", "device/+", "master/+/state"]
        client.subscribe([(f"{self.base}/{topic}", 1) for topic in topics] + [("spBv1.0/#", 1)])

    def on_message(self, client, userdata, message):
        try:
            self.take(message)
        except Exception as error:
            with self.lock:
                self.problems.append(f"{message.topic}: {type(error).__name__}: {error}")

    def take(self, message):
        if message.topic.startswith("spBv1.0/"):
            return self.take_sparkplug(message)
        if "/event/" not in message.topic:
            with self.lock:
                self.retained[message.topic] = json.loads(message.payload)
                if "/master/" in message.topic:
                    self.states.append(self.retained[message.topic])
            return None
        if self.options.format == "cloudevents":
            if self.behaviour["count_only"]:
                envelope = json.loads(message.payload)
                event, after, destination = envelope["data"], int(envelope["after"]), envelope["destination"]
            else:
                envelope = JSONFormat().read(None, message.payload)
                event, after = envelope.get_data(), int(envelope.get_extension("after"))
                destination = envelope.get_extension("destination")
        else:
            envelope = json.loads(message.payload)
            event, after, destination = envelope["event"], envelope["after"], envelope["destination"]
            canonical = self.behaviour["count_only"] or json.dumps(
                envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == message.payload
            if not canonical:
                raise ValueError("not canonical")
        if message.topic != f"{self.base}/event/{event['type']}" or message.qos != 1 or message.retain:
            raise ValueError(f"topic, QoS {message.qos} or retain {message.retain} is wrong")
        if destination != self.options.destination:
            return None
        return self.keep(event, after)

    def take_sparkplug(self, message):
        payload = self.payload()
        payload.ParseFromString(message.payload)
        kind = message.topic.split("/")[2]
        metrics = {}
        for metric in payload.metrics:
            value = next((getattr(metric, name) for name in ("long_value", "boolean_value", "string_value") if metric.HasField(name)), None)
            metrics[metric.name] = {"value": value, "datatype": metric.datatype, "null": metric.is_null, "historical": metric.is_historical}
        if kind == "NDATA":
            event = json.loads(metrics["Event/Body"]["value"])
            if metrics["Event/Sequence"]["value"] != event["seq"] or metrics["Event/Type"]["value"] != event["type"]:
                raise ValueError("metrics disagree")
            metrics["Event/Body"]["value"] = ""
            self.keep(event, metrics["Event/After"]["value"])
        with self.lock:
            if len(self.sparkplug) < 2000:
                self.sparkplug.append({
                    "topic": message.topic, "qos": message.qos, "seq": payload.seq if payload.HasField("seq") else None,
                    "timestamp": payload.timestamp if payload.HasField("timestamp") else None, "metrics": metrics,
                })

    def keep(self, event, after):
        if self.behaviour["slow_ms"]:
            time.sleep(self.behaviour["slow_ms"] / 1000)
        epoch = event["id"].replace("-", "")[:16]
        with self.lock:
            self.count += 1
            high = self.high.setdefault(epoch, self.behaviour["high"])
            if event["seq"] <= high:
                self.duplicates += 1
            elif after > high:
                self.early += 1
            else:
                if event["id"] in self.events:
                    raise ValueError("taken twice")
                if event["seq"] != high + 1:
                    self.gaps += 1
                if not self.behaviour["count_only"]:
                    self.events[event["id"]] = event["seq"]
                self.high[epoch] = event["seq"]
            # From here on rejections are said again.
            self.lowest[epoch] = min(event["seq"], self.lowest.get(epoch, event["seq"]))
            self.dirty.add(epoch)
            self.unsaid += 1
            is_due = self.unsaid >= self.behaviour["every"]
        if is_due:
            self.give_receipts()

    def give_receipts_after_a_pause(self):
        while True:
            time.sleep(0.02)
            self.give_receipts()

    def give_receipts(self):
        with self.saying:
            with self.lock:
                if not self.dirty or not self.behaviour["receipts"]:
                    return
                epochs, self.dirty, self.unsaid = self.dirty, set(), 0
                said = list(self.behaviour["before"])
                for epoch in epochs:
                    lowest = self.lowest.pop(epoch)
                    said.append({
                        "gateway": self.options.gateway, "epoch": epoch, "upto": self.high[epoch],
                        "rejected": [
                            {"seq": seq, "code": "E1", "reason": "told to"}
                            for seq in sorted(self.behaviour["rejected"]) if lowest <= seq <= self.high[epoch]
                        ],
                    })
            for receipt in said:
                self.client.publish(f"{self.base}/receipt/{self.options.destination}", json.dumps(receipt), qos=1)

    def report(self):
        with self.lock:
            return {
                "events": list(self.events), "duplicates": self.duplicates, "gaps": self.gaps, "early": self.early, "count": self.count,
                "high": max(self.high.values(), default=0), "retained": self.retained, "states": self.states,
                "problems": self.problems[:20], "sparkplug": self.sparkplug,
            }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def log_message(self, *arguments):
        pass

    def answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer(self.receiver.report())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        receiver = self.receiver
        if self.path == "/publish":
            data = bytes.fromhex(body["hex"])
            receiver.client.publish(body["topic"], data, qos=1, retain=body.get("retain", False)).wait_for_publish(5)
        else:
            with receiver.lock:
                for name, value in body.items():
                    receiver.behaviour[name] = DEFAULTS[name] if value is None else value
        self.answer({})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker-port", type=int, required=True)
    for name in ("gateway", "site", "destination"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--format", default="json")
    for name in ("ca", "certificate", "key", "user", "password"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--behaviour", metavar="JSON", default="{}")
    Handler.receiver = Receiver(parser.parse_args())
    Handler.receiver.start()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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
